"""Anthropic Messages: requests, answers, streams, errors, model lists and token counts, both ways.

Batches and files are not translated and have no place here. Source: Anthropic API reference and the types of anthropic-python 2.11."""

from aiproxy.codecs.anthropic_messages.counting import COUNTING
from aiproxy.codecs.anthropic_messages.decode_request import TOP, decode_request
from aiproxy.codecs.anthropic_messages.decoder import MessagesDecoder
from aiproxy.codecs.anthropic_messages.encode_request import encode_request
from aiproxy.codecs.anthropic_messages.encoder import PING, MessagesEncoder
from aiproxy.codecs.anthropic_messages.errors import decode_error, encode_error
from aiproxy.codecs.anthropic_messages.models import decode_models, encode_model, encode_models
from aiproxy.codecs.anthropic_messages.observer import MessagesObserver, observe
from aiproxy.codecs.anthropic_messages.response import decode_response, encode_response
from aiproxy.codecs.anthropic_messages.table import NAME, TABLE
from aiproxy.codecs.codec import Codec
from aiproxy.codecs.wire import Wire
from aiproxy.framing.sse import SseFramer

WIRE = Wire(
    name=NAME,
    framer=SseFramer,
    observer=MessagesObserver,
    observe=observe,
    encode_error=encode_error,
    decode_error=decode_error,
    encode_models=encode_models,
    encode_model=encode_model,
    decode_models=decode_models,
    model_members=("model", "message.model"),
    heartbeat=PING,
)

CODEC = Codec(
    wire=WIRE,
    fields=TABLE,
    decode_request=decode_request,
    encode_request=encode_request,
    decode_response=decode_response,
    encode_response=encode_response,
    decoder=MessagesDecoder,
    encoder=MessagesEncoder,
    token_counting=COUNTING,
    prompt_place={NAME: {TOP: True}},
    media_urls=frozenset({"image", "document"}),
    pauses=True,
    shows_thinking=True,
)

__all__ = ["CODEC", "WIRE"]
