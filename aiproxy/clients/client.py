"""Whoever holds a key, and what the key is good for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiproxy.clients.limits import DAY, Limited

USUAL_PRIORITY = 100
"""The priority of a key that says none."""


def _anything(*_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Client:
    """`tenant` is whose state is whose: the name that the configuration gives, else the key's digest; a place in its list
    may become somebody else's.

    `may_use` judges a model's name, `may_reach` an account by its name, its provider and its prefix. Of calls that wait for
    an account, those of a smaller `priority` are served first. `expires` is seconds since the epoch, None for never.
    `strict` overrides how this client's requests are translated. `told`: its answers say who gave them, and how fast.
    `logged`: the prompt log, where there is one, has its calls."""

    name: str
    tenant: str
    may_use: Callable[[str], bool] = _anything
    may_reach: Callable[[str, str, str], bool] = _anything
    priority: int = USUAL_PRIORITY
    expires: float | None = None
    disabled: bool = False
    tags: tuple[str, ...] = ()
    strict: bool | None = None
    told: bool = True
    logged: bool = True
    limits: tuple[Limited, ...] = ()

    def objection(self, now: float) -> str:
        """Why this key is no good any more, or yet; "" when it is."""
        if self.disabled:
            return "is disabled"
        if self.expires is not None and now >= self.expires:
            return f"expired at {datetime.fromtimestamp(self.expires, UTC):%Y-%m-%d %H:%M} UTC"
        return ""


ANYONE = Client("anonymous", "anyone")
"""Who calls a gateway that asks for no key: it listens on loopback only."""


def moment(text: str) -> float:
    """`2026-12-31` (the end of that day) or `2026-12-31T18:00[:00][+01:00]`, UTC unless it says otherwise, as seconds since
    the epoch. Raises `ValueError`."""
    found = datetime.fromisoformat(text.strip())
    began = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return began + (DAY if len(text.strip()) <= len("2026-12-31") else 0)
