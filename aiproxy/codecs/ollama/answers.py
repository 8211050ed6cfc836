"""What a client is shown of an answer, streamed or whole: the same decisions for both."""

from collections.abc import Mapping
from typing import Final

from aiproxy.codecs.arguments import as_object
from aiproxy.codecs.freeform import wrap
from aiproxy.codecs.ollama.calls import call_object, write_call
from aiproxy.codecs.ollama.notes import DONE_REASON, note
from aiproxy.codecs.ollama.table import NAME
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.errors import UpstreamFailed
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
    ToolCallPart,
    VideoPart,
)
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.response import FinishReason
from aiproxy.neutral.usage import Usage

_NO_ANSWER: Final[Mapping[FinishReason, str]] = {
    "malformed_tool_call": "The model made a tool call that can't be read; ask again.",
    "cancelled": "The upstream cancelled the answer.",
    "error": "The upstream failed in the middle of its answer.",
    "content_filter": "The upstream's content filter withheld the whole answer.",
}
"""Ends that Ollama has no word for but an error. A content filter is one only when nothing was said before."""

_REASONS: Final[Mapping[FinishReason, str]] = {"length": "length", "context_window": "length"}
"""All other ends are `stop`: calls too."""


def failure(finish: FinishReason, *, silent: bool) -> UpstreamFailed | None:
    """The error to end with, if it must be one. `silent`: nothing of the answer was shown."""
    if finish not in _NO_ANSWER or (finish == "content_filter" and not silent):
        return None
    return UpstreamFailed(_NO_ANSWER[finish])


def reason(finish: FinishReason) -> str:
    return _REASONS.get(finish, "stop")


def said(message: Mapping[str, Json], *, generate: bool) -> dict[str, Json]:
    """What the model said, as `/api/chat` or `/api/generate` has it."""
    if not generate:
        return {"message": {"role": "assistant", **message}}
    return {"response": message["content"], **{key: value for key, value in message.items() if key != "content"}}


def hides_thinking(request: GenerateRequest) -> bool:
    return request.reasoning.mode == "off"


def thinking_shown(part: ReasoningPart) -> str:
    """The summaries, then the raw thinking: the order in which they stream."""
    return "\n\n".join(text for text in (*part.summaries, part.text) if text)


def call_shown(call: ToolCallPart, index: int, report: Report) -> dict[str, Json] | None:
    """None for one that was cut off: clients run whatever call they are shown."""
    if not call.complete:
        report.lose("part.tool_call")
        return None
    if NAME in call.extensions:
        return write_call(call)
    text = wrap(call.arguments_text) if call.arguments_kind == "freeform" else call.arguments_text
    arguments, whole = as_object(text)
    if not whole:
        report.lose("part.tool_call")
    return call_object(call.call_id, index, call.name, arguments)


def lost(part: Part, report: Report) -> None:
    """A picture too: ollama-python fails on an answer whose message has `images`."""
    match part:
        case ImagePart():
            report.lose("part.image.inline")
        case AudioPart():
            report.lose("part.audio")
        case VideoPart():
            report.lose("part.video")
        case DocumentPart():
            report.lose("part.document.inline")
        case HostedToolCallPart() | HostedToolResultPart():
            report.lose("part.hosted_tool")
        case CompactionPart():
            report.lose("part.compaction")
        case RawPart():
            report.lose(f"{part.protocol}.{part.type}")
        case _:
            pass


def done_fields(finish: FinishReason, extensions: Extensions, usage: Usage | None) -> dict[str, Json]:
    """The end of the last line. A count nobody knows is left out."""
    found: dict[str, Json] = {"done": True}
    word = note(extensions, DONE_REASON) or reason(finish)
    if word != "absent":
        found["done_reason"] = word
    counts = {
        "prompt_eval_count": usage.input_total if usage else None,
        "eval_count": usage.output_total if usage else None,
    }
    return found | {name: count for name, count in counts.items() if count is not None}
