"""The chunk that brings nothing but more of one choice: by far the most frequent one, read by its shape. Pure."""

from typing import Any

from msgspec import UNSET, UnsetType

from aiproxy.codecs.shape import Shape, reader


class _Delta(Shape):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    role: Any = None  # servers repeat it
    tool_calls: Any = None


class _Choice(Shape):
    """With what vendors put beside it, and nobody reads."""

    index: int
    delta: _Delta
    finish_reason: str | None = None
    logprobs: Any = None
    content_filter_results: Any = None
    matched_stop: Any = None
    native_finish_reason: Any = None
    stop_reason: Any = None
    token_ids: Any = None


class Chunk(Shape):
    choices: tuple[_Choice]
    id: Any = None
    object: Any = None
    created: Any = None
    model: Any = None
    usage: Any = None
    obfuscation: Any = None
    service_tier: Any = None
    system_fingerprint: str | UnsetType | None = UNSET


_read = reader(Chunk)


def continuation(data: bytes) -> tuple[Chunk, int, str, str] | None:
    """The chunk, which choice goes on, the delta's field, and what is in it; None for every other chunk, and for what is none."""
    chunk = _read(data)
    if chunk is None:
        return None
    choice = chunk.choices[0]
    delta = choice.delta
    if choice.finish_reason or choice.logprobs or chunk.usage or delta.tool_calls:
        return None
    text, thought, other = delta.content, delta.reasoning_content, delta.reasoning
    if text:
        return None if thought or other else (chunk, choice.index, "content", text)
    if thought:
        return None if other else (chunk, choice.index, "reasoning_content", thought)
    return (chunk, choice.index, "reasoning", other) if other else None
