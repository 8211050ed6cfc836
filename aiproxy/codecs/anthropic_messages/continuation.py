"""The event that brings nothing but more of one block: by far the most frequent one, read by its shape. Pure."""

from typing import Any

from aiproxy.codecs.shape import Shape, reader


class _Delta(Shape):
    type: str
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None


class Continuation(Shape):
    index: int
    delta: _Delta
    type: Any = None


continuation = reader(Continuation)
