"""What client keys have used of a day or a month, kept in the state: told as it happens, taken back at the start. For a
gateway that is one process; several share their limits by `slices`."""

from time import time

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.clients import Limiter
from aiproxy.clients.limits import periods
from aiproxy.storage.state.calls import text
from aiproxy.storage.state.database import Session, StateRefused, StateUnavailable
from aiproxy.storage.state.rows import COUNTERS, CounterRow
from aiproxy.storage.state.state import State

_log = Logger("aiproxy.state")


class Spending:
    def __init__(self, limiter: Limiter, state: State) -> None:
        self._limiter = limiter
        self._state = state
        limiter.spent = self._spent

    def start(self) -> None:
        """Before any call has ended: what is read doesn't hold what this process has written."""
        Deferred.fromCoroutine(self._load()).addErrback(_failed)

    def _spent(self, holder: str, counts: str, period: str, amount: int) -> None:
        self._state.add(CounterRow(text(holder), counts, period, amount, self._state.now()))

    async def _load(self) -> None:
        try:
            rows = await self._state.transact(_running)
        except (StateUnavailable, StateRefused):
            return  # the state says so itself
        for row in rows:
            self._limiter.remember(row.client, row.meter, row.period, row.amount)


def _running(session: Session) -> list[CounterRow]:
    """The counters of this day and month."""
    day, month = periods(time()).values()
    return [CounterRow(*v) for v in session.rows(f"{COUNTERS.select} WHERE period = ? OR period = ?", (day, month))]


def _failed(failure: Failure) -> None:
    _log.failure("what client keys had used could not be taken over", failure=failure)
