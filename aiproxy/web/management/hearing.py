"""Who listens to what happens: a bounded buffer each, filled for all at once. Pure.

A listener that reads too slowly misses the oldest events, and is told how many; nobody waits for it."""

from collections import deque
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import orjson

MOST_WAITING = 1000
"""Events that wait for one listener: about half a megabyte, and some seconds of a busy gateway."""

MOST_LISTENERS = 32
"""At a time: consoles and programs of a few operators."""


class Event(NamedTuple):
    """`body` is JSON."""

    kind: str
    body: bytes


class Listener:
    """`told` is called when there is something to take; it may not raise. `kinds` empty: all."""

    def __init__(self, kinds: Collection[str], told: Callable[[], object]) -> None:
        self.kinds = frozenset(kinds)
        self._told = told
        self._waiting: deque[Event] = deque(maxlen=MOST_WAITING)
        self._missed = 0

    def give(self, event: Event) -> None:
        if self.kinds and event.kind not in self.kinds:
            return
        self._missed += len(self._waiting) == MOST_WAITING
        self._waiting.append(event)
        self._told()

    def miss(self, count: int) -> None:
        """So many could not even be given, of whatever kinds."""
        self._missed += count
        self._told()

    def take(self) -> list[Event]:
        """All that waits; what was missed comes first."""
        found = list(self._waiting)
        self._waiting.clear()
        if self._missed:
            found.insert(0, event("missed", {"count": self._missed}))
            self._missed = 0
        return found


def event(kind: str, value: Any) -> Event:
    return Event(kind, orjson.dumps(value))
