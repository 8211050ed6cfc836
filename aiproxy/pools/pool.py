"""Accounts that are lent to attempts. `lease` is a Deferred: it fires at once when an account is ready, otherwise when
a slot is freed, a rest ends or a probe comes back, and fails when none of these can happen in time.

One synchronous `_serve` looks at the queue and fires what it can; everything else changes state and calls `_serve`. The
pool outlives configurations: `replace` swaps the accounts, health carries over by account id.
"""

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from random import Random
from types import TracebackType

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from aiproxy.neutral.errors import GatewayError
from aiproxy.pools.affinity import Bound, Candidate
from aiproxy.pools.book import Place, Remembered
from aiproxy.pools.health import WELL, Health
from aiproxy.pools.lending import Lending, NoneReady, Skipped, Survey, Taken, Wanted
from aiproxy.pools.selection import Account, Strategy, round_robin

QUEUE_LENGTH = 1000
"""Calls that may wait for an account, unless it is set otherwise: about 40 MB of requests, more than anybody waits for."""

LIMITS = frozenset(("rate_limit", "quota_exhausted", "billing"))
"""Reasons of a rest that only an answer of a model disproves."""

SOONEST_ALARM = 0.001
"""Seconds. What is due sooner is due but for the rounding of its time, and must not be asked for again and again."""


class Lease:
    """An account lent to one attempt, held by `async with`. The error that leaves the block is what the account is
    blamed for; leaving without one makes it well; a cancellation says nothing about it."""

    __slots__ = ("_pool", "began", "taken", "waited")

    def __init__(self, pool: "Pool", taken: Taken, began: float, waited: float) -> None:
        self._pool = pool
        self.taken = taken
        self.began = began
        self.waited = waited

    @property
    def account(self) -> Account:
        return self.taken.account

    @property
    def model(self) -> str:
        """What the account's upstream calls it."""
        return self.taken.model

    @property
    def candidate(self) -> Candidate:
        return self.taken.account.id, self.taken.model

    def worked(self) -> None:
        """The upstream answers: the account is well, however long the answer takes."""
        self._pool._worked(self)  # noqa: SLF001 - the pool's own hand, reached out

    async def __aenter__(self) -> "Lease":
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._pool._returned(self, error)  # noqa: SLF001 - the pool's own hand, reached out


@dataclass(slots=True, eq=False)
class _Waiting:
    wanted: Wanted
    since: float
    until: float
    due: float = 0.0
    lease: "Deferred[Lease]" = field(default_factory=Deferred)
    outcome: "Lease | NoneReady | None" = None

    @property
    def priority(self) -> int:
        return self.wanted.priority

    def fire(self) -> None:
        match self.outcome:
            case Lease():
                self.lease.callback(self.outcome)
            case NoneReady():
                self.lease.errback(self.outcome)


class Pool:
    def __init__(
        self, clock: IReactorTime, random: Random, accounts: Sequence[Account] = (), strategy: Strategy = round_robin
    ) -> None:
        self._clock = clock
        self._lending = Lending(random)
        self._queue: list[_Waiting] = []
        self._alarm: IDelayedCall | None = None
        self._longest_queue = QUEUE_LENGTH
        self.replace(accounts, strategy)

    def replace(
        self,
        accounts: Sequence[Account],
        strategy: Strategy,
        *,
        sessions: float = 0.0,
        queue: int = QUEUE_LENGTH,
    ) -> None:
        """Take a new configuration's accounts; those that stay what they were keep their health, leases out stay valid.
        Conversations stay with their accounts for `sessions` seconds; at most `queue` calls wait."""
        self._lending.replace(accounts, strategy)
        self._lending.bindings.lifetime = sessions
        self._longest_queue = queue
        self._serve()

    def lease(self, wanted: Wanted) -> "Deferred[Lease]":
        """Fails with `NoneReady`. Cancelling it leaves the queue."""
        now = self._clock.seconds()
        waiting = _Waiting(wanted, now, now + wanted.patience)
        if self._settle(waiting, self._lending.survey(wanted, now), now):
            waiting.fire()
        elif len(self._queue) >= self._longest_queue:
            waiting.lease.errback(NoneReady(0.0, (), queue_full=True))
        else:
            waiting.lease = Deferred(lambda _: self._left(waiting))
            insort(self._queue, waiting, key=attrgetter("priority"))
            self._set_alarm(now)
        return waiting.lease

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def passed_over(self, wanted: Wanted) -> Sequence[Skipped]:
        """The candidates that can't be had now, and why."""
        return self._lending.survey(wanted, self._clock.seconds()).skipped

    # -- what is known of accounts, and what a hand may change of it

    def health(self, account: str, model: str = "") -> Health:
        """Of one model at an account, or of the account as a whole."""
        known = self._lending.accounts.get(account)
        return WELL if known is None else self._lending.book.of(known, model)

    def resting(self) -> list[tuple[Place, Health]]:
        """All that rests: accounts, models at them, providers' models, networks."""
        return self._lending.book.resting(self._clock.seconds())

    def in_use(self, account: str) -> int:
        return self._lending.in_use(account)

    def clear(self, account: str, model: str | None = None) -> int:
        """Forget an account's rests, or one model's at it ("": the rest of the whole). How many there were."""
        forgotten = self._lending.book.clear(account, model)
        self._serve()
        return forgotten

    def forget(self, place: Place) -> int:
        """Forget one of what `resting` tells: a provider's model's, a network's. How many there were."""
        forgotten = self._lending.book.forget(place)
        self._serve()
        return forgotten

    def found(self, account: str, error: GatewayError | None, model: str = "") -> None:
        """What somebody found out about an account, or a model at it, without a lease: it works, or it fails. That an account
        works of which no model was asked says nothing of its limits."""
        known, now = self._lending.accounts.get(account), self._clock.seconds()
        if known is not None and error is None:
            self._lending.book.succeeded(known, model, now, leaves=frozenset() if model else LIMITS)
        elif known is not None and error is not None:
            self._lending.book.failed(known, model, error, now)
        self._serve()

    def told_quota(
        self,
        account: str,
        used_up: Mapping[str, float],
        left: Iterable[str],
        asked: float,
        spent: tuple[float, float] | None,
    ) -> None:
        """What an account's vendor says: which models' quotas ("" for all of the account's) are `used_up` for how many seconds,
        of which some was `left` again when it was `asked`, by the clock, and the share that is `spent` of the fullest, for how many seconds."""
        known, now = self._lending.accounts.get(account), self._clock.seconds()
        if known is None:
            return
        for model, seconds in used_up.items():
            self._lending.book.used_up(known, model, now + seconds, now)
        for model in left:
            self._lending.book.not_used_up(known, model, asked)
        if spent is not None:
            self._lending.spend(account, spent[0], now + spent[1])
        self._serve()

    def bind_session(self, session: str, candidate: Candidate) -> None:
        """A conversation under another name belongs to this account, too."""
        self._lending.bindings.bind(session, candidate, self._clock.seconds())

    def bound_to(self, session: str) -> Candidate | None:
        return self._lending.bindings.find(session, self._clock.seconds())

    @property
    def disabled(self) -> frozenset[str]:
        return frozenset(self._lending.book.disabled)

    def disable(self, account: str) -> None:
        """Lend it to nobody until it is enabled again, here and wherever its rests are known; leases out go on."""
        self._lending.book.disable(account, self._clock.seconds())
        self._lending.bindings.release(account)
        self._serve()

    def enable(self, account: str) -> None:
        self._lending.book.enable(account)
        self._serve()

    # -- what outlives the process

    @property
    def changes(self) -> int:
        """Grows whenever what `remembered` tells changes."""
        return self._lending.book.changes

    def remembered(self, wall: float) -> list[Remembered]:
        """The rests to keep; `wall` is now, in seconds since the epoch."""
        return self._lending.book.remembered(self._clock.seconds(), wall)

    def remember(self, kept: Iterable[Remembered], wall: float) -> None:
        """Take over rests that were kept, or that another process has seen; of two, the later seen counts."""
        self._lending.book.remember(kept, self._clock.seconds(), wall)
        self._serve()

    def well(self, identity: str, model: str) -> None:
        """Another process has seen work what is kept as this (`Remembered.account`)."""
        self._lending.book.well(identity, model)
        self._serve()

    def bound(self, wall: float) -> list[Bound]:
        """The conversations to keep, by their accounts' identities."""
        return self._lending.bound(self._clock.seconds(), wall)

    def bind(self, kept: Iterable[Bound], wall: float) -> None:
        """Take over conversations that were kept; of two bindings of one, the one that lasts longer counts."""
        self._lending.bind(kept, self._clock.seconds(), wall)

    # -- leases come back

    def _worked(self, lease: Lease) -> None:
        if self._lending.book.succeeded(lease.account, lease.model, lease.began):
            self._serve()

    def _returned(self, lease: Lease, error: BaseException | None) -> None:
        self._lending.give_back(lease.taken)
        if error is None:
            self._lending.book.succeeded(lease.account, lease.model, lease.began)
        elif isinstance(error, GatewayError):
            self._lending.book.failed(lease.account, lease.model, error, self._clock.seconds())
        self._serve()

    # -- the queue

    def _left(self, waiting: _Waiting) -> None:
        self._queue.remove(waiting)
        self._set_alarm(self._clock.seconds())

    def _serve(self) -> None:
        now = self._clock.seconds()
        # Who waits for the same is told the same, until something is lent. Settling one fires its Deferred, whose
        # callbacks may come back here and settle or remove others.
        seen: dict[tuple[int, frozenset[Candidate]], Survey] = {}
        changes = self._lending.changes
        for waiting in self._queue.copy():
            if waiting.outcome is not None or waiting.lease.called:
                continue
            if self._lending.changes != changes:
                seen.clear()
                changes = self._lending.changes
            wanted = waiting.wanted
            same = (id(wanted.candidates), wanted.tried)
            survey = seen.get(same) or seen.setdefault(same, self._lending.survey(wanted, now))
            if self._settle(waiting, survey, now):
                self._queue.remove(waiting)
                waiting.fire()
        self._set_alarm(now)

    def _settle(self, waiting: _Waiting, survey: Survey, now: float) -> bool:
        """Decide on an account or a refusal, if either is due."""
        match self._lending.decide(waiting.wanted, survey, waiting.since, waiting.until, now):
            case Taken() as taken:
                self._lending.take(taken, waiting.wanted.session, now)
                waiting.outcome = Lease(self, taken, now, now - waiting.since)
            case NoneReady() as refusal:
                waiting.outcome = refusal
            case due:
                waiting.due = due
        return waiting.outcome is not None

    def _set_alarm(self, now: float) -> None:
        """One timer for the whole queue: the next moment at which `_serve` may have something to do."""
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None
        if self._queue:
            first = min(waiting.due for waiting in self._queue)
            self._alarm = self._clock.callLater(max(SOONEST_ALARM, first - now), self._serve)
