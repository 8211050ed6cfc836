"""What workers tell one another while somebody listens at one of them: time is virtual, the bus is in one process."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from twisted.internet.task import Clock

from aiproxy.storage.bus import Bus, Hub, Topic
from aiproxy.web.management.happenings import News
from aiproxy.web.management.hearing import MOST_LISTENERS, Listener
from aiproxy.web.management.telling import FORGET_SECONDS, Telling
from aiproxy.web.management.watching import SILENT_SECONDS, WATCH_SECONDS, Watching, summed


class Happenings:
    """Whose looks are the test's."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[News], None]] = []

    def listen(self, listener: Callable[[News], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def look(self, *news: tuple[str, Any]) -> None:
        for listener in self.listeners.copy():
            listener(news)


class Worker:
    def __init__(self, clock: Clock, hub: Hub) -> None:
        self.happenings = Happenings()
        looked_at: Any = cast(Any, self.happenings)
        self.bus = Bus(hub.join())
        self.watching = Watching(clock, looked_at, self.bus, lambda: 1)
        self.telling = Telling(clock, looked_at, self.bus)
        self.bus.start()

    def listener(self, *kinds: str) -> tuple[Listener, Callable[[], None]]:
        listener = Listener(kinds, lambda: None)
        return listener, self.watching.listen(listener)


def two() -> tuple[Clock, Worker, Worker]:
    clock, hub = Clock(), Hub()
    return clock, Worker(clock, hub), Worker(clock, hub)


def taken(listener: Listener) -> list[tuple[str, Any]]:
    return [(each.kind, json.loads(each.body)) for each in listener.take()]


def figures(requests: int, under_way: int = 0, first: float | None = None, firsts: int = 0) -> dict[str, Any]:
    return {
        "at": 1.0,
        "under-way": under_way,
        "waiting": 0,
        "requests": requests,
        "first-byte-seconds": first,
        "first-bytes": firsts,
    }


def test_a_worker_looks_only_while_somebody_listens_at_another_one() -> None:
    _, here, there = two()
    assert there.happenings.listeners == []
    listener, leave = here.listener("begun")
    there.happenings.look(("begun", {"n": 1}), ("log", "not asked for"), ("account", "ours tells of it"))
    here.happenings.look(("begun", {"n": 2}))
    assert taken(listener) == [("begun", {"n": 1}), ("begun", {"n": 2})]
    second, leave_second = here.listener("log")
    there.happenings.look(("begun", {"n": 3}), ("log", "now it is"))
    assert (taken(listener), taken(second)) == ([("begun", {"n": 3})], [("log", "now it is")])
    leave()
    leave_second()
    assert (here.happenings.listeners, there.happenings.listeners) == ([], [])


def test_a_watcher_that_is_not_heard_of_any_more_is_forgotten() -> None:
    clock, here, there = two()
    here.listener()
    clock.pump([WATCH_SECONDS] * 5)
    there.happenings.look(("begun", 1))
    assert there.happenings.listeners
    here.bus.publish = lambda *_: None  # type: ignore[method-assign, assignment] # it hangs
    clock.advance(FORGET_SECONDS)
    there.happenings.look(("begun", 2))
    assert there.happenings.listeners == []


def test_figures_wait_for_those_of_the_others_and_are_summed() -> None:
    clock, here, there = two()
    listener, _ = here.listener("figures")
    here.happenings.look(("figures", figures(1)))
    clock.advance(1)
    here.happenings.look(("figures", figures(1)))
    assert taken(listener) == [], "the other one's are not known yet"
    there.happenings.look(("figures", figures(10, under_way=2, first=3.0, firsts=3)))
    here.happenings.look(("figures", figures(2, under_way=1, first=1.0, firsts=1)))
    assert taken(listener) == [("figures", figures(12, under_way=3, first=2.5, firsts=4))]
    clock.advance(SILENT_SECONDS)
    here.happenings.look(("figures", figures(2, under_way=1, first=1.0, firsts=1)))
    assert taken(listener) == [("figures", figures(12, under_way=1, first=2.5, firsts=4))], "what was counted stays"


def test_one_that_tells_no_figures_holds_nobody_up_for_long() -> None:
    clock, here, _ = two()
    listener, _ = here.listener("figures")
    clock.advance(SILENT_SECONDS + 0.1)
    here.happenings.look(("figures", figures(1)))
    assert taken(listener) == [("figures", figures(1))]


def test_what_is_lost_on_the_way_or_too_large_for_it_is_counted() -> None:
    _, here, there = two()
    listener, _ = here.listener("log")
    there.happenings.look(("log", 0))
    publish, there.bus.publish = there.bus.publish, lambda *_: None  # type: ignore[method-assign, assignment]
    there.happenings.look(("log", 1), ("log", 2))
    there.bus.publish = publish  # type: ignore[method-assign]
    there.happenings.look(("log", 3), ("log", "x" * 2**21), ("log", "y" * 100_000), ("log", 4))
    told = [("log", value) for value in (0, 3, "y" * 100_000, 4)]
    assert taken(listener) == [("missed", {"count": 3}), *told]


def test_what_was_heard_already_is_not_told_twice() -> None:
    _, here, there = two()
    listener, _ = here.listener("log")
    there.happenings.look(("log", 0), ("log", 1))
    there.bus.publish(Topic.EVENTS, "again", {"first": 0, "events": [["log", 0], ["log", 1]]})
    there.bus.publish(Topic.EVENTS, "else", {"events": "of another version"})
    there.happenings.look(("log", 2))
    assert [value for _, value in taken(listener)] == [0, 1, 2]


def test_so_many_may_listen() -> None:
    _, here, _ = two()
    for _ in range(MOST_LISTENERS):
        here.listener()
    with pytest.raises(ValueError, match=str(MOST_LISTENERS)):
        here.listener()


def test_a_sum_of_calls_without_a_first_byte_has_no_mean() -> None:
    assert summed([figures(1), figures(2)]) == figures(3)
