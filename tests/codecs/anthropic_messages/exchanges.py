"""What the tests of this codec share: exchanges, the SDK as judge, and the way through the wire."""

from collections.abc import Mapping
from typing import Any

import orjson
from anthropic import Anthropic
from anthropic.types import message_create_params
from pydantic import TypeAdapter

from aiproxy.codecs.anthropic_messages import CODEC
from aiproxy.codecs.base import Answer
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.report import Report
from aiproxy.neutral.request import GenerateRequest
from tests.codecs.bench import FOREIGN, Bench, answering
from tests.vendors.vendor import exhaust

NATIVE = "anthropic"

_BENCH = Bench(CODEC, "claude-test")
exchange, decode, wire, events_of = _BENCH.exchange, _BENCH.decode, _BENCH.wire, _BENCH.events_of


_PARAMS: TypeAdapter[Any] = TypeAdapter(
    message_create_params.MessageCreateParamsNonStreaming | message_create_params.MessageCreateParamsStreaming
)


def encode(
    request: GenerateRequest, *, source: str = FOREIGN, can: Capabilities = PERMISSIVE, report: Report | None = None
) -> Any:
    """The body for an upstream; its types are the SDK's."""
    body = orjson.loads(CODEC.encode_request(exchange(request, source=source, can=can, report=report)).body)
    check_params(body)
    return body


def check_params(body: Mapping[str, Any]) -> None:
    """Raises pydantic's ValidationError where the SDK's request types are not obeyed."""
    exhaust(_PARAMS.validate_python(body))


def sse(*bodies: Mapping[str, Any]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (body["type"].encode(), orjson.dumps(body)) for body in bodies)


def sdk(answer: Answer | bytes) -> Anthropic:
    """The official client, answered by us without a network."""
    return Anthropic(api_key="k", base_url="http://gateway.test", max_retries=0, http_client=answering(answer))
