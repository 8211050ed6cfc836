"""A whole neutral answer as a `chat.completion`, or as the `text_completion` a legacy client asked for."""

from collections.abc import Iterable
from typing import Any, assert_never

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.fields import restore
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_chat import reasoning, shown
from aiproxy.codecs.openai_chat.citations import write_citation
from aiproxy.codecs.openai_chat.errors import encode_error
from aiproxy.codecs.openai_chat.finish import failure, finish_word
from aiproxy.codecs.openai_chat.legacy_request import is_legacy
from aiproxy.codecs.openai_chat.logprobs import write_legacy, write_logprobs
from aiproxy.codecs.openai_chat.notes import note
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.codecs.openai_chat.usage import write_usage
from aiproxy.neutral.carried import Json
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import (
    AudioPart,
    CompactionPart,
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    RawPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    TokenLogprob,
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)
from aiproxy.neutral.response import Candidate, GenerateResponse


def encode_response(response: GenerateResponse, exchange: Exchange) -> Answer:
    for candidate in response.candidates:
        if error := failure(candidate.finish, candidate.finish_detail):
            return encode_error(error, exchange.request_id)
    legacy = is_legacy(exchange.request)
    body: dict[str, Json] = {
        "id": response.id or exchange.fresh_id("cmpl-" if legacy else "chatcmpl-"),
        "object": "text_completion" if legacy else "chat.completion",
        "created": response.created or exchange.now,
        "model": exchange.request.model,
        "choices": [
            _text_choice(candidate, exchange) if legacy else _choice(candidate, exchange)
            for candidate in response.candidates or (Candidate(),)
        ],
    }
    raw = note(response.extensions, "~usage")
    if raw is not None:
        body["usage"] = raw
    elif response.usage is not None:
        body["usage"] = write_usage(response.usage)
    if response.service_tier is not None:
        body["service_tier"] = response.service_tier
    restore(response.extensions, NAME, body)
    return Answer(200, dump(body))


def _choice(candidate: Candidate, exchange: Exchange) -> dict[str, Json]:
    legacy = shown.speaks_legacy(exchange.request)
    message = _Message(exchange, legacy)
    for part in candidate.parts:
        message.add(part)
    choice: dict[str, Json] = {
        "index": candidate.index,
        "message": message.written(),
        "logprobs": message.logprobs(),
        "finish_reason": finish_word(candidate.finish, calls=bool(message.calls), legacy=legacy),
    }
    restore(candidate.extensions, NAME, choice)
    choice["message"].setdefault("content", None)
    return choice


class _Message:
    """The message as its parts are put in."""

    def __init__(self, exchange: Exchange, legacy: bool) -> None:
        self._exchange = exchange
        self._legacy = legacy
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._length = 0
        self._tokens: dict[str, list[TokenLogprob]] = {}
        self._fields: dict[str, Any] = {}
        self.calls: list[ToolCallPart] = []

    def add(self, part: Part) -> None:
        match part:
            case TextPart(text=text, citations=citations, logprobs=logprobs):
                self._list("annotations", (write_citation(found, self._length) for found in citations))
                self._texts.append(text)
                self._length += len(text)
                self._log("content", logprobs)
                self._fields |= shown.signature(part.opaque, self._exchange.sealer)
            case RefusalPart(text=text, logprobs=logprobs):
                self._refusals.append(text)
                self._log("refusal", logprobs)
            case ReasoningPart():
                self._think(part)
            case ToolCallPart():
                self.calls.append(part)
            case ImagePart():
                found = shown.image(part, len(self._fields.get("images", ())))
                self._list("images", (found,))
                if found is None:
                    shown.lose(part, self._exchange.report)
            case AudioPart(source=InlineSource(data=data), transcript=transcript):
                audio = {
                    "id": part.id or self._exchange.fresh_id("audio_"),
                    "data": data,
                    "transcript": transcript or "",
                }
                restore(part.extensions, NAME, audio)
                self._fields["audio"] = {"expires_at": 0} | audio
            case (
                AudioPart()
                | VideoPart()
                | DocumentPart()
                | ToolResultPart()
                | HostedToolCallPart()
                | HostedToolResultPart()
                | CompactionPart()
                | RawPart()
            ):
                if text := shown.code_text(part):
                    self._texts.append(text)
                    self._length += len(text)
                else:
                    shown.lose(part, self._exchange.report)
            case _:
                assert_never(part)

    def written(self) -> dict[str, Json]:
        message: dict[str, Json] = {"role": "assistant"}
        if self._texts:
            message["content"] = "".join(self._texts)
        message["refusal"] = "".join(self._refusals) if self._refusals else None
        message |= self._fields
        if self.calls and self._legacy:
            call = self.calls[0]
            message["function_call"] = {"name": call.name, "arguments": shown.arguments_of(call)}
            for other in self.calls[1:]:
                shown.lose(other, self._exchange.report)
        elif self.calls:
            message["tool_calls"] = [self._call(call, position) for position, call in enumerate(self.calls)]
        return message

    def logprobs(self) -> Json:
        if not self._tokens:
            return None
        return {
            name: write_logprobs(self._tokens[name]) if name in self._tokens else None
            for name in ("content", "refusal")
        }

    def _think(self, part: ReasoningPart) -> None:
        visible = self._exchange.request.reasoning.visibility != "hidden"
        if visible and (text := reasoning.text_of(part)):
            before = self._fields.get("reasoning_content")
            self._fields["reasoning_content"] = f"{before}\n\n{text}" if before else text
        details = self._fields.get("reasoning_details", ())
        self._list("reasoning_details", reasoning.shown(part, self._exchange.sealer, len(details), visible=visible))

    def _call(self, call: ToolCallPart, position: int) -> dict[str, Json]:
        found = shown.opening_call(call, self._exchange, position)
        inner = "custom" if call.arguments_kind == "freeform" else "function"
        found[inner]["input" if inner == "custom" else "arguments"] = shown.arguments_of(call)
        return found | shown.signature(call.opaque, self._exchange.sealer)

    def _list(self, field: str, entries: Iterable[Json]) -> None:
        if found := [entry for entry in entries if entry is not None]:
            self._fields.setdefault(field, []).extend(found)

    def _log(self, field: str, logprobs: tuple[TokenLogprob, ...] | None) -> None:
        if logprobs is not None:
            self._tokens.setdefault(field, []).extend(logprobs)


def _text_choice(candidate: Candidate, exchange: Exchange) -> dict[str, Json]:
    texts: list[str] = []
    tokens: list[TokenLogprob] | None = None
    for part in candidate.parts:
        if isinstance(part, TextPart | RefusalPart):
            texts.append(part.text)
            if part.logprobs is not None:
                tokens = [*(tokens or ()), *part.logprobs]
        elif not isinstance(part, ReasoningPart):
            shown.lose(part, exchange.report)
    choice: dict[str, Json] = {
        "index": candidate.index,
        "text": "".join(texts),
        "logprobs": None if tokens is None else write_legacy(tokens),
        "finish_reason": finish_word(candidate.finish, calls=False, legacy=False).replace("tool_calls", "stop"),
    }
    restore(candidate.extensions, NAME, choice)
    return choice
