"""OpenAI Responses: requests, answers, streams, errors, token counts, compaction items and what is kept of answers.
Keeping it, and sockets, are not here.

Source: OpenAI API reference and the types of openai-python 3.52; what Codex 0.169 sends and needs."""

from aiproxy.codecs.codec import Codec
from aiproxy.codecs.openai_responses.compaction import COMPACTING
from aiproxy.codecs.openai_responses.counting import COUNTING
from aiproxy.codecs.openai_responses.decode_request import INSTRUCTIONS, decode_request
from aiproxy.codecs.openai_responses.decoder import ResponsesDecoder
from aiproxy.codecs.openai_responses.encode_request import encode_request
from aiproxy.codecs.openai_responses.encoder import ResponsesEncoder, encode_response
from aiproxy.codecs.openai_responses.errors import decode_error, encode_error
from aiproxy.codecs.openai_responses.models import encode_model, encode_models
from aiproxy.codecs.openai_responses.observer import ResponsesObserver, observe
from aiproxy.codecs.openai_responses.response import decode_response
from aiproxy.codecs.openai_responses.stored import STORING
from aiproxy.codecs.openai_responses.table import NAME, TABLE
from aiproxy.codecs.openai_responses.writer import ResponseWriter
from aiproxy.codecs.wire import Wire
from aiproxy.framing.sse import SseFramer

WIRE = Wire(
    name=NAME,
    framer=SseFramer,
    observer=ResponsesObserver,
    observe=observe,
    encode_error=encode_error,
    decode_error=decode_error,
    encode_models=encode_models,
    encode_model=encode_model,
    model_members=("model", "response.model"),
)

CODEC = Codec(
    wire=WIRE,
    fields=TABLE,
    decode_request=decode_request,
    encode_request=encode_request,
    decode_response=decode_response,
    encode_response=encode_response,
    decoder=ResponsesDecoder,
    encoder=ResponsesEncoder,
    token_counting=COUNTING,
    storing=STORING,
    compacting=COMPACTING,
    prompt_place={NAME: {INSTRUCTIONS: True}},
    media_urls=frozenset({"image", "document"}),
)

__all__ = ["CODEC", "WIRE", "ResponseWriter"]
