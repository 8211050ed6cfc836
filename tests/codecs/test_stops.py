"""A stop sequence is found wherever the deltas cut it, and text before it is not held longer than needed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.grammar import check_events
from aiproxy.codecs.stops import LONGEST_STOP, StopMatcher, StopSequences
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.events import StreamEvent, TextDelta
from aiproxy.neutral.parts import TextPart, ToolCallPart
from aiproxy.neutral.response import Candidate, GenerateResponse
from aiproxy.neutral.usage import Usage

letters = st.text("ab", max_size=12)
stop_lists = st.lists(st.text("ab", min_size=1, max_size=3), max_size=3)


def whole_search(text: str, stops: list[str]) -> tuple[str, str | None]:
    ends = [(end, stop) for end in range(len(text) + 1) for stop in stops if text[:end].endswith(stop)]
    if not ends:
        return text, None
    first = min(end for end, _ in ends)
    stop = max((stop for end, stop in ends if end == first), key=len)
    return text[: first - len(stop)], stop


@given(st.lists(letters, max_size=6), stop_lists)
def test_any_cut_finds_what_the_whole_text_shows(pieces: list[str], stops: list[str]) -> None:
    matcher = StopMatcher(stops)
    shown, matched = "", None
    for piece in pieces:
        free, matched = matcher.feed(piece)
        shown += free
        if matched:
            break
    if not matched:
        shown += matcher.close()
    assert (shown, matched) == whole_search("".join(pieces), stops)


def test_only_what_may_become_a_match_is_held() -> None:
    matcher = StopMatcher(["END"])
    assert matcher.feed("the E") == ("the ", None)
    assert matcher.feed("N") == ("", None)
    assert matcher.feed("emy") == ("ENemy", None)


def test_a_stop_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        StopMatcher(["x" * (LONGEST_STOP + 1)])
    assert caught.value.param == "stop"


def answer(*parts: TextPart | ToolCallPart) -> list[StreamEvent]:
    return list(explode(GenerateResponse("r", "m", candidates=(Candidate(0, parts),), usage=Usage(1))))


def staged(events: list[StreamEvent], *stops: str) -> tuple[list[StreamEvent], StopSequences]:
    stage = StopSequences(stops)
    return [out for event in events for out in stage.feed(event)], stage


def test_a_stream_ends_at_its_stop() -> None:
    found, stage = staged(answer(TextPart("one STOP two"), TextPart("three")), "STOP")
    check_events(found)
    assert collect(found).candidates == (Candidate(0, (TextPart("one "),), "stop_sequence", "STOP"),)
    assert stage.ended


def test_a_stream_without_a_stop_is_the_same_answer() -> None:
    events = answer(TextPart("one S"), ToolCallPart("1", "f", "STOP"))
    found, stage = staged(events, "STOP")
    check_events(found)
    assert collect(found) == collect(events)
    assert not stage.ended


def test_text_that_no_delta_brought_is_searched_too() -> None:
    events: list[StreamEvent] = [event for event in answer(TextPart("a STOP b")) if not isinstance(event, TextDelta)]
    found, _ = staged(events, "STOP")
    check_events(found)
    assert collect(found).candidates[0].parts == (TextPart("a "),)
