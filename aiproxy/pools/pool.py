"""Accounts that are lent to attempts. `lease` is a Deferred: it fires at once when an account is ready, otherwise when
a slot is freed or a rest ends, and fails when neither can happen in time.

One synchronous `_serve` looks at the accounts and the queue and fires what it can; everything else changes state and
calls `_serve`. The pool outlives configurations: `replace` swaps the accounts, health carries over by account id.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from types import TracebackType

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from aiproxy.neutral.errors import GatewayError
from aiproxy.pools.book import HealthBook, Remembered
from aiproxy.pools.health import Health
from aiproxy.pools.selection import Account, Strategy, first_tier, round_robin


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an attempt asks the pool for: one of these accounts, by id, for one model.

    `tried` are passed over. `patience` is the longest wait in seconds. `probe` allows to take, when all rest for longer
    than that, the one that returns first, one call at a time: so that nobody is refused on a stale belief."""

    accounts: tuple[str, ...]
    model: str
    tried: frozenset[str] = frozenset()
    patience: float = 0.0
    probe: bool = False


class NoneReady(Exception):
    """No account can be had in time. `ready_in` is seconds until the first returns, None when there is none at all."""

    def __init__(self, ready_in: float | None, reasons: dict[str, str]) -> None:
        super().__init__(f"no account ready, the first in {ready_in} s")
        self.ready_in = ready_in
        self.reasons = reasons


class Lease:
    """An account lent to one attempt, held by `async with`. The error that leaves the block is what the account is
    blamed for; leaving without one makes it well; a cancellation says nothing about it."""

    __slots__ = ("_pool", "account", "began", "model")

    def __init__(self, pool: "Pool", account: Account, model: str, began: float) -> None:
        self._pool = pool
        self.account = account
        self.model = model
        self.began = began

    async def __aenter__(self) -> "Lease":
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._pool._returned(self, error)  # noqa: SLF001 - the pool's own hand, reached out


@dataclass(slots=True, eq=False)
class _Waiting:
    wanted: Wanted
    until: float
    lease: "Deferred[Lease]" = field(default_factory=Deferred)
    outcome: "Lease | NoneReady | None" = None

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
        self._accounts: dict[str, Account] = {}
        self._book = HealthBook(random)
        self._disabled: set[str] = set()
        self._in_use: defaultdict[str, int] = defaultdict(int)
        self._probing: set[str] = set()
        self._turns: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._queue: list[_Waiting] = []
        self._alarm: IDelayedCall | None = None
        self.replace(accounts, strategy)

    def replace(self, accounts: Sequence[Account], strategy: Strategy) -> None:
        """Take a new configuration's accounts; those that stay what they were keep their health, leases out stay valid."""
        self._accounts = {account.id: account for account in accounts}
        self._strategy = strategy
        self._turns.clear()
        self._book.replace(self._accounts)
        self._disabled &= self._accounts.keys()
        self._serve()

    def lease(self, wanted: Wanted) -> "Deferred[Lease]":
        """Fails with `NoneReady`. Cancelling it leaves the queue."""
        now = self._clock.seconds()
        waiting = _Waiting(wanted, now + wanted.patience)
        if self._settle(waiting, now):
            waiting.fire()
        else:
            waiting.lease = Deferred(lambda _: self._left(waiting))
            self._queue.append(waiting)
            self._set_alarm(now)
        return waiting.lease

    # -- what is known of accounts, and what a hand may change of it

    def health(self, account: str, model: str = "") -> Health:
        """Of the account, or of one model at it when that one rests longer."""
        return self._book.of(account, model)

    def resting(self) -> list[tuple[str, str, Health]]:
        """All that rests: account, model ("" for the whole account), health."""
        return self._book.resting(self._clock.seconds())

    def clear(self, account: str, model: str | None = None) -> int:
        """Forget an account's rests, or one model's at it ("": the rest of the whole). How many there were."""
        forgotten = self._book.clear(account, model)
        self._serve()
        return forgotten

    @property
    def disabled(self) -> frozenset[str]:
        return frozenset(self._disabled)

    def disable(self, account: str) -> None:
        """Lend it to nobody until it is enabled again; leases out go on."""
        self._disabled.add(account)
        self._serve()

    def enable(self, account: str) -> None:
        self._disabled.discard(account)
        self._serve()

    # -- what outlives the process

    @property
    def changes(self) -> int:
        """Grows whenever what `remembered` tells changes."""
        return self._book.changes

    def remembered(self, wall: float) -> list[Remembered]:
        """The rests to keep; `wall` is now, in seconds since the epoch."""
        return self._book.remembered(self._clock.seconds(), wall)

    def remember(self, kept: Iterable[Remembered], wall: float) -> None:
        """Take over rests that were kept, or that another process has seen; of two, the later seen counts."""
        self._book.remember(kept, self._clock.seconds(), wall)
        self._serve()

    def _left(self, waiting: _Waiting) -> None:
        self._queue.remove(waiting)
        self._set_alarm(self._clock.seconds())

    # -- leases come back

    def _returned(self, lease: Lease, error: BaseException | None) -> None:
        account = lease.account
        self._in_use[account.id] -= 1
        self._probing.discard(account.id)
        if error is None:
            self._book.succeeded(account.id, lease.model, lease.began)
        elif isinstance(error, GatewayError):
            self._book.failed(account, lease.model, error, self._clock.seconds())
        self._serve()

    # -- the queue

    def _serve(self) -> None:
        now = self._clock.seconds()
        # Settling one fires its Deferred, whose callbacks may come back here and settle or remove others.
        for waiting in self._queue.copy():
            if waiting in self._queue and self._settle(waiting, now):
                self._queue.remove(waiting)
                waiting.fire()
        self._set_alarm(now)

    def _settle(self, waiting: _Waiting, now: float) -> bool:
        """Decide on an account or a refusal, if either is due."""
        wanted = waiting.wanted
        ready, returns_at = self._survey(wanted, now)
        account: Account | None = None
        if ready:
            account = self._strategy(first_tier(ready), self._turns[wanted.accounts])
            self._turns[wanted.accounts] += 1
        elif returns_at is not None and returns_at > waiting.until and wanted.probe:
            account = self._to_probe(wanted, now)
        if account is not None:
            self._in_use[account.id] += 1
            waiting.outcome = Lease(self, account, wanted.model, now)
        elif returns_at is None or returns_at > waiting.until or now >= waiting.until:
            ready_in = None if returns_at is None else max(0.0, returns_at - now)
            waiting.outcome = NoneReady(ready_in, self._reasons(wanted, now))
        return waiting.outcome is not None

    def _survey(self, wanted: Wanted, now: float) -> tuple[list[Account], float | None]:
        """The ready accounts, and the time at which the first of the others returns (None: there are no others).

        An account that is only busy frees a slot at a time nobody knows; it counts as returning now."""
        ready = []
        returns = []
        for account in self._candidates(wanted):
            health = self.health(account.id, wanted.model)
            if not health.ready(now):
                returns.append(health.ready_at)
            elif self._full(account):
                returns.append(now)
            else:
                ready.append(account)
        return ready, min(returns, default=None)

    def _to_probe(self, wanted: Wanted, now: float) -> Account | None:
        """Of the accounts that rest, with a slot free and no probe under way, the one that returns first."""
        resting = [
            (health.ready_at, account)
            for account in self._candidates(wanted)
            if not (health := self.health(account.id, wanted.model)).ready(now)
            and account.id not in self._probing
            and not self._full(account)
        ]
        if not resting:
            return None
        _, first = min(resting, key=lambda found: found[0])
        self._probing.add(first.id)
        return first

    def _full(self, account: Account) -> bool:
        return 0 < account.concurrency <= self._in_use[account.id]

    def _candidates(self, wanted: Wanted) -> list[Account]:
        passed_over = wanted.tried | self._disabled if self._disabled else wanted.tried
        return [self._accounts[a] for a in wanted.accounts if a in self._accounts and a not in passed_over]

    def _reasons(self, wanted: Wanted, now: float) -> dict[str, str]:
        health = {account.id: self.health(account.id, wanted.model) for account in self._candidates(wanted)}
        return {account: known.reason for account, known in health.items() if not known.ready(now)}

    def _set_alarm(self, now: float) -> None:
        """One timer for the whole queue: the next moment at which `_serve` may have something to do."""
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None
        times = []
        for waiting in self._queue:
            _, returns_at = self._survey(waiting.wanted, now)
            times.append(waiting.until if returns_at is None or returns_at <= now else min(returns_at, waiting.until))
        if times:
            self._alarm = self._clock.callLater(max(0.0, min(times) - now), self._serve)
