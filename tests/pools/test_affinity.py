"""Conversations stay with their accounts while these are ready."""

from random import Random

from twisted.internet.task import Clock

from aiproxy.neutral import errors
from aiproxy.pools.affinity import MOST_SESSIONS, Bindings, Bound
from aiproxy.pools.lending import Wanted, Why
from aiproxy.pools.pool import Lease, Pool
from aiproxy.pools.selection import Account, round_robin
from tests.pools.leasing import give_back, now

HOUR = 3600.0


def pool_of(*accounts: Account) -> tuple[Pool, Clock]:
    clock = Clock()
    pool = Pool(clock, Random(7))
    pool.replace(accounts, round_robin, sessions=HOUR)
    return pool, clock


def ask(pool: Pool, session: str, *, begins: bool = False, tried: str = "") -> Lease:
    candidates = (("a", "m"), ("b", "m"), ("c", "m"))
    passed = frozenset([(tried, "m")] if tried else [])
    return now(pool.lease(Wanted(candidates, passed, session=session, begins=begins)))


A, B, C = (Account(name, identity=f"id-of-{name}") for name in "abc")


def test_a_conversation_stays_and_others_take_turns() -> None:
    pool, _ = pool_of(A, B, C)
    assert [ask(pool, "s").account.id for _ in range(3)] == ["a", "a", "a"]
    assert [ask(pool, "").account.id for _ in range(3)] == ["b", "c", "a"]
    assert ask(pool, "s").taken.why is Why.SESSION


def test_one_that_begins_goes_where_its_turn_is_and_stays_there() -> None:
    """Many conversations begin with the same words; they don't all belong to one account."""
    pool, _ = pool_of(A, B, C)
    assert [ask(pool, "hello", begins=True).account.id for _ in range(3)] == ["a", "b", "c"]
    assert ask(pool, "hello").account.id == "c"


def test_it_slides_and_ends() -> None:
    pool, clock = pool_of(A, B, C)
    ask(pool, "s")
    for _ in range(3):
        clock.advance(HOUR - 1)
        assert ask(pool, "s").account.id == "a"
    clock.advance(HOUR + 1)
    assert ask(pool, "s").taken.why is Why.STRATEGY


def test_a_failure_that_cools_binds_it_to_whoever_answers_instead() -> None:
    pool, clock = pool_of(A, B, C)
    give_back(ask(pool, "s"), errors.RateLimited("x", retry_after=30.0))
    assert ask(pool, "s", tried="a").account.id == "b"
    clock.advance(60.0)
    assert ask(pool, "s").account.id == "b", "it stays where it was answered"


def test_a_request_fault_and_a_busy_account_do_not_undo_it() -> None:
    pool, _ = pool_of(Account("a", concurrency=1), B, C)
    give_back(ask(pool, "s"), errors.InvalidRequest("x"))
    held = ask(pool, "s")
    assert held.account.id == "a"
    elsewhere = ask(pool, "s")
    assert elsewhere.account.id == "b"
    give_back(held)
    give_back(elsewhere)
    assert ask(pool, "s").account.id == "a"


def test_a_better_tier_that_is_back_is_used_again() -> None:
    pool, clock = pool_of(Account("a", priority=1), B, C)
    give_back(ask(pool, "s"), errors.RateLimited("x", retry_after=30.0))
    assert ask(pool, "s").account.id == "b"
    clock.advance(31.0)
    assert ask(pool, "s").account.id == "a"


def test_among_models_that_stand_in_for_one_another_it_stays_with_its_own() -> None:
    pool, _ = pool_of(A)
    candidates = (("a", "m1"), ("a", "m2"))
    first = [now(pool.lease(Wanted(candidates))).model for _ in range(4)]
    assert first == ["m1", "m2", "m1", "m2"]
    assert [now(pool.lease(Wanted(candidates, session="s"))).model for _ in range(3)] == ["m1"] * 3


def test_without_a_lifetime_nobody_is_bound() -> None:
    pool, _ = pool_of(A, B, C)
    pool.replace([A, B, C], round_robin, sessions=0.0)
    assert [ask(pool, "s").account.id for _ in range(3)] == ["a", "b", "c"]


def test_it_outlives_the_process_under_the_accounts_identity() -> None:
    old, clock = pool_of(A, B, C)
    ask(old, "s")
    clock.advance(600.0)
    kept = old.bound(wall=1_000_000.0)
    assert kept == [Bound("s", "id-of-a", "m", 1_003_000.0)]
    new, _ = pool_of(B, C, A)
    new.bind([*kept, Bound("over", "id-of-b", "m", 999_999.0), Bound("gone", "id-of-z", "m", 2e6)], wall=1_000_060.0)
    assert ask(new, "s").account.id == "a"
    assert [bound.session for bound in new.bound(wall=1_000_060.0)] == ["s"]


def test_a_disabled_account_lets_its_conversations_go() -> None:
    pool, _ = pool_of(A, B, C)
    ask(pool, "s")
    pool.disable("a")
    assert ask(pool, "s").account.id == "b"
    pool.enable("a")
    assert ask(pool, "s").account.id == "b"


def test_the_longest_unused_are_forgotten_first() -> None:
    bindings = Bindings()
    bindings.lifetime = HOUR
    for number in range(MOST_SESSIONS):
        bindings.bind(str(number), ("a", "m"), 0.0)
    bindings.bind("0", ("a", "m"), 1.0)
    bindings.bind("one more", ("a", "m"), 2.0)
    assert bindings.find("0", 3.0) is not None
    assert bindings.find("1", 3.0) is None
