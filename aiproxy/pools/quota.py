"""What vendors say of an account's quotas, beside their answers or when they are asked: windows, how much of each is used, when
it ends. Pure. The pool lets an account rest whose window is used up; here is what is known, for people and for metrics."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MOST_ACCOUNTS = 20_000
"""Whose windows are kept: twice the accounts that are provided for."""


@dataclass(frozen=True, slots=True)
class Window:
    """`used` is a share, 1 when nothing is left. `ends` is seconds since the epoch, None where nobody says. `model` is whose
    quota it is, "" for the whole account's. `guards`: nothing more is to be had once it is used up; of others it is only told
    (some models are free of them, or they may be overdrawn for money)."""

    name: str
    used: float
    ends: float | None = None
    model: str = ""
    guards: bool = True


class QuotaBook:
    """The latest word on each account's windows."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Window]] = {}

    def saw(self, account: str, windows: Iterable[Window]) -> None:
        found = {window.name: window for window in windows}
        if not found:
            return
        if account not in self._known and len(self._known) >= MOST_ACCOUNTS:
            del self._known[next(iter(self._known))]
        self._known.setdefault(account, {}).update(found)

    def keep(self, accounts: Iterable[str]) -> None:
        """Forget all others."""
        kept = set(accounts)
        self._known = {account: windows for account, windows in self._known.items() if account in kept}

    def of(self, account: str, now: float) -> Mapping[str, Window]:
        """Windows that haven't ended, by name. `now` is seconds since the epoch."""
        known = self._known.get(account, {})
        return {name: window for name, window in known.items() if window.ends is None or window.ends > now}

    def all(self, now: float) -> Iterator[tuple[str, Window]]:
        """Every account's windows that haven't ended."""
        return ((account, window) for account in self._known for window in self.of(account, now).values())

    def used_up(self, account: str, now: float) -> Mapping[str, float]:
        """Until when nothing is to be had of which model at an account ("" for all of them)."""
        found: dict[str, float] = {}
        for window in self.of(account, now).values():
            if window.guards and window.used >= 1 and window.ends is not None:
                found[window.model] = max(window.ends, found.get(window.model, 0.0))
        return found

    def full(self, account: str, now: float) -> frozenset[str]:
        """The models ("" for all) of which nothing is to be had, whether somebody says until when or not."""
        windows = self.of(account, now).values()
        return frozenset(window.model for window in windows if window.guards and window.used >= 1)

    def fullest(self, account: str, now: float) -> Window | None:
        """Of the whole account's windows, the one of which least is left."""
        whole = (window for window in self.of(account, now).values() if not window.model)
        return max(whole, key=lambda window: window.used, default=None)
