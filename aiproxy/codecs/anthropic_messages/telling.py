"""Which of a request's structures became which features: the decoder's half of the report, for what no table row reads."""

from aiproxy.codecs.report import Report
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, TextSource, UrlSource
from aiproxy.neutral.parts import (
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolResultPart,
)
from aiproxy.neutral.request import Turn
from aiproxy.neutral.tools import FunctionTool, ToolChoice, ToolDefinition


def tell(turns: tuple[Turn, ...], tools: tuple[ToolDefinition, ...], choice: ToolChoice, report: Report) -> None:
    first_spoken = next((place for place, turn in enumerate(turns) if turn.role != "system"), len(turns))
    for place, turn in enumerate(turns):
        if turn.role == "system":
            report.read("system" if place < first_spoken else "messages[].role: system", _SYSTEM[place > first_spoken])
        for part in turn.parts:
            _tell_part(part, report)
            for inner in part.content if isinstance(part, ToolResultPart) else ():
                if not isinstance(inner, TextPart):
                    report.read("messages[].content[].content[]", "part.tool_result.media")
    for tool in tools:
        if isinstance(tool, FunctionTool):
            report.read("tools[]", "tool.function")
            if tool.strict is not None:
                report.read("tools[].strict", "tool.function.strict")
            if tool.defer is not None:
                report.read("tools[].defer_loading", "tool.function.defer")
        else:
            feature = f"tool.{getattr(tool, 'kind', '')}"
            report.read("tools[].type", feature if feature in _HOSTED_FEATURES else "tool.hosted")
    if choice.mode is not None:
        report.read("tool_choice", "tool_choice.hosted" if choice.hosted_kind else f"tool_choice.{choice.mode}")
    if choice.allow_parallel is not None:
        report.read("tool_choice.disable_parallel_tool_use", "tool_choice.allow_parallel")


_SYSTEM = ("turn.system", "turn.system_midway")
_HOSTED_FEATURES = ("tool.web_search", "tool.code_execution")


def _tell_part(part: Part, report: Report) -> None:
    if part.cache is not None:
        report.read("cache_control", "part.cache")
    match part:
        case TextPart():
            if part.citations:
                report.read("messages[].content[].citations", "part.citations")
        case ImagePart(source=source):
            word = _source_word(source)
            report.read(f"messages[].content[].image.{word}", f"part.image.{word}")
        case DocumentPart(source=source):
            word = _source_word(source)
            report.read(f"messages[].content[].document.{word}", f"part.document.{word}")
            if part.title or part.context or part.citations_enabled:
                report.read("messages[].content[].title", "part.document.citations")
        case ReasoningPart():
            report.read("messages[].content[].thinking", "part.reasoning")
        case HostedToolCallPart() | HostedToolResultPart():
            report.read("messages[].content[].type: server_tool_use", "part.hosted_tool")
        case ToolResultPart(is_error=True):
            report.read("messages[].content[].is_error", "part.tool_result.is_error")
        case _:
            pass


def _source_word(source: Source) -> str:
    match source:
        case UrlSource():
            return "url"
        case InlineSource():
            return "inline"
        case FileIdSource():
            return "file"
        case TextSource():
            return "text"
