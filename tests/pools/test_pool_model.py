"""The pool against a model of a few lines: random accounts, wishes, failures, quotas, cancellations and hands, in virtual time.

What must hold, whatever happens: a lease always comes back; no account has more calls than it takes, no resting one more
than one probe; whoever is lent is ready, of the best tier, and neither tried nor disabled; nobody waits or is refused while
somebody ready would do; equals are served in the order they came; nobody waits longer than it can; the queue drains.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aiproxy.neutral import errors
from aiproxy.pools.book import SUSPECT_SECONDS
from aiproxy.pools.health import LONGEST_REST
from aiproxy.pools.lending import PROBE_PAUSE, NoneReady, Wanted, Why
from aiproxy.pools.pool import Lease, Pool
from aiproxy.pools.selection import STRATEGIES, Account
from aiproxy.pools.verdict import FIRST_REST, FIRST_REST_REFUSED, Scope
from tests.pools.leasing import give_back

NAMES = ("a", "b", "c", "d")
MODELS = ("m", "n")
CANDIDATES = tuple((name, model) for name in NAMES for model in MODELS)

PROVIDERS = {"a": "p", "b": "p", "c": "q", "d": ""}
NETWORKS = {"a": "x", "b": "y", "c": "x", "d": "x"}
"""Who fails together; "" is nobody."""

FAILURES: Mapping[type[errors.GatewayError], tuple[Scope, float]] = {
    errors.RateLimited: (Scope.MODEL, FIRST_REST),
    errors.Timeout: (Scope.MODEL, FIRST_REST),
    errors.QuotaExhausted: (Scope.ACCOUNT, FIRST_REST),
    errors.CredentialRefused: (Scope.ACCOUNT, FIRST_REST_REFUSED),
    errors.Overloaded: (Scope.PROVIDER, FIRST_REST),
    errors.Unreachable: (Scope.NETWORK, FIRST_REST),
    errors.InvalidRequest: (Scope.REQUEST, 0.0),
}
"""Whom it blames, and the first rest."""

Place = tuple[str, str, str]


def places(name: str, model: str) -> list[Place]:
    """What a model at an account depends on."""
    return [
        ("account", name, ""),
        ("account", name, model),
        ("provider", PROVIDERS[name], model),
        ("network", NETWORKS[name], ""),
    ]


class NoJitter(Random):
    def random(self) -> float:
        return 0.0


@dataclass
class Rest:
    until: float = 0.0
    length: float = 0.0
    seen: float = -1.0


@dataclass(eq=False)
class Waiter:
    wanted: Wanted
    came: float
    lease: Deferred[Lease]
    number: int


@dataclass
class Model:
    """What the pool should believe: rests by place, who has found a shared place at fault, and when."""

    rests: dict[Place, Rest] = field(default_factory=dict)
    suspects: dict[Place, tuple[str, float]] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)

    def rest(self, name: str, model: str) -> Rest:
        return max((self.rests.get(place, Rest()) for place in places(name, model)), key=lambda rest: rest.until)

    def fail(self, lease: Lease, error: errors.GatewayError, now: float) -> None:
        scope, first = FAILURES[type(error)]
        whole, of_model, provider, network = places(lease.account.id, lease.model)
        blamed = {
            Scope.REQUEST: [],
            Scope.MODEL: [of_model],
            Scope.ACCOUNT: [whole],
            Scope.PROVIDER: [of_model, provider],
            Scope.NETWORK: [whole, network],
        }[scope]
        for place in blamed:
            if place[0] == "account" or (place[1] and self.confirmed(place, lease.account.id, now)):
                self.blame(place, error, first, now)

    def confirmed(self, place: Place, name: str, now: float) -> bool:
        """Two accounts within a minute, or it has been at fault before."""
        before = self.suspects.get(place)
        self.suspects[place] = (name, now)
        return place in self.rests or (before is not None and before[0] != name and now - before[1] <= SUSPECT_SECONDS)

    def blame(self, place: Place, error: errors.GatewayError, first: float, now: float) -> None:
        rest = self.rests.setdefault(place, Rest())
        if error.retry_after is not None:
            rest.until = max(rest.until, now + error.retry_after)
        elif now >= rest.until:
            rest.length = max(min(2 * rest.length, LONGEST_REST), first)
            rest.until = now + rest.length
        rest.seen = now

    def succeed(self, lease: Lease) -> None:
        for place in places(lease.account.id, lease.model):
            self.suspects.pop(place, None)
            if self.rests.get(place, Rest()).seen <= lease.began:
                self.rests.pop(place, None)

    def forget(self, name: str) -> None:
        """An account's own; what it shares with others is theirs, too."""
        self.rests = {place: rest for place, rest in self.rests.items() if place[:2] != ("account", name)}


class PoolAgainstAModel(RuleBasedStateMachine):
    @initialize(
        limits=st.lists(st.sampled_from([0, 1, 2]), min_size=4, max_size=4),
        tiers=st.lists(st.sampled_from([1, 2]), min_size=4, max_size=4),
        strategy=st.sampled_from(list(STRATEGIES)),
        sessions=st.sampled_from([0.0, 60.0]),
    )
    def configure(self, limits: list[int], tiers: list[int], strategy: str, sessions: float) -> None:
        self.clock = Clock()
        self.accounts = {
            name: Account(
                name, tier, concurrency=limit, identity=name, provider=PROVIDERS[name], network=NETWORKS[name]
            )
            for name, tier, limit in zip(NAMES, tiers, limits, strict=True)
        }
        self.strategy = STRATEGIES[strategy]
        self.sessions = sessions
        self.pool = Pool(self.clock, NoJitter())
        self.pool.replace(list(self.accounts.values()), self.strategy, sessions=sessions, queue=3)
        self.model = Model()
        self.out: list[Lease] = []
        self.waiting: list[Waiter] = []
        self.asked = 0

    def ready(self, wanted: Wanted) -> set[tuple[str, str]]:
        now = self.clock.seconds()
        held = [lease.account.id for lease in self.out]
        return {
            (name, model)
            for name, model in wanted.candidates
            if (name, model) not in wanted.tried
            and name not in self.model.disabled
            and now >= self.model.rest(name, model).until
            and not 0 < self.accounts[name].concurrency <= held.count(name)
        }

    def lent(self, waiter: Waiter, lease: Lease) -> None:
        ready = self.ready(waiter.wanted)
        if lease.taken.why is Why.PROBE:
            assert not ready
            assert waiter.wanted.probe
            assert not any(other.taken.why is Why.PROBE and other.candidate == lease.candidate for other in self.out)
            soonest = min(
                self.model.rest(*c).until
                for c in waiter.wanted.candidates
                if c not in waiter.wanted.tried
                and c[0] not in self.model.disabled
                and not 0 < self.accounts[c[0]].concurrency <= [o.account.id for o in self.out].count(c[0])
            )
            assert self.model.rest(*lease.candidate).until == soonest
        else:
            assert lease.candidate in ready
            assert lease.account.priority == min(self.accounts[name].priority for name, _ in ready)
        assert not any(
            other.number < waiter.number and other.wanted == waiter.wanted and other is not waiter
            for other in self.waiting
            if not other.lease.called
        ), "equals are served in the order they came"
        self.out.append(lease)

    def refused(self, waiter: Waiter, failure: Failure) -> None:
        failure.trap(NoneReady, CancelledError)
        if isinstance(failure.value, NoneReady) and not failure.value.queue_full:
            now = self.clock.seconds()
            assert not self.ready(waiter.wanted)
            assert now <= waiter.came + waiter.wanted.patience + 0.01, "nobody waits longer than it can"
            rests = [
                self.model.rest(*c)
                for c in waiter.wanted.candidates
                if c not in waiter.wanted.tried and c[0] not in self.model.disabled
            ]
            hopeful = waiter.wanted.probe and waiter.wanted.patience > PROBE_PAUSE
            if rests and hopeful and now < waiter.came + waiter.wanted.patience:
                out = [lease.account.id for lease in self.out]
                full = all(
                    0 < self.accounts[name].concurrency <= out.count(name) for name, _ in waiter.wanted.candidates
                )
                assert full or any(rest.seen >= waiter.came for rest in rests), (
                    "before its patience ends, a fresh failure"
                )

    # -- what happens

    @rule(
        candidates=st.lists(st.sampled_from(CANDIDATES), min_size=1, max_size=6, unique=True),
        tried=st.sets(st.sampled_from(CANDIDATES), max_size=2),
        patience=st.sampled_from([0.0, 0.5, 5.0, 30.0]),
        probe=st.booleans(),
        session=st.sampled_from(["", "s", "t"]),
    )
    def ask(
        self, candidates: list[tuple[str, str]], tried: set[tuple[str, str]], patience: float, probe: bool, session: str
    ) -> None:
        wanted = Wanted(tuple(candidates), frozenset(tried), patience, probe, session)
        self.want(wanted)

    @rule(patience=st.sampled_from([0.0, 30.0]))
    def ask_for_any(self, patience: float) -> None:
        """The same wish as others have: the queue is for equals."""
        self.want(Wanted(CANDIDATES[::2], patience=patience, probe=True))

    def want(self, wanted: Wanted) -> None:
        was_ready = self.ready(wanted)
        self.asked += 1
        waiter = Waiter(wanted, self.clock.seconds(), self.pool.lease(wanted), self.asked)
        assert waiter.lease.called or not was_ready
        self.waiting.append(waiter)
        waiter.lease.addCallbacks(
            lambda lease: self.lent(waiter, lease), lambda failure: self.refused(waiter, failure)
        ).addErrback(self.broken.append)
        self.waiting = [each for each in self.waiting if not each.lease.called]

    def __init__(self) -> None:
        super().__init__()
        self.broken: list[Failure] = []

    @precondition(lambda self: self.out)
    @rule(
        data=st.data(),
        kind=st.sampled_from([None, CancelledError, *FAILURES]),
        after=st.sampled_from([None, 0.3, 20.0, 300.0]),
    )
    def end(self, data: st.DataObject, kind: type[BaseException] | None, after: float | None) -> None:
        lease = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        error: BaseException | None = None
        if kind is None:
            self.model.succeed(lease)
        elif issubclass(kind, errors.GatewayError):
            error = kind("x", retry_after=after)
            self.model.fail(lease, error, self.clock.seconds())
        else:
            error = kind()
        give_back(lease, error)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def begin_to_answer(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.out))
        self.model.succeed(lease)
        lease.worked()

    @rule(seconds=st.sampled_from([0.25, 1.0, 5.0, 61.0, 400.0]))
    def wait(self, seconds: float) -> None:
        """Alarm by alarm, each at its own time."""
        end = self.clock.seconds() + seconds
        while due := [call.getTime() for call in self.clock.getDelayedCalls() if call.getTime() <= end]:
            self.clock.advance(max(0.0, min(due) - self.clock.seconds()))
        self.clock.advance(end - self.clock.seconds())

    @precondition(lambda self: any(not waiter.lease.called for waiter in self.waiting))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from([waiter for waiter in self.waiting if not waiter.lease.called])).lease.cancel()

    @rule(name=st.sampled_from(NAMES))
    def switch(self, name: str) -> None:
        if name in self.model.disabled:
            self.model.disabled.discard(name)
            self.pool.enable(name)
        else:
            self.model.disabled.add(name)
            self.pool.disable(name)

    @rule(name=st.sampled_from(NAMES))
    def clear(self, name: str) -> None:
        self.model.forget(name)
        self.pool.clear(name)

    @rule(name=st.sampled_from(NAMES), new_key=st.booleans())
    def reload(self, name: str, new_key: bool) -> None:
        if new_key:
            account = self.accounts[name]
            self.accounts[name] = replace(account, identity=f"{account.identity} and a new key")
            self.model.forget(name)
            self.model.disabled.discard(name)
        self.pool.replace(list(self.accounts.values()), self.strategy, sessions=self.sessions, queue=3)

    # -- what must hold

    @invariant()
    def nothing_is_broken(self) -> None:
        for failure in self.broken:
            failure.raiseException()

    @invariant()
    def limits_hold_and_nobody_waits_for_what_is_ready(self) -> None:
        held = [lease.account.id for lease in self.out]
        for name, account in self.accounts.items():
            assert self.pool.in_use(name) == held.count(name)
            assert not account.concurrency or held.count(name) <= account.concurrency
        self.waiting = [waiter for waiter in self.waiting if not waiter.lease.called]
        assert self.pool.waiting == len(self.waiting) <= 3
        for waiter in self.waiting:
            assert not self.ready(waiter.wanted)
            assert self.clock.seconds() < waiter.came + waiter.wanted.patience + 0.01

    @invariant()
    def both_believe_the_same(self) -> None:
        now = self.clock.seconds()
        for name, model in CANDIDATES:
            assert self.pool.health(name, model).ready(now) is (now >= self.model.rest(name, model).until)

    def teardown(self) -> None:
        if not hasattr(self, "pool"):
            return
        for _ in range(50):
            while self.out:
                lease = self.out.pop()
                self.model.succeed(lease)
                give_back(lease)
            self.wait(1.0)
        self.nothing_is_broken()
        assert self.pool.waiting == 0, "the queue drains"
        assert [self.pool.in_use(name) for name in NAMES] == [0] * len(NAMES), "all that was lent is back"
        assert self.clock.getDelayedCalls() == []


TestPoolAgainstAModel = PoolAgainstAModel.TestCase
TestPoolAgainstAModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
