"""The gateway's side: what is handed over is written soon, in batches, once, and never in anybody's way."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import provider

from aiproxy.storage.state import state as states
from aiproxy.storage.state.asking import recalled
from aiproxy.storage.state.database import Database, Session, StateRefused, StateUnavailable
from aiproxy.storage.state.postgres import PostgresDatabase
from aiproxy.storage.state.recalling import Recalled
from aiproxy.storage.state.retention import DAY, Retention
from aiproxy.storage.state.rows import COOLDOWNS, COUNTERS, REQUESTS, USAGE, Table
from aiproxy.storage.state.sqlite import SqliteDatabase
from aiproxy.storage.state.state import State
from tests.rig.postgres import Postgres
from tests.storage.bus.carriers import until
from tests.storage.state.rows import cooldown, counter, log, request, usage
from tests.transports.servers import edge

KEEP = Retention(days=90, megabytes=1000)


@asynccontextmanager
async def started(database: Database, *, tidies: bool = False) -> AsyncIterator[State]:
    """Rows of tests are of 1970: they stay while it doesn't tidy up."""
    from twisted.internet import reactor

    state = State(reactor, database, KEEP)
    state._tidy_at = 0.0 if tidies else inf
    state.start()
    try:
        yield state
    finally:
        if state.started:
            await state.stop()


async def count(state: State, table: Table = USAGE) -> int:
    def ask(session: Session) -> int:
        return int(session.rows(f"SELECT count(*) FROM {table.name}")[0][0])

    return await state.read(ask)


def reactor_of() -> Any:
    from twisted.internet import reactor

    return reactor


@edge
async def test_rows_are_written_within_a_second_and_can_be_read(engine: Callable[[], Database]) -> None:
    async with started(engine()) as state:
        began = reactor_of().seconds()
        state.append(log(usage()))
        state.append(log(request()))
        state.put(cooldown())
        state.add(counter(2))
        state.add(counter(3))
        await until(reactor_of(), lambda: state.status.written is not None)
        assert reactor_of().seconds() - began < 2  # half a second, on a busy machine too
        assert [await count(state, table) for table in (USAGE, REQUESTS, COOLDOWNS, COUNTERS)] == [1, 1, 1, 1]
        state.remove(COOLDOWNS, ("digest-1", "gpt-5.4"))
        assert state.status.queued == 0


@edge
async def test_a_call_that_waits_to_be_written_is_found_and_then_it_is_in_the_database(
    engine: Callable[[], Database],
) -> None:
    async with started(engine()) as state:
        lone = usage("lone")._replace(before=0.25, chosen="strategy")
        failed, again = request("several", at=1000.0), request("several", at=5000.0)
        attempts = [usage("several", at=5000.0 - rest, attempt=number) for number, rest in ((1, 0.3), (2, 0.1))]
        state.append(log(failed, again))
        state.append(log(lone, *attempts, usage("several", at=1000.0)))
        waiting = {name: state.waiting(name) for name in ("lone", "several", "nobody")}
        for look in (waiting["lone"], await written(state, "lone")):
            assert look is not None
            assert (look.request.seconds, look.request.attempts, look.attempts) == (0.5, 1, [lone])
        assert waiting["several"] == await written(state, "several") == Recalled(again, attempts)
        assert waiting["nobody"] is state.waiting("lone") is await written(state, "nobody") is None


async def written(state: State, request_id: str) -> Recalled | None:
    await until(reactor_of(), lambda: not state.queued)
    return await state.read(partial(recalled, request_id=request_id))


@edge
async def test_a_stop_writes_what_is_left(engine: Callable[[], Database], tmp_path: Path) -> None:
    database = engine()
    async with started(database) as state:
        for number in range(1000):
            state.append(log(usage(f"req_{number}")))
        assert state.status.queued == 1000
        await state.stop()
        assert state.status.queued == 0
    if database.where != "memory":
        async with started(engine()) as again:
            assert await count(again) == 1000


@edge
async def test_a_server_that_is_away_costs_nothing_and_nothing_counts_twice(postgres: Postgres) -> None:
    async with started(PostgresDatabase(postgres.new_database())) as state:
        state.append(log(usage("before")))
        state.add(counter(1))
        await until(reactor_of(), lambda: state.status.written is not None)
        postgres.stop()
        try:
            state.append(log(usage("meanwhile")))
            state.add(counter(1))
            await until(reactor_of(), lambda: state.status.problem)
            assert "PostgreSQL" in state.status.problem
            with pytest.raises(StateUnavailable):
                await count(state)
        finally:
            postgres.start()
        state.append(log(usage("after")))
        await until(reactor_of(), lambda: not state.status.problem and not state.status.queued)
        assert await count(state) == 3
        amounts = await state.read(lambda session: session.rows("SELECT amount FROM counters"))
        assert amounts == [(2,)]
        assert state.status.dropped == 0


@edge
async def test_a_server_that_is_away_at_the_start_is_waited_for(postgres: Postgres) -> None:
    url = postgres.new_database()
    postgres.stop()
    try:
        async with started(PostgresDatabase(url)) as state:
            state.append(log(usage()))
            await until(reactor_of(), lambda: state.status.problem)
            postgres.start()
            await until(reactor_of(), lambda: state.status.written is not None)
            assert await count(state) == 1
    finally:
        postgres.start()


@edge
async def test_a_stop_without_a_server_says_what_is_lost() -> None:
    lost: list[LogEvent] = []

    @provider(ILogObserver)
    def note(event: LogEvent) -> None:
        lost.append(event)

    globalLogPublisher.addObserver(note)
    try:
        async with started(PostgresDatabase("postgresql://localhost:1/nowhere")) as state:
            state.append(log(usage()))
    finally:
        globalLogPublisher.removeObserver(note)
    assert any("records are lost" in event["log_format"] and event["count"] == 1 for event in lost)


@edge
async def test_what_the_queue_cannot_hold_is_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "QUEUE_ROWS", 10)
    async with started(SqliteDatabase(tmp_path / "state.db")) as state:
        for number in range(25):
            state.append(log(usage(f"req_{number}")))
        await until(reactor_of(), lambda: state.status.written is not None)
        assert await count(state) == 10
        assert state.status.dropped == 15


@edge
async def test_a_disk_that_says_no_is_a_problem_until_it_says_yes(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("")
    async with started(SqliteDatabase(tmp_path / "in-the-way" / "state.db")) as state:
        state.append(log(usage()))
        await until(reactor_of(), lambda: state.status.problem)
        assert "can't be opened" in state.status.problem
        (tmp_path / "in-the-way").unlink()
        await until(reactor_of(), lambda: state.status.written is not None)
        assert await count(state) == 1


@edge
async def test_a_value_no_database_takes_does_not_block_the_rest(engine: Callable[[], Database]) -> None:
    async with started(engine()) as state:
        await until(reactor_of(), lambda: state._opened)
        state.append(log(usage("before")))
        state.append(log(usage("bad", attempt=2**70)))
        state.put(cooldown())
        state.add(counter(3))
        await until(reactor_of(), lambda: state.status.dropped)
        state.append(log(usage("after")))
        await until(reactor_of(), lambda: state.status.written is not None and not state.status.queued)
        assert [await count(state, table) for table in (USAGE, COOLDOWNS, COUNTERS)] == [2, 1, 1]
        assert state.status.dropped == 1


@edge
async def test_a_database_that_is_not_for_us_ends_the_start(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n")
    state = State(reactor_of(), SqliteDatabase(path), KEEP)
    with pytest.raises(StateRefused, match="text file"):
        state.start()
    assert not state.started


@edge
async def test_what_retention_lets_go_goes_by_itself(engine: Callable[[], Database]) -> None:
    async with started(engine(), tidies=True) as state:
        for number in range(6000):
            state.append(log(usage(f"req_{number}", at=state.now() - 91 * DAY)))
        state.append(log(usage("kept", at=state.now())))
        await until(reactor_of(), lambda: state.status.written is not None)
        state._tidy_at = 0.0
        await until(reactor_of(), lambda: state._tidy_at > state.now())
        assert await count(state) == 1
