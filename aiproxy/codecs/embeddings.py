"""The smaller codec for embeddings, which rides beside a protocol's chat codec; and what all of them need for vectors.

A client's fields are reported as in a chat request, under the features `embedding.…`."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import mul
from typing import Any

from aiproxy.codecs.base import Answer
from aiproxy.codecs.fields import TILDE
from aiproxy.codecs.report import Report
from aiproxy.codecs.tokens import of_text
from aiproxy.neutral.carried import Json
from aiproxy.neutral.embedding import EmbeddingRequest, EmbeddingResponse, Input, Parts, Vector
from aiproxy.neutral.errors import InvalidRequest, UpstreamFailed

MOST_INPUTS = 2048
"""Texts of one request: OpenAI's limit, the highest of any."""

IGNORED = ("user", "options", "keep_alive", "encoding_format")
"""Fields of one protocol that change no vector: dropped elsewhere without a word."""

_UNIT = 1e-3
"""How far from 1 the length of a vector may be that counts as normalised: 16-bit floats are no better."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """`decode_request` (body, model, report) raises `InvalidRequest` naming the field. `encode_request` raises
    `Unsupported` for what must not be dropped. `decode_response` raises the `GatewayError` that hides in a 200, or
    `UpstreamFailed`."""

    decode_request: Callable[[bytes, str, Report], EmbeddingRequest]
    encode_request: Callable[[EmbeddingRequest, Report], bytes]
    decode_response: Callable[[bytes], EmbeddingResponse]
    encode_response: Callable[[EmbeddingResponse, EmbeddingRequest, Report], Answer]


def carried(codec: str, rest: Mapping[str, Json], report: Report) -> dict[str, Mapping[str, Json]]:
    """What neutral has no word for rides along, and is reported as read."""
    said = {name: value for name, value in rest.items() if value is not None}
    for name in said:
        if not name.startswith(TILDE):
            report.read(name, f"embedding.{codec}.{name}")
    return {codec: said} if said else {}


def account_for(request: EmbeddingRequest, codec: str, report: Report, *unknown: str) -> None:
    """Reports what the target `codec` can't be told: `unknown` fields of the request, and what rides along for another."""
    for field in unknown:
        if getattr(request, field) is not None:
            report.drop(f"embedding.{field}")
    for source, riding in request.extensions.items():
        for name in riding if source != codec else ():
            if name.startswith(TILDE):
                continue
            feature = f"embedding.{source}.{name}"
            (report.ignore if name in IGNORED else report.drop)(feature)


def text_of(one: Input, report: Report) -> str:
    """Raises `Unsupported` for media, and for tokens: another vendor's tokenizer numbers them otherwise."""
    match one:
        case str():
            return one
        case Parts(texts, media):
            if media:
                report.refuse(
                    "embedding.parts", f"The chosen model embeds text only: `{report.name('embedding.parts')}`."
                )
            report.emulate("embedding.parts")
            return "\n".join(texts)
        case _:
            told = f"The chosen model takes texts, not the tokens of another: send `{report.name('embedding.inputs')}` as text."
            report.refuse("embedding.inputs", told)
            return ""


def dimensions_of(value: Json, field: str, report: Report) -> int | None:
    if value is None:
        return None
    report.read(field, "embedding.dimensions")
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidRequest(f"`{field}`: must be a whole number above 0.", param=field)
    return value


def inputs_of(values: list[Any], field: str) -> list[Any]:
    if len(values) > MOST_INPUTS:
        raise InvalidRequest(f"`{field}`: at most {MOST_INPUTS} at once; send the others in another call.", param=field)
    return values


def vector_of(value: Json) -> Vector:
    """An upstream's list of numbers. Raises `UpstreamFailed`."""
    if not isinstance(value, list) or not set(map(type, value)) <= {int, float}:
        raise UpstreamFailed("The upstream sent something else where a vector was due.")
    return value


def normalised(vector: Vector) -> Vector:
    """Of length 1, as it is where it has that already."""
    length = math.sqrt(sum(map(mul, vector, vector)))
    return vector if length == 0 or abs(length - 1) < _UNIT else [value / length for value in vector]


def estimated_tokens(request: EmbeddingRequest) -> int:
    return sum(map(_tokens, request.inputs))


def _tokens(one: Input) -> int:
    match one:
        case str():
            return of_text(one)
        case Parts(texts):
            return sum(map(of_text, texts))
        case _:
            return len(one)
