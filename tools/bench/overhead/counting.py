"""The gateway under test: it counts calls by more and more means, turn by turn, and tells what each turn cost.

    python -m bench.overhead.counting --config CONFIG --seconds SECONDS --rounds ROUNDS

A line of JSON a turn: what was counted by (`nothing`; the record; it and metrics; all), the calls, their CPU seconds."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import process_time
from typing import Any
from unittest.mock import patch

from twisted.internet import reactor as installed  # noqa: TID251 - this is a program of its own
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import globalLogBeginner

from aiproxy.gateway import attempt, rounds
from aiproxy.gateway.telling import Telling
from aiproxy.service import GatewayService
from aiproxy.tap import Options, makeService
from aiproxy.usage import Attempt, CallRecord, Choice, Journal, Outcome
from aiproxy.usage.prices import Prices

MEANS = ("nothing", "record", "metrics", "ledger")
"""In the order they are added: each turn has those before, too."""

SETTLE = 1.0
"""Seconds at the beginning of a turn that don't count: what was counted in the turn before is being written."""

reactor: Any = installed


@dataclass(frozen=True, slots=True)
class Turn:
    means: str
    calls: int
    cpu: float


class Counting:
    def __init__(self, service: GatewayService) -> None:
        self._telling = service.gateway.ended
        self._everybody = [*self._telling.observers]
        self._ledger = service
        self.calls = 0

    @contextmanager
    def by(self, means: str) -> Iterator[None]:
        """Until the end of the block. The calls are counted here, at the same price in every turn."""
        note = Telling.note

        def noted(telling: Telling, record: CallRecord) -> None:
            self.calls += 1
            note(telling, record)

        observers = {"nothing": [], "record": [], "metrics": self._others(), "ledger": self._everybody}[means]
        with ExitStack() as patched:
            patched.enter_context(patch.object(Telling, "note", noted))
            patched.enter_context(patch.object(self._telling, "observers", observers))
            if means != "ledger":
                patched.enter_context(patch.object(Prices, "cost", lambda *_: None))
            if means == "nothing":
                nobody = Choice(0.0, "", "", "", "", 0.0, ())
                nothing = Attempt("", "", "", 0.0, 0.0, Outcome.COMPLETE)
                patched.enter_context(patch.object(Journal, "note", lambda *_: None))
                patched.enter_context(patch.object(rounds, "noted", lambda *_: nobody))
                patched.enter_context(patch.object(attempt, "Attempt", lambda *_, **__: nothing))
            yield
            self._telling.now()

    def _others(self) -> list[Any]:
        return [each for each in self._everybody if getattr(each, "__self__", None) is not self._ledger]

    async def turn(self, means: str, seconds: float) -> Turn:
        with self.by(means):
            await deferLater(reactor, SETTLE)
            calls, cpu = self.calls, process_time()
            await deferLater(reactor, seconds)
            return Turn(means, self.calls - calls, process_time() - cpu)


async def take_turns(counting: Counting, seconds: float, count: int) -> None:
    while not counting.calls:  # the load comes when we answer
        with counting.by("ledger"):
            await deferLater(reactor, SETTLE)
    for number in range(count):
        for means in MEANS if number % 2 else MEANS[::-1]:  # what drifts meanwhile does so for all alike
            turn = await counting.turn(means, seconds)
            print(json.dumps({"means": turn.means, "calls": turn.calls, "cpu": turn.cpu}), flush=True)


def main() -> None:
    parser = ArgumentParser(prog="bench.overhead.counting", description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--seconds", type=float, required=True)
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
    turns = Deferred.fromCoroutine(take_turns(Counting(service), asked.seconds, asked.rounds))
    turns.addErrback(lambda failure: failure.printTraceback())
    turns.addBoth(lambda _: reactor.stop())
    reactor.run()


if __name__ == "__main__":
    main()
