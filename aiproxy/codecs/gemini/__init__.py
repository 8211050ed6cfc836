"""Gemini's generateContent, streamGenerateContent and countTokens: the Gemini API's dialect, and Vertex AI's where they agree.

`CODEC` and `WIRE` speak SSE (`alt=sse`), `ARRAY_CODEC` and `ARRAY_WIRE` the JSON array a stream is without it. Names of
fields are read in camelCase and snake_case, and written in camelCase.

Source: Gemini API reference (ai.google.dev) and the types of google-genai 3.4."""

from dataclasses import replace

from aiproxy.codecs.codec import Codec
from aiproxy.codecs.gemini.counting import COUNTING
from aiproxy.codecs.gemini.decode_request import decode_request
from aiproxy.codecs.gemini.decode_response import decode_response
from aiproxy.codecs.gemini.decoder import GeminiDecoder
from aiproxy.codecs.gemini.embeddings import EMBEDDING, EMBEDDINGS
from aiproxy.codecs.gemini.encode_request import encode_request
from aiproxy.codecs.gemini.encode_response import encode_response
from aiproxy.codecs.gemini.encoder import BLANK, ArrayEncoder, GeminiEncoder
from aiproxy.codecs.gemini.errors import decode_error, encode_error
from aiproxy.codecs.gemini.models import decode_models, encode_model, encode_models
from aiproxy.codecs.gemini.names import NAME
from aiproxy.codecs.gemini.observer import ArrayObserver, GeminiObserver, observe
from aiproxy.codecs.gemini.predict import NAME as PREDICT_NAME
from aiproxy.codecs.gemini.predict import PREDICT
from aiproxy.codecs.gemini.table import TABLE
from aiproxy.codecs.wire import Wire, no_remark
from aiproxy.framing.json_array import JsonArrayFramer
from aiproxy.framing.sse import SseFramer

WIRE = Wire(
    name=NAME,
    framer=SseFramer,
    observer=GeminiObserver,
    observe=observe,
    encode_error=encode_error,
    decode_error=decode_error,
    encode_models=encode_models,
    encode_model=encode_model,
    decode_models=decode_models,
    model_members=("modelVersion",),
    heartbeat=BLANK,
    opening=BLANK,
    remark=no_remark,
)

CODEC = Codec(
    wire=WIRE,
    fields=TABLE,
    decode_request=decode_request,
    encode_request=encode_request,
    decode_response=decode_response,
    encode_response=encode_response,
    decoder=GeminiDecoder,
    encoder=GeminiEncoder,
    token_counting=COUNTING,
    embeddings=EMBEDDINGS,
    embedding=EMBEDDING,
    media_urls=frozenset({"image", "audio", "video", "document"}),
)

ARRAY_WIRE = replace(WIRE, framer=JsonArrayFramer, observer=ArrayObserver)

ARRAY_CODEC = replace(CODEC, wire=ARRAY_WIRE, encoder=ArrayEncoder, stream_content_type="application/json")

PREDICT_CODEC = replace(CODEC, wire=replace(WIRE, name=PREDICT_NAME), embeddings=PREDICT, embedding=None)
"""What Vertex AI's `:predict` speaks: nobody's client protocol, so that embeddings are always translated to it."""

__all__ = ["ARRAY_CODEC", "ARRAY_WIRE", "CODEC", "PREDICT_CODEC", "WIRE"]
