"""A deadline by a clock that the test turns."""

import pytest
from twisted.internet.task import Clock

from aiproxy.transports.deadline import Deadline


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rang() -> list[float]:
    return []


@pytest.fixture
def deadline(clock: Clock, rang: list[float]) -> Deadline:
    return Deadline(clock, lambda: rang.append(clock.seconds()))


@pytest.mark.parametrize("then", [1.0, 7.0, 20.0])
def test_the_last_word_counts(clock: Clock, rang: list[float], deadline: Deadline, then: float) -> None:
    deadline.set(10)
    clock.advance(2)
    deadline.set(then)
    clock.pump([0.5] * 60)
    assert rang == [2 + then]
    assert not clock.getDelayedCalls()


def test_lifted(clock: Clock, rang: list[float], deadline: Deadline) -> None:
    deadline.set(10)
    deadline.lift()
    clock.advance(20)
    assert not rang
    deadline.set(5)
    clock.advance(5)
    assert rang == [25]


def test_set_again_when_it_rings(clock: Clock) -> None:
    rang: list[float] = []

    def again() -> None:
        rang.append(clock.seconds())
        mine.set(3)

    mine = Deadline(clock, again)
    mine.set(3)
    clock.pump([1] * 9)
    mine.stop()
    assert rang == [3, 6, 9]


def test_stopped_leaves_nothing(clock: Clock, rang: list[float], deadline: Deadline) -> None:
    deadline.set(10)
    deadline.stop()
    assert not clock.getDelayedCalls()


def test_moving_it_costs_no_timer(clock: Clock, deadline: Deadline) -> None:
    deadline.set(10)
    (timer,) = clock.getDelayedCalls()
    for _ in range(100):
        deadline.set(10)
        deadline.lift()
    assert clock.getDelayedCalls() == [timer]
    deadline.stop()
