"""Interleaved parts come out one after the other, and nothing is lost or changed."""

from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.serializer import Serializer
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.events import (
    CandidateFinished,
    PartFinished,
    PartStarted,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
)
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.response import Candidate, GenerateResponse
from tests.neutral.strategies import parts


@st.composite
def interleaved(draw: st.DrawFn) -> list[StreamEvent]:
    """A stream whose parts start in order and then grow and finish in any order."""
    whole = GenerateResponse(
        "r", "m", candidates=(Candidate(0, tuple(draw(st.lists(parts(), min_size=1, max_size=4)))),)
    )
    started, *middle, ended, finished = list(explode(whole))
    queues: dict[int, list[StreamEvent]] = {}
    for event in middle:
        queues.setdefault(getattr(event, "part_index", 0), []).append(event)
    mixed: list[StreamEvent] = []
    waiting = sorted(queues)
    open_: list[int] = []
    while waiting or open_:
        if waiting and (not open_ or draw(st.booleans())):
            open_.append(waiting.pop(0))
            chosen = open_[-1]
        else:
            chosen = draw(st.sampled_from(open_))
        mixed.append(queues[chosen].pop(0))
        if not queues[chosen]:
            open_.remove(chosen)
    return [started, *mixed, ended, finished]


@given(interleaved())
def test_one_part_at_a_time_and_the_same_answer(events: list[StreamEvent]) -> None:
    serializer = Serializer()
    found = [out for event in events for out in serializer.feed(event)]
    assert collect(found) == collect(events)
    assert sorted(map(repr, found)) == sorted(map(repr, events))
    open_: int | None = None
    for event in found:
        if isinstance(event, PartStarted):
            assert open_ is None
            open_ = event.part_index
        elif (index := getattr(event, "part_index", None)) is not None:
            assert index == open_
            open_ = None if isinstance(event, PartFinished) else open_


def test_a_candidate_ends_after_its_held_parts() -> None:
    text = TextPart("a")
    events: list[StreamEvent] = [
        ResponseStarted("r", "m"),
        PartStarted(0, TextPart()),
        PartStarted(0, TextPart(), 1),
        PartFinished(0, text, 1),
        CandidateFinished("stop", candidate=1),
        PartFinished(0, text),
        CandidateFinished("stop"),
        ResponseFinished(),
    ]
    serializer = Serializer()
    found = [out for event in events for out in serializer.feed(event)]
    assert found == [*events[:2], events[5], *events[2:5], *events[6:]]
    assert collect(found) == collect(events)


def test_the_oldest_unfinished_part_is_not_held() -> None:
    events = list(explode(GenerateResponse("r", "m")))
    serializer = Serializer()
    assert [out for event in events for out in serializer.feed(event)] == events
