"""Neutral events as a Chat Completions stream. Grammar (OpenAI API reference, streaming):

    stream = { per choice: chunk{role} { chunk of one delta } chunk{finish_reason} } [ chunk{usage} ] "data: [DONE]"

The head and tail of a chunk are the same all along and are written once: a delta costs its own JSON and a join."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from aiproxy.codecs.codec import Encoder, Exchange
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_chat import reasoning, shown
from aiproxy.codecs.openai_chat.decoder import DONE
from aiproxy.codecs.openai_chat.errors import error_object
from aiproxy.codecs.openai_chat.finish import failure, finish_word
from aiproxy.codecs.openai_chat.legacy_encoder import LegacyEncoder
from aiproxy.codecs.openai_chat.legacy_request import is_legacy
from aiproxy.codecs.openai_chat.logprobs import write_logprobs
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
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import (
    AudioPart,
    ImagePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    TokenLogprob,
    ToolCallPart,
)
from aiproxy.neutral.usage import Usage

KEEP_ALIVE = comment("keep-alive")
"""A comment: the one sign of life no client stumbles over."""


def encoder(exchange: Exchange) -> Encoder:
    return LegacyEncoder(exchange) if is_legacy(exchange.request) else ChatEncoder(exchange)


def asks_for_usage(exchange: Exchange) -> bool:
    options = exchange.request.extensions.get(NAME, {}).get("stream_options")
    return isinstance(options, Mapping) and options.get("include_usage") is True


@dataclass(slots=True)
class _Shown:
    """What the client has seen of one part: `length` characters of it; of thinking, up to `section`."""

    part: Part
    call: int = 0
    length: int = 0
    transcript: int = 0
    section: tuple[str, int] | None = None
    offset: int = 0


@dataclass(slots=True)
class _Choice:
    """What one choice of the stream has said so far."""

    head: bytes
    calls: int = 0
    images: int = 0
    details: int = 0
    text: int = 0
    thought: bool = False
    finished: bool = False
    annotations: list[Json] = field(default_factory=list)
    parts: dict[int, _Shown] = field(default_factory=dict)


class ChatEncoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._include_usage = asks_for_usage(exchange)
        self._legacy = shown.speaks_legacy(exchange.request)
        self._thinking_shown = exchange.request.reasoning.visibility != "hidden"
        self._choices: list[_Choice] = []
        self._head = b""
        self._tail = b',"finish_reason":null}]' + (b',"usage":null}\n\n' if self._include_usage else b"}\n\n")
        self._usage: Usage | None = None
        self._ended = False

    def feed(self, event: StreamEvent) -> bytes:
        if self._ended:
            return b""
        match event:
            case TextDelta() | RefusalDelta():
                return self._said(event)
            case ToolCallArgumentsDelta():
                seen = self._choices[event.candidate].parts[event.part_index]
                seen.length += len(event.fragment)
                return self._arguments(seen, event.fragment, event.candidate) if event.fragment else b""
            case ReasoningDelta():
                section = (event.channel, event.section)
                return self._thought(event.part_index, event.fragment, section, event.candidate)
            case AudioDelta(index, fragment, channel, candidate):
                return self._sound(index, fragment, channel, candidate)
            case PartStarted(index, part, candidate):
                return self._begin(index, part, candidate)
            case PartFinished(index, part, candidate):
                return self._finish_part(index, part, candidate)
            case ResponseStarted():
                return self._start(event)
            case CandidateFinished():
                return self._finish(event)
            case ResponseFinished(usage=usage, service_tier=tier):
                return self._end(usage or self._usage, tier)
            case UsageUpdated(usage):
                self._usage = usage
                return b""
            case Heartbeat():
                return KEEP_ALIVE
            case CitationAdded() | OpaqueStateSet() | RawEvent():
                return b""  # the finished part has the first two; the third is another protocol's, or was understood
            case _:
                assert_never(event)

    def fail(self, error: GatewayError) -> bytes:
        self._ended = True
        return b"data: " + dump({"error": error_object(error)}) + b"\n\n"

    def _start(self, event: ResponseStarted) -> bytes:
        self._usage = event.usage
        head = dump(
            {
                "id": event.id or self._exchange.fresh_id("chatcmpl-"),
                "object": "chat.completion.chunk",
                "created": event.created or self._exchange.now,
                "model": self._exchange.request.model,
            }
        )
        self._head = b"data: " + head[:-1] + b',"choices":['
        return self._open_choices(0)

    def _open_choices(self, candidate: int) -> bytes:
        """The role, once for each choice; none may begin before the ones of lower index."""
        out = b""
        while len(self._choices) <= candidate:
            index = len(self._choices)
            self._choices.append(_Choice(self._head + b'{"index":%d,"delta":' % index))
            out += self._delta(index, {"role": "assistant", "content": "", "refusal": None})
        return out

    def _delta(
        self, candidate: int, delta: Json, logprobs: tuple[TokenLogprob, ...] | None = None, kind: str = ""
    ) -> bytes:
        tail = self._tail
        if logprobs:
            told = {"content": None, "refusal": None} | {kind: write_logprobs(logprobs)}
            tail = b',"logprobs":' + dump(told) + tail
        return self._choices[candidate].head + dump(delta) + tail

    def _said(self, event: TextDelta | RefusalDelta) -> bytes:
        fragment, candidate = event.fragment, event.candidate
        self._choices[candidate].parts[event.part_index].length += len(fragment)
        kind = "content" if isinstance(event, TextDelta) else "refusal"
        if event.logprobs:
            return self._delta(candidate, {kind: fragment}, event.logprobs, kind)
        return self._delta(candidate, {kind: fragment}) if fragment else b""

    def _begin(self, index: int, part: Part, candidate: int) -> bytes:
        out = self._open_choices(candidate)
        choice = self._choices[candidate]
        seen = choice.parts[index] = _Shown(part)
        match part:
            case TextPart():
                seen.offset = choice.text
            case ToolCallPart():
                seen.call = choice.calls
                choice.calls += 1
                if self._legacy:
                    if seen.call:
                        shown.lose(part, self._exchange.report)
                        return out
                    return out + self._delta(candidate, {"function_call": {"name": part.name, "arguments": ""}})
                opening = shown.opening_call(part, self._exchange, candidate * 1000 + seen.call)
                return out + self._delta(candidate, {"tool_calls": [{"index": seen.call, **opening}]})
            case AudioPart(source=InlineSource()):
                audio_id = part.id or self._exchange.fresh_id("audio_", candidate)
                return out + self._delta(candidate, {"audio": {"id": audio_id}})
            case _:
                pass
        return out

    def _arguments(self, seen: _Shown, fragment: str, candidate: int) -> bytes:
        assert isinstance(seen.part, ToolCallPart)
        if self._legacy:
            return b"" if seen.call else self._delta(candidate, {"function_call": {"arguments": fragment}})
        found = shown.argument_fragment(seen.part, fragment)
        return self._delta(candidate, {"tool_calls": [{"index": seen.call, **found}]})

    def _thought(self, index: int, fragment: str, section: tuple[str, int], candidate: int) -> bytes:
        choice = self._choices[candidate]
        seen = choice.parts[index]
        if not fragment:
            return b""
        if seen.section is None:
            if choice.thought and not fragment.startswith("\n\n"):
                fragment = f"\n\n{fragment}"
                seen.length -= 2  # between parts, so of neither
        elif seen.section != section:
            fragment = f"\n\n{fragment}"
        seen.section = section
        seen.length += len(fragment)
        choice.thought = True
        return self._delta(candidate, {"reasoning_content": fragment}) if self._thinking_shown else b""

    def _sound(self, index: int, fragment: str, channel: str, candidate: int) -> bytes:
        seen = self._choices[candidate].parts[index]
        if channel == "data":
            seen.length += len(fragment)
        else:
            seen.transcript += len(fragment)
        return self._delta(candidate, {"audio": {channel: fragment}}) if fragment else b""

    def _finish_part(self, index: int, part: Part, candidate: int) -> bytes:
        """What the deltas did not bring, and what only a finished part has."""
        choice = self._choices[candidate]
        seen = choice.parts.pop(index)
        match part:
            case TextPart(text=text):
                choice.text += len(text)
                found = (shown.citation(citation, seen.offset) for citation in part.citations)
                choice.annotations += [entry for entry in found if entry is not None]
                out = self._delta(candidate, {"content": text[seen.length :]}) if len(text) > seen.length else b""
                signature = shown.signature(part.opaque, self._exchange.sealer)
                return out + (self._delta(candidate, signature) if signature else b"")
            case RefusalPart(text=text):
                return self._delta(candidate, {"refusal": text[seen.length :]}) if len(text) > seen.length else b""
            case ReasoningPart():
                return self._finish_thought(index, part, seen, candidate)
            case ToolCallPart():
                return self._finish_call(part, seen, candidate)
            case ImagePart():
                return self._image(part, choice, candidate)
            case AudioPart(source=InlineSource(data=data), transcript=transcript):
                rest = {"data": data[seen.length :], "transcript": (transcript or "")[seen.transcript :]}
                rest = {name: text for name, text in rest.items() if text} | dict(part.extensions.get(NAME, {}))
                return self._delta(candidate, {"audio": rest}) if rest else b""
            case _:
                shown.lose(part, self._exchange.report)
                return b""

    def _finish_thought(self, index: int, part: ReasoningPart, seen: _Shown, candidate: int) -> bytes:
        choice = self._choices[candidate]
        text = reasoning.text_of(part)
        out = b""
        if len(text) > seen.length:
            choice.parts[index] = seen
            section = seen.section or ("raw", 0)
            out = self._thought(index, text[seen.length :], section, candidate)
            del choice.parts[index]
        details = list(reasoning.shown(part, self._exchange.sealer, choice.details, visible=self._thinking_shown))
        choice.details += len(details)
        return out + (self._delta(candidate, {"reasoning_details": details}) if details else b"")

    def _finish_call(self, part: ToolCallPart, seen: _Shown, candidate: int) -> bytes:
        whole = shown.arguments_of(part) if not seen.length else part.arguments_text
        rest = whole[seen.length :]
        signature = shown.signature(part.opaque, self._exchange.sealer)
        if not signature or self._legacy:
            return self._arguments(seen, rest, candidate) if rest else b""
        found = {"index": seen.call, **shown.argument_fragment(part, rest), **signature}
        return self._delta(
            candidate, {"tool_calls": [found]}
        )  # the SDK's accumulator wants arguments in every fragment

    def _image(self, part: ImagePart, choice: _Choice, candidate: int) -> bytes:
        found = shown.image(part, choice.images)
        if found is None:
            shown.lose(part, self._exchange.report)
            return b""
        choice.images += 1
        return self._delta(candidate, {"images": [found]})

    def _finish(self, event: CandidateFinished) -> bytes:
        if error := failure(event.finish, event.detail):
            return self.fail(error)
        out = self._open_choices(event.candidate)
        choice = self._choices[event.candidate]
        if choice.annotations:
            out += self._delta(event.candidate, {"annotations": choice.annotations})
        choice.finished = True
        word = finish_word(event.finish, calls=choice.calls > 0, legacy=self._legacy)
        tail = self._tail.replace(b"null", dump(word), 1)
        return out + choice.head + b"{}" + tail

    def _end(self, usage: Usage | None, tier: str | None) -> bytes:
        out = b"".join(
            self._finish(CandidateFinished("stop", candidate=index))
            for index, choice in enumerate(self._choices)
            if not choice.finished
        )
        self._ended = True
        if self._include_usage and usage is not None:
            last: dict[str, Json] = {"usage": write_usage(usage)}
            if tier is not None:
                last["service_tier"] = tier
            out += self._head + b"]," + dump(last)[1:] + b"\n\n"
        return out + b"data: " + DONE + b"\n\n"
