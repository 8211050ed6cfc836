"""Calls ended by their id: ours, another worker's, and what is told where none is under way."""

from collections import Counter
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from aiproxy.neutral.errors import EndedByOperator, GatewayError, NotFound
from aiproxy.storage.bus import Bus, Hub
from aiproxy.storage.bus.asking import ANSWER_SECONDS, Asking
from aiproxy.web.management.ending import Ending


class Worker:
    """With so many calls under way, by id."""

    def __init__(self, **under_way: int) -> None:
        self.under_way = Counter(under_way)
        self.reasons: list[GatewayError] = []

    def interrupt(self, request_id: str, reason: GatewayError) -> int:
        self.reasons.append(reason)
        return self.under_way.pop(request_id, 0)


def ended(request_id: str, *workers: Worker, hanging: int = 0) -> Any:
    """What the first of these workers tells, or raises; others hang."""
    clock, hub = Clock(), Hub()
    endings = []
    for worker in workers:
        bus = Bus(hub.join())
        endings.append(Ending(worker.interrupt, Asking(clock, bus, lambda: len(workers) - 1 + hanging)))
        bus.start()
    found: list[Any] = []
    Deferred.fromCoroutine(endings[0].end(request_id)).addBoth(found.append)
    assert bool(found) is not bool(hanging), "nobody is waited for but who hangs"
    clock.advance(ANSWER_SECONDS)
    return found[0] if isinstance(found[0], int) else found[0].raiseException()


def test_it_is_ended_wherever_it_is() -> None:
    assert ended("a", Worker(a=1), Worker(b=1)) == 1
    assert ended("a", Worker(b=1), Worker(a=1)) == 1
    assert ended("a", Worker(a=1), Worker(a=2), Worker()) == 3
    assert ended("a", Worker(a=1), hanging=1) == 1


def test_its_client_is_told_by_whom() -> None:
    worker = Worker(a=1)
    ended("a", worker, Worker())
    (reason,) = worker.reasons
    assert isinstance(reason, EndedByOperator)
    assert "An operator" in reason.message


def test_where_there_is_none_it_says_so_and_who_did_not_answer() -> None:
    with pytest.raises(NotFound, match=r"No call with the id 'a' is under way\.$"):
        ended("a", Worker(b=1), Worker())
    with pytest.raises(NotFound, match=r"under way\. 2 workers did not answer; ask again\.$"):
        ended("a", Worker(), hanging=2)
