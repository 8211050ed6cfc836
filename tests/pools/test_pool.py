"""The pool in virtual time: who gets which account when, and who is refused."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from aiproxy.neutral import errors
from aiproxy.pools.lending import PROBE_PAUSE, Hindrance, Wanted, Why
from aiproxy.pools.pool import Lease, Pool
from aiproxy.pools.selection import Account, Strategy, fill_first, round_robin
from aiproxy.pools.verdict import Judge
from tests.pools.leasing import give_back, now, refusal


def pool_of(*accounts: Account | str, strategy: Strategy = round_robin) -> tuple[Pool, Clock]:
    clock = Clock()
    made = [Account(account) if isinstance(account, str) else account for account in accounts]
    return Pool(clock, Random(7), made, strategy), clock


def want(*accounts: str, patience: float = 0.0, tried: Sequence[str] = (), probe: bool = False) -> Wanted:
    candidates = tuple((account, "m") for account in accounts)
    return Wanted(candidates, frozenset((account, "m") for account in tried), patience, probe)


@contextmanager
def pending(lease: Deferred[Lease]) -> Iterator[None]:
    assert not lease.called
    yield
    assert lease.called


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


def test_a_rest_that_ends_is_noticed_while_another_account_is_busy() -> None:
    pool, clock = pool_of("a", Account("b", concurrency=1))
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=5.0))
    now(pool.lease(want("b")))
    waiting = pool.lease(want("a", "b", patience=30.0))
    with pending(waiting):
        clock.advance(5.1)
    assert now(waiting).account.id == "a"


def test_it_refuses_at_once_what_can_not_be_in_time() -> None:
    pool, _ = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    refused = refusal(pool.lease(want("a", patience=10.0)))
    assert refused.ready_in == pytest.approx(50.0)
    assert [(account, health.reason) for account, health in refused.resting] == [("a", "rate_limit")]


def test_one_probe_at_a_time_before_anyone_is_refused() -> None:
    pool, clock = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    clock.advance(PROBE_PAUSE)
    probe = now(pool.lease(want("a", probe=True)))
    assert probe.taken.why is Why.PROBE
    others = [pool.lease(want("a", probe=True, patience=10.0)) for _ in range(3)]
    with pending(others[2]):
        give_back(probe)
    assert [now(other).taken.why for other in others] == [Why.STRATEGY] * 3, "what a probe finds well serves all"


def test_who_waited_for_a_probe_is_told_when_it_has_failed() -> None:
    pool, clock = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    clock.advance(PROBE_PAUSE)
    probe = now(pool.lease(want("a", probe=True)))
    other = pool.lease(want("a", probe=True, patience=10.0))
    clock.advance(3.0)
    give_back(probe, errors.RateLimited("x", retry_after=60.0))
    assert refusal(other).ready_in == pytest.approx(60.0)


def test_a_probe_that_answers_serves_others_before_it_has_ended() -> None:
    pool, clock = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    clock.advance(PROBE_PAUSE)
    probe = now(pool.lease(want("a", probe=True)))
    other = pool.lease(want("a", probe=True, patience=10.0))
    with pending(other):
        probe.worked()


def test_what_has_just_failed_is_probed_a_moment_later() -> None:
    pool, clock = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    first, second = (pool.lease(want("a", probe=True, patience=10.0)) for _ in range(2))
    clock.advance(PROBE_PAUSE * 0.9)
    with pending(first):
        clock.advance(PROBE_PAUSE * 0.2)
    assert not second.called
    give_back(now(first))
    assert now(second).taken.why is Why.STRATEGY


def test_the_probed_account_is_the_one_that_returns_first() -> None:
    pool, clock = pool_of("a", "b")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=90.0))
    give_back(now(pool.lease(want("b"))), errors.RateLimited("x", retry_after=60.0))
    clock.advance(PROBE_PAUSE)
    assert now(pool.lease(want("a", "b", probe=True))).account.id == "b"


def test_an_outage_is_probed_once_and_not_by_every_account() -> None:
    accounts = [Account(name, network="one address") for name in ("a", "b", "c")]
    pool, clock = pool_of(*accounts)
    for name in ("a", "b"):
        give_back(now(pool.lease(want(name))), errors.Unreachable("x", retry_after=50.0))
    clock.advance(PROBE_PAUSE)
    probe = now(pool.lease(want("a", "b", "c", probe=True)))
    other = pool.lease(want("a", "b", "c", probe=True, patience=10.0))
    assert not other.called
    give_back(probe)
    now(other)


def test_a_full_queue_refuses_and_says_so() -> None:
    pool, clock = pool_of(Account("a", concurrency=1))
    pool.replace([Account("a", concurrency=1)], round_robin, queue=1)
    held = now(pool.lease(want("a")))
    waiting = pool.lease(want("a", patience=9.0))
    assert refusal(pool.lease(want("a", patience=9.0))).queue_full
    give_back(held)
    give_back(now(waiting))
    assert clock.getDelayedCalls() == []


def test_a_lease_tells_who_was_passed_over_and_why() -> None:
    pool, _ = pool_of("a", Account("b", concurrency=1), "c", "d")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    now(pool.lease(want("b")))
    pool.disable("c")
    taken = now(pool.lease(want("a", "b", "c", "e", "d", tried=["f"]))).taken
    assert [(skip.candidate[0], getattr(skip.why, "reason", skip.why)) for skip in taken.skipped] == [
        ("a", "rate_limit"), ("b", Hindrance.BUSY), ("c", Hindrance.DISABLED), ("e", Hindrance.GONE)
    ]  # fmt: skip


def test_a_model_that_rests_leaves_the_others_ready() -> None:
    pool, _ = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.RateLimited("x", retry_after=50.0))
    assert now(pool.lease(Wanted((("a", "other"),)))).account.id == "a"
    give_back(now(pool.lease(Wanted((("a", "third"),)))), errors.CredentialRefused("x"))
    assert refusal(pool.lease(Wanted((("a", "other"),)))).resting[0][1].reason == "credential_refused"


def test_a_request_fault_and_a_cancellation_blame_nobody() -> None:
    pool, _ = pool_of("a")
    give_back(now(pool.lease(want("a"))), errors.InvalidRequest("x"))
    give_back(now(pool.lease(want("a"))), CancelledError())
    assert now(pool.lease(want("a"))).account.id == "a"


def test_an_account_that_does_not_cool_never_rests() -> None:
    pool, _ = pool_of(Account("a", judge=Judge(cools=False)))
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


def test_an_account_that_is_enabled_serves_who_waits_for_another() -> None:
    pool, _ = pool_of(Account("a", concurrency=1), "b")
    now(pool.lease(want("a")))
    pool.disable("b")
    waiting = pool.lease(want("a", "b", patience=60.0))
    with pending(waiting):
        pool.enable("b")


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


@pytest.mark.parametrize("probe", [False, True])
def test_an_account_is_lent_no_more_than_its_pace_allows_within_any_minute(probe: bool) -> None:
    pool, clock = pool_of(Account("a", per_minute=2))
    for _ in range(2):
        give_back(now(pool.lease(want("a"))))
        clock.advance(20.0)
    refused = refusal(pool.lease(want("a", patience=10.0, probe=probe)))
    assert (refused.ready_in, [skip.why for skip in refused.skipped]) == (20.0, [Hindrance.PACED])
    with pending(pool.lease(want("a", patience=30.0, probe=probe))):
        clock.advance(20.0)
    assert refusal(pool.lease(want("a"))).ready_in == 20.0, "the second call of the minute before still counts"


def test_another_account_is_lent_while_one_has_had_its_calls() -> None:
    pool, clock = pool_of(Account("a", per_minute=1), "b", strategy=fill_first)
    assert [now(pool.lease(want("a", "b"))).account.id for _ in range(3)] == ["a", "b", "b"]
    clock.advance(60.0)
    assert now(pool.lease(want("a", "b"))).account.id == "a"
