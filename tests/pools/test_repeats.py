"""(who said what, in turn) → whether the request is at fault."""

import pytest

from aiproxy.neutral.errors import GatewayError, RateLimited, UpstreamServerError
from aiproxy.pools.repeats import Repeats

INVALID = "messages.0: content is invalid"


def fault(message: str, status: int = 500) -> GatewayError:
    return UpstreamServerError(message, upstream_status=status)


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ([("a", fault(INVALID))], False),
        ([("a", fault(INVALID)), ("b", fault(INVALID))], True),
        ([("a", fault(INVALID)), ("a", fault(INVALID))], False),
        ([("a", fault(INVALID)), ("b", fault("tools must be a list"))], False),
        ([("a", fault(INVALID)), ("b", fault("tools must be a list")), ("c", fault(INVALID))], True),
        ([("a", fault("invalid (request id 1f3a9c77)")), ("b", fault("invalid (request id 99ab01de)"))], True),
        # an outage reads alike everywhere, and so does a limit
        ([("a", fault("Internal server error")), ("b", fault("Internal server error"))], False),
        ([("a", fault(INVALID, 503)), ("b", fault(INVALID, 503))], False),
        ([("a", RateLimited(INVALID)), ("b", RateLimited(INVALID))], False),
    ],
)
def test_when_it_is_believed(said: list[tuple[str, GatewayError]], believed: bool) -> None:
    repeats = Repeats()
    heard = [repeats.heard((account, "m"), error) for account, error in said]
    assert bool(heard[-1]) is believed
    assert not any(heard[:-1])
