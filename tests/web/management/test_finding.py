"""One call by its id: where its rows wait, whoever has them, else in the state."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from aiproxy.neutral.errors import NotFound
from aiproxy.storage.bus import Bus, Hub
from aiproxy.storage.bus.asking import ANSWER_SECONDS, Asking
from aiproxy.storage.bus.batches import LARGEST_VALUE
from aiproxy.storage.state.recalling import Recalled
from aiproxy.web.management.finding import Finding
from tests.storage.state.rows import request, usage

SEVERAL = Recalled(request("several"), [usage("several", attempt=1), usage("several", attempt=2)])
LONG = Recalled(request("long")._replace(decision="x" * LARGEST_VALUE), [])
WRITTEN = Recalled(request("written"), [])


class Kept:
    """A state; what is written is what was asked for last, and `told` how often the gateway was told to hand over."""

    def __init__(self, *waiting: Recalled) -> None:
        self._waiting = {each.request.request_id: each for each in waiting}
        self.written: Recalled | None = None

    def now(self) -> float:
        return 0.0

    def waiting(self, request_id: str) -> Recalled | None:
        return self._waiting.get(request_id)

    async def read(self, _ask: Callable[[Any], Any]) -> Any:
        return self.written


class Workers:
    """Two of one node."""

    def __init__(self, here: Kept, there: Kept) -> None:
        self.clock, hub = Clock(), Hub()
        self.here, self.told = here, 0
        asking = []
        for _ in range(2):
            bus = Bus(hub.join())
            asking.append(Asking(self.clock, bus, lambda: 1))
            bus.start()
        self._finding = Finding(self._tell, here, asking[0])
        self.other = asking[1]
        Finding(self._tell, there, asking[1])

    def _tell(self) -> None:
        self.told += 1

    def find(self, request_id: str) -> Recalled:
        found: list[Any] = []
        Deferred.fromCoroutine(self._finding.find(request_id)).addBoth(found.append)
        if not found:
            self.clock.advance(ANSWER_SECONDS)
        return found[0] if isinstance(found[0], Recalled) else found[0].raiseException()


def test_it_is_found_with_us_with_another_and_in_the_state() -> None:
    for workers in (Workers(Kept(SEVERAL), Kept()), Workers(Kept(), Kept(SEVERAL))):
        assert workers.find("several") == SEVERAL
        assert workers.told, "what has ended just now waits with whoever counts calls"
    workers = Workers(Kept(), Kept())
    with pytest.raises(NotFound, match="'written'"):
        workers.find("written")
    workers.here.written = WRITTEN
    assert workers.find("written") == WRITTEN


def test_what_no_message_can_hold_is_read_where_it_is_written() -> None:
    workers = Workers(Kept(), Kept(LONG))
    workers.here.written = LONG
    assert workers.find("long") == LONG


def test_a_worker_of_another_version_is_not_misread() -> None:
    """Before 7 it answers to `call` with a text; while an upgrade goes on it is one of us."""
    workers = Workers(Kept(), Kept())
    workers.other.answer("call", lambda _: ["{}\n0.00 nobody\n"])
    workers.here.written = WRITTEN
    assert workers.find("written") == WRITTEN
