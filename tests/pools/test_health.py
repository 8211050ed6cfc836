"""(failures, error, now) → when the account may be used again."""

from random import Random

import pytest

from aiproxy.neutral import errors
from aiproxy.pools.health import FIRST_REST, FIRST_REST_REFUSED, JITTER, LONGEST_REST, WELL, Scope, scope_of


@pytest.mark.parametrize(
    ("error", "scope"),
    [
        (errors.InvalidRequest("x"), Scope.REQUEST),
        (errors.ContextLength("x"), Scope.REQUEST),
        (errors.NotFound("x"), Scope.REQUEST),
        (errors.TooLarge("x"), Scope.REQUEST),
        (errors.RateLimited("x"), Scope.MODEL),
        (errors.Overloaded("x"), Scope.MODEL),
        (errors.Timeout("x"), Scope.MODEL),
        (errors.UpstreamServerError("x"), Scope.MODEL),
        (errors.UpstreamTruncated("x"), Scope.MODEL),
        (errors.UpstreamFailed("x", upstream_status=502), Scope.MODEL),
        (errors.UpstreamFailed("connection refused"), Scope.ACCOUNT),
        (errors.QuotaExhausted("x"), Scope.ACCOUNT),
        (errors.CredentialRefused("x", upstream_status=401), Scope.ACCOUNT),
        (errors.Billing("x"), Scope.ACCOUNT),
    ],
)
def test_scope(error: errors.GatewayError, scope: Scope) -> None:
    assert scope_of(error) is scope


def test_rests_double_up_to_the_longest() -> None:
    now, health, random = 0.0, WELL, Random(1)
    rests = []
    for _ in range(14):
        health = health.failed(errors.Overloaded("x"), now, random)
        assert health.rest <= health.ready_at - now <= health.rest * (1 + JITTER)
        rests.append(health.rest)
        now = health.ready_at
    assert rests == [min(FIRST_REST * 2**n, LONGEST_REST) for n in range(14)]


def test_a_failure_inside_a_rest_does_not_escalate() -> None:
    first = WELL.failed(errors.Overloaded("x"), 0.0, Random(1))
    again = first.failed(errors.Overloaded("x"), first.ready_at / 2, Random(2))
    assert (again.ready_at, again.rest, again.since) == (first.ready_at, first.rest, first.ready_at / 2)


def test_the_upstreams_own_time_wins_and_never_shortens() -> None:
    limited = WELL.failed(errors.RateLimited("x", retry_after=90.0), 10.0, Random(1))
    assert limited.ready_at == 100.0
    assert limited.failed(errors.RateLimited("x", retry_after=5.0), 10.0, Random(1)).ready_at == 100.0


def test_a_refused_key_rests_longer() -> None:
    refused = WELL.failed(errors.CredentialRefused("x"), 0.0, Random(1))
    assert refused.rest == FIRST_REST_REFUSED
