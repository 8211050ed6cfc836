"""Questions between members: whole answers however long, and nobody waits for one that says nothing."""

from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from aiproxy.storage.bus import Bus, Hub
from aiproxy.storage.bus.asking import ANSWER_SECONDS, MOST_PARTS, Answers, Asking
from aiproxy.storage.bus.batches import ENVELOPE, LARGEST_VALUE, PIECE, WIDEST, Joined, batches
from aiproxy.storage.bus.message import LARGEST_MESSAGE


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4000)),
    st.integers(ENVELOPE + PIECE + WIDEST, 3000),
)
def test_batches_fit_and_nothing_is_lost(values: list[str], most: int) -> None:
    written = [orjson.dumps(batch) for batch in batches(values, most)]
    assert all(len(each) <= most and each != b"[]" for each in written)
    joined = Joined()
    assert [value for each in written for value in joined.feed(orjson.loads(each))] == values


def test_a_value_that_is_too_large_by_far_is_none() -> None:
    assert [orjson.dumps(each) for each in batches([1, "x" * LARGEST_VALUE, 2], 5000)] == [b"[1,null,2]"]


class Members:
    """Of one hub, that say what `says` has for each; time is virtual."""

    def __init__(self, *says: Sequence[Any]) -> None:
        self.clock, hub = Clock(), Hub()
        self.members: list[Asking] = []
        for number in range(1 + len(says)):
            bus = Bus(hub.join())
            self.members.append(Asking(self.clock, bus, lambda: len(self.members) - 1))
            bus.start()
            if number:
                self.members[-1].answer("what", lambda _, number=number: says[number - 1])  # type: ignore[misc]

    def ask(self, question: str = "what") -> Deferred[Answers]:
        return Deferred.fromCoroutine(self.members[0].ask(question))


def given_at_once(asked: Deferred[Answers]) -> Answers:
    found: list[Answers] = []
    asked.addCallback(found.append)
    return found[0]


def test_all_others_answer_each_in_one_piece() -> None:
    long = ["x" * 1000] * 50
    members = Members([1, {"two": 2}], long, [])
    assert given_at_once(members.ask()) == Answers([[1, {"two": 2}], long, []], 0)
    assert given_at_once(members.ask()).given[1] == long
    assert members.clock.getDelayedCalls() == []


def test_one_that_says_nothing_is_waited_for_no_longer_than_a_second() -> None:
    members = Members([1], [2])
    members.members[2].answer("more", lambda _: ["more"])
    asked = members.ask("more")
    members.clock.advance(ANSWER_SECONDS - 0.01)
    assert not asked.called
    members.clock.advance(0.01)
    assert given_at_once(asked) == Answers([["more"]], 1)


def test_an_answer_without_an_end_is_cut() -> None:
    value = "x" * (LARGEST_MESSAGE - ENVELOPE - 10)
    (only,) = given_at_once(Members([value] * (MOST_PARTS + 5)).ask()).given
    assert only == [value] * MOST_PARTS


def test_where_nobody_is_there_nobody_is_asked() -> None:
    assert given_at_once(Deferred.fromCoroutine(Asking(Clock(), None, lambda: 0).ask("what"))) == Answers(())
