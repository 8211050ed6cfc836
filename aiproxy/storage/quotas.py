"""What vendors have said of accounts' quotas, kept over restarts: a week's window outlives us."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.pools.quota import QuotaBook, Window
from aiproxy.storage.state.database import Session, StateRefused, StateUnavailable
from aiproxy.storage.state.rows import QUOTAS, QuotaRow
from aiproxy.storage.state.state import State

SAVE_SECONDS = 10.0
"""Between looks at all windows. A crash costs what was said in that time, and the next answer says it again."""

OF_MODEL = "model:"
"""What the period of a model's own window begins with: its window is called as it is, and says nothing of the whole account."""

_log = Logger("aiproxy.quotas")


class Quotas:
    def __init__(self, reactor: Any, book: QuotaBook, state: State) -> None:
        self._book = book
        self._state = state
        self._saved: dict[tuple[str, str], Window] = {}
        self._saves = LoopingCall(self._save)
        self._saves.clock = reactor

    def start(self) -> None:
        Deferred.fromCoroutine(self._load()).addErrback(_failed)
        self._saves.start(SAVE_SECONDS, now=False)

    def stop(self) -> None:
        """Before the state stops."""
        self._saves.stop()
        self._save()

    async def _load(self) -> None:
        try:
            rows = await self._state.transact(_all_rows)
        except (StateUnavailable, StateRefused):
            return  # the state says so itself
        now = self._state.now()
        known = {(account, window.name) for account, window in self._book.all(now)}
        for row in rows:
            model = row.period.removeprefix(OF_MODEL) if row.period.startswith(OF_MODEL) else ""
            name = model or row.period
            if row.allowed and row.remaining is not None and (row.account, name) not in known:
                used = 1 - row.remaining / row.allowed
                # The rest of an account whose window is used up is kept with the other rests.
                self._book.saw(row.account, [Window(name, used, row.resets_at, model, guards=False)])

    def _save(self) -> None:
        """A window's amounts are shares of it: nobody says more."""
        now = self._state.now()
        before, self._saved = self._saved, {}
        for account, window in self._book.all(now):
            self._saved[account, window.name] = window
            if before.get((account, window.name)) != window:
                period = f"{OF_MODEL}{window.model}" if window.model else window.name
                self._state.put(QuotaRow(account, period, 1.0, 1.0 - window.used, window.ends, now))


def _all_rows(session: Session) -> list[QuotaRow]:
    return [QuotaRow(*values) for values in session.rows(QUOTAS.select)]


def _failed(failure: Failure) -> None:
    _log.failure("quotas that were kept could not be taken over", failure=failure)
