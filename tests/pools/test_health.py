"""(failures, now) → when it may be used again."""

from random import Random

from aiproxy.pools.health import JITTER, LONGEST_REST, WELL

FIRST = 1.0


def test_rests_double_up_to_the_longest() -> None:
    now, health, random = 0.0, WELL, Random(1)
    rests = []
    for _ in range(14):
        health = health.failed("overloaded", FIRST, None, now, random)
        assert health.rest <= health.ready_at - now <= health.rest * (1 + JITTER)
        rests.append(health.rest)
        now = health.ready_at
    assert rests == [min(FIRST * 2**n, LONGEST_REST) for n in range(14)]


def test_a_failure_inside_a_rest_does_not_escalate() -> None:
    first = WELL.failed("overloaded", FIRST, None, 0.0, Random(1))
    again = first.failed("overloaded", FIRST, None, first.ready_at / 2, Random(2))
    assert (again.ready_at, again.rest, again.since) == (first.ready_at, first.rest, first.ready_at / 2)


def test_the_upstreams_own_time_wins_and_never_shortens() -> None:
    limited = WELL.failed("rate_limit", FIRST, 90.0, 10.0, Random(1))
    assert limited.ready_at == 100.0
    assert limited.failed("rate_limit", FIRST, 5.0, 10.0, Random(1)).ready_at == 100.0


def test_a_first_rest_of_its_own_is_kept_to_however_long() -> None:
    assert WELL.failed("credential_refused", 60.0, None, 0.0, Random(1)).rest == 60.0
    assert WELL.failed("not_found", 2 * LONGEST_REST, None, 0.0, Random(1)).rest == 2 * LONGEST_REST
