"""What the tests of this codec share: exchanges, the SDK as judge, and the way through the wire."""

import json
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import httpx2
from google import genai
from google.genai import types
from pydantic import TypeAdapter

from aiproxy.codecs.base import Answer
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.codec import Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.gemini import CODEC
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.report import Report
from aiproxy.framing.sse import SseFramer
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.request import GenerateRequest
from aiproxy.secrets import Secret

SEALER = Sealer(Secret("key of the tests"), "tenant")

NATIVE = "gemini"
FOREIGN = "openai-chat"


def exchange(
    request: GenerateRequest | None = None,
    *,
    source: str = NATIVE,
    can: Capabilities = PERMISSIVE,
    report: Report | None = None,
) -> Exchange:
    return Exchange(
        request or GenerateRequest("gemini-test"),
        SEALER,
        "req_test",
        source=source,
        now=1790000000,
        capabilities=can,
        report=report or Report(),
    )


def decode(body: Mapping[str, Any], report: Report | None = None, **incoming: Any) -> GenerateRequest:
    incoming.setdefault("model", "gemini-test")
    return CODEC.decode_request(Incoming(dump(body), **incoming), SEALER, report or Report())


def encode(
    request: GenerateRequest, *, source: str = FOREIGN, can: Capabilities = PERMISSIVE, report: Report | None = None
) -> Any:
    """The body for an upstream; its types are the SDK's."""
    body = json.loads(CODEC.encode_request(exchange(request, source=source, can=can, report=report)).body)
    check_request(body)
    return body


_CONTENTS: TypeAdapter[Any] = TypeAdapter(list[types.Content])


def check_request(body: Mapping[str, Any]) -> None:
    """Raises pydantic's ValidationError where the SDK's types are not obeyed: they forbid what they don't know."""
    config = dict(body.get("generationConfig", {}))
    for name in (
        "systemInstruction",
        "tools",
        "toolConfig",
        "safetySettings",
        "cachedContent",
        "labels",
        "serviceTier",
    ):
        if name in body:
            config[name] = body[name]
    types.GenerateContentConfig.model_validate(config)
    if isinstance(body.get("contents"), list):
        _CONTENTS.validate_python(body["contents"])


def wire(events: Iterable[StreamEvent], request: GenerateRequest | None = None) -> bytes:
    encoder = CODEC.encoder(exchange(request))
    return b"".join(map(encoder.feed, events))


def events_of(data: bytes, asked: Exchange | None = None) -> list[StreamEvent]:
    decoder, framer = CODEC.decoder(asked or exchange()), SseFramer()
    events = [event for frame in framer.feed(data) for event in decoder.feed(frame)]
    events += [event for frame in framer.close() for event in decoder.feed(frame)]
    return [*events, *decoder.close()]


def sse(*bodies: Any) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % dump(body) for body in bodies)


def sdk(answer: Answer | bytes) -> genai.Client:
    """The official client, answered by us without a network."""
    if isinstance(answer, bytes):
        answer = Answer(200, answer, "text/event-stream")
    headers = {"content-type": answer.content_type, **answer.headers}

    def respond(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(answer.status, headers=headers, content=answer.body)

    options = types.HttpOptions(
        base_url="http://gateway.test", httpx_client=httpx2.Client(transport=httpx2.MockTransport(respond))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return genai.Client(api_key="k", http_options=options)
