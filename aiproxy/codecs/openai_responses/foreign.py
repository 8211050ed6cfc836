"""Another protocol's turns, fitted to this one's items: `instructions` where one text leads, else messages; each call and each
result an item of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from aiproxy.codecs import arguments, freeform
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.openai_responses.history import PREFACE
from aiproxy.codecs.openai_responses.own import own_states
from aiproxy.codecs.openai_responses.table import TABLE, VENDOR
from aiproxy.codecs.openai_responses.write import (
    AUDIO_FORMATS,
    first_data,
    write_call,
    write_part,
    write_reasoning,
    write_result,
)
from aiproxy.codecs.pairing import paired
from aiproxy.codecs.results import result_media, told_as_error
from aiproxy.codecs.roles import ends_with_assistant, split_leading
from aiproxy.codecs.tool_ids import IdRule, fit
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Json
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, TextSource, UrlSource
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
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)
from aiproxy.neutral.request import Turn

_DETAILS = ("auto", "low", "high", "original")

_ID_RULES: dict[str, IdRule] = {"mistral": "mistral", "openai-chat": "openai-chat", "anthropic": "anthropic"}


def write_foreign_history(exchange: Exchange, names: ToolNames) -> tuple[str | None, list[Json]]:
    """(`instructions`, `input`)"""
    report = exchange.report
    turns = paired(exchange.request.turns, report)
    writer = _Writer(exchange, names, _ID_RULES.get(exchange.capabilities.tool_id_rule or "", "openai-responses"))
    leading, rest = split_leading(turns)
    if ends_with_assistant(turns):
        TABLE.report("turn.prefill", report)
        if exchange.capabilities.prefill is False:
            report.refuse("turn.prefill")
    texts = [part for turn in leading for part in turn.parts if isinstance(part, TextPart) and part.text]
    midway = any(turn.role in ("system", "developer") for turn in rest)
    if len(texts) == 1 and not midway and rest:
        return texts[0].text, writer.items(rest)
    return None, writer.items((*leading, *rest))


@dataclass(frozen=True, slots=True)
class _Writer:
    exchange: Exchange
    names: ToolNames
    id_rule: IdRule

    def items(self, turns: Iterable[Turn]) -> list[Json]:
        return [item for turn in turns for item in self._turn(turn)]

    def _turn(self, turn: Turn) -> list[dict[str, Json]]:
        if turn.name is not None:
            TABLE.report("turn.name", self.exchange.report)
        match turn.role:
            case "system" | "developer":
                role = "system" if self.exchange.capabilities.developer_role is False else "developer"
                return self._message(role, turn.parts)
            case "assistant":
                return self._answer(turn)
            case "user" | "tool":
                results = [part for part in turn.parts if isinstance(part, ToolResultPart)]
                others = tuple(part for part in turn.parts if not isinstance(part, ToolResultPart))
                shown = self._beside(results) if self.exchange.capabilities.tool_result_media is False else ()
                return [self._result(part) for part in results] + self._message("user", (*shown, *others))
            case _:
                assert_never(turn.role)

    def _message(self, role: str, parts: tuple[Part, ...]) -> list[dict[str, Json]]:
        content = [found for part in parts if (found := self._content(part)) is not None]
        if not content:
            return []
        only = content[0] if len(content) == 1 else {}
        text = only["text"] if only.keys() == {"type", "text"} else None
        return [{"type": "message", "role": role, "content": content if text is None else text}]

    def _answer(self, turn: Turn) -> list[dict[str, Json]]:
        items: list[dict[str, Json]] = []
        for part in turn.parts:
            match part:
                case TextPart(text=text) | RefusalPart(text=text):
                    if part.cache:
                        TABLE.report("part.cache", self.exchange.report)
                    if text:
                        message = {"type": "message", "role": "assistant", "content": text}
                        items.append(message | ({"phase": turn.phase} if turn.phase else {}))
                case ReasoningPart():
                    states = own_states(part, self.exchange)
                    if states:
                        own = ReasoningPart(summaries=part.summaries, id=states[0].item_id)
                        items.append(write_reasoning(own, first_data(states)))
                case ToolCallPart():
                    items.append(self._call(part))
                case HostedToolCallPart() | HostedToolResultPart():
                    TABLE.report("part.hosted_tool", self.exchange.report)
                case _:
                    items += self._aside(part)
        return items

    def _aside(self, part: Part) -> list[dict[str, Json]]:
        """What a model can't have said here: named in its place, so that what follows still makes sense."""
        match part:
            case CompactionPart():
                return self._message("user", (part,))
            case ImagePart():
                self.exchange.report.emulate("part.image.inline")
                return [{"type": "message", "role": "assistant", "content": "[image]"}]
            case AudioPart(transcript=str(transcript)):
                return [{"type": "message", "role": "assistant", "content": transcript}] if transcript else []
            case _:
                return []

    def _call(self, part: ToolCallPart) -> dict[str, Json]:
        text = part.arguments_text
        if part.arguments_kind == "freeform" and self.exchange.capabilities.freeform_tools is False:
            self.exchange.report.emulate("part.tool_call.freeform")
            part = replace(part, arguments_kind="json")
            text = freeform.wrap(text)
        elif part.arguments_kind == "json":
            text = arguments.json_text(text)
        return write_call(
            replace(
                part,
                call_id=fit(part.call_id, self.id_rule),
                name=self.names.safe(part.name, part.namespace),
                namespace=None,
                arguments_text=text,
                id=None,
            )
        )

    def _result(self, part: ToolResultPart) -> dict[str, Json]:
        if part.is_error:
            TABLE.report("part.tool_result.is_error", self.exchange.report)
        if part.cache:
            TABLE.report("part.cache", self.exchange.report)
        text = told_as_error(part)
        output: Json = text
        if result_media(part) and self.exchange.capabilities.tool_result_media is not False:
            media = [found for inner in result_media(part) if (found := self._content(inner)) is not None]
            output = [{"type": "input_text", "text": text}, *media] if text else media
        kind = part.kind
        if kind == "freeform" and self.exchange.capabilities.freeform_tools is False:
            kind = "json"
        return write_result(
            replace(part, call_id=fit(part.call_id, self.id_rule), name=None, id=None, kind=kind), output
        )

    def _beside(self, results: Iterable[ToolResultPart]) -> tuple[Part, ...]:
        """What tools gave back besides text, for upstreams that take it from the user only."""
        shown: list[Part] = []
        for result in results:
            for part in result_media(result):
                self.exchange.report.emulate("part.tool_result.media")
                shown += [TextPart(f"[image from tool call {fit(result.call_id, self.id_rule)}]"), part]
        return tuple(shown)

    def _content(self, part: Part) -> dict[str, Json] | None:
        """A part of what isn't the model's, checked for what this protocol takes of it."""
        report = self.exchange.report
        if part.cache:
            TABLE.report("part.cache", report)
            part = replace(part, cache=None)
        match part:
            case TextPart(text=text):
                return {"type": "input_text", "text": text} if text else None
            case RefusalPart(text=text):
                return {"type": "input_text", "text": text} if text else None
            case ImagePart(source=source, detail=detail):
                self._own_file(source, "part.image.file")
                if detail is not None and detail not in _DETAILS:
                    report.drop("part.image.detail")
                    detail = None
                return write_part(replace(part, detail=detail or "auto"), "")
            case DocumentPart(source=source):
                self._own_file(source, "part.document.file")
                return self._document(part)
            case AudioPart(source=InlineSource(media_type, _)) if media_type in AUDIO_FORMATS:
                return write_part(part, "")
            case AudioPart():
                TABLE.report("part.audio", report)
            case VideoPart():
                TABLE.report("part.video", report)
            case HostedToolCallPart() | HostedToolResultPart():
                TABLE.report("part.hosted_tool", report)
            case CompactionPart(text=text):
                if text is None:
                    report.refuse("part.compaction")
                    return None
                report.emulate("part.compaction")
                return {"type": "input_text", "text": f"{PREFACE}{text}"}
            case RawPart() | ReasoningPart() | ToolCallPart() | ToolResultPart():
                pass
            case _:
                assert_never(part)
        return None

    def _own_file(self, source: Source, feature: str) -> None:
        vendor = self.exchange.capabilities.vendor or VENDOR
        if isinstance(source, FileIdSource) and source.vendor != vendor:
            TABLE.report(feature, self.exchange.report)

    def _document(self, part: DocumentPart) -> dict[str, Json] | None:
        report = self.exchange.report
        if part.citations_enabled or part.context is not None:
            TABLE.report("part.document.citations", report)
        match part.source:
            case TextSource(text):
                report.emulate("part.document.text")
                title = f' title="{part.title}"' if part.title else ""
                return {"type": "input_text", "text": f"<document{title}>\n{text}\n</document>"}
            case InlineSource():
                return write_part(replace(part, filename=part.filename or part.title or "document.pdf"), "")
            case UrlSource() | FileIdSource():
                return write_part(part, "")
            case _:
                assert_never(part.source)
