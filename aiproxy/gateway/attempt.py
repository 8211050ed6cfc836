"""One try at one account: sign → send → relay or translate, and the record of how it went."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime

from aiproxy.catalogue import Served
from aiproxy.codecs import openai_chat
from aiproxy.codecs.base import Answer
from aiproxy.codecs.openai_chat.unasked_usage import asking, asks
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import splice_model
from aiproxy.credentials.base import Headers
from aiproxy.credentials.sending import send
from aiproxy.gateway.call import Call, Sink
from aiproxy.gateway.embed import EMBEDS, EmbeddingTranslation, translate_embeddings
from aiproxy.gateway.endpoints import cannot_count, endpoint_for, instead_of
from aiproxy.gateway.first_token import first_token_within
from aiproxy.gateway.lanes import WatchLane
from aiproxy.gateway.media import bring_media
from aiproxy.gateway.overhearing import OverheardResponse
from aiproxy.gateway.pausing import PausingResponse
from aiproxy.gateway.quiet import QuietLane, QuietRenamingLane
from aiproxy.gateway.relay import Head, Relay, Setting, nothing
from aiproxy.gateway.renaming import RenamingLane, renamed
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.state import State
from aiproxy.gateway.stream_relay import StreamRelay
from aiproxy.gateway.translate import (
    WARNINGS,
    Target,
    Translation,
    estimated,
    passes_through,
    sends_stream,
    translate,
    written_anew,
)
from aiproxy.gateway.upstream_headers import headers_for
from aiproxy.gateway.whole_relays import WholeRelay
from aiproxy.neutral.errors import (
    ConnectTimeout,
    CredentialRefused,
    ForeignState,
    GatewayError,
    NotShown,
    Overloaded,
    RateLimited,
    Unreachable,
    Unsupported,
    UpstreamFailed,
)
from aiproxy.neutral.parts import Part, TextPart
from aiproxy.neutral.usage import Usage
from aiproxy.pools.quota import Window
from aiproxy.providers.base import NO_MEMBERS, Operation, Upstream
from aiproxy.rewriting.payload import Sending
from aiproxy.secrets import MASK, SHORTEST_SCRUBBED, Scrubber
from aiproxy.transports.base import Request, Response
from aiproxy.transports.body import read_body
from aiproxy.usage import Attempt, Outcome
from aiproxy.usage.estimate import estimate

GENERATES = (Operation.CHAT, Operation.COMPLETIONS)
"""What payload rules are for: requests for an answer."""

ERROR_BODY_BYTES = 65536
"""Of an upstream's error that are read: real ones are a few hundred bytes; the rest would be a page of HTML."""

NEXT_ADDRESS = (RateLimited, Overloaded, Unreachable, ConnectTimeout)
"""After which the account asks at the next address of its provider's, where there is one."""

PASSED_BACK = ("openai-processing-ms", "openai-version")
"""Answer headers that clients read and that stay true behind a pool of accounts."""


Translated: TypeAlias = Translation | EmbeddingTranslation


def nothing_of(_account: str, _windows: Iterable[Window], _asked: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an attempt happens in. `now` is seconds since the epoch. `interrupted` gives the reason of a cancellation that
    isn't the client's leaving. `worked` is told when the upstream has begun to answer, `heard` what it says of an account's quota."""

    sink: Sink
    snapshot: Snapshot
    state: State
    clock: IReactorTime
    now: int
    interrupted: Callable[[], GatewayError | None]
    worked: Callable[[], None] = nothing
    heard: Callable[[str, Iterable[Window], float], None] = nothing_of


async def attempt(call: Call, upstream: Upstream, model: Served, around: Surroundings) -> None:
    """Raises the `GatewayError` that describes the failure; `call.committed` says whether the client saw anything."""
    started = around.clock.seconds()
    outcome, kind, status = Outcome.CANCELLED, "", None
    relays: list[Relay] = []
    try:
        exchange = _exchange(call, upstream, model, around, relays.append)
        await first_token_within(around.snapshot.settings.timeouts.first_token, call, exchange, around.clock)
        outcome = Outcome.COMPLETE
    except GatewayError as error:
        outcome, kind, status = Outcome.CUT if call.committed else Outcome.FAILED, error.kind, error.upstream_status
        raise
    except CancelledError:
        if reason := around.interrupted():
            outcome, kind = Outcome.CUT if call.committed else Outcome.FAILED, reason.kind
        raise
    finally:
        provider, ended = upstream.provider.name, around.clock.seconds()
        usage, guessed = _used(call, relays[-1], outcome) if relays else (None, False)
        prices = around.snapshot.prices
        cost = prices.cost(provider, model.name, usage)
        call.record.attempts.append(
            Attempt(
                upstream.id,
                provider,
                model.name,
                started,
                ended,
                outcome,
                kind,
                status,
                usage,
                guessed,
                cost,
                prices.version,
            )
        )


def _used(call: Call, relay: Relay, outcome: Outcome) -> tuple[Usage | None, bool]:
    """What the answer used, and whether we had to estimate it: nobody said so of one that was seen, or not to its end."""
    said = relay.usage
    whole = outcome is Outcome.COMPLETE and said is not None and said.output_total is not None
    if whole or call.operation not in GENERATES or not (relay.committed and relay.size):
        return said, said is not None and said.estimated
    return estimate(said, call.may_use[0], relay.heard, relay.size), True


async def _exchange(
    call: Call, upstream: Upstream, model: Served, around: Surroundings, began: Callable[[Relay], None]
) -> None:
    """Asked once, unless the upstream turns out to lack something that can be done without: the endpoint, the right to show
    its thinking, the key to the thinking that the request brings back; or has another address that may do better."""
    prompted = not around.snapshot.system_prompt.changes_nothing
    endpoint, silent = endpoint_for(call, upstream, model.name, prompted=prompted), False
    stateless = False
    address, *spares = upstream.addresses
    if endpoint is None and call.operation is not Operation.COUNT_TOKENS:
        told = f"The provider {upstream.provider.name!r} of {call.model!r} has no {call.operation} endpoint."
        raise Unsupported(told, param="model")
    while endpoint is not None:
        shown = call.model if model.forced else ""
        target = Target(upstream, endpoint, model.name, shown, silent, stateless, address=address)
        try:
            await _ask(call, target, around, began)
            return
        except NotShown:
            if silent or passes_through(call, target):
                raise
            silent = True
        except ForeignState:
            if stateless or call.committed or endpoint.codec is None or call.codec is None:
                raise
            stateless = True
        except NEXT_ADDRESS:
            if call.committed or not spares:
                raise
            address = spares.pop(0)
        except GatewayError as error:
            if call.committed:
                raise
            endpoint = instead_of(endpoint, error, call, upstream, model.name)
            if endpoint is None and not cannot_count(error, call):
                raise
    _answer_ourselves(call, estimated(call, around.snapshot), around)


async def _ask(call: Call, target: Target, around: Surroundings, began: Callable[[Relay], None]) -> None:
    clock, idle = around.clock, around.snapshot.settings.timeouts.idle
    translation = None if passes_through(call, target) else await _translated(call, target, around)
    if translation is None and _tells_usage_when_asked(call, target):
        target = replace(target, quiet=True)
    report = (
        translation.down.report
        if isinstance(translation, Translation)
        else Report(strict=around.snapshot.strict(call.client))
    )
    sent, response, scrub = await _send(call, target, translation, report, around)
    if not 200 <= response.status < 300:
        raise await _failure(call, target, response, scrub, clock, idle)
    head = Head(response.status, response.headers, _answer_headers(call, target, response, report), sent)
    setting = Setting(call, around.sink, head, clock, idle, scrub, around.worked)
    try:
        relay = translation.relay(setting) if translation else await _relay(call, target, setting, around)
    except BaseException:
        response.abort()  # nobody will take its body
        raise
    if isinstance(translation, Translation) and translation.pausing is not None:
        response = PausingResponse(response, translation.pausing, partial(_go_on, call, target, translation, around))
    began(relay)
    response.deliver(relay)
    try:
        await relay.done
    except CancelledError:
        relay.abandon(around.interrupted())
        raise


async def _go_on(
    call: Call, target: Target, translation: Translation, around: Surroundings, said: tuple[Part, ...]
) -> Response:
    """The answer of an upstream that paused, from there on."""
    _, response, scrub = await _send(call, target, translation.going_on(said), translation.down.report, around)
    if not 200 <= response.status < 300:
        raise await _failure(call, target, response, scrub, around.clock, around.snapshot.settings.timeouts.idle)
    if not sends_stream(response.headers, otherwise=True):
        response.abort()
        raise UpstreamFailed("The upstream paused in the middle of its stream and did not go on with another one.")
    return response


async def _translated(call: Call, target: Target, around: Surroundings) -> Translated:
    if call.operation in EMBEDS:
        return translate_embeddings(call, target, around.snapshot)
    await bring_media(call, target, around.snapshot)
    translation = await translate(call, target, around.snapshot, around.state, around.now)
    if call.continuation is None or not call.committed:
        return translation
    if translation.up.capabilities.prefill is False:
        raise Unsupported(f"The answer broke off, and {target.model!r} can't go on from a part of one.", param="model")
    return translation.going_on((TextPart(text=call.continuation.beginning),))


async def _relay(call: Call, target: Target, setting: Setting, around: Surroundings) -> Relay:
    """A stream that was asked for as a stream passes, and so does a whole answer; an upstream that sends the one for the
    other is translated into what the client's parser expects."""
    streamed = sends_stream(setting.head.upstream, otherwise=call.stream)
    if streamed is not call.stream and call.operation not in EMBEDS and target.endpoint.codec is not None:
        return (await translate(call, target, around.snapshot, around.state, around.now)).relay(setting)
    if streamed and target.quiet:
        return StreamRelay(
            setting, QuietRenamingLane(call.wire, target.shown) if target.shown else QuietLane(call.wire)
        )
    if not target.shown:
        return StreamRelay(setting, WatchLane(call.wire)) if streamed else WholeRelay(setting)
    if streamed:
        return StreamRelay(setting, RenamingLane(call.wire, target.shown))
    return WholeRelay(setting, rename=lambda body: renamed(body, call.wire, target.shown))


def _answer_ourselves(call: Call, answer: Answer, around: Surroundings) -> None:
    call.committed = True
    call.record.first_byte = around.clock.seconds()
    length = {"content-type": answer.content_type, "content-length": str(len(answer.body))}
    around.sink.start(answer.status, {**answer.headers, **call.told, **length})
    around.sink.write(answer.body)


async def _send(
    call: Call, target: Target, translation: Translated | None, report: Report, around: Surroundings
) -> tuple[float, Response, Callable[[str], str]]:
    """When it was sent, the answer, and what keeps secrets out of its words."""
    request, snapshot = _request(call, target, translation, report, around), around.snapshot
    provider = target.upstream.provider
    way = snapshot.ways[target.upstream.id]
    if call.connection is not None and target.upstream.socket and target.endpoint.socket:
        way = call.connection.way(way, snapshot.settings.timeouts.first_byte)
    sent = await send(request, target.upstream.credential, way, provider.stale)
    if provider.windows is not None and (windows := tuple(provider.windows(sent.response.headers, around.now))):
        around.heard(target.upstream.id, windows, sent.at)
    response, scrub = sent.response, partial(_scrubbed, snapshot.scrub, sent.signature)
    if call.overhears is not None:
        response = OverheardResponse(response, request, target.upstream.id, scrub, call.overhears)
    return sent.at, response, scrub


def _scrubbed(scrub: Scrubber, signature: Headers, text: str) -> str:
    """Without the secrets of the configuration, and without the token of this attempt, which no configuration knows."""
    for _, value in signature:
        secret = value.rpartition(" ")[2]
        text = text.replace(secret, MASK) if len(secret) >= SHORTEST_SCRUBBED else text
    return scrub(text)


def _request(
    call: Call, target: Target, translation: Translated | None, report: Report, around: Surroundings
) -> Request:
    snapshot, endpoint, upstream = around.snapshot, target.endpoint, target.upstream
    if translation is not None:
        came, asked, stream = translation.outgoing.body, translation.outgoing.headers, translation.streamed
        body = came
    else:
        came, asked, stream = _as_it_came(call, target), call.incoming.headers, call.stream
        body = _prompted(came, call, target, around)
    members = upstream.members if endpoint.operation is Operation.CHAT else NO_MEMBERS
    body = endpoint.repaired(body, report, members)
    if endpoint.operation in GENERATES:
        names, wire = (target.model, call.model, call.record.model), endpoint.wire
        body = snapshot.payload.apply(
            body, Sending(names, wire.name, call.wire.name, call.incoming.headers, wire.request_member)
        )
    if translation is None and body != came:
        call.record.rewritten += 1
    url = endpoint.url(target.address or upstream.base_url, target.model, stream=stream)
    headers = {
        "content-type": "application/json",
        **_trace_headers(call, snapshot),
        **headers_for(upstream, asked, call.incoming.headers),
        **endpoint.headers(body),
    }
    return Request("POST", url, tuple(headers.items()), body, snapshot.ways[upstream.id].proxy)


def _trace_headers(call: Call, snapshot: Snapshot) -> Mapping[str, str]:
    trace = call.record.trace
    if trace is None or not snapshot.settings.tracing.propagate:
        return {}
    return trace.headers(len(call.record.attempts) + 1)


def _tells_usage_when_asked(call: Call, target: Target) -> bool:
    """And the client doesn't ask."""
    chat = target.endpoint.wire is openai_chat.WIRE and call.operation in GENERATES
    return chat and call.stream and not asks(call.incoming.outline)


def _as_it_came(call: Call, target: Target) -> bytes:
    """But for an alias, replaced in place, and usage that is asked for."""
    body, outline = call.incoming.body, call.incoming.outline
    if target.model != call.model and not target.endpoint.names_model_in_path:
        body = splice_model(body, outline, target.model)
    return asking(body, outline) if target.quiet else body


def _prompted(came: bytes, call: Call, target: Target, around: Surroundings) -> bytes:
    """Written anew with the operator's system prompt, where there is one and the request has a place for it."""
    nothing_to_say = around.snapshot.system_prompt.changes_nothing
    if nothing_to_say or target.endpoint.codec is None or call.operation in EMBEDS:
        return came
    return written_anew(call, target, around.snapshot, around.now)


def _answer_headers(call: Call, target: Target, response: Response, report: Report) -> dict[str, str]:
    headers = {name: response.headers[name] for name in PASSED_BACK if name in response.headers}
    headers.update(call.told)
    if call.client.told:
        headers["x-aiproxy-provider"] = target.upstream.provider.name
        headers["x-aiproxy-model"] = target.model
        headers["x-aiproxy-attempts"] = str(len(call.record.attempts) + 1)
    if report.header:
        headers[WARNINGS] = report.header
    if "x-request-id" in response.headers:
        headers["x-upstream-request-id"] = response.headers["x-request-id"]
    return headers


async def _failure(
    call: Call, target: Target, response: Response, scrub: Callable[[str], str], clock: IReactorTime, idle: float
) -> GatewayError:
    status = response.status
    body = await read_body(response, ERROR_BODY_BYTES, clock, idle)
    if 300 <= status < 400:
        body = b'{"error": "The upstream redirects; base-url must be its final address."}'
        status = 502
    error = target.endpoint.wire.decode_error(status, response.headers, body)
    error.message = scrub(error.message)
    error.upstream_status = response.status
    if isinstance(error, CredentialRefused):
        error.message = (
            f"The upstream of {call.model!r} refused the gateway's own credential ({status}). "
            f"Its operator must check the account {target.upstream.id!r}."
        )
    return error
