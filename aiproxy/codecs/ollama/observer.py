"""Reads relayed Ollama answers: usage, completion, and the errors that hide in them.

Source: Ollama's `api/types.go`: ChatResponse, GenerateResponse, EmbedResponse."""

from collections.abc import Mapping
from typing import Any

from aiproxy.codecs.base import Observation, Standing
from aiproxy.codecs.ollama.errors import error_line, hidden
from aiproxy.codecs.ollama.reading import load_line, read_usage
from aiproxy.framing import Frame
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.usage import Usage

_CONTENT = ("content", "thinking", "tool_calls", "images", "response", "image")


class OllamaObserver:
    """A chat or generate stream."""

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._model: str | None = None
        self._useful = False
        self._complete = False

    @property
    def useful(self) -> bool:
        return self._useful

    @property
    def standing(self) -> Standing:
        return Standing.COMPLETE if self._complete else Standing.OPEN

    @property
    def seen(self) -> Observation:
        return Observation(self._usage, self._model)

    def feed(self, frame: Frame) -> bool:
        if self._complete or not frame.data:
            return self._complete
        line = load_line(frame.data)
        if line.get("error") is not None:
            raise hidden(line, frame.data)
        if self._model is None and isinstance(line.get("model"), str):
            self._model = line["model"]
        if line.get("done") is True:
            self._usage = read_usage(line)
            self._complete = self._useful = True
        elif not self._useful:
            self._useful = _says_something(line)
        return self._complete

    def fail(self, error: GatewayError) -> bytes:
        return error_line(error)


def observe(body: bytes) -> Observation:
    """A whole answer of chat, generate or embed."""
    answer = load_line(body)
    if answer.get("error") is not None:
        raise hidden(answer, body)
    model = answer.get("model")
    return Observation(read_usage(answer), model if isinstance(model, str) else None)


def _says_something(line: Mapping[str, Any]) -> bool:
    message = line.get("message")
    said = message if isinstance(message, dict) else line
    return any(said.get(name) for name in _CONTENT)
