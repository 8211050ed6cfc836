"""The order rules of a stream, each broken once."""

import pytest

from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.collect import collect
from aiproxy.neutral.events import (
    CandidateFinished,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    ReasoningDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    UsageUpdated,
)
from aiproxy.neutral.order import OutOfOrder
from aiproxy.neutral.parts import ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.usage import Usage

START, DONE, END = ResponseStarted("r", "m"), CandidateFinished("stop"), ResponseFinished()
TEXT, CLOSE = PartStarted(0, TextPart()), PartFinished(0, TextPart("a"))

BROKEN: dict[str, list[StreamEvent]] = {
    "no start": [TEXT],
    "two starts": [START, START],
    "a part skipped": [START, PartStarted(1, TextPart())],
    "a part twice": [START, TEXT, CLOSE, TEXT],
    "a call without a name": [START, PartStarted(0, ToolCallPart("1", ""))],
    "a delta for nothing": [START, TextDelta(0, "a")],
    "a delta of another kind": [START, TEXT, ReasoningDelta(0, "a")],
    "a delta after the finish": [START, TEXT, CLOSE, TextDelta(0, "a")],
    "state for nothing": [START, OpaqueStateSet(0, OpaqueState("v", "compaction", "d"))],
    "finished as another kind": [START, TEXT, PartFinished(0, ReasoningPart())],
    "finished twice": [START, TEXT, CLOSE, CLOSE],
    "a candidate with open parts": [START, TEXT, DONE],
    "a candidate twice": [START, DONE, DONE],
    "a part after its candidate": [START, DONE, TEXT],
    "an end with open parts": [START, TEXT, END],
    "an end with an open candidate": [START, TEXT, CLOSE, END],
    "anything after the end": [START, END, Heartbeat()],
    "no end": [START, TEXT, CLOSE, DONE],
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_order_raises(name: str) -> None:
    with pytest.raises(OutOfOrder):
        collect(BROKEN[name])


def test_candidates_and_parts_may_interleave() -> None:
    events: list[StreamEvent] = [
        Heartbeat(),
        START,
        TEXT,
        PartStarted(0, TextPart(), 1),
        PartStarted(1, ReasoningPart()),
        UsageUpdated(Usage(1)),
        PartFinished(1, ReasoningPart("x")),
        PartFinished(0, TextPart("b"), 1),
        CandidateFinished("length", candidate=1),
        CLOSE,
        DONE,
        END,
    ]
    first, second = collect(events).candidates
    assert first.parts == (TextPart("a"), ReasoningPart("x"))
    assert (second.parts, second.finish) == ((TextPart("b"),), "length")
