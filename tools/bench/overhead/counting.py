"""The gateway under test: it counts calls by more and more means, turn by turn, and tells what each turn cost.

    python -m bench.overhead.counting --config CONFIG --rounds ROUNDS

A line of JSON: the CPU seconds a call of the ledger's writing thread. Then one a round: by means, those of the reactor's thread.
Turns are short and come in a new order each round, so that what neighbours on the machine do meets all alike; what a turn's calls left to
be told is told within it."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from random import Random
from threading import enumerate as threads
from time import clock_gettime, pthread_getcpuclockid, thread_time
from typing import Any
from unittest.mock import patch

from twisted.internet import reactor as installed  # noqa: TID251 - this is a program of its own
from twisted.internet.defer import Deferred
from twisted.logger import globalLogBeginner

from aiproxy.gateway import attempt, rounds
from aiproxy.gateway.telling import Telling
from aiproxy.service import GatewayService
from aiproxy.tap import Options, makeService
from aiproxy.usage import Attempt, CallRecord, Choice, Outcome
from aiproxy.usage.prices import Prices

MEANS = ("nothing", "record", "metrics", "ledger")
"""In the order they are added: each turn has those before, too."""

CALLS = 500
"""Of a turn: a sixth of a second. Shorter than what disturbs it."""

UNCOUNTED = 128
"""At the beginning of a turn: those under way, and as many again, so that the processor knows the turn's code."""

reactor: Any = installed


class Counting:
    def __init__(self, service: GatewayService) -> None:
        self._telling = service.gateway.ended
        everybody = [*self._telling.observers]
        self._observers: Mapping[str, list[Any]] = {
            "nothing": [],
            "record": [],
            "metrics": [service.web.metrics.observe],
            "ledger": everybody,
        }
        self._left = 0
        self._counted: Deferred[None] | None = None

    @contextmanager
    def by(self, means: str) -> Iterator[None]:
        """Until the end of the block. The calls are counted here, at the same price in every turn."""
        note = Telling.note

        def noted(telling: Telling, record: CallRecord) -> None:
            self._left -= 1
            if not self._left:
                reactor.callLater(0, self._enough)
            if telling.observers:
                note(telling, record)

        with ExitStack() as patched:
            patched.enter_context(patch.object(Telling, "note", noted))
            patched.enter_context(patch.object(self._telling, "observers", self._observers[means]))
            if means != "ledger":
                patched.enter_context(patch.object(Prices, "cost", lambda *_: None))
            if means == "nothing":
                nobody = Choice(0.0, "", "", "", "", 0.0, ())
                nothing = Attempt("", "", "", 0.0, 0.0, Outcome.COMPLETE)
                patched.enter_context(patch.object(rounds, "noted", lambda *_: nobody))
                patched.enter_context(patch.object(attempt, "Attempt", lambda *_, **__: nothing))
            yield
            self._telling.now()

    def _enough(self) -> None:
        assert self._counted is not None
        self._counted.callback(None)

    async def calls(self, count: int) -> None:
        """Until so many more have ended."""
        self._left, self._counted = count, Deferred()
        await self._counted

    async def turn(self, means: str) -> float:
        """CPU seconds of the reactor's thread a call."""
        with self.by(means):
            await self.calls(UNCOUNTED)
            self._telling.now()
            began = thread_time()
            await self.calls(CALLS)
            self._telling.now()
            return (thread_time() - began) / CALLS


async def take_turns(counting: Counting, count: int) -> None:
    order = Random(8)  # noqa: S311 - spreads disturbances, guards nothing
    with counting.by("ledger"):
        await counting.calls(4 * CALLS)  # the load comes when we answer
        print(json.dumps({"writer": await written(counting, count * CALLS)}), flush=True)
    for _ in range(count):
        costs = {means: await counting.turn(means) for means in order.sample(MEANS, len(MEANS))}
        print(json.dumps(costs), flush=True)


async def written(counting: Counting, count: int) -> float:
    """CPU seconds of the ledger's thread a call, of so many in a row: its batches are as large then as they are usually."""
    writer = next(each for each in threads() if "state-writer" in each.name)
    assert writer.ident is not None
    clock = pthread_getcpuclockid(writer.ident)
    before = clock_gettime(clock)
    await counting.calls(count)
    return (clock_gettime(clock) - before) / count


def main() -> None:
    parser = ArgumentParser(prog="bench.overhead.counting", description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    asked = parser.parse_args()
    options = Options()
    options.parseOptions(["--config", asked.config])
    globalLogBeginner.beginLoggingTo([options.observer()], redirectStandardIO=False)
    service = makeService(options, reactor)
    assert isinstance(service, GatewayService)
    service.privilegedStartService()
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    turns = Deferred.fromCoroutine(take_turns(Counting(service), asked.rounds))
    turns.addErrback(lambda failure: failure.printTraceback(sys.stderr))
    turns.addBoth(lambda _: reactor.stop())
    reactor.run()


if __name__ == "__main__":
    main()
