"""Reads relayed Chat Completions answers: usage, completion, and the errors that hide in them.

Source: OpenAI API reference, chat streaming; what other vendors' endpoints do is tolerated as far as it is unambiguous."""

from collections.abc import Mapping
from typing import Any

import orjson

from aiproxy.codecs.base import Observation, Standing
from aiproxy.codecs.json_bytes import load_object
from aiproxy.codecs.openai_chat.continuation import continuation
from aiproxy.codecs.openai_chat.decoder import DONE
from aiproxy.codecs.openai_chat.errors import error_object, hidden_error, says_error
from aiproxy.codecs.openai_chat.usage import read_usage
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.errors import GatewayError, UpstreamFailed
from aiproxy.neutral.usage import Usage

_NOT_OBJECTS = "The upstream sent a stream chunk whose choices are not a list of objects."


class ChatObserver:
    """A chat or legacy completions stream."""

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._model: str | None = None
        self._useful = False
        self._done = False
        self._counted = False  # usage came with the last choice's end, or after it
        self._open: set[int] = set()
        self._finished: set[int] = set()

    @property
    def useful(self) -> bool:
        return self._useful

    @property
    def standing(self) -> Standing:
        if self._done or self._counted:
            return Standing.COMPLETE
        return Standing.FINISHED if self._finished and not self._open else Standing.OPEN

    @property
    def seen(self) -> Observation:
        return Observation(self._usage, self._model)

    def feed(self, frame: Frame) -> bool:
        if self._done or frame.event == COMMENT or not frame.data:
            return self._done
        if frame.data == DONE:
            self._done = self._useful = True
            return True
        if self._useful and self._model is not None and not frame.event:
            more = continuation(frame.data)
            if more is not None and more[1] in self._open:
                return False  # it says nothing that wasn't known
        chunk = load_object(frame.data, exact=False)
        if says_error(chunk) or frame.event == "error":
            raise hidden_error(chunk, frame.data)
        self._read(chunk)
        return False

    def fail(self, error: GatewayError) -> bytes:
        return b"data: " + orjson.dumps({"error": error_object(error)}) + b"\n\n"

    def _read(self, chunk: Mapping[str, Any]) -> None:
        if self._model is None and isinstance(chunk.get("model"), str):
            self._model = chunk["model"]
        choices = chunk.get("choices") or []
        if not isinstance(choices, list):
            raise UpstreamFailed(_NOT_OBJECTS)
        for choice in choices:
            if not isinstance(choice, dict):
                raise UpstreamFailed(_NOT_OBJECTS)
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
        if usage := chunk.get("usage"):
            self._usage = read_usage(usage) or self._usage
            self._counted = bool(self._finished) and not self._open


def observe(body: bytes) -> Observation:
    """A whole answer of chat, completions or embeddings."""
    answer = load_object(body, exact=False)
    if says_error(answer):
        raise hidden_error(answer, body)
    if not any(isinstance(answer.get(name), list) for name in ("choices", "data")):
        raise UpstreamFailed("The upstream's answer has no choices.")  # iFlow says so that a key has ended
    model = answer.get("model")
    return Observation(read_usage(answer.get("usage")), model if isinstance(model, str) else None)


def _says_something(choice: Mapping[str, Any]) -> bool:
    """More than a role: text, reasoning, a refusal, a tool call, audio."""
    if choice.get("text"):
        return True
    delta = choice.get("delta")
    return isinstance(delta, dict) and any(value for name, value in delta.items() if name != "role")
