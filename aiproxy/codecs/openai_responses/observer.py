"""Reads relayed answers: usage, completion, and the errors that hide in them. Source: OpenAI API reference, responses streaming."""

from typing import Any, Final

import orjson

from aiproxy.codecs.base import Observation, Standing
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.openai_responses.errors import failed_error, hidden
from aiproxy.codecs.openai_responses.usage import read_usage
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.errors import GatewayError, UpstreamFailed

DONE: Final = b"[DONE]"
"""Some servers close every stream like Chat's; clients skip it."""

TERMINAL: Final = frozenset({"response.completed", "response.incomplete", "response.cancelled"})

_SILENT: Final = frozenset(
    {
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_summary_part.added",
        "keepalive",
    }
)
"""Events that show a client nothing it waits for."""


class ResponsesObserver:
    def __init__(self) -> None:
        self._seen = Observation()
        self._head: dict[str, Any] = {}
        self._last = b""
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
        return self._seen

    def feed(self, frame: Frame) -> bool:
        if frame.event == COMMENT or not frame.data or frame.data == DONE or self._complete:
            return self._complete
        self._last = frame.data
        if self._useful and frame.event.endswith(".delta") and frame.event.encode() in frame.data:
            return False  # deltas are most of a stream, and say nothing about usage or its end
        event = load_object(frame.data, exact=False)
        kind = event.get("type") or frame.event
        if not isinstance(kind, str):
            raise UpstreamFailed("The upstream sent an event whose type is not a string.")
        if kind in ("response.failed", "error") or event.get("error") is not None:
            raise hidden(event, frame.data)
        if isinstance(response := event.get("response"), dict):
            self._read(response)
        self._complete = kind in TERMINAL
        self._useful = self._useful or kind not in _SILENT
        return self._complete

    def fail(self, error: GatewayError) -> bytes:
        head = {"id": "resp_failed", "created_at": 0, "model": "", **self._head}
        response = {**head, "object": "response", "status": "failed", "error": failed_error(error), "output": []}
        return failed_frame({**response, "incomplete_details": None, "usage": None}, self._position() + 1)

    def _read(self, response: dict[str, Any]) -> None:
        for key in ("id", "created_at", "model"):
            if key in response:
                self._head[key] = response[key]
        model = response.get("model")
        usage = read_usage(response.get("usage")) or self._seen.usage
        self._seen = Observation(usage, model if isinstance(model, str) else self._seen.model)

    def _position(self) -> int:
        """The last event's number; −1 before the first."""
        try:
            found = orjson.loads(self._last).get("sequence_number")
        except (ValueError, AttributeError):
            return -1
        return found if isinstance(found, int) else -1


def observe(body: bytes) -> Observation:
    """A whole answer: a response, a compaction, or a token count (which has no usage)."""
    answer = load_object(body, exact=False)
    if answer.get("error") is not None or answer.get("status") == "failed":
        raise hidden(answer, body)
    model = answer.get("model")
    return Observation(read_usage(answer.get("usage")), model if isinstance(model, str) else None)


def failed_frame(response: dict[str, Any], position: int) -> bytes:
    event = {"type": "response.failed", "sequence_number": position, "response": response}
    return b"event: response.failed\ndata: " + dump(event) + b"\n\n"
