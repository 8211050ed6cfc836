"""The pool in virtual time: who gets which account when, and who is refused."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aiproxy.neutral import errors
from aiproxy.pools.pool import Lease, NoneReady, Pool, Wanted
from aiproxy.pools.selection import Account, Strategy, fill_first, round_robin


def pool_of(*accounts: Account | str, strategy: Strategy = round_robin) -> tuple[Pool, Clock]:
    clock = Clock()
    made = [Account(account) if isinstance(account, str) else account for account in accounts]
    return Pool(clock, Random(7), made, strategy), clock


def want(*accounts: str, patience: float = 0.0, tried: Sequence[str] = (), probe: bool = False) -> Wanted:
    return Wanted(accounts, "m", frozenset(tried), patience, probe)


def now(lease: Deferred[Lease]) -> Lease:
    """The result of a lease that must have fired."""
    assert lease.called
    found: list[Lease] = []
    lease.addCallback(found.append)
    return found[0]


def refusal(lease: Deferred[Lease]) -> NoneReady:
    found: list[NoneReady] = []

    def caught(failure: Failure) -> None:
        assert isinstance(failure.value, NoneReady)
        found.append(failure.value)

    lease.addErrback(caught)
    return found[0]


@contextmanager
def pending(lease: Deferred[Lease]) -> Iterator[None]:
    assert not lease.called
    yield
    assert lease.called


def give_back(lease: Lease, error: BaseException | None = None) -> None:
    """Leave the lease's block, with an error or without."""

    async def block() -> None:
        async with lease:
            if error is not None:
                raise error

    Deferred.fromCoroutine(block()).addErrback(lambda failure: failure.trap(type(error)))


def test_round_robin_takes_turns() -> None:
    pool, _ = pool_of("a", "b", "c")
    assert [now(pool.lease(want("a", "b", "c"))).account.id for _ in range(6)] == ["a", "b", "c", "a", "b", "c"]


def test_fill_first_stays_until_it_fails() -> None:
    pool, _ = pool_of("a", "b", strategy=fill_first)
    first = now(pool.lease(want("a", "b")))
    assert first.account.id == now(pool.lease(want("a", "b"))).account.id == "a"
    give_back(first, errors.RateLimited("slow down"))
    assert now(pool.lease(want("a", "b"))).account.id == "b"


def test_a_smaller_priority_number_goes_first_and_is_left_only_when_nothing_in_it_is_ready() -> None:
    pool, _ = pool_of(Account("spare", priority=200), Account("main", priority=1))
    lease = now(pool.lease(want("spare", "main")))
    assert lease.account.id == "main"
    give_back(lease, errors.Overloaded("x"))
    assert now(pool.lease(want("spare", "main"))).account.id == "spare"


def test_tried_accounts_are_passed_over() -> None:
    pool, _ = pool_of("a", "b")
    assert now(pool.lease(want("a", "b", tried=["a"]))).account.id == "b"
    assert refusal(pool.lease(want("a", "b", tried=["a", "b"]))).ready_in is None


def test_it_waits_for_the_first_rest_to_end() -> None:
    pool, clock = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=5.0))
    waiting = pool.lease(want("a", patience=10.0))
    clock.advance(4.9)
    with pending(waiting):
        clock.advance(0.2)
    assert now(waiting).account.id == "a"


def test_it_refuses_at_once_what_can_not_be_in_time() -> None:
    pool, _ = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    refused = refusal(pool.lease(want("a", patience=10.0)))
    assert refused.ready_in == pytest.approx(50.0)
    assert refused.reasons == {"a": "rate_limit"}


def test_one_probe_at_a_time_before_anyone_is_refused() -> None:
    pool, _ = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    probe = now(pool.lease(want("a", probe=True)))
    assert refusal(pool.lease(want("a", probe=True))).ready_in is not None
    give_back(probe)
    assert now(pool.lease(want("a"))).account.id == "a", "a probe that succeeds makes the account well"


def test_the_probed_account_is_the_one_that_returns_first() -> None:
    pool, _ = pool_of("a", "b")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=90.0))
    give_back(now(pool.lease(want("b"))), errors.RateLimited("x", retry_after=60.0))
    assert now(pool.lease(want("a", "b", probe=True))).account.id == "b"


def test_a_model_that_rests_leaves_the_others_ready() -> None:
    pool, _ = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    assert now(pool.lease(Wanted(("a",), "other"))).account.id == "a"
    give_back(now(pool.lease(Wanted(("a",), "third"))), errors.CredentialRefused("x"))
    assert refusal(pool.lease(Wanted(("a",), "other"))).reasons == {"a": "credential_refused"}


def test_a_request_fault_and_a_cancellation_blame_nobody() -> None:
    pool, _ = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.InvalidRequest("x"))
    give_back(now(pool.lease(want("a"))), CancelledError())
    assert now(pool.lease(want("a"))).account.id == "a"


def test_an_account_that_does_not_cool_never_rests() -> None:
    pool, _ = pool_of(Account("a", cools=False))
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    assert now(pool.lease(want("a"))).account.id == "a"


def test_a_full_account_queues_and_serves_in_order() -> None:
    pool, clock = pool_of(Account("a", concurrency=1))
    held = now(pool.lease(want("a")))
    first, second = pool.lease(want("a", patience=9.0)), pool.lease(want("a", patience=9.0))
    give_back(held)
    assert not second.called
    give_back(now(first))
    now(second)
    late = pool.lease(want("a", patience=1.0))
    clock.advance(1.0)
    assert refusal(late).ready_in == 0.0


def test_cancelling_leaves_the_queue_and_no_timer() -> None:
    pool, clock = pool_of(Account("a", concurrency=1))
    held = now(pool.lease(want("a")))
    waiting = pool.lease(want("a", patience=9.0))
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    waiting.cancel()
    assert clock.getDelayedCalls() == []
    give_back(held)
    assert now(pool.lease(want("a"))).account.id == "a"


def test_health_carries_over_a_reload_by_id() -> None:
    pool, _ = pool_of("a", "b")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    pool.replace([Account("a"), Account("c")], round_robin)
    assert now(pool.lease(want("a", "c"))).account.id == "c"
    assert refusal(pool.lease(want("b"))).ready_in is None


def test_a_disabled_account_is_lent_to_nobody_until_it_is_enabled() -> None:
    pool, _ = pool_of("a", "b")
    pool.disable("a")
    assert [now(pool.lease(want("a", "b"))).account.id for _ in range(3)] == ["b", "b", "b"]
    assert refusal(pool.lease(want("a", probe=True))).ready_in is None
    pool.enable("a")
    assert now(pool.lease(want("a"))).account.id == "a"
    pool.disable("a")
    pool.replace([Account("a")], round_robin)
    assert pool.disabled == {"a"}


def test_a_rest_that_is_cleared_serves_who_waits() -> None:
    pool, _ = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    waiting = pool.lease(want("a", patience=60.0))
    with pending(waiting):
        assert pool.clear("a") == 1


def test_rests_outlive_the_process() -> None:
    old, clock = pool_of(Account("a", identity="same"))
    give_back(now(old.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    clock.advance(10.0)
    kept = old.remembered(wall=1_000_000.0)
    new, clock = pool_of(Account("a", identity="same"))
    new.remember(kept, wall=1_000_020.0)
    waiting = new.lease(want("a", patience=30.0))
    clock.advance(19.9)
    with pending(waiting):
        clock.advance(0.2)


class PoolAgainstAModel(RuleBasedStateMachine):
    """Random leases, ends and waits. Never more leases than an account allows; never a refusal while one is ready; the
    queue drains; all that was lent comes back."""

    LIMIT = 2
    NAMES = ("a", "b", "c")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.pool = Pool(
            self.clock, Random(3), [Account(name, concurrency=self.LIMIT) for name in self.NAMES], round_robin
        )
        self.out: list[Lease] = []
        self.waiting: list[Deferred[Lease]] = []

    def _ready(self) -> list[str]:
        held = [lease.account.id for lease in self.out]
        seconds = self.clock.seconds()
        return [n for n in self.NAMES if held.count(n) < self.LIMIT and self.pool.health(n, "m").ready(seconds)]

    @rule(patience=st.sampled_from([0.0, 1.0, 30.0]), probe=st.booleans())
    def ask(self, patience: float, probe: bool) -> None:
        ready = self._ready()
        lease = self.pool.lease(Wanted(self.NAMES, "m", frozenset(), patience, probe))
        assert lease.called or not ready
        lease.addCallback(self.out.append)

        def refused(failure: object) -> None:
            assert not self._ready()

        lease.addErrback(refused)
        if not lease.called:
            self.waiting.append(lease)

    @precondition(lambda self: self.out)
    @rule(
        data=st.data(), kind=st.sampled_from([None, errors.Overloaded, errors.CredentialRefused, errors.InvalidRequest])
    )
    def end(self, data: st.DataObject, kind: type[errors.GatewayError] | None) -> None:
        lease = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        give_back(lease, None if kind is None else kind("x"))

    @rule(seconds=st.floats(0.01, 100))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1))).cancel()

    @invariant()
    def limits_hold(self) -> None:
        held = [lease.account.id for lease in self.out]
        assert all(held.count(name) <= self.LIMIT for name in self.NAMES)

    def teardown(self) -> None:
        while self.out:
            give_back(self.out.pop())
        self.clock.advance(60.0)
        while self.out:
            give_back(self.out.pop())
        assert all(lease.called for lease in self.waiting)
        assert self.clock.getDelayedCalls() == []


TestPoolAgainstAModel = PoolAgainstAModel.TestCase
TestPoolAgainstAModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
