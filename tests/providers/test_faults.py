"""Each provider's own failures, as its upstream sends them: whom they blame and for how long."""

import json
from collections.abc import Mapping

import pytest

from aiproxy.codecs.wire import Wire
from aiproxy.framing import Frame
from aiproxy.neutral.errors import GatewayError
from aiproxy.pools.verdict import Judge, Scope
from aiproxy.providers.base import Operation, Provider
from aiproxy.providers.demo.declaration import DEMO
from aiproxy.registry import load_registry
from tests.providers import failures_of_keys, failures_of_logins
from tests.providers.failures_of_keys import DATE, Failure

FAILURES = [*failures_of_keys.FAILURES, *failures_of_logins.FAILURES]


def error_of(provider: Provider, status: int, body: object, headers: Mapping[str, str]) -> GatewayError:
    """What a provider's wire format makes of a failure; status 200 is one inside a stream, or in the place of a whole answer."""
    endpoint = provider.endpoint(Operation.CHAT, "", "m")
    assert endpoint is not None
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    if status != 200:
        return endpoint.wire.decode_error(status, {"date": DATE, **headers}, data)
    with pytest.raises(GatewayError) as raised:
        in_a_200(endpoint.wire, data)
    return raised.value


def in_a_200(wire: Wire, data: bytes) -> None:
    wire.observer().feed(Frame("", data))
    wire.observe(data)


def row(failure: Failure) -> str:
    provider, status, body, _, _, _, _ = failure
    return f"{provider.name}-{status}-{json.dumps(body)[:60]}"


@pytest.mark.parametrize("failure", FAILURES, ids=row)
def test_whom_it_blames(failure: Failure) -> None:
    provider, status, body, headers, scope, said, rest = failure
    error = error_of(provider, status, body, headers)
    verdict = Judge((provider.faults,))(error)
    assert (verdict.scope, verdict.rest if verdict.cools else None) == (scope, rest)
    assert error.retry_after == (said if said is None else pytest.approx(said))
    assert verdict.stops is not verdict.cools is (scope is not Scope.REQUEST)


def test_every_provider_is_walked() -> None:
    walked = {failure[0].name for failure in FAILURES}
    assert walked == {provider.name for provider in load_registry(()).providers} - {DEMO.name}


def test_every_row_of_a_providers_table_fits_a_failure() -> None:
    """Those that most share fit one of anybody's."""
    unused = {id(rule): rule for failure in FAILURES for rule in failure[0].faults}
    for provider, status, body, headers, *_ in FAILURES:
        error = error_of(provider, status, body, headers)
        for rule in [rule for rule in provider.faults if rule.fits(error)][:1]:
            unused.pop(id(rule), None)
    assert list(unused.values()) == []
