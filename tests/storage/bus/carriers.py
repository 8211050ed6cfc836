"""Two members of a bus, for each carrier, and waiting for what they hear."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from twisted.internet.task import deferLater

from aiproxy.storage.bus import Bus, Carrier, Hub, Message, Topic
from aiproxy.storage.bus.amp import AmpCarrier, AmpHub
from aiproxy.storage.bus.postgres import PostgresCarrier
from tests.rig.postgres import Postgres

PATIENCE = 10.0
"""Seconds. A thousand times what a message takes."""


class Ear:
    """What a member heard, and how often it was told that it missed something."""

    def __init__(self, reactor: Any, bus: Bus) -> None:
        self.reactor = reactor
        self.bus = bus
        self.heard: list[Message] = []
        self.missed = 0
        for topic in Topic:
            bus.subscribe(topic, self.heard.append)
        bus.when_missed(self._missed)

    def _missed(self) -> None:
        self.missed += 1

    async def until(self, happened: Callable[[], object]) -> None:
        await until(self.reactor, happened)


async def until(reactor: Any, happened: Callable[[], object]) -> None:
    end = reactor.seconds() + PATIENCE
    while not happened():
        assert reactor.seconds() < end, "it never happened"
        await deferLater(reactor, 0.005)


class Members:
    """Makes members on one carrier of a kind."""

    def __init__(self, reactor: Any, kind: str, postgres: Postgres | None) -> None:
        self.reactor = reactor
        self.kind = kind
        self.url = postgres.new_database() if postgres is not None else ""
        self.path = str(Path(mkdtemp(prefix="aiproxy-bus-")) / "bus")
        self.hub = AmpHub(reactor, self.path)
        self.local = Hub()
        self.made: list[Bus] = []

    def carrier(self) -> Carrier:
        match self.kind:
            case "amp":
                return AmpCarrier(self.reactor, self.path)
            case "postgresql":
                return PostgresCarrier(self.reactor, self.url)
        return self.local.join()

    async def member(self, now: Callable[[], float] | None = None) -> Ear:
        bus = Bus(self.carrier()) if now is None else Bus(self.carrier(), now)
        self.made.append(bus)
        ear = Ear(self.reactor, bus)
        bus.start()
        await ear.until(lambda: bus.carrier.connected)
        return ear


@asynccontextmanager
async def members(kind: str, postgres: Postgres | None) -> AsyncIterator[Members]:
    from twisted.internet import reactor

    made = Members(reactor, kind, postgres)
    if kind == "amp":
        made.hub.start()
    try:
        yield made
    finally:
        for bus in made.made:
            await bus.stop()
        if kind == "amp":
            await made.hub.stop()
