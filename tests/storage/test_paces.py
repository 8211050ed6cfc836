"""Minutes and calls at a time over several processes, in virtual time: each knows of the others what they told last."""

from time import time

import pytest
from twisted.internet.task import Clock

from aiproxy.clients.limiter import Limiter
from aiproxy.clients.limits import Counts, Exceeded, Limit, Limited, Reservation, Window
from aiproxy.storage import paces
from aiproxy.storage.bus import Bus, Hub
from aiproxy.storage.paces import REPEAT_SECONDS, SILENT_SECONDS, TELL_SECONDS, Paces

MINUTE = [Limited("team", "This key", (Limit("requests-per-minute", 60, Counts.REQUESTS, Window.MINUTE),))]
AT_ONCE = [Limited("team", "This key", (Limit("concurrent", 4, Counts.CALLS, Window.NOW),))]


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, size: int = 2) -> None:
        self.clock, self.began, hub = Clock(), time(), Hub()
        monkeypatch.setattr(paces, "time", self.now)
        self.limiters = [Limiter() for _ in range(size)]
        self.paces = []
        for limiter in self.limiters:
            bus = Bus(hub.join(), self.now)
            bus.start()
            self.paces.append(Paces(self.clock, limiter, bus))
            self.paces[-1].start()

    def now(self) -> float:
        return self.began + self.clock.seconds()

    def calls(self, place: int, limited: list[Limited], most: int = 1000) -> list[Reservation]:
        """As many as are let in."""
        found: list[Reservation] = []
        while len(found) < most:
            try:
                found.append(self.limiters[place].reserve(limited, 0, self.now()))
            except Exceeded:
                break
        return found


def test_a_minute_is_one_for_all_once_they_have_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)
    for place in (0, 1):
        assert len(world.calls(place, MINUTE, 1)) == 1
    world.clock.advance(TELL_SECONDS)
    assert len(world.calls(0, MINUTE, 40)) == 40
    world.clock.advance(TELL_SECONDS)
    assert len(world.calls(1, MINUTE)) in (18, 19)  # a fifth of a second drains a fifth of a call
    world.clock.advance(TELL_SECONDS)
    assert world.calls(0, MINUTE) == []
    world.clock.pump([1.0] * 10)
    assert len(world.calls(0, MINUTE)) in (10, 11)  # what has drained, once for all


def test_calls_at_a_time_are_counted_over_all_that_live(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)
    first = world.calls(0, AT_ONCE, 3)
    world.clock.advance(TELL_SECONDS)
    assert len(world.calls(1, AT_ONCE)) == 1
    world.clock.pump([REPEAT_SECONDS] * 10)
    assert world.calls(1, AT_ONCE) == []
    world.limiters[0].commit(first[0], 0, world.now())
    world.clock.advance(TELL_SECONDS)
    assert len(world.calls(1, AT_ONCE)) == 1
    world.paces[0]._ticks.stop()  # it dies
    world.clock.advance(SILENT_SECONDS + 1)
    assert len(world.calls(1, AT_ONCE)) == 2


def test_before_anybody_has_told_each_may_use_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst there is: as much again for each other process."""
    world = World(monkeypatch, 3)
    assert sum(len(world.calls(place, AT_ONCE)) for place in range(3)) == 3 * 4
