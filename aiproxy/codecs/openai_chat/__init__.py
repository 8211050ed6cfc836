"""OpenAI Chat Completions, and the legacy completions and embeddings that share its errors and streams.

Source: OpenAI API reference and the types of openai-python 3.52."""

from aiproxy.codecs.codec import Codec
from aiproxy.codecs.openai_chat.decode_request import decode_request
from aiproxy.codecs.openai_chat.decoder import ChatDecoder, decode_response
from aiproxy.codecs.openai_chat.embeddings import EMBEDDINGS
from aiproxy.codecs.openai_chat.encode_request import encode_request
from aiproxy.codecs.openai_chat.encoder import encoder
from aiproxy.codecs.openai_chat.errors import decode_error, encode_error
from aiproxy.codecs.openai_chat.models import decode_models, encode_model, encode_models
from aiproxy.codecs.openai_chat.observer import ChatObserver, observe
from aiproxy.codecs.openai_chat.response import encode_response
from aiproxy.codecs.openai_chat.table import NAME, TABLE
from aiproxy.codecs.wire import Wire
from aiproxy.framing.sse import SseFramer

WIRE = Wire(
    name=NAME,
    framer=SseFramer,
    observer=ChatObserver,
    observe=observe,
    encode_error=encode_error,
    decode_error=decode_error,
    encode_models=encode_models,
    encode_model=encode_model,
    decode_models=decode_models,
)

CODEC = Codec(
    WIRE,
    TABLE,
    decode_request,
    encode_request,
    decode_response,
    encode_response,
    decoder=ChatDecoder,
    encoder=encoder,
    embeddings=EMBEDDINGS,
    forgetful=True,
    media_urls=frozenset({"image"}),
    shows_thinking=True,
)

__all__ = ["CODEC", "WIRE"]
