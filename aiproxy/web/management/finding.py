"""One call by its id, wherever its rows are: with us or with another worker, not written yet, or in the state."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from aiproxy.neutral.errors import NotFound
from aiproxy.storage.bus.asking import Asking
from aiproxy.storage.state.asking import recalled
from aiproxy.storage.state.migrations import VERSION
from aiproxy.storage.state.recalling import Recalled
from aiproxy.storage.state.rows import RequestRow, UsageRow
from aiproxy.web.management.kept import Kept, asked_of

CALL = f"call-{VERSION}"
"""What the other workers are asked; while an upgrade goes on, those of another version, whose rows may be of other columns, don't know it."""


class Waits(Kept, Protocol):
    """The state, whose latest rows wait to be written."""

    def waiting(self, request_id: str) -> Recalled | None: ...


class Finding:
    """`tell` has the state given what has ended."""

    def __init__(self, tell: Callable[[], None], state: Waits, asking: Asking) -> None:
        self._tell = tell
        self._state = state
        self._asking = asking
        asking.answer(CALL, lambda about: self._answer(str(about.get("request_id"))))

    async def find(self, request_id: str) -> Recalled:
        """Raises `NotFound`, and `Overloaded` while the database is away. Who may have it waiting is asked before the state: what has been
        written meanwhile is there then."""
        if here := self._here(request_id):
            return here
        others = await self._asking.ask(CALL, {"request_id": request_id})
        for given in others.given:
            if given and None not in given:  # else it is more than a message holds, and soon in the state
                return _read(*given)
        found = await asked_of(self._state, partial(recalled, request_id=request_id))
        if found is None:
            raise NotFound(f"No call with the id {request_id!r} is kept.", param="request_id")
        return found

    def _here(self, request_id: str) -> Recalled | None:
        self._tell()
        return self._state.waiting(request_id)

    def _answer(self, request_id: str) -> Iterator[Mapping[str, Any]]:
        """The call's own row, then those of its attempts; or nothing."""
        if here := self._here(request_id):
            yield here.request._asdict()
            yield from (row._asdict() for row in here.attempts)


def _read(request: Mapping[str, Any], *attempts: Mapping[str, Any]) -> Recalled:
    return Recalled(RequestRow(**request), [UsageRow(**each) for each in attempts])
