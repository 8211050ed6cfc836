"""Neutral events as a legacy completions stream: text and nothing else. Source: OpenAI API reference, completions."""

from collections.abc import Mapping
from typing import assert_never

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_chat import shown
from aiproxy.codecs.openai_chat.decoder import DONE
from aiproxy.codecs.openai_chat.errors import error_object
from aiproxy.codecs.openai_chat.finish import failure, finish_word
from aiproxy.codecs.openai_chat.logprobs import write_legacy
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.codecs.openai_chat.usage import write_usage
from aiproxy.framing.sse import comment
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
from aiproxy.neutral.parts import Part, ReasoningPart, RefusalPart, TextPart, TokenLogprob
from aiproxy.neutral.usage import Usage


class LegacyEncoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        options = exchange.request.extensions.get(NAME, {}).get("stream_options")
        self._include_usage = isinstance(options, Mapping) and options.get("include_usage") is True
        self._head: dict[str, Json] = {}
        self._lengths: dict[tuple[int, int], int] = {}
        self._offsets: dict[int, int] = {}
        self._usage: Usage | None = None
        self._ended = False

    def feed(self, event: StreamEvent) -> bytes:
        if self._ended:
            return b""
        match event:
            case ResponseStarted():
                self._start(event)
            case TextDelta(index, fragment, candidate, logprobs) | RefusalDelta(index, fragment, candidate, logprobs):
                return self._text(index, fragment, candidate, logprobs)
            case PartFinished(index, part, candidate):
                return self._finish_part(index, part, candidate)
            case CandidateFinished():
                return self._finish(event)
            case ResponseFinished(usage=usage):
                return self._end(usage or self._usage)
            case UsageUpdated(usage):
                self._usage = usage
            case Heartbeat():
                return comment("keep-alive")
            case (
                PartStarted()
                | ReasoningDelta()
                | ToolCallArgumentsDelta()
                | AudioDelta()
                | CitationAdded()
                | OpaqueStateSet()
                | RawEvent()
            ):
                pass
            case _:
                assert_never(event)
        return b""

    def fail(self, error: GatewayError) -> bytes:
        self._ended = True
        return b"data: " + dump({"error": error_object(error)}) + b"\n\n"

    def _start(self, event: ResponseStarted) -> None:
        self._usage = event.usage
        self._head = {
            "id": event.id or self._exchange.fresh_id("cmpl-"),
            "object": "text_completion",
            "created": event.created or self._exchange.now,
            "model": self._exchange.request.model,
        }

    def _chunk(self, choices: list[Json], **more: Json) -> bytes:
        usage = {"usage": None} if self._include_usage else {}
        return b"data: " + dump({**self._head, "choices": choices, **usage, **more}) + b"\n\n"

    def _text(self, index: int, fragment: str, candidate: int, logprobs: tuple[TokenLogprob, ...] | None) -> bytes:
        if not fragment and not logprobs:
            return b""
        key = candidate, index
        offset = self._offsets.get(candidate, 0)
        self._lengths[key] = self._lengths.get(key, 0) + len(fragment)
        self._offsets[candidate] = offset + len(fragment)
        told = write_legacy(logprobs, offset) if logprobs else None
        choice = {"index": candidate, "text": fragment, "logprobs": told, "finish_reason": None}
        return self._chunk([choice])

    def _finish_part(self, index: int, part: Part, candidate: int) -> bytes:
        seen = self._lengths.pop((candidate, index), 0)
        if isinstance(part, TextPart | RefusalPart):
            return self._text(index, part.text[seen:], candidate, None)
        if not isinstance(part, ReasoningPart):
            shown.lose(part, self._exchange.report)
        return b""

    def _finish(self, event: CandidateFinished) -> bytes:
        if error := failure(event.finish, event.detail):
            return self.fail(error)
        word = finish_word(event.finish, calls=False, legacy=False).replace("tool_calls", "stop")
        return self._chunk([{"index": event.candidate, "text": "", "logprobs": None, "finish_reason": word}])

    def _end(self, usage: Usage | None) -> bytes:
        self._ended = True
        last = self._chunk([], usage=write_usage(usage)) if self._include_usage and usage is not None else b""
        return last + b"data: " + DONE + b"\n\n"
