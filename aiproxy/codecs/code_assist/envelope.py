"""A codec inside Code Assist's wrapping: `{model, project, request: {…}}` out, `{response: {…}, traceId}` back, errors bare.

A function from codec to codec: it knows nothing of what it wraps but that its bodies are JSON objects and its stream's events one
line each. Fields of the wrapping besides `model` ride in the request's extensions under `NAME`; a provider that must say its
project puts it there. Source: the requests of Gemini CLI 0.61 with Google login, and of Antigravity."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from aiproxy.codecs.base import Answer, Observation, Observer, Standing
from aiproxy.codecs.codec import Codec, Decoder, Encoder, Exchange, Incoming, Outgoing, TokenCounting
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.report import Report
from aiproxy.codecs.wire import Wire
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import GatewayError, InvalidRequest, UpstreamFailed
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.response import GenerateResponse

NAME = "code-assist"

_BLANK_LINE = b"\r\n\r\n"
_DATA = b"data: "


def nothing_besides(_exchange: Exchange) -> Mapping[str, Json]:
    return {}


def wrapped(
    inner: Codec,
    parse: Callable[[bytes], Json],
    besides: Callable[[Exchange], Mapping[str, Json]] = nothing_besides,
) -> Codec:
    """`parse` reads JSON with exact numbers; it raises `ValueError`. `besides` is what the wrapping of a request says more
    than its model."""

    def unwrapped(body: bytes) -> bytes:
        """What is in `response`; a body without one (an error, a token count) as it is."""
        try:
            found = parse(body)
        except ValueError as error:
            raise UpstreamFailed("The upstream sent something that is not JSON where an answer was due.") from error
        inside = found.get("response") if isinstance(found, dict) else None
        return dump(inside) if isinstance(inside, dict) else body

    def decode_request(incoming: Incoming, sealer: Sealer, report: Report) -> GenerateRequest:
        try:
            found = parse(incoming.body)
        except ValueError as error:
            raise InvalidRequest(f"The request body is not valid JSON: {error}.", code="invalid_json") from error
        if not isinstance(found, dict) or not isinstance(found.get("request"), dict):
            raise InvalidRequest("`request` must be an object.", param="request")
        model = found.get("model", incoming.model)
        if model is not None and not isinstance(model, str):
            raise InvalidRequest("`model` must be a string.", param="model")
        request = inner.decode_request(replace(incoming, body=dump(found["request"]), model=model), sealer, report)
        own = {key: value for key, value in found.items() if key not in ("model", "request")}
        return replace(request, extensions={**request.extensions, NAME: own}) if own else request

    def encode_request(exchange: Exchange) -> Outgoing:
        outgoing = inner.encode_request(_inside(exchange, inner))
        own = exchange.request.extensions.get(NAME, {})
        head = dump({"model": exchange.request.model, **besides(exchange), **own})
        return replace(outgoing, body=b'%b,"request":%b}' % (head[:-1], outgoing.body))

    def decode_response(body: bytes, exchange: Exchange) -> GenerateResponse:
        return inner.decode_response(unwrapped(body), _inside(exchange, inner))

    def encode_response(response: GenerateResponse, exchange: Exchange) -> Answer:
        answer = inner.encode_response(response, _inside(exchange, inner))
        return replace(answer, body=b'{"response":%b}' % answer.body) if answer.status == 200 else answer

    def decoder(exchange: Exchange) -> Decoder:
        return _UnwrappingDecoder(inner.decoder(_inside(exchange, inner)), unwrapped)

    def encoder(exchange: Exchange) -> Encoder:
        return _WrappingEncoder(inner.encoder(_inside(exchange, inner)))

    def observe(body: bytes) -> Observation:
        return inner.wire.observe(unwrapped(body))

    def encode_count_request(exchange: Exchange) -> Outgoing:
        """The request alone: Code Assist counts without a project, a model or safety settings."""
        outgoing = inner.encode_request(_inside(exchange, inner))
        counted = {key: value for key, value in parse(outgoing.body).items() if key != "safetySettings"}
        return replace(outgoing, body=dump({"request": counted}))

    counting = inner.token_counting
    return replace(
        inner,
        wire=_wire(inner.wire, unwrapped, observe),
        decode_request=decode_request,
        encode_request=encode_request,
        decode_response=decode_response,
        encode_response=encode_response,
        decoder=decoder,
        encoder=encoder,
        token_counting=counting and TokenCounting(encode_count_request, counting.decode_answer, counting.encode_answer),
    )


def _wire(inner: Wire, unwrapped: Callable[[bytes], bytes], observe: Callable[[bytes], Observation]) -> Wire:
    return replace(
        inner,
        name=NAME,
        observer=lambda: _UnwrappingObserver(inner.observer(), unwrapped),
        observe=observe,
        request_member="request",
        model_members=tuple(f"response.{member}" for member in inner.model_members),
    )


def _inside(exchange: Exchange, inner: Codec) -> Exchange:
    """What came in the wrapping came in the words of what is wrapped."""
    return replace(exchange, source=inner.name) if exchange.source == NAME else exchange


class _UnwrappingDecoder:
    def __init__(self, inner: Decoder, unwrapped: Callable[[bytes], bytes]) -> None:
        self._inner = inner
        self._unwrapped = unwrapped

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        return self._inner.feed(_content(frame, self._unwrapped))

    def close(self, *, clean: bool = True) -> Iterable[StreamEvent]:
        return self._inner.close(clean=clean)


class _WrappingEncoder:
    """An error line and signs of life stay as they are."""

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner

    def feed(self, event: StreamEvent) -> bytes:
        written = self._inner.feed(event)
        if not written.startswith(_DATA):
            return written
        lines = (line.removeprefix(_DATA) for line in written.removesuffix(_BLANK_LINE).split(_BLANK_LINE))
        return b"".join(b'%b{"response":%b}%b' % (_DATA, line, _BLANK_LINE) for line in lines)

    def fail(self, error: GatewayError) -> bytes:
        return self._inner.fail(error)


class _UnwrappingObserver:
    def __init__(self, inner: Observer, unwrapped: Callable[[bytes], bytes]) -> None:
        self._inner = inner
        self._unwrapped = unwrapped

    def feed(self, frame: Frame) -> bool:
        return self._inner.feed(_content(frame, self._unwrapped))

    @property
    def useful(self) -> bool:
        return self._inner.useful

    @property
    def standing(self) -> Standing:
        return self._inner.standing

    @property
    def seen(self) -> Observation:
        return self._inner.seen

    def fail(self, error: GatewayError) -> bytes:
        return self._inner.fail(error)


def _content(frame: Frame, unwrapped: Callable[[bytes], bytes]) -> Frame:
    return Frame(frame.event, unwrapped(frame.data)) if frame.data and frame.event != COMMENT else frame
