"""Parts of an answer as clients of this protocol see them: what whole answers and streams have in common."""

from collections.abc import Iterable

from aiproxy.codecs import data_urls
from aiproxy.codecs.arguments import json_text
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Envelope, Sealer
from aiproxy.codecs.opaque import slot_value
from aiproxy.codecs.openai_chat.calls import GOOGLE, extra_content
from aiproxy.codecs.openai_chat.notes import LEGACY, note
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.media import InlineSource, UrlSource
from aiproxy.neutral.parts import (
    AudioPart,
    CompactionPart,
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    RawPart,
    ToolCallPart,
    VideoPart,
)
from aiproxy.neutral.request import GenerateRequest


def speaks_legacy(request: GenerateRequest) -> bool:
    """Whether the client knows `function_call` only."""
    return bool(request.tools) and all(note(tool.extensions, LEGACY) for tool in request.tools)


def opening_call(call: ToolCallPart, exchange: Exchange, position: int) -> dict[str, Json]:
    """The first fragment of a call: all but its arguments."""
    call_id = call.call_id or exchange.fresh_id("call_", position)
    if call.arguments_kind == "freeform":
        return {"id": call_id, "type": "custom", "custom": {"name": call.name, "input": ""}}
    return {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": ""}}


def arguments_of(call: ToolCallPart) -> str:
    return call.arguments_text if call.arguments_kind == "freeform" else json_text(call.arguments_text)


def argument_fragment(call: ToolCallPart, text: str) -> dict[str, Json]:
    return {"custom": {"input": text}} if call.arguments_kind == "freeform" else {"function": {"arguments": text}}


def signature(states: Iterable[OpaqueState], sealer: Sealer) -> dict[str, Json]:
    """Where Gemini's clients look for a thought signature; nothing without state."""
    for state in states:
        native = state.kind == "thought_signature" and state.vendor == GOOGLE
        value = slot_value(sealer, state, GOOGLE) if native else sealer.seal(Envelope(state))
        return extra_content(value)
    return {}


def image(part: ImagePart, index: int) -> dict[str, Json] | None:
    """In OpenRouter's form, which clients of image models know."""
    match part.source:
        case UrlSource(url=url):
            pass
        case InlineSource() as source:
            url = data_urls.render(source)
        case _:
            return None
    return {"index": index, "type": "image_url", "image_url": {"url": url}}


def code_text(part: Part) -> str:
    """Code a vendor ran, and what came of it, for people to read; "" for other parts."""
    match part:
        case HostedToolCallPart("code_execution", payload={"code": str(code), **others}):
            language = others.get("language")
            return f"\n```{language.lower() if isinstance(language, str) else ''}\n{code}\n```\n"
        case HostedToolResultPart("code_execution", payload={"output": str(output)}):
            return f"\n```\n{output}\n```\n"
        case _:
            return ""


def lose(part: Part, report: Report) -> None:
    """A part this protocol's answers have no place for."""
    match part:
        case HostedToolCallPart() | HostedToolResultPart():
            report.lose("part.hosted_tool")
        case VideoPart():
            report.lose("part.video")
        case DocumentPart():
            report.lose("part.document.inline")
        case ToolCallPart():
            report.lose("part.tool_call")
        case ImagePart():
            report.lose("part.image.file")
        case AudioPart():
            report.lose("part.audio")
        case CompactionPart():
            report.lose("part.compaction")
        case RawPart(protocol=protocol, type=kind):
            report.lose(f"{protocol}.{kind}")
        case _:
            pass
