"""Turns → messages for an upstream. Content is one string: texts are put together as they are, with nothing between."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from aiproxy.codecs.arguments import as_object
from aiproxy.codecs.fields import restore
from aiproxy.codecs.freeform import wrap
from aiproxy.codecs.ollama.calls import call_object, write_call
from aiproxy.codecs.ollama.media import write_media
from aiproxy.codecs.ollama.notes import QUIET, ROLE, note
from aiproxy.codecs.ollama.table import NAME, TABLE
from aiproxy.codecs.ollama.tools import ForeignTools
from aiproxy.codecs.report import Report
from aiproxy.codecs.results import result_media, told_as_error
from aiproxy.neutral.carried import Json
from aiproxy.neutral.media import FileIdSource, InlineSource, TextSource, UrlSource
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
from aiproxy.neutral.request import Role, Turn


def message_as_it_came(turn: Turn) -> dict[str, Json]:
    message: dict[str, Json] = {"role": note(turn.extensions, ROLE) or turn.role}
    parts: Iterable[Part] = turn.parts
    for part in turn.parts:
        if isinstance(part, ToolResultPart):
            parts = part.content
            if part.call_id:
                message["tool_call_id"] = part.call_id
            if part.name is not None:
                message["tool_name"] = part.name
    for part in parts:
        match part:
            case TextPart(text=text) | RefusalPart(text=text):
                message["content"] = message.get("content", "") + text
            case ReasoningPart(text=text):
                message["thinking"] = message.get("thinking", "") + text
            case ToolCallPart():
                message.setdefault("tool_calls", []).append(write_call(part))
            case _:
                if (written := write_media(part)) is not None:
                    message.setdefault("images", []).append(written)
    restore(turn.extensions, NAME, message)
    message.update({key: value for key, value in (note(turn.extensions, QUIET) or {}).items() if key not in message})
    return message


def foreign_messages(turns: Iterable[Turn], tools: ForeignTools, report: Report) -> Iterator[dict[str, Json]]:
    """Of `paired` turns."""
    called: dict[str, str] = {}
    for turn in turns:
        if turn.role == "tool":
            for part in turn.parts:
                assert isinstance(part, ToolResultPart)
                yield _result(part, called[part.call_id], report)
            continue
        if turn.name is not None:
            TABLE.report("turn.name", report)
        if turn.phase is not None:
            TABLE.report("turn.phase", report)
        message = _Message(turn.role, tools, report)
        for part in turn.parts:
            message.add(part)
            if isinstance(part, ToolCallPart):
                called[part.call_id] = tools.names.safe(part.name, part.namespace)
        yield {"role": "system" if turn.role == "developer" else turn.role, **message.fields()}


def _result(part: ToolResultPart, tool_name: str, report: Report) -> dict[str, Json]:
    if part.is_error:
        TABLE.report("part.tool_result.is_error", report)
    if result_media(part):
        TABLE.report("part.tool_result.media", report)
    message: dict[str, Json] = {"role": "tool", "content": told_as_error(part), "tool_name": tool_name}
    return {**message, "tool_call_id": part.call_id} if part.call_id else message


class _Message:
    """One message as it grows."""

    def __init__(self, role: Role, tools: ForeignTools, report: Report) -> None:
        self._role = role
        self._tools = tools
        self._report = report
        self._content: list[str] = []
        self._thinking: list[str] = []
        self._images: list[str] = []
        self._calls: list[dict[str, Json]] = []

    def fields(self) -> dict[str, Json]:
        said: dict[str, Json] = {"content": "".join(self._content)}
        if self._thinking:
            said["thinking"] = "\n\n".join(self._thinking)
        if self._images:
            said["images"] = self._images
        if self._calls:
            said["tool_calls"] = self._calls
        return said

    def add(self, part: Part) -> None:
        if part.cache is not None:
            TABLE.report("part.cache", self._report)
        match part:
            case TextPart():
                self._content.append(part.text)
                if part.citations:
                    TABLE.report("part.citations", self._report)
            case RefusalPart():
                TABLE.report("part.refusal", self._report)
                self._content.append(part.text)
            case ReasoningPart():
                if self._role != "assistant":
                    self._report.drop("part.reasoning")
                elif text := part.text or "\n\n".join(part.summaries):
                    self._thinking.append(text)
            case ToolCallPart():
                self._calls.append(self._call(part))
            case ImagePart():
                self._image(part)
            case DocumentPart():
                self._document(part)
            case CompactionPart():
                if part.text is None:
                    self._report.refuse(
                        "part.compaction", "The summary in the history can be read by its maker only: start without it."
                    )
                else:
                    TABLE.report("part.compaction", self._report)
                    self._content.append(part.text)
            case AudioPart():
                TABLE.report("part.audio", self._report)
            case VideoPart():
                TABLE.report("part.video", self._report)
            case HostedToolCallPart() | HostedToolResultPart():
                TABLE.report("part.hosted_tool", self._report)
            case RawPart():
                self._report.drop(f"{part.protocol}.{part.type}")
            case ToolResultPart():
                raise AssertionError("`paired` leaves results in tool turns only")
            case _:
                assert_never(part)

    def _call(self, part: ToolCallPart) -> dict[str, Json]:
        text = part.arguments_text
        if part.arguments_kind == "freeform":
            TABLE.report("part.tool_call.freeform", self._report)
            text = wrap(text)
        arguments, whole = as_object(text)
        if not whole:
            self._report.emulate("part.tool_call")
        return call_object(part.call_id, len(self._calls), self._tools.names.safe(part.name, part.namespace), arguments)

    def _image(self, part: ImagePart) -> None:
        if part.detail is not None:
            TABLE.report("part.image.detail", self._report)
        match part.source:
            case InlineSource(data=data):
                self._images.append(data)
            case UrlSource():
                TABLE.report("part.image.url", self._report)
            case FileIdSource() | TextSource():
                TABLE.report("part.image.file", self._report)

    def _document(self, part: DocumentPart) -> None:
        match part.source:
            case TextSource(text=text):
                TABLE.report("part.document.text", self._report)
                title = part.title or part.filename
                opening = f'<document title="{title}">' if title else "<document>"
                context = f"{part.context}\n" if part.context else ""
                self._content.append(f"{opening}\n{context}{text}\n</document>\n")
            case InlineSource():
                TABLE.report("part.document.inline", self._report)
            case UrlSource():
                TABLE.report("part.document.url", self._report)
            case FileIdSource():
                TABLE.report("part.document.file", self._report)
        if part.citations_enabled:
            TABLE.report("part.document.citations", self._report)
