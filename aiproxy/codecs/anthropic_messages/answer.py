"""What both a whole answer and a stream need to be read: whose state it holds, which tools are meant, how it ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiproxy.codecs import schema
from aiproxy.codecs.anthropic_messages.encode_request import ANSWER_TOOL, answers_by_tool
from aiproxy.codecs.anthropic_messages.read_blocks import left, taken
from aiproxy.codecs.anthropic_messages.table import NAME
from aiproxy.codecs.anthropic_messages.tools import ForeignTools
from aiproxy.codecs.anthropic_messages.usage import TIERS, take_usage
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Envelope
from aiproxy.neutral.carried import Extensions, Json, OpaqueKind, OpaqueState
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.response import FinishReason
from aiproxy.neutral.usage import Usage

REASON: Final = "~stop_reason"
"""The note that holds a stop reason neutral has no word for."""

FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_window",
    "compaction": "compaction",
}

_ENVELOPE = ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage")


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """`tools` None: the client speaks this protocol too, and its tools were left as they are."""

    vendor: str
    model: str
    tools: ForeignTools | None
    by_tool: bool
    unwraps: bool
    """Whether the answer tool's schema had to be wrapped."""

    @classmethod
    def of(cls, exchange: Exchange) -> "AnswerReader":
        request, can, source = exchange.request, exchange.capabilities, exchange.source
        by_tool = answers_by_tool(request, can, source)
        wanted = request.output_format.schema if request.output_format else None
        return cls(
            can.vendor or NAME,
            request.model,
            None if source == NAME else ForeignTools.of(request),
            by_tool,
            by_tool and schema.convert(wanted, "anthropic-tool").wrapped,
        )

    def read_state(self, value: str, kind: OpaqueKind) -> Envelope:
        return Envelope(OpaqueState(self.vendor, kind, value, model=self.model))

    def is_answer(self, call: Part) -> bool:
        return self.by_tool and isinstance(call, ToolCallPart) and call.name == ANSWER_TOOL

    def buffers(self, call: ToolCallPart) -> bool:
        """Whether the arguments mean nothing to the client before they are complete."""
        if self.is_answer(call):
            return self.unwraps
        return self.tools is not None and self.tools.buffers(call.name)

    def opened(self, part: Part) -> Part:
        if not isinstance(part, ToolCallPart):
            return part
        if self.is_answer(part):
            return TextPart()
        return self.tools.opened(part) if self.tools else part

    def closed(self, part: Part) -> Part:
        if isinstance(part, ReasoningPart) and not part.opaque and not part.redacted and self.vendor != NAME:
            # Others that speak this protocol don't sign, and want their thinking back all the same.
            return replace(part, opaque=(OpaqueState(self.vendor, "reasoning_text", "", model=self.model),))
        if not isinstance(part, ToolCallPart):
            return part
        if self.is_answer(part):
            return TextPart(schema.unwrapped(part.arguments_text) if self.unwraps else part.arguments_text)
        return self.tools.closed(part) if self.tools else part


@dataclass(frozen=True, slots=True)
class Ending:
    finish: FinishReason
    detail: str | None
    notes: Extensions
    usage: Usage | None
    service_tier: str | None
    extensions: Extensions


def ending(message: Mapping[str, Json], parts: Iterable[Part]) -> Ending:
    """Of a complete message object, and the parts its content was read as."""
    reason = message.get("stop_reason")
    calls = any(isinstance(part, ToolCallPart) for part in parts)
    finish: FinishReason = "tool_calls" if calls else "stop"
    notes: dict[str, Json] = {}
    detail: str | None = None
    if isinstance(reason, str) and reason != "tool_use":
        finish = FINISH.get(reason, finish)
        if reason not in FINISH:
            notes[REASON] = detail = reason
    sequence = message.get("stop_sequence")
    if finish == "stop_sequence" and isinstance(sequence, str):
        detail = sequence
    elif sequence is not None:
        notes["stop_sequence"] = sequence
    if "stop_details" in message:
        notes["stop_details"] = message["stop_details"]
    rest = {key: value for key, value in taken(message).items() if key not in _ENVELOPE}
    usage = None
    tier = None
    if isinstance(message.get("usage"), dict):
        usage, more = take_usage(message["usage"])
        if isinstance(more.get("service_tier"), str) and more["service_tier"] in TIERS:
            tier = TIERS[more.pop("service_tier")]
        if more:
            rest["usage"] = more
    return Ending(finish, detail, left(notes), usage, tier, left(rest))
