"""Reads relayed Chat Completions answers: usage, completion, and the errors that hide in them.

Source: OpenAI API reference, chat streaming; what other vendors' endpoints do is tolerated as far as it is unambiguous."""

from collections.abc import Mapping
from typing import Any

import orjson

from aiproxy.codecs.base import Observation
from aiproxy.codecs.openai_chat.errors import decode_error, error_object
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.errors import GatewayError, UpstreamFailed
from aiproxy.neutral.usage import Usage

DONE = b"[DONE]"


class ChatObserver:
    """A chat or legacy completions stream. Complete with `[DONE]`, or when every choice that began has finished."""

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._model: str | None = None
        self._useful = False
        self._done = False
        self._open: set[int] = set()
        self._finished: set[int] = set()

    @property
    def useful(self) -> bool:
        return self._useful

    @property
    def complete(self) -> bool:
        return self._done or (bool(self._finished) and not self._open)

    @property
    def seen(self) -> Observation:
        return Observation(self._usage, self._model)

    def feed(self, frame: Frame) -> None:
        if self._done or frame.event == COMMENT or not frame.data:
            return
        if frame.data == DONE:
            self._done = self._useful = True
            return
        chunk = _parse(frame.data)
        if chunk.get("error") is not None or frame.event == "error":
            raise _hidden(chunk, frame.data)
        self._read(chunk)

    def fail(self, error: GatewayError) -> bytes:
        return b"data: " + orjson.dumps({"error": error_object(error)}) + b"\n\n"

    def _read(self, chunk: Mapping[str, Any]) -> None:
        if self._model is None and isinstance(chunk.get("model"), str):
            self._model = chunk["model"]
        if usage := chunk.get("usage"):
            self._usage = read_usage(usage) or self._usage
        choices = chunk.get("choices") or []
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
            raise UpstreamFailed("The upstream sent a stream chunk whose choices are not a list of objects.")
        for choice in choices:
            index = choice.get("index", 0)
            if not isinstance(index, int):
                raise UpstreamFailed("The upstream sent a choice whose index is not a number.")
            if choice.get("finish_reason"):
                self._finished.add(index)
                self._open.discard(index)
                self._useful = True
            elif index not in self._finished:
                self._open.add(index)
                self._useful = self._useful or _says_something(choice)


def observe(body: bytes) -> Observation:
    """A whole answer of chat, completions or embeddings."""
    answer = _parse(body)
    if answer.get("error") is not None:
        raise _hidden(answer, body)
    model = answer.get("model")
    return Observation(read_usage(answer.get("usage")), model if isinstance(model, str) else None)


def read_usage(usage: Any) -> Usage | None:
    """OpenAI's inclusive counts → disjoint buckets. `prompt_tokens` holds the cached ones, `completion_tokens` the
    reasoning ones."""
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    read = usage.get("prompt_tokens_details") or {}
    written = usage.get("completion_tokens_details") or {}
    cached = _count(read, "cached_tokens")
    cache_write = _count(read, "cache_write_tokens")
    reasoning = _count(written, "reasoning_tokens")
    return Usage(
        input_uncached=None if prompt is None else max(0, prompt - (cached or 0) - (cache_write or 0)),
        cache_read=cached,
        cache_write=cache_write,
        output_visible=None if completion is None else max(0, completion - (reasoning or 0)),
        reasoning=reasoning,
    )


def _count(counts: Any, name: str) -> int | None:
    found = counts.get(name) if isinstance(counts, dict) else None
    return found if isinstance(found, int) and found >= 0 else None


def _says_something(choice: Mapping[str, Any]) -> bool:
    """More than a role: text, reasoning, a refusal, a tool call, audio."""
    if choice.get("text"):
        return True
    delta = choice.get("delta")
    return isinstance(delta, dict) and any(value for name, value in delta.items() if name != "role")


def _parse(data: bytes) -> dict[str, Any]:
    try:
        found: Any = orjson.loads(data)
    except ValueError as error:
        raise UpstreamFailed("The upstream sent something that is not JSON where an answer was due.") from error
    if not isinstance(found, dict):
        raise UpstreamFailed("The upstream sent JSON that is not an object where an answer was due.")
    return found


def _hidden(found: Mapping[str, Any], body: bytes) -> GatewayError:
    """An error in a 200: its own status if it names one, else 502."""
    inner = found.get("error")
    for place in (inner, found):
        if isinstance(place, dict):
            for name in ("status", "status_code", "code"):
                status = place.get(name)
                if isinstance(status, int) and 400 <= status < 600:
                    return decode_error(status, {}, body)
    return decode_error(502, {}, body)
