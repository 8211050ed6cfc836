"""Neutral events as a Chat Completions stream. Grammar (OpenAI API reference, streaming):

    stream = { per choice: chunk{role} { chunk of one delta } chunk{finish_reason} } [ chunk{usage} ] "data: [DONE]"

The head and tail of a chunk are the same all along and are written once: a delta costs its own JSON and a join."""

from collections.abc import Mapping
from typing import assert_never

from aiproxy.codecs.codec import Encoder, Exchange
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_chat import reasoning, shown
from aiproxy.codecs.openai_chat.citations import write_citation
from aiproxy.codecs.openai_chat.decoder import DONE
from aiproxy.codecs.openai_chat.errors import error_object
from aiproxy.codecs.openai_chat.finish import failure, finish_word
from aiproxy.codecs.openai_chat.legacy_encoder import LegacyEncoder
from aiproxy.codecs.openai_chat.legacy_request import is_legacy
from aiproxy.codecs.openai_chat.logprobs import write_logprobs
from aiproxy.codecs.openai_chat.open_calls import MOST_CALLS
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.codecs.openai_chat.told import ToldChoice, ToldPart
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


class ChatEncoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._include_usage = asks_for_usage(exchange)
        self._legacy = shown.speaks_legacy(exchange.request)
        self._thinking_shown = exchange.request.reasoning.visibility != "hidden"
        self._choices: list[ToldChoice] = []
        self._head = b""
        self._tail = b',"finish_reason":null}]' + (b',"usage":null}\n\n' if self._include_usage else b"}\n\n")
        self._usage: Usage | None = None
        self._ended = False

    def feed(self, event: StreamEvent) -> bytes:
        if self._ended:
            return b""
        match event:
            case TextDelta() | RefusalDelta():
                if event.logprobs:
                    return self._logged(event)
                told = self._choices[event.candidate].parts[event.part_index]
                told.length += len(event.fragment)
                return told.chunk(event.fragment)
            case ToolCallArgumentsDelta():
                told = self._choices[event.candidate].parts[event.part_index]
                told.length += len(event.fragment)
                return told.chunk(event.fragment)
            case ReasoningDelta():
                choice = self._choices[event.candidate]
                told = choice.parts[event.part_index]
                return self._thought(choice, told, event.fragment, (event.channel, event.section))
            case AudioDelta():
                return self._sound(event)
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
            choice = ToldChoice(self._head + b'{"index":%d,"delta":' % index, self._tail)
            self._choices.append(choice)
            out += choice.delta({"role": "assistant", "content": "", "refusal": None})
        return out

    def _logged(self, event: TextDelta | RefusalDelta) -> bytes:
        """A fragment with its tokens' probabilities."""
        choice = self._choices[event.candidate]
        choice.parts[event.part_index].length += len(event.fragment)
        kind = "content" if isinstance(event, TextDelta) else "refusal"
        tokens = {"content": None, "refusal": None} | {kind: write_logprobs(event.logprobs or ())}
        return choice.head + dump({kind: event.fragment}) + b',"logprobs":' + dump(tokens) + choice.tail

    def _begin(self, index: int, part: Part, candidate: int) -> bytes:
        out = self._open_choices(candidate)
        choice = self._choices[candidate]
        told = choice.begin(index, part, legacy=self._legacy, thinking=self._thinking_shown)
        match part:
            case ToolCallPart() if self._legacy:
                if not told.call:
                    return out + choice.delta({"function_call": {"name": part.name, "arguments": ""}})
                shown.lose(part, self._exchange.report)
            case ToolCallPart():
                opening = shown.opening_call(part, self._exchange, candidate * MOST_CALLS + told.call)
                return out + choice.delta({"tool_calls": [{"index": told.call, **opening}]})
            case AudioPart(source=InlineSource()):
                audio_id = part.id or self._exchange.fresh_id("audio_", candidate)
                return out + choice.delta({"audio": {"id": audio_id}})
            case _:
                pass
        return out

    def _thought(self, choice: ToldChoice, told: ToldPart, fragment: str, section: tuple[str, int]) -> bytes:
        """A blank line between sections, and between the thinking of two parts."""
        if not fragment:
            return b""
        if told.section is None:
            if choice.thought and not fragment.startswith("\n\n"):
                fragment = f"\n\n{fragment}"
                told.length -= 2  # between parts, so of neither
        elif told.section != section:
            fragment = f"\n\n{fragment}"
        told.section = section
        told.length += len(fragment)
        choice.thought = True
        return told.chunk(fragment)

    def _sound(self, event: AudioDelta) -> bytes:
        choice = self._choices[event.candidate]
        told = choice.parts[event.part_index]
        if event.channel == "data":
            told.length += len(event.fragment)
        else:
            told.transcript += len(event.fragment)
        return choice.delta({"audio": {event.channel: event.fragment}}) if event.fragment else b""

    def _finish_part(self, index: int, part: Part, candidate: int) -> bytes:
        """What the deltas did not bring, and what only a finished part has."""
        choice = self._choices[candidate]
        told = choice.parts.pop(index)
        match part:
            case TextPart(text=text):
                choice.text += len(text)
                found = (write_citation(citation, told.offset) for citation in part.citations)
                choice.annotations += [entry for entry in found if entry is not None]
                signature = shown.signature(part.opaque, self._exchange.sealer)
                return told.chunk(text[told.length :]) + (choice.delta(signature) if signature else b"")
            case RefusalPart(text=text):
                return told.chunk(text[told.length :])
            case ReasoningPart():
                return self._finish_thought(part, told, choice)
            case ToolCallPart():
                return self._finish_call(part, told, choice)
            case ImagePart():
                return self._image(part, choice)
            case AudioPart(source=InlineSource(data=data), transcript=transcript):
                rest = {"data": data[told.length :], "transcript": (transcript or "")[told.transcript :]}
                rest = {name: text for name, text in rest.items() if text} | dict(part.extensions.get(NAME, {}))
                return choice.delta({"audio": rest}) if rest else b""
            case _:
                if text := shown.code_text(part):
                    choice.text += len(text)
                    return choice.delta({"content": text})
                shown.lose(part, self._exchange.report)
                return b""

    def _finish_thought(self, part: ReasoningPart, told: ToldPart, choice: ToldChoice) -> bytes:
        rest = reasoning.text_of(part)[told.length :]
        out = self._thought(choice, told, rest, told.section or ("raw", 0))
        details = list(reasoning.shown(part, self._exchange.sealer, choice.details, visible=self._thinking_shown))
        choice.details += len(details)
        return out + (choice.delta({"reasoning_details": details}) if details else b"")

    def _finish_call(self, part: ToolCallPart, told: ToldPart, choice: ToldChoice) -> bytes:
        text = part.arguments_text
        if part.arguments_kind == "json" and not text.strip():
            text += "{}"  # nothing at all is an object without members
        rest = text[told.length :]
        signature = shown.signature(part.opaque, self._exchange.sealer)
        if not signature or self._legacy:
            return told.chunk(rest)
        # The SDK's accumulator wants arguments in every fragment, be they empty.
        found = {"index": told.call, **shown.argument_fragment(part, rest), **signature}
        return choice.delta({"tool_calls": [found]})

    def _image(self, part: ImagePart, choice: ToldChoice) -> bytes:
        found = shown.image(part, choice.images)
        if found is None:
            shown.lose(part, self._exchange.report)
            return b""
        choice.images += 1
        return choice.delta({"images": [found]})

    def _finish(self, event: CandidateFinished) -> bytes:
        if error := failure(event.finish, event.detail):
            return self.fail(error)
        out = self._open_choices(event.candidate)
        choice = self._choices[event.candidate]
        if choice.annotations:
            out += choice.delta({"annotations": choice.annotations})
        choice.finished = True
        word = finish_word(event.finish, calls=choice.calls > 0, legacy=self._legacy)
        return out + choice.head + b"{}" + choice.tail.replace(b"null", dump(word), 1)

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
