"""One try at one account: sign → send → relay or translate, and the record of how it went."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime

from aiproxy import __version__
from aiproxy.codecs.splice import splice_model
from aiproxy.gateway.body import read_body
from aiproxy.gateway.call import Call, Sink
from aiproxy.gateway.lanes import WatchLane
from aiproxy.gateway.relay import Head, Relay, Setting, StreamRelay, WholeRelay
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.neutral.errors import CredentialRefused, GatewayError, Unsupported
from aiproxy.neutral.usage import Usage
from aiproxy.providers.base import Upstream
from aiproxy.transports.base import Request, Response
from aiproxy.usage import Attempt, Outcome

ERROR_BODY_BYTES = 65536
"""Of an upstream's error that are read: real ones are a few hundred bytes; the rest would be a page of HTML."""

PASSED_ON = ("accept", "openai-beta", "openai-organization", "openai-project", "idempotency-key")
"""Request headers that mean something to the upstream. All others are the client's business with us."""

PASSED_BACK = ("openai-processing-ms", "openai-version")
"""Answer headers that clients read and that stay true behind a pool of accounts."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an attempt happens in. `interrupted` gives the reason of a cancellation that isn't the client's leaving."""

    sink: Sink
    snapshot: Snapshot
    clock: IReactorTime
    interrupted: Callable[[], GatewayError | None]


async def attempt(call: Call, upstream: Upstream, model: str, around: Surroundings) -> None:
    """Raises the `GatewayError` that describes the failure; `call.committed` says whether the client saw anything."""
    started = around.clock.seconds()
    outcome, kind, status, usage = Outcome.CANCELLED, "", None, None
    try:
        usage = await _exchange(call, upstream, model, around)
        outcome = Outcome.COMPLETE
    except CancelledError:
        raise
    except GatewayError as error:
        outcome, kind, status = Outcome.CUT if call.committed else Outcome.FAILED, error.kind, error.upstream_status
        raise
    finally:
        provider, ended = upstream.provider.name, around.clock.seconds()
        record = Attempt(upstream.id, provider, model, started, ended, outcome, kind, status, usage)
        call.record.attempts.append(record)


async def _exchange(call: Call, upstream: Upstream, model: str, around: Surroundings) -> Usage | None:
    snapshot, clock, idle = around.snapshot, around.clock, around.snapshot.settings.timeouts.idle
    request = _request(call, upstream, model, snapshot.proxy(upstream))
    sent = clock.seconds()
    response = await snapshot.transports[upstream.id].send(request)
    if not 200 <= response.status < 300:
        raise await _failure(call, upstream, response, clock, idle)
    head = Head(response.status, response.headers, _answer_headers(call, upstream, model, response), sent)
    relay = _relay(call, Setting(call, around.sink, head, clock, idle, snapshot.scrub))
    response.deliver(relay)
    try:
        await relay.done
    except CancelledError:
        relay.abandon(around.interrupted())
        raise
    return relay.usage


def _relay(call: Call, setting: Setting) -> Relay:
    """What the upstream says it sends decides, not what was asked: some answer a stream request with one object."""
    if setting.head.upstream.get("content-type", "").startswith("text/event-stream"):
        return StreamRelay(setting, WatchLane(call.wire))
    return WholeRelay(setting)


def _request(call: Call, upstream: Upstream, model: str, proxy: str) -> Request:
    endpoint = upstream.provider.endpoint(call.operation, call.wire.name)
    if endpoint is None:
        told = f"The provider {upstream.provider.name!r} of {call.model!r} has no {call.operation} endpoint."
        raise Unsupported(told, param="model")
    body = call.body if model == call.model else splice_model(call.body, model)
    return Request("POST", upstream.base_url + endpoint.path, tuple(_headers(call.headers, upstream)), body, proxy)


def _headers(asked: Mapping[str, str], upstream: Upstream) -> Iterable[tuple[str, str]]:
    headers = {
        "content-type": "application/json",
        "user-agent": f"aiproxy/{__version__}",
        **{name: asked[name] for name in PASSED_ON if name in asked},
        **{name.lower(): value for name, value in upstream.headers.items()},
    }
    yield from headers.items()
    yield from upstream.credential.sign()


def _answer_headers(call: Call, upstream: Upstream, model: str, response: Response) -> dict[str, str]:
    headers = {name: response.headers[name] for name in PASSED_BACK if name in response.headers}
    headers["x-aiproxy-provider"] = upstream.provider.name
    headers["x-aiproxy-model"] = model
    headers["x-aiproxy-attempts"] = str(len(call.record.attempts) + 1)
    if "x-request-id" in response.headers:
        headers["x-upstream-request-id"] = response.headers["x-request-id"]
    return headers


async def _failure(
    call: Call, upstream: Upstream, response: Response, clock: IReactorTime, idle: float
) -> GatewayError:
    status = response.status
    body = await read_body(response, ERROR_BODY_BYTES, clock, idle)
    if 300 <= status < 400:
        body = b'{"error": "The upstream redirects; base-url must be its final address."}'
        status = 502
    error = call.wire.decode_error(status, response.headers, body)
    error.upstream_status = response.status
    if isinstance(error, CredentialRefused):
        error.message = (
            f"The upstream of {call.model!r} refused the gateway's own credential ({status}). "
            f"Its operator must check the account {upstream.id!r}."
        )
    return error
