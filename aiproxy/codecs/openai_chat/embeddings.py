"""`/v1/embeddings`. Source: OpenAI API reference, embeddings."""

import base64
import binascii
import struct
from typing import Any

from aiproxy.codecs.base import Answer
from aiproxy.codecs.embeddings import (
    Embeddings,
    account_for,
    carried,
    dimensions_of,
    estimated_tokens,
    inputs_of,
    text_of,
    vector_of,
)
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.openai_chat.errors import hidden_error
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.embedding import EmbeddingRequest, EmbeddingResponse, Input, Vector
from aiproxy.neutral.errors import InvalidRequest, UpstreamFailed

_KNOWN = ("model", "input", "dimensions", "encoding_format")

_FLOAT_BYTES = 4
"""OpenAI's base64 holds little-endian 32-bit floats."""


def decode_request(body: bytes, model: str, report: Report) -> EmbeddingRequest:
    asked = read_object(body)
    given = asked.get("input")
    if isinstance(given, str) or _is_ids(given):
        given = [given]
    if not isinstance(given, list) or not all(isinstance(one, str) or _is_ids(one) for one in given):
        raise InvalidRequest("`input`: must be a text, token ids, or a list of either.", param="input")
    inputs: tuple[Input, ...] = tuple(one if isinstance(one, str) else tuple(one) for one in inputs_of(given, "input"))
    encoding = asked.get("encoding_format")
    if encoding not in (None, "float", "base64"):
        raise InvalidRequest("`encoding_format`: must be float or base64.", param="encoding_format")
    report.read("input", "embedding.inputs")
    rest = {name: value for name, value in asked.items() if name not in _KNOWN}
    return EmbeddingRequest(
        model,
        inputs,
        dimensions=dimensions_of(asked.get("dimensions"), "dimensions", report),
        base64=encoding == "base64",
        extensions=carried(NAME, rest, report),
    )


def encode_request(request: EmbeddingRequest, report: Report) -> bytes:
    """Compatible servers may know nothing but floats, and refuse to be asked for them."""
    account_for(request, NAME, report, "task", "title", "truncate")
    inputs = [one if isinstance(one, tuple) else text_of(one, report) for one in request.inputs]
    body: dict[str, Json] = {"model": request.model, "input": inputs}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return dump({**request.extensions.get(NAME, {}), **body})


def decode_response(body: bytes) -> EmbeddingResponse:
    found = load_object(body, exact=False)
    if found.get("error") is not None:
        raise hidden_error(found, body)
    data = found.get("data")
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise UpstreamFailed("The upstream sent an answer without a list of embeddings.")
    placed = sorted(enumerate(data), key=lambda numbered: _index(numbered[1], numbered[0]))
    usage = found.get("usage")
    tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    vectors = tuple(_vector(entry.get("embedding")) for _, entry in placed)
    return EmbeddingResponse(vectors, tokens if isinstance(tokens, int) else None)


def encode_response(response: EmbeddingResponse, request: EmbeddingRequest, report: Report) -> Answer:
    """OpenAI's clients must be told a number of tokens: where the upstream says none, it is an estimate and says so."""
    tokens = response.tokens
    if tokens is None:
        report.emulate("usage")
        tokens = estimated_tokens(request)
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if request.base64 else vector}
        for index, vector in enumerate(response.vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Answer(200, dump({"object": "list", "data": data, "model": request.model, "usage": usage}))


def _is_ids(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and {type(one) for one in value} == {int}


def _index(entry: dict[str, Any], place: int) -> int:
    index = entry.get("index")
    return index if isinstance(index, int) else place


def _vector(value: Json) -> Vector:
    if not isinstance(value, str):
        return vector_of(value)
    try:
        packed = base64.b64decode(value, validate=True)
        return struct.unpack(f"<{len(packed) // _FLOAT_BYTES}f", packed)
    except (binascii.Error, ValueError, struct.error) as error:
        raise UpstreamFailed("The upstream sent a vector in base64 that holds no 32-bit floats.") from error


def _packed(vector: Vector) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


EMBEDDINGS = Embeddings(decode_request, encode_request, decode_response, encode_response)
