"""What the tests of this codec share: exchanges, the SDK as judge, and the way through the wire."""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx2
import openai
import orjson
from openai.types.responses import response_create_params
from pydantic import TypeAdapter

from aiproxy.codecs.base import Answer
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.codec import Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_responses import CODEC
from aiproxy.codecs.report import Report
from aiproxy.framing.sse import SseFramer
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.request import GenerateRequest
from aiproxy.secrets import Secret

SEALER = Sealer(Secret("key of the tests"), "tenant")

NATIVE = "openai-responses"
FOREIGN = "openai-chat"

_PARAMS: TypeAdapter[Any] = TypeAdapter(
    response_create_params.ResponseCreateParamsNonStreaming | response_create_params.ResponseCreateParamsStreaming
)


def exchange(
    request: GenerateRequest | None = None,
    *,
    source: str = NATIVE,
    can: Capabilities = PERMISSIVE,
    report: Report | None = None,
) -> Exchange:
    return Exchange(
        request or GenerateRequest("gpt-test"),
        SEALER,
        "req_test",
        source=source,
        now=1790000000,
        capabilities=can,
        report=report or Report(),
    )


def decode(body: Mapping[str, Any], report: Report | None = None, **incoming: Any) -> GenerateRequest:
    return CODEC.decode_request(Incoming(dump(body), **incoming), SEALER, report or Report())


def through(body: Mapping[str, Any], can: Capabilities = PERMISSIVE) -> Any:
    """The body as an upstream of the same protocol gets it."""
    return orjson.loads(CODEC.encode_request(exchange(decode(body), can=can)).body)


def encode(request: GenerateRequest, *, can: Capabilities = PERMISSIVE, report: Report | None = None) -> Any:
    """The body for an upstream, of a request that came by another protocol; its types are the SDK's."""
    body = orjson.loads(CODEC.encode_request(exchange(request, source=FOREIGN, can=can, report=report)).body)
    check_params(body)
    return body


def check_params(body: Mapping[str, Any]) -> None:
    """Raises pydantic's ValidationError where the SDK's request types are not obeyed."""
    _exhaust(_PARAMS.validate_python(body))


def _exhaust(found: Any) -> None:
    """pydantic checks an Iterable while it is read."""
    if isinstance(found, Mapping):
        for value in found.values():
            _exhaust(value)
    elif not isinstance(found, str | bytes | int | float | None):
        for value in found:
            _exhaust(value)


def wire(events: Iterable[StreamEvent], request: GenerateRequest | None = None) -> bytes:
    encoder = CODEC.encoder(exchange(request))
    return b"".join(map(encoder.feed, events))


def events_of(data: bytes, asked: Exchange | None = None) -> list[StreamEvent]:
    decoder, framer = CODEC.decoder(asked or exchange()), SseFramer()
    events = [event for frame in framer.feed(data) for event in decoder.feed(frame)]
    events += [event for frame in framer.close() for event in decoder.feed(frame)]
    return [*events, *decoder.close()]


def sse(*bodies: Mapping[str, Any]) -> bytes:
    numbered = ({**body, "sequence_number": number} for number, body in enumerate(bodies))
    return b"".join(b"event: %b\ndata: %b\n\n" % (body["type"].encode(), dump(body)) for body in numbered)


def sdk(answer: Answer | bytes) -> openai.OpenAI:
    """The official client, answered by us without a network."""
    if isinstance(answer, bytes):
        answer = Answer(200, answer, "text/event-stream")
    headers = {"content-type": answer.content_type, **answer.headers}

    def respond(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(answer.status, headers=headers, content=answer.body)

    client = httpx2.Client(transport=httpx2.MockTransport(respond))
    return openai.OpenAI(api_key="k", base_url="http://gateway.test/v1", max_retries=0, http_client=client)
