"""Which fields of the history and the tools a request used, by their names here: what a warning or a refusal of another
protocol's codec then calls them."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from aiproxy.codecs.report import Report
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
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolDefinition

_CONTENT = "input[].content[]"


def tell(turns: Iterable[Turn], tools: Iterable[ToolDefinition], report: Report) -> None:
    for turn in turns:
        if turn.phase is not None:
            report.read("input[].phase", "turn.phase")
        for part in turn.parts:
            for field, feature in _of_part(part):
                report.read(field, feature)
    for tool in tools:
        for field, feature in _of_tool(tool):
            report.read(field, feature)


def _of_part(part: Part) -> Iterator[tuple[str, str]]:
    if part.cache:
        yield f"{_CONTENT}.prompt_cache_breakpoint", "part.cache"
    match part:
        case TextPart(citations=citations):
            if citations:
                yield f"{_CONTENT}.annotations", "part.citations"
        case RefusalPart():
            yield f"{_CONTENT}.refusal", "part.refusal"
        case ImagePart(source=source, detail=detail):
            yield from _of_source(source, "part.image", "image_url", "image_url: data")
            if detail is not None:
                yield f"{_CONTENT}.detail", "part.image.detail"
        case DocumentPart(source=source):
            yield from _of_source(source, "part.document", "file_url", "file_data")
        case AudioPart():
            yield f"{_CONTENT}.input_audio", "part.audio"
        case ReasoningPart():
            yield "input[].reasoning", "part.reasoning"
        case ToolCallPart(arguments_kind="freeform"):
            yield "input[].custom_tool_call", "part.tool_call.freeform"
        case ToolCallPart():
            yield "input[].function_call", "part.tool_call"
        case ToolResultPart(content=content):
            yield "input[].function_call_output", "part.tool_result"
            if any(not isinstance(inner, TextPart) for inner in content):
                yield "input[].output[]", "part.tool_result.media"
        case HostedToolCallPart(kind=kind) | HostedToolResultPart(kind=kind):
            yield f"input[].{kind}_call", "part.hosted_tool"
        case CompactionPart():
            yield "input[].compaction", "part.compaction"
        case VideoPart() | RawPart():
            pass
        case _:
            assert_never(part)


def _of_source(source: Source, feature: str, url: str, data: str) -> Iterator[tuple[str, str]]:
    match source:
        case UrlSource():
            yield f"{_CONTENT}.{url}", f"{feature}.url"
        case InlineSource() | TextSource():
            yield f"{_CONTENT}.{data}", f"{feature}.inline"
        case FileIdSource():
            yield f"{_CONTENT}.file_id", f"{feature}.file"
        case _:
            assert_never(source)


def _of_tool(tool: ToolDefinition) -> Iterator[tuple[str, str]]:
    match tool:
        case FunctionTool():
            if tool.strict:
                yield "tools[].strict", "tool.function.strict"
            if tool.namespace is not None:
                yield "tools[].namespace", "tool.function.namespace"
            if tool.defer:
                yield "tools[].defer_loading", "tool.function.defer"
        case FreeformTool():
            yield "tools[].custom", "tool.freeform"
        case HostedTool(kind="web_search" | "code_execution" as kind):
            yield f"tools[].{kind}", f"tool.{kind}"
        case HostedTool(kind=kind):
            yield f"tools[].{kind}", "tool.hosted"
        case _:
            assert_never(tool)
