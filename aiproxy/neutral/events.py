"""The units of an answer as it grows. The order rules:

- `ResponseStarted` once, first. `ResponseFinished` once, last; an upstream that fails raises instead, it has no event.
- Parts of a candidate start with index 0, 1, 2 …; a tool call starts only when its name is known.
- Deltas, citations and opaque state of a part come between its start and its finish; parts may interleave.
- `CandidateFinished` once a candidate, after all its parts finished. `ResponseFinished` comes after every candidate and after
  the upstream's own terminal mark, so that late usage is in it.
- `UsageUpdated`, `Heartbeat` and `RawEvent` any time in between.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar, dataclass_transform

from aiproxy.neutral.carried import Extensions, Json, OpaqueState
from aiproxy.neutral.parts import Citation, Part, TokenLogprob
from aiproxy.neutral.response import FinishReason
from aiproxy.neutral.timing import Timing
from aiproxy.neutral.usage import Usage

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def event(kind: type[T]) -> type[T]:
    """A slotted dataclass that the type checker alone keeps frozen: one is made for every frame of every stream, and at run
    time a frozen one takes three times as long to make (0.5 µs instead of 0.15 µs)."""
    return dataclass(slots=True)(kind)


@event
class ResponseStarted:
    """`usage` is what the upstream knows of the input by now."""

    id: str
    model: str
    created: int = 0
    usage: Usage | None = None


@event
class PartStarted:
    """`part` is the part as far as it is known: its kind, a tool call's id and name, no content yet."""

    part_index: int
    part: Part
    candidate: int = 0


@event
class TextDelta:
    part_index: int
    fragment: str
    candidate: int = 0
    logprobs: tuple[TokenLogprob, ...] | None = None


@event
class RefusalDelta:
    part_index: int
    fragment: str
    candidate: int = 0
    logprobs: tuple[TokenLogprob, ...] | None = None


@event
class ReasoningDelta:
    """`section` counts the summaries of one reasoning part; raw thinking has one section, 0."""

    part_index: int
    fragment: str
    channel: Literal["raw", "summary"] = "raw"
    section: int = 0
    candidate: int = 0


@event
class ToolCallArgumentsDelta:
    part_index: int
    fragment: str
    candidate: int = 0


@event
class AudioDelta:
    """`data` fragments are base64 text and add up to the part's."""

    part_index: int
    fragment: str
    channel: Literal["data", "transcript"] = "data"
    candidate: int = 0


@event
class CitationAdded:
    part_index: int
    citation: Citation
    candidate: int = 0


@event
class OpaqueStateSet:
    """Replaces an earlier state of the same vendor and kind, never appends to it."""

    part_index: int
    state: OpaqueState
    candidate: int = 0


@event
class PartFinished:
    """`part` is the whole part and the authority: it supplies what never came as a delta."""

    part_index: int
    part: Part
    candidate: int = 0


@event
class UsageUpdated:
    """Cumulative: replaces what was known before."""

    usage: Usage


@event
class CandidateFinished:
    finish: FinishReason
    detail: str | None = None
    candidate: int = 0
    extensions: Extensions = field(default_factory=dict)


@event
class ResponseFinished:
    usage: Usage | None = None
    service_tier: str | None = None
    extensions: Extensions = field(default_factory=dict)
    timing: Timing | None = None


@event
class Heartbeat:
    """The upstream is alive and has nothing to say."""


@event
class RawEvent:
    """An event only codec `protocol` knows; no other encoder shows it."""

    protocol: str
    event: str
    json: Json


StreamEvent: TypeAlias = (
    ResponseStarted
    | PartStarted
    | TextDelta
    | RefusalDelta
    | ReasoningDelta
    | ToolCallArgumentsDelta
    | AudioDelta
    | CitationAdded
    | OpaqueStateSet
    | PartFinished
    | UsageUpdated
    | CandidateFinished
    | ResponseFinished
    | Heartbeat
    | RawEvent
)

PartDelta: TypeAlias = (
    TextDelta | RefusalDelta | ReasoningDelta | ToolCallArgumentsDelta | AudioDelta | CitationAdded | OpaqueStateSet
)
"""What comes between a part's start and its finish."""
