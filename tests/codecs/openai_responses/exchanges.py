"""What the tests of this codec share: exchanges, the SDK as judge, and the way through the wire."""

from collections.abc import Mapping
from typing import Any

import openai
import orjson
from openai.types.responses import response_create_params
from pydantic import TypeAdapter

from aiproxy.codecs.base import Answer
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_responses import CODEC
from aiproxy.codecs.report import Report
from aiproxy.neutral.request import GenerateRequest
from tests.codecs.bench import FOREIGN, Bench, answering
from tests.vendors.vendor import exhaust

NATIVE = "openai-responses"

_BENCH = Bench(CODEC, "gpt-test")
exchange, decode, wire, events_of = _BENCH.exchange, _BENCH.decode, _BENCH.wire, _BENCH.events_of


_PARAMS: TypeAdapter[Any] = TypeAdapter(
    response_create_params.ResponseCreateParamsNonStreaming | response_create_params.ResponseCreateParamsStreaming
)


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
    exhaust(_PARAMS.validate_python(body))


def sse(*bodies: Mapping[str, Any]) -> bytes:
    numbered = ({**body, "sequence_number": number} for number, body in enumerate(bodies))
    return b"".join(b"event: %b\ndata: %b\n\n" % (body["type"].encode(), dump(body)) for body in numbered)


def sdk(answer: Answer | bytes) -> openai.OpenAI:
    """The official client, answered by us without a network."""
    return openai.OpenAI(api_key="k", base_url="http://gateway.test/v1", max_retries=0, http_client=answering(answer))
