"""A listener that reads too slowly: bounded, and told what it missed."""

import json

from hypothesis import given
from hypothesis import strategies as st

from aiproxy.web.management.hearing import MOST_WAITING, Event, Listener


@given(st.lists(st.integers(0, 3 * MOST_WAITING), max_size=4))
def test_nothing_is_lost_unsaid(rounds: list[int]) -> None:
    listener, given_, taken = Listener((), lambda: None), 0, 0
    for count in rounds:
        for _ in range(count):
            listener.give(Event("log", b"{}"))
        given_ += count
        found = listener.take()
        assert len(found) <= MOST_WAITING + 1
        taken += sum(json.loads(each.body)["count"] if each.kind == "missed" else 1 for each in found)
    assert given_ == taken


def test_kinds_are_chosen_and_told_at_once() -> None:
    told: list[int] = []
    listener = Listener(("log",), lambda: told.append(1))
    listener.give(Event("figures", b"{}"))
    assert told == []
    listener.give(Event("log", b"{}"))
    assert told == [1]
    assert [each.kind for each in listener.take()] == ["log"]
    assert listener.take() == []
