"""The configuration's history at run time: noted as versions come into use, and looked at."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from aiproxy.documents import Documents
from aiproxy.storage.documents import digest
from aiproxy.storage.history import KEPT, KEPT_BYTES, remember, remembered
from aiproxy.storage.state.database import StateRefused, StateUnavailable
from aiproxy.storage.state.state import State
from aiproxy.storage.store import Change, Past, StoreError

_log = Logger("aiproxy.history")


class History:
    def __init__(self, documents: Documents, state: State) -> None:
        self._documents = documents
        self._state = state
        self._latest = ""
        documents.configured = self.note

    def note(self, body: bytes | None, change: Change) -> None:
        """This is in use now; None for what is kept nowhere. Nobody waits for it."""
        if body is not None and (change.author or digest(body) != self._latest):
            self._latest = digest(body)
            Deferred.fromCoroutine(self._note(body, change)).addErrback(
                lambda failure: _log.failure("a bug in noting the history", failure)
            )

    async def _note(self, body: bytes, change: Change) -> None:
        documents, at = self._documents, self._state.now()
        try:
            if await documents.past(1, 0) is None:
                keys, place = documents.keys, documents.place
                await self._state.transact(lambda session: remember(session, keys, place, at, body, change))
        except (StateUnavailable, StateRefused, StoreError) as error:
            _log.warn("the history of the configuration lacks a version: {why}", why=str(error))

    async def listed(self) -> Sequence[Past]:
        """The latest first. Raises `StoreError`, `StateUnavailable`."""
        if (kept := await self._documents.past(KEPT, KEPT_BYTES)) is not None:
            return kept
        keys, place = self._documents.keys, self._documents.place
        return await self._state.read(lambda session: remembered(session, keys, place))
