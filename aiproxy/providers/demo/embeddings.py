"""Embeddings: a unit vector made of the text's hash, so equal texts have equal vectors, and others don't."""

import base64
import hashlib
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from aiproxy.providers.demo.reading import integer, invalid
from aiproxy.providers.demo.words import tokens

DEFAULT_DIMENSIONS = 8
"""Small enough to read in a terminal."""

MOST_DIMENSIONS = 4096
"""Beyond the largest of OpenAI's (3072)."""

MOST_INPUTS = 2048
"""Inputs of one request (OpenAI API reference, embeddings)."""


def whole(body: Mapping[str, Any]) -> bytes:
    inputs = _inputs(body.get("input"))
    dimensions = integer(body, "dimensions", 1, MOST_DIMENSIONS) or DEFAULT_DIMENSIONS
    encoding = body.get("encoding_format")
    if encoding not in (None, "float", "base64"):
        raise invalid("encoding_format", "`encoding_format` must be float or base64.")
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector(one, dimensions), encoding == "base64")}
        for index, one in enumerate(inputs)
    ]
    read = sum(len(tokens(one)) if isinstance(one, str) else len(one) for one in inputs)
    usage = {"prompt_tokens": read, "total_tokens": read}
    return orjson.dumps({"object": "list", "model": body["model"], "data": data, "usage": usage})


def _inputs(given: Any) -> Sequence[str | list[int]]:
    """Each is a text or a list of token ids."""
    one = [given] if isinstance(given, str) or (isinstance(given, list) and _ids(given)) else given
    if not isinstance(one, list) or not 1 <= len(one) <= MOST_INPUTS or not all(_text_or_ids(i) for i in one):
        raise invalid("input", f"`input` must be a text, token ids, or an array of 1 to {MOST_INPUTS} of them.")
    return one


def _text_or_ids(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or (isinstance(value, list) and _ids(value))


def _ids(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def vector(text: str | list[int], dimensions: int) -> list[float]:
    seed = text.encode() if isinstance(text, str) else orjson.dumps(text)
    whole_numbers = struct.unpack(f"<{dimensions}i", hashlib.shake_128(seed).digest(4 * dimensions))
    length = math.hypot(*whole_numbers) or 1.0
    return [number / length for number in whole_numbers]


def _encoded(values: list[float], as_base64: bool) -> list[float] | str:
    """OpenAI's base64 holds little-endian 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode() if as_base64 else values
