"""Who is lent what: the accounts, what each has been lent, what is known of it, who is bound to it. Pure: the time is
handed in, nobody waits here.

`decide` answers a wish with a `Taken`, a `NoneReady`, or the time at which to ask again. In this order:

1. Of the candidates that are ready, those of the best priority; of these the one whose state the request brings back,
   else the one that the session is bound to, else the strategy's.
2. When one is only busy, or returns within the wisher's patience: wait.
3. When all rest for longer: the first to return is probed, one call at a time; who comes meanwhile waits for how that
   ends. A refusal is never older than its wisher: somebody has just found out.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from aiproxy.pools.affinity import Bindings, Bound, Candidate
from aiproxy.pools.book import HealthBook, Place
from aiproxy.pools.health import Health
from aiproxy.pools.roster import Rosters, tier_of
from aiproxy.pools.selection import Account, Strategy, Tally

MINUTE = 60.0
"""Seconds: what paces of accounts are counted in."""

PROBE_PAUSE = 1.0
"""Seconds after a failure, or a failed probe, before the next probe of the same: it finds a recovery within a second, and
asks an upstream no more than a patient client would."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an attempt asks the pool for: one of these candidates, a collection that stays as it is.

    `tried` are passed over. `patience` is the longest wait in seconds. `probe` allows to take, when all rest for longer
    than that, the one that returns first. `session` is what the conversation is known by, "" for none; one that `begins`
    is bound, but goes where the strategy says. Of those that wait, a smaller `priority` is served first.
    `homes` are those that made state which the request brings back: it is good nowhere else, so they come before all
    others of their tier."""

    candidates: Collection[Candidate]
    tried: frozenset[Candidate] = frozenset()
    patience: float = 0.0
    probe: bool = False
    session: str = ""
    begins: bool = False
    priority: int = 0
    homes: frozenset[Candidate] = frozenset()


class Why(StrEnum):
    """Why an account was taken."""

    STRATEGY = "strategy"
    SESSION = "session"
    STATE = "state"
    """It made the opaque state that the request brings back."""
    PROBE = "probe"


class Hindrance(StrEnum):
    """Why one was not, where it doesn't rest."""

    BUSY = "busy"
    PACED = "paced"
    """It has had its calls of this minute."""
    TRIED = "tried"
    DISABLED = "disabled"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Skipped:
    candidate: Candidate
    why: Health | Hindrance


@dataclass(frozen=True, slots=True)
class Taken:
    """`probes` are the resting places that a probe asks for. `binds`: the session is bound to it from now on; it isn't where
    the account it is bound to is only busy."""

    account: Account
    model: str
    why: Why
    skipped: Sequence[Skipped]
    probes: Sequence[Place] = ()
    binds: bool = True


class NoneReady(Exception):
    """No account can be had in time. `ready_in` is seconds until the first returns, None when there is none at all."""

    def __init__(self, ready_in: float | None, skipped: Sequence[Skipped], *, queue_full: bool = False) -> None:
        super().__init__(f"no account ready, the first in {ready_in} s")
        self.ready_in = ready_in
        self.skipped = skipped
        self.queue_full = queue_full

    @property
    def resting(self) -> Sequence[tuple[str, Health]]:
        """The accounts that rest, the first to return first."""
        found = [(skip.candidate[0], skip.why) for skip in self.skipped if isinstance(skip.why, Health)]
        return sorted(found, key=lambda each: each[1].ready_at)


@dataclass(frozen=True, slots=True)
class Survey:
    """`tier` are the ready accounts of the best priority. `busy`: one that doesn't rest may be given back at a time nobody knows. `rests_until` is when the first of the others
    returns, or may have another call by its pace, None when there are no others."""

    ready: Sequence[tuple[Account, str]]
    tier: Sequence[Account]
    busy: bool
    rests_until: float | None
    skipped: Sequence[Skipped]


class Lending:
    def __init__(self, random: Random) -> None:
        self.accounts: dict[str, Account] = {}
        self.book = HealthBook(random)
        self.bindings = Bindings()
        self.probing: set[Place] = set()
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._rosters = Rosters()
        self._last_of: dict[Candidate, int] = {}
        self._renews: dict[str, float] = {}
        self._lent = 0
        self._moves = 0
        self._strategy: Strategy

    def replace(self, accounts: Sequence[Account], strategy: Strategy) -> None:
        self.accounts = {account.id: account for account in accounts}
        self._strategy = strategy
        self.book.replace(self.accounts)
        self._rosters.forget()
        self._last_of.clear()
        for name in [name for name, tally in self._tallies.items() if name not in self.accounts and not tally.in_use]:
            del self._tallies[name]

    def spend(self, account: str, share: float, renews: float) -> None:
        """So much of an account's quota is used, until then."""
        self._tallies[account].spent = share
        self._renews[account] = renews

    def in_use(self, account: str) -> int:
        tally = self._tallies.get(account)
        return tally.in_use if tally is not None else 0

    def survey(self, wanted: Wanted, now: float) -> Survey:
        roster, book = self._rosters.of(wanted.candidates, self.accounts), self.book
        if not (roster.limited or wanted.tried or book.holds_back):
            return Survey(roster.everyone, roster.tier, False, None, ())
        ready: list[tuple[Account, str]] = []
        skipped: list[Skipped] = []
        busy = False
        rests_until: float | None = None
        for candidate, account, places in roster.lines:
            why: Health | Hindrance
            if account is None:
                why = Hindrance.GONE
            elif candidate in wanted.tried:
                why = Hindrance.TRIED
            elif account.id in book.disabled:
                why = Hindrance.DISABLED
            elif not (why := book.longest(places)).ready(now):
                rests_until = why.ready_at if rests_until is None else min(rests_until, why.ready_at)
            elif (free := self._free(account)) > now:
                why, rests_until = Hindrance.PACED, free if rests_until is None else min(rests_until, free)
            elif self._full(account):
                why, busy = Hindrance.BUSY, True
            else:
                ready.append((account, candidate[1]))
                continue
            skipped.append(Skipped(candidate, why))
        return Survey(ready, tier_of(ready), busy, rests_until, skipped)

    def decide(
        self, wanted: Wanted, survey: Survey, since: float, until: float, now: float
    ) -> "Taken | NoneReady | float":
        """For a wish that came at `since` and can wait until `until`."""
        if survey.ready:
            return self._taken(wanted, survey, now)
        if now >= until and not wanted.probe:
            return self._refusal(survey, now)
        returns = survey.rests_until
        due = until if returns is None else min(returns, until)
        if not survey.busy and (returns is None or returns > until):
            answer = self._probe(survey, since, now) if wanted.probe and returns is not None else None
            if not isinstance(answer, float):
                return answer or self._refusal(survey, now)
            due = answer if answer > now else until
            if due > until:
                return self._refusal(survey, now)
        return due if now < until else self._refusal(survey, now)

    def take(self, taken: Taken, session: str, now: float) -> None:
        """Write down that it is lent."""
        self._moves += 1
        self._lent += 1
        tally = self._tallies[taken.account.id]
        tally.in_use += 1
        tally.last = self._lent
        if pace := taken.account.per_minute:
            tally.times.append(now)
            while len(tally.times) > pace:
                tally.times.popleft()
        self._last_of[taken.account.id, taken.model] = self._lent
        self.probing.update(taken.probes)
        if session and taken.binds:
            self.bindings.bind(session, (taken.account.id, taken.model), now)

    def give_back(self, taken: Taken) -> None:
        self._moves += 1
        self._tallies[taken.account.id].in_use -= 1
        self.probing.difference_update(taken.probes)

    @property
    def changes(self) -> int:
        """Grows whenever a survey may have another result."""
        return self._moves + self.book.changes

    # -- conversations that outlive the process

    def bound(self, now: float, wall: float) -> list[Bound]:
        return [
            replace(bound, account=self.accounts[bound.account].identity, until=bound.until - now + wall)
            for bound in self.bindings.all()
            if now < bound.until and bound.account in self.accounts and self.accounts[bound.account].identity
        ]

    def bind(self, kept: Iterable[Bound], now: float, wall: float) -> None:
        by_identity = {account.identity: account.id for account in self.accounts.values() if account.identity}
        for bound in kept:
            if (name := by_identity.get(bound.account)) is not None:
                self.bindings.take(replace(bound, account=name, until=bound.until - wall + now), now)

    # -- choosing

    def _taken(self, wanted: Wanted, survey: Survey, now: float) -> Taken:
        tier = survey.tier
        bound = self.bindings.find(wanted.session, now) if wanted.session and not wanted.begins else None
        why = Why.STRATEGY
        if (account := _first_of(tier, wanted.homes)) is not None:
            bound, why = next(each for each in wanted.homes if each[0] == account.id), Why.STATE
        elif bound is not None and (account := _first_of(tier, (bound,))) is not None:
            why = Why.SESSION
        elif len(tier) == 1:
            account = tier[0]
        else:
            self._renew(now)
            account, owed = self._strategy(tier, self._tallies)
            for name, credit in owed.items():
                self._tallies[name].credit = credit
        models = [model for each, model in survey.ready if each is account]
        binds = bound is None or Skipped(bound, Hindrance.BUSY) not in survey.skipped
        return Taken(account, self._model(account, models, bound), why, survey.skipped, binds=binds)

    def _renew(self, now: float) -> None:
        """Forget what was used of quotas that have begun anew."""
        for name in [name for name, renews in self._renews.items() if renews <= now]:
            del self._renews[name]
            if name in self._tallies:
                self._tallies[name].spent = None

    def _model(self, account: Account, models: Sequence[str], bound: Candidate | None) -> str:
        """Of the models that stand in for one another at an account: the bound one, else whose turn is longest ago."""
        if len(models) == 1:
            return models[0]
        if bound is not None and bound[0] == account.id and bound[1] in models:
            return bound[1]
        return min(models, key=lambda model: self._last_of.get((account.id, model), 0))

    def _probe(self, survey: Survey, since: float, now: float) -> Taken | float | None:
        """The probe to make, or the time at which one may be due (now: nobody knows), or None: somebody has just found out."""
        resting = [skip for skip in survey.skipped if isinstance(skip.why, Health)]
        if not resting:
            return None  # a pace is no guess that asking could disprove
        free = [skip for skip in resting if not self._full(self.accounts[skip.candidate[0]])]
        if not free:
            return now  # whoever is under way there comes back, and then we are asked again
        first = min(free, key=lambda skip: skip.why.ready_at if isinstance(skip.why, Health) else 0.0)
        name, model = first.candidate
        account = self.accounts[name]
        assert isinstance(first.why, Health)
        places = self.book.resting_for(account, model, now)
        if self.probing.intersection(places):
            return now  # so does whoever probes
        if first.why.since > since:
            return None
        due = first.why.since + PROBE_PAUSE
        if now < due:
            return due
        return Taken(account, model, Why.PROBE, survey.skipped, places)

    def _free(self, account: Account) -> float:
        """When its pace allows another call."""
        times = self._tallies[account.id].times if account.per_minute else ()
        return times[0] + MINUTE if times and len(times) >= account.per_minute else 0.0

    def _full(self, account: Account) -> bool:
        return 0 < account.concurrency <= self._tallies[account.id].in_use

    @staticmethod
    def _refusal(survey: Survey, now: float) -> NoneReady:
        returns = now if survey.busy else survey.rests_until
        ready_in = None if returns is None else max(0.0, returns - now)
        return NoneReady(ready_in, survey.skipped)


def _first_of(tier: Sequence[Account], candidates: Collection[Candidate]) -> Account | None:
    if not candidates:
        return None
    names = {name for name, _ in candidates}
    return next((account for account in tier if account.id in names), None)
