"""A whole answer, in no vendor's words."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from aiproxy.neutral.carried import Extensions
from aiproxy.neutral.parts import Part
from aiproxy.neutral.timing import Timing
from aiproxy.neutral.usage import Usage

FinishReason: TypeAlias = Literal[
    "stop",
    "stop_sequence",
    "length",
    "context_window",
    "tool_calls",
    "content_filter",
    "refusal",
    "pause",
    "compaction",
    "malformed_tool_call",
    "cancelled",
    "error",
]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the answers asked for. `finish_detail`: the stop sequence that matched, or the vendor's own word where ours is coarser."""

    index: int = 0
    parts: tuple[Part, ...] = ()
    finish: FinishReason = "stop"
    finish_detail: str | None = None
    extensions: Extensions = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GenerateResponse:
    """`created` is seconds since the epoch, 0 when the vendor doesn't say. Candidates are in the order of their index."""

    id: str
    model: str
    created: int = 0
    candidates: tuple[Candidate, ...] = ()
    usage: Usage | None = None
    service_tier: str | None = None
    extensions: Extensions = field(default_factory=dict)
    timing: Timing | None = None
