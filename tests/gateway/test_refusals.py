"""What a client is told when nobody can be had: who rests for how long, as the right kind of error."""

import pytest

from aiproxy.gateway.refusals import put_off, refused
from aiproxy.neutral import errors
from aiproxy.pools.health import Health
from aiproxy.pools.lending import Hindrance, NoneReady, Skipped

NOW = 100.0


def resting(**until: tuple[float, str]) -> NoneReady:
    skipped = [Skipped((name, "m"), Health(NOW + seconds, reason=why)) for name, (seconds, why) in until.items()]
    return NoneReady(min(seconds for seconds, _ in until.values()), skipped)


@pytest.mark.parametrize(
    ("none", "kind", "retry_after", "message"),
    [
        (resting(a=(12.0, "rate_limit")), errors.RateLimited, 12.0,
         "All accounts that offer 'm' rest: a for 12 s (rate limited)."),
        (resting(a=(60.0, "credential_refused"), b=(0.2, "overloaded")), errors.Overloaded, 1.0,
         "All accounts that offer 'm' rest: b for 1 s (overloaded), a for 60 s (its key is refused)."),
        (resting(**{name: (float(n), "quota_exhausted") for n, name in enumerate("abcde", 1)}), errors.RateLimited, 1.0,
         "All accounts that offer 'm' rest: a for 1 s (out of quota), b for 2 s (out of quota), c for 3 s (out of quota) "
         "and 2 more for longer."),
        (NoneReady(0.0, [Skipped(("a", "m"), Hindrance.BUSY), Skipped(("b", "m"), Health(NOW + 9, reason="timeout"))]),
         errors.Overloaded, 1.0, "All accounts that offer 'm' rest: b for 1 s (too slow), the others are busy."),
        (NoneReady(0.0, [Skipped(("a", "m"), Hindrance.BUSY)]), errors.Overloaded, 1.0,
         "All accounts that offer 'm' are busy with as many calls as they take (concurrency); try again."),
        (NoneReady(12.0, [Skipped(("a", "m"), Hindrance.PACED), Skipped(("b", "m"), Hindrance.BUSY)]), errors.RateLimited, 12.0,
         "The accounts that offer 'm' have had as many calls as they take within a minute; wait 12 s."),
        (NoneReady(None, [Skipped(("a", "m"), Hindrance.DISABLED)]), errors.Overloaded, None,
         "Every account that offers 'm' is disabled; the gateway's operator can enable one."),
        (NoneReady(None, []), errors.Overloaded, None,
         "No account is left that offers 'm'; the configuration has just changed. Try again."),
        (NoneReady(0.0, [], queue_full=True), errors.Overloaded, 1.0,
         "Too many calls wait for an account that offers 'm' (routing.queue); try again."),
        (resting(a=(600.0, "not_found")), errors.NotFound, None,
         "All accounts that offer 'm' rest: a for 600 s (without this model)."),
    ],
)  # fmt: skip
def test_a_refusal(none: NoneReady, kind: type[errors.GatewayError], retry_after: float | None, message: str) -> None:
    error = refused("m", none)
    assert type(error) is kind
    assert (error.message, error.retry_after) == (message, retry_after)


def test_a_failure_says_when_asking_again_makes_sense() -> None:
    assert put_off(errors.Overloaded("x"), resting(a=(12.0, "rate_limit"))).retry_after == 12.0
    assert put_off(errors.Overloaded("x", retry_after=30.0), resting(a=(12.0, "rate_limit"))).retry_after == 30.0
    assert put_off(errors.Overloaded("x"), NoneReady(None, [])).retry_after is None
