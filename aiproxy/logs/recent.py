"""The latest records of the log, for whoever looks at it from elsewhere than its file: kept as they were written, scrubbed."""

from collections import deque
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from aiproxy.logs.record import Record

KEPT = 2000
"""Records: about 1 MB, as most are."""


class Numbered(NamedTuple):
    number: int
    record: Record


class Recent:
    """Any thread may note; numbers grow and are never given twice by one process."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._kept: deque[Numbered] = deque(maxlen=KEPT)

    def note(self, record: Record) -> None:
        self._kept.append(Numbered(next(self._numbers), record))

    def after(self, number: int) -> Sequence[Numbered]:
        """Those that are kept, the oldest first."""
        return [each for each in self._kept.copy() if each.number > number]

    def clear(self) -> int:
        """Forget them. How many there were."""
        count = len(self._kept)
        self._kept.clear()
        return count
