"""Who listens here hears what happens in all workers of this node: our own, and what the others tell over the bus.

While somebody listens we say so every `WATCH_SECONDS`; the others tell us what happens in them as long as they hear that, and look at
nothing for us otherwise. Accounts and configurations are told of ourselves: they are the same everywhere, and what another worker learns
of them we learn as well. What one worker tells comes in its order, workers among one another as it comes, and is never later than a look
and a message's way. What was lost on the way is counted as missed."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from aiproxy.storage.bus import Bus, Message, Topic
from aiproxy.storage.bus.batches import Joined
from aiproxy.web.management.happenings import KINDS, Happenings, News
from aiproxy.web.management.hearing import MOST_LISTENERS, Listener, event

ELSEWHERE = frozenset(("begun", "ended", "upstream", "log", "figures"))
"""Kinds that the other workers are asked for."""

WATCH_SECONDS = 2.0
"""Between two times that we say who listens here: so long a worker that begins meanwhile is not heard, at most."""

SILENT_SECONDS = 3.0
"""After so long without its figures a worker has nothing under way any more. What it had counted stays."""

SETTLE_SECONDS = 0.5
"""So long nobody knows how many others there are. Figures wait for those of the others, or what these had counted before would seem to
have come at once."""

NOW = ("under-way", "waiting")
"""Figures that tell of now; all others only grow."""

_log = Logger("aiproxy.management")


@dataclass(slots=True)
class _Worker:
    """Another one: the number of its next event, what of it came in pieces, its figures, and when they came."""

    next: int
    joined: Joined = field(default_factory=Joined)
    figures: Mapping[str, Any] | None = None
    at: float = 0.0


class Watching:
    """`bus` None: there are no others, who are else as many as `others` says."""

    def __init__(self, reactor: Any, happenings: Happenings, bus: Bus | None, others: Callable[[], int]) -> None:
        self._reactor = reactor
        self._happenings = happenings
        self._bus = bus
        self._others = others
        self._began = 0.0
        self._listeners: list[Listener] = []
        self._workers: dict[str, _Worker] = {}
        self._leave: Callable[[], None] = lambda: None
        self._again = LoopingCall(self._say)
        self._again.clock = reactor
        self._said: Collection[str] = ()
        if bus is not None:
            bus.subscribe(Topic.EVENTS, self._heard)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """What is returned ends it. Raises `ValueError` where too many listen."""
        if len(self._listeners) >= MOST_LISTENERS:
            raise ValueError(f"{MOST_LISTENERS} listen already")
        self._listeners.append(listener)
        if len(self._listeners) == 1:
            self._began = self._reactor.seconds()
            self._leave = self._happenings.listen(self._found)
        self._follow()
        return lambda: self._left(listener)

    def _left(self, listener: Listener) -> None:
        if listener not in self._listeners:
            return
        self._listeners.remove(listener)
        if not self._listeners:
            self._leave()
            self._workers.clear()
        self._follow()

    # -- what we say to the others

    def _follow(self) -> None:
        """Say at once what has changed."""
        if self._bus is None or self._wanted() == self._said:
            return
        if self._again.running:
            self._again.stop()
        if self._wanted():
            self._again.start(WATCH_SECONDS)
        else:
            self._say()

    def _wanted(self) -> Collection[str]:
        wanted = {kind for listener in self._listeners for kind in listener.kinds or KINDS}
        return sorted(wanted & ELSEWHERE)

    def _say(self) -> None:
        assert self._bus is not None
        self._said = self._wanted()
        self._bus.publish(Topic.WATCHING, self._bus.origin, {"kinds": self._said})

    # -- what we hear

    def _found(self, news: News) -> None:
        """Of ourselves."""
        for kind, value in news:
            if kind != "figures":
                self._give(kind, value)
            elif self._known():
                self._give(kind, self._sum(value))

    def _known(self) -> bool:
        """Whether all others have told their figures, or had the time to."""
        waited = self._reactor.seconds() - self._began
        told = sum(each.figures is not None for each in self._workers.values())
        return self._bus is None or waited > SILENT_SECONDS or (waited > SETTLE_SECONDS and told >= self._others())

    def _heard(self, message: Message) -> None:
        if not self._listeners:
            return
        match message.body:
            case {"first": int(first), "events": list(events)}:
                worker = self._workers.setdefault(message.origin, _Worker(first))
                lost = max(0, first - worker.next) + events.count(None)
                if first < worker.next:  # counted already
                    return
                worker.next = first + len(events)
                if lost:
                    worker.joined = Joined()
                    for listener in self._listeners.copy():
                        listener.miss(lost)
                for each in worker.joined.feed(events):
                    self._take(worker, each)
            case _:
                _log.warn("what happens in another worker was not understood; another version of aiproxy is on the bus")

    def _take(self, worker: _Worker, told: Any) -> None:
        match told:
            case ["figures", dict(figures)]:
                worker.figures, worker.at = figures, self._reactor.seconds()
            case [str(kind), value] if kind in ELSEWHERE:
                self._give(kind, value)

    def _give(self, kind: str, value: Any) -> None:
        given = event(kind, value)
        for listener in self._listeners.copy():
            listener.give(given)

    def _sum(self, own: Mapping[str, Any]) -> Mapping[str, Any]:
        latest = self._reactor.seconds() - SILENT_SECONDS
        others = [
            each.figures if each.at > latest else {**each.figures, **dict.fromkeys(NOW, 0)}
            for each in self._workers.values()
            if each.figures is not None
        ]
        return summed([own, *others])


def summed(figures: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Of several workers. The first one's moment is the sum's; the time to the first byte is the mean of all calls that had one."""
    first, *others = figures
    total: dict[str, Any] = dict(first)
    waited = (first["first-byte-seconds"] or 0.0) * first["first-bytes"]
    for each in others:
        waited += (each["first-byte-seconds"] or 0.0) * each["first-bytes"]
        for name, value in each.items():
            if name not in ("at", "first-byte-seconds"):
                total[name] = total.get(name, 0) + value
    total["first-byte-seconds"] = waited / total["first-bytes"] if total["first-bytes"] else None
    return total
