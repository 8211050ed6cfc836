"""Ollama's `/api/chat` and `/api/generate` (operations "chat" and "generate"), and what its clients ask about models.

A request to load a model is answered by `load`, the pages about models by `models`. Source: Ollama's `docs/api.md`,
`api/types.go` and `server/routes.go` of 2026-08, and ollama-python 0.6.3."""

from aiproxy.codecs.codec import Codec
from aiproxy.codecs.ollama.decode_request import decode_request
from aiproxy.codecs.ollama.decoder import OllamaDecoder
from aiproxy.codecs.ollama.embeddings import EMBEDDING, EMBEDDINGS
from aiproxy.codecs.ollama.encode_request import encode_request
from aiproxy.codecs.ollama.encoder import ALIVE, OllamaEncoder
from aiproxy.codecs.ollama.errors import decode_error, encode_error
from aiproxy.codecs.ollama.load import STREAM_TYPE
from aiproxy.codecs.ollama.models import decode_models, encode_model, encode_models
from aiproxy.codecs.ollama.observer import OllamaObserver, observe
from aiproxy.codecs.ollama.response import decode_response, encode_response
from aiproxy.codecs.ollama.table import NAME, TABLE
from aiproxy.codecs.wire import Wire, no_remark
from aiproxy.framing.ndjson import NdjsonFramer, encode_line


def _frame(_event: str, data: bytes) -> bytes:
    return encode_line(data)


WIRE = Wire(
    name=NAME,
    framer=NdjsonFramer,
    observer=OllamaObserver,
    observe=observe,
    encode_error=encode_error,
    decode_error=decode_error,
    encode_models=encode_models,
    encode_model=encode_model,
    decode_models=decode_models,
    frame=_frame,
    frame_end=b"\n",
    heartbeat=ALIVE,
    opening=ALIVE,
    remark=no_remark,
)

CODEC = Codec(
    wire=WIRE,
    fields=TABLE,
    decode_request=decode_request,
    encode_request=encode_request,
    decode_response=decode_response,
    encode_response=encode_response,
    decoder=OllamaDecoder,
    encoder=OllamaEncoder,
    stream_content_type=STREAM_TYPE,
    embeddings=EMBEDDINGS,
    embedding=EMBEDDING,
    tells_times=True,
    forgetful=True,
)

__all__ = ["CODEC", "WIRE"]
