"""The health of all accounts, each as a whole and for each of its models. Pure: the time is handed in.

What is remembered beyond the process goes out and comes back as `Remembered`, in the wall clock's time and under a digest
of what the account is: a new key under an old name starts afresh.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from random import Random

from aiproxy.neutral.errors import GatewayError
from aiproxy.pools.health import LONGEST_REST, WELL, Health, Scope, scope_of
from aiproxy.pools.selection import Account

MOST_ENTRIES = 10_000
"""Healths that are kept: clients choose the names of models at open accounts, and may choose many. About 3 MB."""

FORGOTTEN_AFTER = LONGEST_REST
"""Seconds after its end at which a rest says nothing any more about how long the next one should be."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A rest as it is kept outside the process. `account` is `Account.identity`, `name` its id, for people; `model` "" is
    the whole account. `since` and `until` are seconds since the epoch, `rest` the seconds that the next one doubles."""

    account: str
    model: str
    name: str
    reason: str
    rest: float
    since: float
    until: float


class HealthBook:
    """`changes` grows with every change: whoever keeps copies sees whether there is anything new."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._known: dict[tuple[str, str], Health] = {}
        self._accounts: Mapping[str, Account] = {}
        self.changes = 0

    def replace(self, accounts: Mapping[str, Account]) -> None:
        """Take a new configuration's accounts; those that stay what they were keep their health."""
        old, self._accounts = self._accounts, accounts
        same = {name for name, account in accounts.items() if name in old and old[name].identity == account.identity}
        self._keep({key: health for key, health in self._known.items() if key[0] in same})

    def of(self, account: str, model: str = "") -> Health:
        """Of the account, or of one model at it when that one rests longer."""
        if not self._known:
            return WELL
        whole = self._known.get((account, ""), WELL)
        part = self._known.get((account, model), WELL)
        return part if part.ready_at > whole.ready_at else whole

    def failed(self, account: Account, model: str, error: GatewayError, now: float) -> None:
        scope = scope_of(error)
        if scope is Scope.REQUEST or not account.cools:
            return
        key = (account.id, model if scope is Scope.MODEL else "")
        self._known[key] = self._known.get(key, WELL).failed(error, now, self._random)
        self.changes += 1
        if len(self._known) > MOST_ENTRIES:
            self._forget_some(now)

    def succeeded(self, account: str, model: str, began: float) -> None:
        """An attempt that began then has worked: it knows better than what was seen before, and nothing of later."""
        for key in ((account, ""), (account, model)):
            known = self._known.get(key)
            if known is not None and known.since <= began:
                del self._known[key]
                self.changes += 1

    def clear(self, account: str, model: str | None = None) -> int:
        """Forget an account's rests, or one model's at it ("": the rest of the whole). How many there were."""
        kept = {k: h for k, h in self._known.items() if k[0] != account or (model is not None and k[1] != model)}
        return self._keep(kept)

    def resting(self, now: float) -> list[tuple[str, str, Health]]:
        """All that rests now: account, model ("" for the whole account), health."""
        return [(*key, health) for key, health in self._known.items() if not health.ready(now)]

    def remembered(self, now: float, wall: float) -> list[Remembered]:
        """What is worth keeping; `now` and `wall` are the same moment by the pool's clock and since the epoch."""
        return [
            Remembered(
                self._accounts[name].identity,
                model,
                name,
                health.reason,
                health.rest,
                health.since - now + wall,
                health.ready_at - now + wall,
            )
            for (name, model), health in self._known.items()
            if name in self._accounts and self._accounts[name].identity and now < health.ready_at + FORGOTTEN_AFTER
        ]

    def remember(self, kept: Iterable[Remembered], now: float, wall: float) -> None:
        """Take over what was kept, or what another process has seen: of two healths of one thing the later seen counts."""
        by_identity = defaultdict[str, list[str]](list)
        for account in self._accounts.values():
            if account.cools and account.identity:
                by_identity[account.identity].append(account.id)
        for each in kept:
            if wall >= each.until + FORGOTTEN_AFTER:
                continue
            since = min(each.since - wall, 0.0) + now  # nothing was seen in the future, whatever that clock said
            for name in by_identity.get(each.account, ()):
                known = self._known.get((name, each.model))
                if known is None or known.since < since:
                    self._known[name, each.model] = Health(each.until - wall + now, each.rest, each.reason, since)
                    self.changes += 1
        if len(self._known) > MOST_ENTRIES:
            self._forget_some(now)

    def _keep(self, kept: dict[tuple[str, str], Health]) -> int:
        gone = len(self._known) - len(kept)
        self._known = kept
        self.changes += gone > 0
        return gone

    def _forget_some(self, now: float) -> None:
        """Make room: first what is over, then what ends first."""
        over: Collection[tuple[str, str]] = [key for key, health in self._known.items() if health.ready(now)]
        surplus = nsmallest(MOST_ENTRIES // 10, self._known, key=lambda key: self._known[key].ready_at)
        for key in over or surplus:
            del self._known[key]
