"""The piece that brings nothing but more of one candidate: by far the most frequent one, read by its shape. Pure."""

from typing import Any

from msgspec import UNSET, UnsetType

from aiproxy.codecs.shape import Shape, reader


class _Part(Shape):
    text: str
    thought: bool | UnsetType = UNSET


class _Content(Shape):
    parts: tuple[_Part]
    role: Any = None


class _Candidate(Shape):
    content: _Content
    index: int = 0


class Continuation(Shape):
    candidates: tuple[_Candidate]
    usageMetadata: dict[str, Any] | UnsetType = UNSET
    modelVersion: Any = None
    responseId: Any = None


continuation = reader(Continuation)
