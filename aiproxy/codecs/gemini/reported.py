"""Which field of a Gemini client a part was: for the report of a translation."""

from aiproxy.codecs.report import Report
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, TextSource, UrlSource
from aiproxy.neutral.parts import (
    AudioPart,
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    ReasoningPart,
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)


def media_feature(part: ImagePart | AudioPart | VideoPart | DocumentPart) -> str:
    """Pictures and documents are told apart by where they come from, too."""
    kind = type(part).__name__.removesuffix("Part").lower()
    return f"part.{kind}.{_where(part.source)}" if isinstance(part, ImagePart | DocumentPart) else f"part.{kind}"


def _where(source: Source) -> str:
    match source:
        case UrlSource():
            return "url"
        case InlineSource():
            return "inline"
        case FileIdSource():
            return "file"
        case TextSource():
            return "text"


def report_part(part: Part, report: Report) -> None:
    """Plain text can't be lost, and isn't told."""
    match part:
        case ImagePart() | AudioPart() | VideoPart() | DocumentPart():
            feature = media_feature(part)
            slot = "inlineData" if isinstance(part.source, InlineSource | TextSource) else "fileData"
            report.read(f"contents[].parts[].{slot} ({feature.split('.')[1]})", feature)
        case ReasoningPart():
            report.read("contents[].parts[].thought", "part.reasoning")
        case ToolCallPart():
            report.read("contents[].parts[].functionCall", "part.tool_call")
        case ToolResultPart(content=content):
            report.read("contents[].parts[].functionResponse", "part.tool_result")
            if len(content) > 1:
                report.read("contents[].parts[].functionResponse.parts", "part.tool_result.media")
        case HostedToolCallPart() | HostedToolResultPart():
            report.read("contents[].parts[].executableCode", "part.hosted_tool")
        case _:
            pass
