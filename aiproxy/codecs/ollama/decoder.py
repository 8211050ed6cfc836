"""An upstream's lines → events. A whole answer is one line, so this reads it as well.

A line may hold thinking, text and calls, in that order; calls come whole. Lines of `/api/generate` say `response` at the top
where those of `/api/chat` have a `message`. What the last line says beyond this (durations, context) rides along."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import orjson

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.ollama.answers import reason
from aiproxy.codecs.ollama.calls import read_call
from aiproxy.codecs.ollama.errors import hidden
from aiproxy.codecs.ollama.logprobs import read_logprobs
from aiproxy.codecs.ollama.notes import CREATED_AT, DONE_REASON, riding
from aiproxy.codecs.ollama.reading import load_line, read_usage
from aiproxy.codecs.ollama.table import NAME
from aiproxy.codecs.ollama.times import seconds_of
from aiproxy.codecs.ollama.tools import ForeignTools
from aiproxy.codecs.tool_ids import distinct
from aiproxy.framing import Frame
from aiproxy.neutral.collect import opening
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import (
    CandidateFinished,
    Heartbeat,
    PartFinished,
    PartStarted,
    ReasoningDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
)
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import ImagePart, Part, ReasoningPart, TextPart, TokenLogprob
from aiproxy.neutral.response import FinishReason

_LINE = ("model", "created_at", "message", "response", "thinking", "tool_calls", "logprobs", "image", "done")
_MESSAGE = ("role", "content", "thinking", "tool_calls")
_PLAIN = 4
"""Keys of a line that has a model, a time, no end, and one thing more: a message, or the `response` of generate."""

_NO_MESSAGE = {"role": "assistant"}
"""For lines of generate."""

_COUNTS = ("prompt_eval_count", "eval_count")
_FINISHES: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}


class OllamaDecoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._tools: ForeignTools | None = None
        self._ids: dict[str, int] = {}
        self._started = False
        self._done = False
        self._next = 0  # the index of the part to come; the open one's is one less
        self._open: Literal["", "text", "thinking"] = ""
        self._fragments: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self._calls = 0

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        if self._done:
            return ()
        if self._open and (grown := self._grown(frame.data)) is not None:
            return (grown,)
        return self._read(load_line(frame.data), frame.data)

    def _grown(self, data: bytes) -> StreamEvent | None:
        """Most lines by far: the open part goes on, and that is all. None for any other, which is read with care."""
        try:
            line = orjson.loads(data)
        except orjson.JSONDecodeError:
            return None
        if line.__class__ is not dict or len(line) != _PLAIN or line.get("done") is not False:
            return None
        if "model" not in line or "created_at" not in line:
            return None
        message = line.get("message", _NO_MESSAGE)
        if message.__class__ is not dict or "role" not in message:
            return None
        if self._open == "text":
            said = message.get("content") if len(message) == 2 else line.get("response")
            if said.__class__ is str and said:
                self._fragments.append(said)
                return TextDelta(self._next - 1, said)
        elif len(message) == 3 and not message.get("content"):
            said = message.get("thinking")
            if said.__class__ is str and said:
                self._fragments.append(said)
                return ReasoningDelta(self._next - 1, said)
        return None

    def _read(self, line: Mapping[str, Any], data: bytes) -> Iterator[StreamEvent]:
        if line.get("error") is not None:
            raise hidden(line, data)
        if not self._started:
            self._started = True
            model = line.get("model")
            yield ResponseStarted(
                self._exchange.fresh_id("gen_"),
                model if isinstance(model, str) else self._exchange.request.model,
                seconds_of(line.get("created_at")),
            )
        message = line.get("message")
        if message is None:
            message, content = line, line.get("response")
        elif isinstance(message, dict):
            content = message.get("content")
        else:
            raise UpstreamFailed("The upstream sent a line whose message is not an object.")
        thinking = message.get("thinking")
        if thinking:
            yield from self._grow("thinking", _text(thinking))
            yield ReasoningDelta(self._next - 1, thinking)
        logprobs = read_logprobs(line["logprobs"]) if "logprobs" in line else ()
        if content or (logprobs and not thinking):
            yield from self._grow("text", _text(content))
            self._logprobs += logprobs
            yield TextDelta(self._next - 1, content or "", 0, logprobs or None)
        silent = not (thinking or content or logprobs)
        yield from self._rest(line, message, silent)

    def close(self, *, clean: bool = True) -> Iterable[StreamEvent]:  # noqa: ARG002 - the end doesn't depend on it
        if not self._done:
            raise UpstreamTruncated("The upstream's stream ended before the line that says `done`.")
        return ()

    def _rest(self, line: Mapping[str, Any], message: Mapping[str, Any], silent: bool) -> Iterator[StreamEvent]:
        """What few lines have: images, calls, the end. A line with nothing at all is a sign of life."""
        begun = self._next
        if image := _text(line.get("image")):
            yield from self._whole(ImagePart(InlineSource("image/png", image)))
        for call in _list(message, "tool_calls"):
            yield from self._called(call)
        if line.get("done") is True:
            yield from self._finish(line, message)
        elif silent and self._next == begun:
            yield Heartbeat()

    def _grow(self, kind: Literal["text", "thinking"], fragment: str) -> Iterator[StreamEvent]:
        """The open part of that kind is there, and holds the fragment."""
        if self._open != kind:
            yield from self._close_part()
            self._open = kind
            self._next += 1
            yield PartStarted(self._next - 1, TextPart() if kind == "text" else ReasoningPart())
        self._fragments.append(fragment)

    def _close_part(self) -> Iterator[StreamEvent]:
        if not self._open:
            return
        text = "".join(self._fragments)
        part: Part = (
            ReasoningPart(text=text)
            if self._open == "thinking"
            else TextPart(text, logprobs=tuple(self._logprobs) if self._logprobs else None)
        )
        self._open, self._fragments, self._logprobs = "", [], []
        yield PartFinished(self._next - 1, part)

    def _whole(self, part: Part) -> Iterator[StreamEvent]:
        yield from self._close_part()
        self._next += 1
        yield PartStarted(self._next - 1, part)
        yield PartFinished(self._next - 1, part)

    def _called(self, found: Any) -> Iterator[StreamEvent]:
        try:
            call = read_call(found, self._exchange.fresh_id("call_", self._calls))
        except ValueError as error:
            raise UpstreamFailed(f"The upstream sent a tool call that can't be read: it {error}.") from error
        self._calls += 1
        call_id = distinct(call.call_id, self._ids)
        if self._exchange.source != NAME:
            if self._tools is None:
                self._tools = ForeignTools(self._exchange.request)
            call = self._tools.called(call_id, call.name, call.arguments_text)
        yield from self._close_part()
        index = self._next
        self._next += 1
        call = replace(call, call_id=call_id)
        yield PartStarted(index, opening(call))
        if call.arguments_text:
            yield ToolCallArgumentsDelta(index, call.arguments_text)
        yield PartFinished(index, call)

    def _finish(self, line: Mapping[str, Any], message: Mapping[str, Any]) -> Iterator[StreamEvent]:
        yield from self._close_part()
        self._done = True
        word = line.get("done_reason")
        finish = _FINISHES.get(word, "stop") if isinstance(word, str) else "stop"
        if self._calls:
            finish = "tool_calls"  # calls come whole: none of them is cut off
        notes = {} if word == reason(finish) else {DONE_REASON: word or "absent"}
        known = [key for key in _MESSAGE if message.get(key)]
        unknown = {} if message is line else {key: message[key] for key in message if key not in (*known, "content")}
        detail = word if isinstance(word, str) and word not in _FINISHES else None
        yield CandidateFinished(finish, detail, 0, riding({"message": unknown} if unknown else {}, (), notes))
        usage = read_usage(line)
        counted = [name for name in _COUNTS if usage is not None and type(line.get(name)) is int]
        rest = riding(line, (*_LINE, "done_reason", *counted), {CREATED_AT: line.get("created_at")})
        yield ResponseFinished(usage, None, rest)


def _text(found: Any) -> str:
    if isinstance(found, str):
        return found
    if found is None:
        return ""
    raise UpstreamFailed("The upstream sent a line whose text is not a string.")


def _list(message: Mapping[str, Any], name: str) -> list[Any]:
    found = message.get(name)
    if found is None:
        return []
    if isinstance(found, list):
        return found
    raise UpstreamFailed(f"The upstream sent a line whose {name} are not a list.")
