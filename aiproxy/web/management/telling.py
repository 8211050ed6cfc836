"""Tells the other workers of this node what happens in ours, while somebody listens at one of them. Nothing is looked at otherwise."""

from collections.abc import Callable, Collection
from typing import Any

from aiproxy.storage.bus import Bus, Message, Topic
from aiproxy.storage.bus.batches import batches
from aiproxy.web.management.happenings import Happenings, News
from aiproxy.web.management.watching import WATCH_SECONDS

FORGET_SECONDS = 3 * WATCH_SECONDS
"""A watcher that is not heard of for so long has gone."""

SLOTS = 64
"""Messages with events that may wait for a worker that doesn't read: 3 MB. Newer ones take the place of the oldest, whose events are then
missed, and counted so."""


class Telling:
    def __init__(self, reactor: Any, happenings: Happenings, bus: Bus) -> None:
        self._reactor = reactor
        self._happenings = happenings
        self._bus = bus
        self._watchers: dict[str, tuple[float, Collection[str]]] = {}
        """When each was heard last, and what it wants to hear."""
        self._leave: Callable[[], None] | None = None
        self._events = self._messages = 0
        bus.subscribe(Topic.WATCHING, self._heard)

    def _heard(self, message: Message) -> None:
        match message.body:
            case {"kinds": [*kinds]} if kinds:
                self._watchers[message.key] = self._reactor.seconds(), kinds
                if self._leave is None:
                    self._leave = self._happenings.listen(self._found)
            case _:
                self._watchers.pop(message.key, None)
                self._rest()

    def _found(self, news: News) -> None:
        latest = self._reactor.seconds() - FORGET_SECONDS
        self._watchers = {key: watcher for key, watcher in self._watchers.items() if watcher[0] > latest}
        self._rest()
        wanted = {kind for _, kinds in self._watchers.values() for kind in kinds}
        for batch in batches([each for each in news if each[0] in wanted], self._bus.carrier.most):
            key = f"{self._bus.origin} {self._messages % SLOTS}"
            self._bus.publish(Topic.EVENTS, key, {"first": self._events, "events": batch})
            self._events += len(batch)
            self._messages += 1

    def _rest(self) -> None:
        if not self._watchers and self._leave is not None:
            leave, self._leave = self._leave, None
            leave()
