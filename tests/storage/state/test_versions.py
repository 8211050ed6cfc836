"""A database of every earlier version, as it was dumped then, is brought to the present one with all it holds."""

import sqlite3
from pathlib import Path

import psycopg
import pytest

from aiproxy.storage.state.batch import Batch, write
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.migrations import VERSION
from aiproxy.storage.state.postgres import PostgresDatabase
from aiproxy.storage.state.rows import TABLES
from aiproxy.storage.state.sqlite import SqliteDatabase
from tests.rig.postgres import Postgres
from tests.storage.state.make_version import ROWS, VERSIONS
from tests.storage.state.rows import log, usage
from tests.storage.state.test_databases import stored

ALL = pytest.mark.parametrize("version", range(1, VERSION + 1))


def check(database: Database) -> None:
    database.open()
    assert [row for table in TABLES for row in stored(database, table)] == list(ROWS)
    batch = Batch()
    batch.append(log(usage("req_new")))
    with database.transaction() as session:
        assert write(session, batch, "w", 1, 1000.0)
    database.close()


@ALL
def test_sqlite(version: int, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.executescript((VERSIONS / f"{version}.sqlite.sql").read_text())
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    connection.close()
    check(SqliteDatabase(path))
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    connection.close()


@ALL
def test_postgresql(version: int, postgres: Postgres) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((VERSIONS / f"{version}.postgresql.sql").read_bytes())
        assert connection.execute("SELECT version FROM aiproxy_state.version").fetchall() == [(version,)]
    check(PostgresDatabase(url))
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT version FROM aiproxy_state.version").fetchall() == [(VERSION,)]
