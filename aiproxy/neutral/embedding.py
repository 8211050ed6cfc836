"""Texts to be made into vectors, and the vectors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from aiproxy.neutral.carried import Extensions
from aiproxy.neutral.timing import Timing


@dataclass(frozen=True, slots=True)
class Parts:
    """Several parts that make one vector: their texts, and whether there is more than text among them. All of it rides
    in the request's extensions."""

    texts: tuple[str, ...]
    media: bool


Input: TypeAlias = str | tuple[int, ...] | Parts
"""A text, the ids of its tokens by the tokenizer of one vendor's model, or more than that."""

Vector: TypeAlias = Sequence[float]


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """`dimensions` is the length that is wanted of the vectors, `task` what they are for, in Google's words
    (`RETRIEVAL_QUERY`), `title` of a document. `truncate` says what becomes of a text that is too long: None is the
    upstream's habit. `base64`: the client wants its vectors as bytes."""

    model: str
    inputs: tuple[Input, ...]
    dimensions: int | None = None
    task: str | None = None
    title: str | None = None
    truncate: bool | None = None
    base64: bool = False
    extensions: Extensions = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EmbeddingResponse:
    """A vector for each input, in their order. `tokens` were read; None where nobody said."""

    vectors: tuple[Vector, ...]
    tokens: int | None = None
    timing: Timing | None = None
