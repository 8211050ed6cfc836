"""What every engine does: the same statements, the same answers."""

from collections.abc import Callable

import pytest

from aiproxy.config.schema import MEMORY
from aiproxy.storage.state.batch import Batch, write
from aiproxy.storage.state.database import Database, StateRefused
from aiproxy.storage.state.migrations import MIGRATIONS, VERSION
from aiproxy.storage.state.postgres import PostgresDatabase
from aiproxy.storage.state.retention import DAY, PIECE, Retention, tidy
from aiproxy.storage.state.rows import (
    COOLDOWNS,
    COUNTERS,
    REQUESTS,
    TABLES,
    USAGE,
    AffinityRow,
    QuotaRow,
    RequestRow,
    Table,
    UsageRow,
)
from aiproxy.storage.state.sqlite import SqliteDatabase
from tests.storage.state.rows import cooldown, counter, log, request, usage

Engine = Callable[[], Database]


def stored(database: Database, table: Table) -> list[object]:
    with database.transaction(writes=False) as session:
        return [table.row(*values) for values in session.rows(table.select)]


def written(database: Database, batch: Batch, number: int = 1, writer: str = "w") -> bool:
    with database.transaction() as session:
        return write(session, batch, writer, number, 1000.0)


def test_rows_come_back_as_they_went(engine: Engine) -> None:
    database = engine()
    batch = Batch()
    quota = QuotaRow("digest-1", "5h", 100.0, None, 2000.0, 1000.0)
    affinity = AffinityRow("session-1", "digest-1", 5000.0, 1000.0)
    batch.append(log(usage()))
    batch.append(log(request()))
    batch.put(cooldown())
    batch.put(quota)
    batch.put(affinity)
    batch.add(counter(7))
    assert written(database, batch)
    rows = [usage(), request(), cooldown(), quota, affinity, counter(7)]
    assert [row for table in TABLES for row in stored(database, table)] == rows


def test_a_batch_sent_again_counts_once(engine: Engine) -> None:
    database = engine()
    batch = Batch()
    batch.append(log(usage()))
    batch.add(counter(5))
    assert written(database, batch, number=1)
    assert not written(database, batch, number=1)
    assert written(database, batch, number=2)
    assert written(database, batch, number=1, writer="another")
    assert len(stored(database, USAGE)) == 3
    assert stored(database, COUNTERS) == [counter(15)]


def test_nothing_of_a_batch_that_fails_is_written(engine: Engine) -> None:
    database = engine()
    batch = Batch()
    batch.append(log(usage()))
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        session.rows(f"SELECT {int(write(session, batch, 'w', 1, 1000.0)) / 0}")
    assert stored(database, USAGE) == []
    assert written(database, batch, number=1)


def test_the_newer_of_two_rows_stays_whoever_is_late(engine: Engine) -> None:
    database = engine()
    for number, row in enumerate([cooldown("new", 2000.0), cooldown("old", 1000.0)], 1):
        batch = Batch()
        batch.put(row)
        written(database, batch, number)
    assert stored(database, COOLDOWNS) == [cooldown("new", 2000.0)]
    for number, (at, left) in enumerate([(1500.0, 1), (2000.0, 0)], 3):
        batch = Batch()
        batch.remove(COOLDOWNS, ("digest-1", "gpt-5.4"), at)
        written(database, batch, number)
        assert len(stored(database, COOLDOWNS)) == left


def test_columns_that_a_batch_leaves_out_are_filled_in_as_the_row_has_them(engine: Engine) -> None:
    database = engine()
    plain = UsageRow(1.0, "n", "req_1", 1, "c", "p", "o", "a", "v", "m", 0.5, "complete")
    full = plain._replace(request_id="req_2", upstream_status=429, cost=0.0, raw="{}", tags='["t"]', image_out=0)
    for number, rows in enumerate([[plain], [full], [plain, full]], 1):
        batch = Batch()
        batch.append(log(*rows))
        written(database, batch, number)
    assert (
        len(log(plain, plain).columns) == 12 + 2
    )  # what has no default in the database is always told: `error`, `server_tools`
    assert log(plain, full).rows == [plain, full]
    assert log(plain, full).may_hold("req_2")
    assert not log(plain).may_hold("req_2")
    assert stored(database, USAGE) == [plain, full, plain, full]


def test_the_clock_is_the_engines_own_and_right(engine: Engine) -> None:
    from time import time

    database = engine()
    with database.transaction(writes=False) as session:
        [(now,)] = session.rows(f"SELECT {database.now}")
    assert abs(float(now) - time()) < 5


def test_what_is_too_old_goes_and_then_what_is_too_much(engine: Engine) -> None:
    database = engine()
    now = 100 * DAY
    batch = Batch()
    batch.append(log(*[usage(f"req_{number}", at=now - 31 * DAY) for number in range(PIECE + 10)]))
    batch.append(log(*[usage(f"req_{number}", at=now - DAY) for number in range(100)]))
    batch.put(cooldown(changed=now - 3 * DAY, account="long-over"))
    batch.put(cooldown(changed=now, account="now"))
    written(database, batch)
    retention = Retention(days=30, megabytes=1000)
    pieces = 0
    while tidy(database, retention, now):
        pieces += 1
    assert pieces == 2
    assert len(stored(database, USAGE)) == 100
    assert stored(database, COOLDOWNS) == [cooldown(changed=now, account="now")]
    assert 100 * 100 < database.live_bytes() < 600_000
    assert tidy(database, Retention(days=30, megabytes=0.001), now)
    assert stored(database, USAGE) == []


def test_of_too_much_calls_go_with_attempts_of_their_time(engine: Engine) -> None:
    database = engine()
    batch = Batch()
    batch.append(log(*[usage(f"req_{number}", at=float(number)) for number in range(2 * PIECE)]))
    batch.append(log(*[request(f"req_{number}", at=float(number)) for number in (0, PIECE - 1, PIECE, 2 * PIECE - 1)]))
    written(database, batch)
    everything = Retention(days=30, megabytes=0.0001)
    left = []
    while tidy(database, everything, 0.0):
        left.append(([row.at for row in map(as_request, stored(database, REQUESTS))], len(stored(database, USAGE))))
    assert left == [([float(PIECE), 2.0 * PIECE - 1], PIECE), ([], 0)]


def as_request(row: object) -> RequestRow:
    assert isinstance(row, RequestRow)
    return row


def test_a_second_opening_finds_what_the_first_wrote(engine: Engine) -> None:
    first = engine()
    batch = Batch()
    batch.append(log(usage()))
    written(first, batch)
    if first.where == MEMORY:
        assert first.another() is first
        return
    assert stored(engine(), USAGE) == [usage()]
    beside = first.another()
    assert stored(beside, USAGE) == [usage()]
    beside.close()
    first.vacuum()
    assert stored(first, USAGE) == [usage()]


def test_the_tables_are_made_of_the_rows(engine: Engine) -> None:
    database = engine()
    with database.transaction() as session:
        for table in TABLES:
            assert session.rows(table.select) == []
            assert set(table.key) <= set(table.columns)


def later(database: Database) -> Database:
    """The same database, seen by a program that knows one more migration."""
    more = (*MIGRATIONS, ("ALTER TABLE usage ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'",))
    if isinstance(database, SqliteDatabase):
        return SqliteDatabase(database.path, migrations=more)
    assert isinstance(database, PostgresDatabase)
    return PostgresDatabase(database._url, migrations=more)


def test_a_newer_version_migrates_and_the_older_program_refuses_it(engine: Engine) -> None:
    first = engine()
    if first.where == MEMORY:
        return
    batch = Batch()
    batch.append(log(usage()))
    written(first, batch)
    first.close()
    newer = later(first)
    with newer.transaction() as session:
        assert session.rows("SELECT request_id, colour FROM usage") == [("req_1", "blue")]
    newer.close()
    with pytest.raises(
        StateRefused, match=rf"written by a newer aiproxy \(its version is {VERSION + 1}.*knows {VERSION}"
    ):
        first.open()
    with newer.transaction() as session:
        assert session.rows("SELECT request_id, colour FROM usage") == [("req_1", "blue")]
    newer.close()


def test_requests_and_usage_are_found_by_request(engine: Engine) -> None:
    database = engine()
    batch = Batch()
    for name in ("req_1", "req_2"):
        batch.append(log(request(name)))
    written(database, batch)
    with database.transaction(writes=False) as session:
        found = session.rows(f"{REQUESTS.select} WHERE request_id = ?", ("req_2",))
    assert [REQUESTS.row(*values) for values in found] == [request("req_2")]
