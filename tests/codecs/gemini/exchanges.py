"""What the tests of this codec share: exchanges, the SDK as judge, and the way through the wire."""

import json
import warnings
from collections.abc import Mapping
from typing import Any

from google import genai
from google.genai import types
from pydantic import TypeAdapter

from aiproxy.codecs.base import Answer
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.gemini import CODEC
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.report import Report
from aiproxy.neutral.request import GenerateRequest
from tests.codecs.bench import FOREIGN, Bench, answering

NATIVE = "gemini"

_BENCH = Bench(CODEC, "gemini-test")
exchange, wire, events_of = _BENCH.exchange, _BENCH.wire, _BENCH.events_of


def decode(body: Mapping[str, Any], report: Report | None = None, **incoming: Any) -> GenerateRequest:
    incoming.setdefault("model", "gemini-test")
    return _BENCH.decode(body, report, **incoming)


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


def sse(*bodies: Any) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % dump(body) for body in bodies)


def sdk(answer: Answer | bytes) -> genai.Client:
    """The official client, answered by us without a network."""
    options = types.HttpOptions(base_url="http://gateway.test", httpx_client=answering(answer))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return genai.Client(api_key="k", http_options=options)
