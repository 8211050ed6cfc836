"""The latest records of the log, for whoever looks at it from elsewhere than its file: kept as they were written, scrubbed."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from time import time
from typing import NamedTuple

from aiproxy.logs.record import Record

KEPT = 2000
"""Records: about 1 MB, as most are."""


class Numbered(NamedTuple):
    number: int
    record: Record


class Recent:
    """Any thread may note. A number is the microsecond in which its record was noted, or the next one that was not given yet: it tells
    also which of two processes' records came later."""

    def __init__(self, now: Callable[[], float] = time) -> None:
        self._now = now
        self._lock = Lock()
        self._kept: deque[Numbered] = deque()
        self._last = self.forgotten = int(now() * 1e6)
        """`forgotten`: no record up to this number is kept."""

    def note(self, record: Record) -> None:
        with self._lock:
            self._last = max(self._last + 1, int(self._now() * 1e6))
            self._kept.append(Numbered(self._last, record))
            if len(self._kept) > KEPT:
                self.forgotten = self._kept.popleft().number

    def as_of(self) -> int:
        """No record that is noted later has a number up to this one."""
        with self._lock:
            self._last = max(self._last, int(self._now() * 1e6))
            return self._last

    def after(self, number: int) -> Sequence[Numbered]:
        """Those that are kept, the oldest first."""
        return [each for each in self._kept.copy() if each.number > number]

    def clear(self) -> int:
        """Forget them. How many there were."""
        with self._lock:
            count = len(self._kept)
            if count:
                self.forgotten = self._kept[-1].number
            self._kept.clear()
            return count
