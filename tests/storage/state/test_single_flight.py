"""A refresh with a single-use token is done once, whoever asks, and a holder that dies is replaced."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock, deferLater

from aiproxy.storage.single_flight import RENEW_SECONDS, Flight, Lost, SingleFlight
from aiproxy.storage.state import locks
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.sqlite import SqliteDatabase
from tests.storage.bus.carriers import until
from tests.storage.state.test_state import reactor_of, started
from tests.transports.servers import edge


class Issuer:
    """A token endpoint whose refresh tokens are single use, and the place where what it gave is kept."""

    def __init__(self) -> None:
        self.kept = "refresh-0"
        self.access: str | None = None
        self.used: list[str] = []
        self.inside = 0

    async def look(self) -> str | None:
        return self.access

    async def refresh(self, flight: Flight) -> str:
        await flight.check()
        assert self.inside == 0, "two at a time"
        self.inside += 1
        self.used.append(self.kept)
        await deferLater(reactor_of(), 0.05)
        self.inside -= 1
        self.kept = f"refresh-{len(self.used)}"
        self.access = f"access-{len(self.used)}"
        return self.access


@edge
async def test_twenty_callers_of_two_nodes_refresh_once(engine: Callable[[], Database]) -> None:
    issuer = Issuer()
    async with started(engine()) as first, started(engine()) as second:
        nodes = [first, first if first.database.where == "memory" else second]
        flights = [SingleFlight(reactor_of(), node) for node in nodes]
        runs = [
            Deferred.fromCoroutine(flights[number % 2].run("refresh/a", issuer.look, issuer.refresh))
            for number in range(20)
        ]
        assert set(await gatherResults(runs)) == {"access-1"}
        assert issuer.used == ["refresh-0"]
        issuer.access = None
        assert await flights[0].run("refresh/a", issuer.look, issuer.refresh) == "access-2"
        assert issuer.used == ["refresh-0", "refresh-1"]


@edge
async def test_work_that_fails_lets_the_next_one_try(engine: Callable[[], Database]) -> None:
    issuer = Issuer()

    async def broken(_flight: Flight) -> str:
        raise RuntimeError("the endpoint is out")

    async with started(engine()) as state:
        flight = SingleFlight(reactor_of(), state)
        with pytest.raises(RuntimeError):
            await flight.run("refresh/a", issuer.look, broken)
        assert await flight.run("refresh/a", issuer.look, issuer.refresh) == "access-1"


def expire(database: Database) -> Callable[[Any], int]:
    return lambda session: session.run(f"UPDATE locks SET until = {database.now} - 1")


@edge
async def test_a_holder_that_dies_is_replaced_and_finds_that_it_was(engine: Callable[[], Database]) -> None:
    async with started(engine()) as state:
        now = state.database.now
        dead = await state.transact(lambda session: locks.acquire(session, now, "refresh/a", "dead"))
        assert dead is not None
        assert await state.transact(lambda session: locks.acquire(session, now, "refresh/a", "next")) is None
        await state.transact(expire(state.database))
        alive = await state.transact(lambda session: locks.acquire(session, now, "refresh/a", "next"))
        assert alive is not None
        assert alive.fence > dead.fence
        with pytest.raises(Lost):
            await Flight(state, dead).check()
        assert not await state.transact(lambda session: locks.release(session, dead))
        await Flight(state, alive).check()
        assert await state.transact(lambda session: locks.release(session, alive))


@edge
async def test_work_ends_when_its_lock_is_taken_over(tmp_path: Any) -> None:
    clock = Clock()
    never: Deferred[str] = Deferred()
    begun: list[Flight] = []

    async def hang(flight: Flight) -> str:
        begun.append(flight)
        return await never

    async def look() -> str | None:
        return None

    async with started(SqliteDatabase(tmp_path / "state.db")) as state:
        running = Deferred.fromCoroutine(SingleFlight(clock, state).run("refresh/a", look, hang))
        await until(reactor_of(), lambda: begun)
        now = state.database.now
        await state.transact(expire(state.database))
        assert await state.transact(lambda session: locks.acquire(session, now, "refresh/a", "other"))
        clock.advance(RENEW_SECONDS)
        with pytest.raises(Lost, match="taken over"):
            await running
