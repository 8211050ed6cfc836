"""Events → a client's lines. Calls go out whole, and the reason at the end is `stop` after calls too, as the real server has it.

Durations need a clock, so they come from whoever has one: in `ResponseFinished`, or along with an Ollama server's answer."""

from collections.abc import Mapping
from typing import Final, assert_never

import orjson

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.fields import restore
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.ollama.answers import (
    call_shown,
    done_fields,
    failure,
    hides_thinking,
    lost,
    said,
    thinking_shown,
)
from aiproxy.codecs.ollama.encode_request import is_generate
from aiproxy.codecs.ollama.errors import error_line
from aiproxy.codecs.ollama.logprobs import write_logprobs
from aiproxy.codecs.ollama.media import write_media
from aiproxy.codecs.ollama.notes import CREATED_AT, note
from aiproxy.codecs.ollama.table import NAME
from aiproxy.codecs.ollama.times import durations, timestamp
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import (
    AudioDelta,
    CandidateFinished,
    CitationAdded,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    RawEvent,
    ReasoningDelta,
    RefusalDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
    UsageUpdated,
)
from aiproxy.neutral.parts import ImagePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart

_LINE_ENDS: Final = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
"""What Python's `splitlines` takes for the end of a line, and with it ollama-python (observed, 0.6.3); escaped it passes."""


ALIVE = b" "
"""Between two lines: JSON takes blanks before a value, and Ollama's clients read whole lines. An empty line they would not take."""


class OllamaEncoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._generate = is_generate(exchange.request)
        self._hides_thinking = hides_thinking(exchange.request)
        self._head = self._before_text = self._before_thinking = b""
        self._after = b',"done":false}\n' if self._generate else b'},"done":false}\n'
        self._shown: dict[int, int] = {}  # characters by part
        self._section: tuple[int, str, int] | None = None
        self._calls = 0
        self._finished: CandidateFinished | None = None

    def feed(self, event: StreamEvent) -> bytes:
        match event:
            case TextDelta() | RefusalDelta():
                if event.candidate or event.logprobs:
                    return self._unusual(event)
                return self._text(event.part_index, event.fragment)
            case ReasoningDelta():
                return self._reasoning(event)
            case PartFinished():
                return self._other_candidate() if event.candidate else self._part(event.part_index, event.part)
            case ResponseStarted():
                self._start(event.created)
                return b""
            case CandidateFinished():
                if event.candidate == 0:
                    self._finished = event
                return b""
            case ResponseFinished():
                return self._last(event)
            case Heartbeat():
                return ALIVE
            case (
                PartStarted()
                | ToolCallArgumentsDelta()
                | AudioDelta()
                | CitationAdded()
                | OpaqueStateSet()
                | UsageUpdated()
                | RawEvent()
            ):
                return b""
            case _:
                assert_never(event)

    def fail(self, error: GatewayError) -> bytes:
        return error_line(error)

    def _start(self, created: int) -> None:
        self._head = self._heading(timestamp(created or self._exchange.now))
        opening = b',"response":' if self._generate else b',"message":{"role":"assistant","content":'
        self._before_text = self._head + opening
        self._before_thinking = self._before_text + b'"","thinking":'

    def _text(self, index: int, fragment: str) -> bytes:
        if not fragment:
            return b""
        self._shown[index] = self._shown.get(index, 0) + len(fragment)
        quoted = orjson.dumps(fragment) if fragment.isascii() else _quoted(fragment)
        return self._before_text + quoted + self._after

    def _unusual(self, event: TextDelta | RefusalDelta) -> bytes:
        if event.candidate:
            return self._other_candidate()
        self._shown[event.part_index] = self._shown.get(event.part_index, 0) + len(event.fragment)
        logprobs = write_logprobs(event.logprobs or ())
        return self._line({**self._said({"content": event.fragment}), "done": False, "logprobs": logprobs})

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        """A blank line between the summaries of one part."""
        if event.candidate:
            return self._other_candidate()
        fragment, index = event.fragment, event.part_index
        if self._hides_thinking or not fragment:
            return b""
        shown = self._shown.get(index, 0)
        section = (index, event.channel, event.section)
        if section != self._section:
            self._section = section
            fragment = f"\n\n{fragment}" if shown else fragment
        self._shown[index] = shown + len(fragment)
        return self._before_thinking + _quoted(fragment) + self._after

    def _part(self, index: int, part: Part) -> bytes:
        """What of a finished part was not shown yet."""
        match part:
            case TextPart() | RefusalPart():
                return self._text(index, part.text[self._shown.get(index, 0) :])
            case ReasoningPart():
                unseen = "" if self._hides_thinking else thinking_shown(part)[self._shown.get(index, 0) :]
                if not unseen:
                    return b""
                self._shown[index] = self._shown.get(index, 0) + len(unseen)
                return self._before_thinking + _quoted(unseen) + self._after
            case ToolCallPart():
                call = call_shown(part, self._calls, self._exchange.report)
                if call is None:
                    return b""
                self._calls += 1
                return self._line({**self._said({"content": "", "tool_calls": [call]}), "done": False})
            case ImagePart() if self._generate and (image := write_media(part)):
                self._shown[index] = 1
                return self._line({"response": "", "image": image, "done": False})
            case _:
                lost(part, self._exchange.report)
                return b""

    def _last(self, event: ResponseFinished) -> bytes:
        finished = self._finished or CandidateFinished("stop")
        if error := failure(finished.finish, silent=not (self._shown or self._calls)):
            return self.fail(error)
        fields = {**self._said({"content": ""}), **done_fields(finished.finish, finished.extensions, event.usage)}
        restore(finished.extensions, NAME, fields)
        restore(event.extensions, NAME, fields)
        fields = {**durations(event.timing), **fields}
        if (at := note(event.extensions, CREATED_AT)) is not None:
            self._head = self._heading(at)
        return self._line(fields)

    def _heading(self, created_at: str) -> bytes:
        return dump({"model": self._exchange.request.model, "created_at": created_at})[:-1]

    def _said(self, message: dict[str, Json]) -> dict[str, Json]:
        return said(message, generate=self._generate)

    def _line(self, fields: Mapping[str, Json]) -> bytes:
        return self._head + b"," + _on_one_line(dump(fields)[1:]) + b"\n"

    def _other_candidate(self) -> bytes:
        """Ollama shows one answer."""
        self._exchange.report.lose("sampling.n")
        return b""


def _quoted(text: str) -> bytes:
    try:
        data = orjson.dumps(text)
    except TypeError:
        return dump(text)
    return _on_one_line(data)


def _on_one_line(data: bytes) -> bytes:
    for raw, escaped in _LINE_ENDS:
        if raw in data:
            data = data.replace(raw, escaped)
    return data
