"""Kiro's `generateAssistantResponse`: a conversation as JSON out, an Amazon event stream back. Of upstreams only: no client
speaks it.

Source: provider sheets kiro and kiro-second-source; the service's model in aws/amazon-q-developer-cli."""

from typing import NoReturn

from aiproxy.codecs.codec import Codec, Exchange
from aiproxy.codecs.kiro.decoder import KiroDecoder
from aiproxy.codecs.kiro.encode_request import encode_request
from aiproxy.codecs.kiro.errors import decode_error
from aiproxy.codecs.kiro.table import NAME, TABLE
from aiproxy.codecs.wire import Wire
from aiproxy.framing.event_stream import EventStreamFramer
from aiproxy.neutral.response import GenerateResponse


def decode_response(body: bytes, _exchange: Exchange) -> GenerateResponse:
    """An answer that is not a stream is an error, whatever its status."""
    raise decode_error(200, {}, body)


def no_client(*_: object) -> NoReturn:
    raise AssertionError("no client speaks Kiro's wire format")


WIRE = Wire(
    name=NAME,
    framer=EventStreamFramer,
    observer=no_client,
    observe=no_client,
    encode_error=no_client,
    decode_error=decode_error,
    encode_models=no_client,
    encode_model=no_client,
)

CODEC = Codec(
    wire=WIRE,
    fields=TABLE,
    decode_request=no_client,
    encode_request=encode_request,
    decode_response=decode_response,
    encode_response=no_client,
    decoder=KiroDecoder,
    encoder=no_client,
)

__all__ = ["CODEC", "NAME", "WIRE"]
