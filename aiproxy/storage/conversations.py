"""Which account a conversation is bound to, kept over restarts: its prompt cache outlives us. Between processes it isn't told:
a conversation that comes to another node costs one cold cache there."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.pools.affinity import Bound
from aiproxy.pools.pool import Pool
from aiproxy.storage.state.calls import text
from aiproxy.storage.state.database import Session, StateRefused, StateUnavailable
from aiproxy.storage.state.rows import AFFINITY, AffinityRow
from aiproxy.storage.state.state import State

SAVE_SECONDS = 60.0
"""Between looks at all bindings, of which there may be thousands. A crash costs the last minute's, which are bound anew."""

WORTH_SAVING = 60.0
"""Seconds by which a binding must have been prolonged to be written again."""

_log = Logger("aiproxy.conversations")


class Conversations:
    def __init__(self, reactor: Any, pool: Pool, state: State) -> None:
        self._pool = pool
        self._state = state
        self._saved: dict[str, Bound] = {}
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
        self._pool.bind((Bound(row.session, row.account, row.model, row.until) for row in rows), self._state.now())

    def _save(self) -> None:
        now = self._state.now()
        before, self._saved = self._saved, {}
        for bound in self._pool.bound(now):
            if text(bound.session + bound.model) != bound.session + bound.model:
                continue  # no database takes it
            known = before.get(bound.session)
            if known is not None and _same(known, bound):
                self._saved[bound.session] = known
                continue
            self._saved[bound.session] = bound
            self._state.put(AffinityRow(bound.session, bound.account, bound.until, now, bound.model))


def _same(known: Bound, bound: Bound) -> bool:
    same = (known.account, known.model) == (bound.account, bound.model)
    return same and bound.until - known.until < WORTH_SAVING


def _all_rows(session: Session) -> list[AffinityRow]:
    return [AffinityRow(*values) for values in session.rows(AFFINITY.select)]


def _failed(failure: Failure) -> None:
    _log.failure("conversations that were kept could not be taken over", failure=failure)
