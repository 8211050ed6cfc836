"""The checker of neutral streams finds deltas that disagree with their part."""

import pytest
from hypothesis import given

from aiproxy.codecs.grammar import check_events
from aiproxy.neutral.collect import explode
from aiproxy.neutral.events import (
    CandidateFinished,
    CitationAdded,
    PartFinished,
    PartStarted,
    ReasoningDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
)
from aiproxy.neutral.order import OutOfOrder
from aiproxy.neutral.parts import Citation, Part, ReasoningPart, TextPart
from aiproxy.neutral.response import GenerateResponse
from tests.neutral.strategies import responses


def stream(part: Part, *middle: StreamEvent) -> list[StreamEvent]:
    start: list[StreamEvent] = [ResponseStarted("r", "m"), PartStarted(0, type(part)()), *middle]  # type: ignore[call-arg]
    return [*start, PartFinished(0, part), CandidateFinished("stop"), ResponseFinished()]


@given(responses())
def test_exploded_answers_pass(response: GenerateResponse) -> None:
    check_events(explode(response))


def test_a_part_may_supply_what_no_delta_brought() -> None:
    check_events(stream(TextPart("hello"), TextDelta(0, "he")))
    check_events(stream(ReasoningPart("r", ("a", "b")), ReasoningDelta(0, "b", "summary", 1)))


@pytest.mark.parametrize(
    "events",
    [
        stream(TextPart("hello"), TextDelta(0, "hi")),
        stream(TextPart("hello"), TextDelta(0, "hello"), TextDelta(0, "!")),
        stream(ReasoningPart("", ("a",)), ReasoningDelta(0, "b", "summary", 0)),
        stream(ReasoningPart("", ("a",)), ReasoningDelta(0, "a", "summary", 1)),
        stream(TextPart("hello"), CitationAdded(0, Citation(start=3, end=1))),
        stream(TextPart("hello"))[:-1],
    ],
)
def test_what_disagrees_is_found(events: list[StreamEvent]) -> None:
    with pytest.raises(OutOfOrder):
        check_events(events)
