"""An account as it is told: what the configuration or its file says of it, how it is, what its vendor says is left. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from aiproxy.config.schema import Settings
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Record, Unreadable
from aiproxy.pools.book import Place
from aiproxy.pools.health import Health
from aiproxy.pools.quota import Window
from aiproxy.pools.selection import Account
from aiproxy.pools.verdict import Scope
from aiproxy.providers.base import Upstream

Rest = Mapping[str, Any]


class Entry(NamedTuple):
    """Where the configuration has an account (`openai-api-key[0]`), "" for one of a file, and what is noted there of it."""

    place: str = ""
    note: str = ""


def entry_of(account: str, settings: Settings) -> Entry:
    """As providers name theirs."""
    for section, entries in settings.key_entries.items():
        for index, entry in enumerate(entries):
            if account == (entry.name or f"{section.removesuffix('-api-key')}-{index + 1}"):
                return Entry(f"{section}[{index}]", entry.note)
    for index, compatible in enumerate(settings.openai_compatibility):
        for number in range(1, max(1, len(compatible.api_key_entries)) + 1):
            if account == f"{compatible.name}-{number}":
                return Entry(f"openai-compatibility[{index}]", compatible.note)
    return Entry()


def configured(upstream: Upstream) -> Mapping[str, Any]:
    return {
        "provider": upstream.provider.name,
        "base-url": upstream.base_url,
        "prefix": upstream.prefix,
        "priority": upstream.priority,
        "weight": upstream.weight,
        "concurrency": upstream.concurrency,
        "models": sorted(upstream.models),
        "passes-any-name": bool(upstream.accepts),
        "excluded-models": list(upstream.excluded_models),
    }


class Rests:
    """What rests now, by what it is. `ahead` is what lies between the pool's clock and the time of day."""

    def __init__(self, resting: Iterable[tuple[Place, Health]], ahead: float) -> None:
        self._by_name: dict[tuple[Scope, str], list[Rest]] = defaultdict(list)
        for (scope, name, model), health in resting:
            self._by_name[scope, name].append(
                {
                    "of": "model" if scope is Scope.ACCOUNT and model else scope.value,
                    "model": model,
                    "reason": health.reason,
                    "until": health.ready_at + ahead,
                }
            )

    def of(self, account: Account) -> Sequence[Rest]:
        names = (Scope.ACCOUNT, account.id), (Scope.PROVIDER, account.provider), (Scope.NETWORK, account.network)
        return [rest for name in names for rest in self._by_name.get(name, ())]


def quotas(windows: Mapping[str, Window]) -> Sequence[Mapping[str, Any]]:
    return [asdict(window) for window in windows.values()]


def login_of(record: Record, logins: Iterable[Login]) -> Login | None:
    return next((login for login in logins if record.type in login.types), None)


def logged_in(record: Record, login: Login) -> Mapping[str, Any]:
    """What its file says of a login, without its tokens."""
    told: dict[str, Any] = {
        "file": record.id,
        "type": record.type,
        "provider": login.provider,
        "whose": record.label,
        "plan": record.text("plan_type"),
        "project": record.text("project_id", "token.project_id"),
        "disabled": record.disabled,
        "refused": login.refused(record),
        "closed": login.closed,
    }
    try:
        tokens = login.tokens(record)
    except Unreadable as error:
        return {**told, "problem": f"its file {error}"}
    return {**told, "expires": tokens.expires, "refreshed": tokens.issued, "renewable": login.renewable(record)}


def state(*, disabled: bool, refused: str, rests: Sequence[Rest]) -> str:
    """In one word: `disabled`, `refused`, `resting` (all of it), `limited` (some models), `ready`."""
    if disabled:
        return "disabled"
    if refused:
        return "refused"
    if any(rest["of"] in (Scope.ACCOUNT, Scope.NETWORK) for rest in rests):
        return "resting"
    return "limited" if rests else "ready"


def attention(accounts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Those that a person should look at."""
    return (each["account"] for each in accounts if each["state"] not in ("ready", "limited", "disabled"))
