"""The health of everything that can rest: accounts, models at them, providers' models, ways over the network. Pure: the
time is handed in.

A failure that a whole provider or network is blamed for rests the account at once, and the rest of them only when another
account finds the same before anything worked there: one broken connection is no outage.

What is remembered beyond the process goes out and comes back as `Remembered`, in the wall clock's time and under a digest
of what the account, or the provider, is: a new key under an old name starts afresh. Ways over the network are found out anew,
by every process for itself: another one's may go elsewhere. An account that a hand has disabled goes out as a rest that only a
hand ends, under a digest of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from math import inf, nextafter
from random import Random

from aiproxy.neutral.errors import GatewayError, QuotaExhausted
from aiproxy.pools.health import LONGEST_REST, WELL, Health
from aiproxy.pools.selection import Account
from aiproxy.pools.verdict import Scope
from aiproxy.secrets import digest

MOST_ENTRIES = 10_000
"""Healths that are kept: clients choose the names of models at open accounts, and may choose many. About 3 MB."""

FORGOTTEN_AFTER = LONGEST_REST
"""Seconds after its end at which a rest says nothing any more about how long the next one should be."""

SUSPECT_SECONDS = 60.0
"""How long the first account's finding waits for a second one's: an outage shows within a few calls."""

DISABLED = "disabled"
"""The reason of a rest by hand."""

FOR_EVER = 253402300800.0
"""Seconds since the epoch: the year 10000, which every database and JSON can say. No rest but one by hand lasts as long."""

Place = tuple[Scope, str, str]
"""What rests: an account ("" as its model is all of them), a provider's model, a network."""


def switch_of(identity: str) -> str:
    """What an account's being disabled is kept as: it is no rest like its others."""
    return digest(DISABLED, identity)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A rest as it is kept outside the process. `account` is `Account.identity`, `name` its id, for people; `model` "" is
    the whole account. Of a provider's model both are the provider's. `since` and `until` are seconds since the epoch, `rest` the seconds that the next one doubles."""

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
        self._known: dict[Place, Health] = {}
        self._suspects: dict[Place, tuple[str, float]] = {}
        self._accounts: Mapping[str, Account] = {}
        self.disabled: dict[str, float] = {}
        """By hand: since when."""
        self.changes = 0

    def replace(self, accounts: Mapping[str, Account]) -> None:
        """Take a new configuration's accounts; those that stay what they were keep their health."""
        old, self._accounts = self._accounts, accounts
        same = {name for name, account in accounts.items() if name in old and old[name].identity == account.identity}
        self._keep({p: health for p, health in self._known.items() if p[0] is not Scope.ACCOUNT or p[1] in same})
        for name in self.disabled.keys() - same:
            self.enable(name)

    def disable(self, account: str, now: float) -> None:
        if account in self._accounts and account not in self.disabled:
            self.disabled[account] = now
            self.changes += 1

    def enable(self, account: str) -> None:
        if self.disabled.pop(account, None) is not None:
            self.changes += 1

    @property
    def holds_back(self) -> bool:
        """Whether anything might rest."""
        return bool(self._known or self.disabled)

    def of(self, account: Account, model: str) -> Health:
        """Of one model at an account."""
        return self.longest(places(account, model))

    def longest(self, places: Iterable[Place]) -> Health:
        """Of these, what rests longest."""
        longest = WELL
        if self._known:
            for place in places:
                health = self._known.get(place)
                if health is not None and health.ready_at > longest.ready_at:
                    longest = health
        return longest

    def resting_for(self, account: Account, model: str, now: float) -> list[Place]:
        """What keeps this model at this account from being lent."""
        return [place for place in places(account, model) if not self._known.get(place, WELL).ready(now)]

    def failed(self, account: Account, model: str, error: GatewayError, now: float) -> None:
        verdict = account.judge(error)
        if not verdict.cools:
            return
        own = (Scope.ACCOUNT, account.id, "" if verdict.scope in (Scope.ACCOUNT, Scope.NETWORK) else model)
        shared = _shared(account, model, verdict.scope)
        for place in (own, shared) if shared is not None and self._confirmed(shared, account.id, now) else (own,):
            before = self._known.get(place, WELL)
            self._known[place] = before.failed(error.kind, verdict.rest, error.retry_after, now, self._random)
        self.changes += 1
        self._make_room(now)

    def used_up(self, account: Account, model: str, ready_at: float, now: float) -> None:
        """The vendor says that nothing is to be had of a model here ("" for all) before then."""
        place = (Scope.ACCOUNT, account.id, model)
        known = self._known.get(place, WELL)
        if account.judge.cools and ready_at > known.ready_at:
            told = nextafter(now, inf)  # the answer that says so works itself, and mustn't disprove it
            self._known[place] = Health(ready_at, known.rest, QuotaExhausted.kind, told)
            self.changes += 1
            self._make_room(now)

    def not_used_up(self, account: Account, model: str, asked: float) -> None:
        """The vendor said that there is some left, when it was asked at that time. It knew nothing of later."""
        place = (Scope.ACCOUNT, account.id, model)
        known = self._known.get(place)
        if known is not None and known.reason == QuotaExhausted.kind and known.since <= asked:
            self.clear(account.id, model)

    def succeeded(self, account: Account, model: str, began: float, leaves: frozenset[str] = frozenset()) -> bool:
        """An attempt that began then has worked: it knows better than what was seen before, and nothing of later, nor of the
        reasons it `leaves`. Whether that made anything well."""
        before = self.changes
        for place in places(account, model):
            if self._suspects:
                self._suspects.pop(place, None)
            known = self._known.get(place)
            if known is not None and known.since <= began and known.reason not in leaves:
                del self._known[place]
                self.changes += 1
        return self.changes > before

    def clear(self, account: str, model: str | None = None) -> int:
        """Forget an account's rests, or one model's at it ("": the rest of the whole). How many there were."""

        def stays(place: Place) -> bool:
            return place[:2] != (Scope.ACCOUNT, account) or (model is not None and place[2] != model)

        return self._keep({place: health for place, health in self._known.items() if stays(place)})

    def forget(self, place: Place) -> int:
        """Forget one rest: a provider's model's, a network's. How many there were."""
        return self._keep({each: health for each, health in self._known.items() if each != place})

    def resting(self, now: float) -> list[tuple[Place, Health]]:
        return [(place, health) for place, health in self._known.items() if not health.ready(now)]

    def remembered(self, now: float, wall: float) -> list[Remembered]:
        """What is worth keeping; `now` and `wall` are the same moment by the pool's clock and since the epoch."""
        ahead = wall - now
        by_hand = [
            Remembered(switch, "", name, DISABLED, 0.0, since + ahead, FOR_EVER)
            for name, since in self.disabled.items()
            if (switch := self._switch(name))
        ]
        return by_hand + [
            Remembered(identity, model, name, h.reason, h.rest, h.since + ahead, h.ready_at + ahead)
            for (scope, name, model), h in self._known.items()
            if (identity := self._identity(scope, name)) and now < h.ready_at + FORGOTTEN_AFTER
        ]

    def remember(self, kept: Iterable[Remembered], now: float, wall: float) -> None:
        """Take over what was kept, or what another process has seen: of two healths of one thing the later seen counts."""
        by_identity = defaultdict[str, set[tuple[Scope, str]]](set)
        for account in self._accounts.values():
            if account.judge.cools:
                for scope, name in ((Scope.ACCOUNT, account.id), (Scope.PROVIDER, account.provider)):
                    by_identity[self._identity(scope, name)].add((scope, name))
        by_identity.pop("", None)
        switches = {self._switch(name): name for name in self._accounts if self._switch(name)}
        for each in kept:
            if each.account in switches:
                self.disable(switches[each.account], each.since - wall + now)
            if wall >= each.until + FORGOTTEN_AFTER:
                continue
            since = min(each.since - wall, 0.0) + now  # nothing was seen in the future, whatever that clock said
            for scope, name in by_identity.get(each.account, ()):
                place = (scope, name, each.model)
                known = self._known.get(place)
                if known is None or known.since < since:
                    self._known[place] = Health(each.until - wall + now, each.rest, each.reason, since)
                    self.changes += 1
        self._make_room(now)

    def well(self, identity: str, model: str) -> None:
        """Another process has seen work what is kept as this, or a hand has enabled it."""
        for name in [name for name in self.disabled if self._switch(name) == identity]:
            self.enable(name)
        self._keep({p: h for p, h in self._known.items() if (self._identity(p[0], p[1]), p[2]) != (identity, model)})

    def _identity(self, scope: Scope, name: str) -> str:
        """What it is kept as outside the process; "" for what is not."""
        match scope:
            case Scope.ACCOUNT if name in self._accounts:
                return self._accounts[name].identity
            case Scope.PROVIDER if name:
                return digest("provider", name)
            case _:
                return ""

    def _switch(self, account: str) -> str:
        """What an account's being disabled is kept as."""
        identity = self._identity(Scope.ACCOUNT, account)
        return switch_of(identity) if identity else ""

    def _confirmed(self, place: Place, account: str, now: float) -> bool:
        """Whether it rests or rested already, or another account has found the same; this one's finding is noted."""
        before, at = self._suspects.get(place, (account, now))
        self._suspects[place] = (account, now)
        if len(self._suspects) > MOST_ENTRIES:
            self._suspects.clear()
        return place in self._known or (before != account and now - at <= SUSPECT_SECONDS)

    def _keep(self, kept: dict[Place, Health]) -> int:
        gone = len(self._known) - len(kept)
        self._known = kept
        self.changes += gone > 0
        return gone

    def _make_room(self, now: float) -> None:
        """First what is over goes, then what ends first."""
        if len(self._known) <= MOST_ENTRIES:
            return
        over = [place for place, health in self._known.items() if health.ready(now)]
        for place in over or nsmallest(MOST_ENTRIES // 10, self._known, key=lambda place: self._known[place].ready_at):
            del self._known[place]


def places(account: Account, model: str) -> tuple[Place, ...]:
    """All that a model at an account depends on."""
    return (
        (Scope.ACCOUNT, account.id, ""),
        (Scope.ACCOUNT, account.id, model),
        (Scope.PROVIDER, account.provider, model),
        (Scope.NETWORK, account.network, ""),
    )


def _shared(account: Account, model: str, scope: Scope) -> Place | None:
    if scope is Scope.PROVIDER and account.provider:
        return scope, account.provider, model
    if scope is Scope.NETWORK and account.network:
        return scope, account.network, ""
    return None
