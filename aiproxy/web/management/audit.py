"""Who changed what: told to the log, and the latest kept to be looked at."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from twisted.logger import Logger

KEPT = 1000
"""Changes that are listed; the log has all."""

_log = Logger("aiproxy.audit")


class Change(NamedTuple):
    """`at` is seconds since the epoch; `outcome` is `ok` or the kind of the error."""

    at: float
    by: str
    address: str
    what: str
    outcome: str
    request_id: str


class Audit:
    def __init__(self) -> None:
        self._kept: deque[Change] = deque(maxlen=KEPT)

    def note(self, change: Change) -> None:
        self._kept.append(change)
        _log.info("{what} by {by} from {address}: {outcome}", **change._asdict())

    def latest(self, count: int) -> Sequence[Mapping[str, Any]]:
        """The latest first."""
        return [change._asdict() for change in list(self._kept)[::-1][:count]]
