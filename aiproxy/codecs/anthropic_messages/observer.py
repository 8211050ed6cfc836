"""Reads relayed Messages answers: usage, completion, and the errors that hide in them.

Source: Anthropic API reference, streaming messages."""

from typing import Any

from aiproxy.codecs.anthropic_messages.errors import error_event, hidden
from aiproxy.codecs.anthropic_messages.usage import read_usage
from aiproxy.codecs.base import Observation, Standing
from aiproxy.codecs.json_bytes import load_object
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.usage import Usage

_SILENT = frozenset({"ping", "message_start"})
"""Events that show a client nothing it waits for."""

_CONTENT = b'"content_block_delta"'


class MessagesObserver:
    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._model: str | None = None
        self._useful = False
        self._complete = self._stopped = False

    @property
    def useful(self) -> bool:
        return self._useful

    @property
    def standing(self) -> Standing:
        return Standing.COMPLETE if self._complete else Standing.OPEN

    @property
    def seen(self) -> Observation:
        return Observation(read_usage(self._usage) if self._usage else None, self._model)

    def feed(self, frame: Frame) -> bool:
        if self._stopped or frame.event == COMMENT or not frame.data:
            return self._stopped
        if frame.event == "content_block_delta" and self._useful and _CONTENT in frame.data:
            return False  # deltas are most of a stream, and say nothing about usage or its end
        if not frame.event and frame.data == b"[DONE]":
            return False  # some servers close every stream like OpenAI's; clients skip it
        event = load_object(frame.data, exact=False)
        kind = str(event.get("type") or frame.event)
        match kind:
            case "error":
                raise hidden(event, frame.data)
            case "message_start":
                self._start(event.get("message"))
            case "message_delta":
                self._update(event.get("usage"))
                delta = event.get("delta")
                self._complete = self._complete or (isinstance(delta, dict) and bool(delta.get("stop_reason")))
            case "message_stop":
                self._complete = self._stopped = True
            case _:
                if event.get("error") is not None:
                    raise hidden(event, frame.data)
        self._useful = self._useful or kind not in _SILENT
        return self._stopped

    def fail(self, error: GatewayError) -> bytes:
        return error_event(error)

    def _start(self, message: Any) -> None:
        if not isinstance(message, dict):
            return
        if isinstance(message.get("model"), str):
            self._model = message["model"]
        self._update(message.get("usage"))

    def _update(self, usage: Any) -> None:
        """Cumulative: later numbers overwrite, what is left out stays."""
        if isinstance(usage, dict):
            self._usage.update({name: count for name, count in usage.items() if count is not None})


def observe(body: bytes) -> Observation:
    """A whole answer of messages, or of a token count (which has no usage)."""
    answer = load_object(body, exact=False)
    if answer.get("type") == "error" or answer.get("error") is not None:
        raise hidden(answer, body)
    model = answer.get("model")
    usage: Usage | None = read_usage(answer.get("usage"))
    return Observation(usage, model if isinstance(model, str) else None)
