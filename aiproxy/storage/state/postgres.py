"""State in PostgreSQL, in a schema of its own, for several nodes at once. Needs the extra `[postgres]`.

A connection that breaks is made anew by the next transaction; whoever calls decides when to try again."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import psycopg

from aiproxy.storage.state.database import Database, Session, StateUnavailable, Values, too_new
from aiproxy.storage.state.migrations import MIGRATIONS, Migration
from aiproxy.storage.state.rows import LOGS

SCHEMA = "aiproxy_state"

MIGRATION_LOCK = 0x61697078
"""The advisory lock under which one node at a time looks at the version and migrates."""

CONNECTION: dict[str, Any] = {
    "application_name": "aiproxy",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Seconds, and milliseconds in the last: a server that has gone without a word is noticed within about 15 seconds."""

ROW_OVERHEAD = 80
"""Bytes of a row beside its values: its header, its place in the page and in the indexes."""

SAMPLE = 1000
"""Rows whose size is measured to judge the size of all."""

_ID = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"


class PostgresDatabase:
    kind = "postgresql"
    now = "extract(epoch FROM clock_timestamp())"
    recovered = ""

    def __init__(self, url: str, *, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self._url = url
        self.where = _shown(url)
        self._migrations = migrations
        self._connection: psycopg.Connection | None = None

    def judge(self) -> None:
        """That needs the network."""

    def open(self) -> None:
        try:
            connection = connect(self._url)
        except psycopg.OperationalError as error:
            raise StateUnavailable(f"PostgreSQL can't be reached: {said(error)}") from error
        try:
            self._migrate(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            connection.close()
            raise StateUnavailable(
                f"PostgreSQL: {said(error)}; grant CREATE on the database, or create the schema {SCHEMA} for this user"
            ) from error
        except psycopg.OperationalError as error:
            connection.close()
            raise StateUnavailable(f"PostgreSQL: {said(error)}") from error
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _migrate(self, connection: psycopg.Connection) -> None:
        with connection.transaction():
            connection.execute(b"SELECT pg_advisory_xact_lock(%d)" % MIGRATION_LOCK)
            exists = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.version",)).fetchone()
            if exists == (None,):
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
                connection.execute(f"CREATE TABLE {SCHEMA}.version (version BIGINT NOT NULL)".encode())
            connection.execute(f"SET search_path TO {SCHEMA}".encode())
            if exists == (None,):
                connection.execute("INSERT INTO version VALUES (0)")
            found = connection.execute("SELECT version FROM version").fetchone()
            version: int = found[0] if found else 0
            if version > len(self._migrations):
                raise too_new(f"the PostgreSQL schema {SCHEMA}", version, len(self._migrations))
            for migration in self._migrations[version:]:
                for statement in migration:
                    connection.execute(statement.replace("{id}", _ID).encode())
            if version < len(self._migrations):
                connection.execute("UPDATE version SET version = %s", (len(self._migrations),))

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[Session]:
        if self._connection is None or self._connection.closed:
            self.open()
        assert self._connection is not None
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                if not writes:
                    cursor.execute("SET TRANSACTION READ ONLY")
                yield _PostgresSession(cursor)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self.close()
            raise StateUnavailable(f"PostgreSQL: {said(error)}") from error

    def live_bytes(self) -> int:
        """Of the logs, by the size of their latest rows: the files' own size doesn't fall when rows are deleted."""
        total = 0.0
        with self.transaction(writes=False) as session:
            for table in LOGS:
                latest = f"SELECT * FROM {table.name} ORDER BY id DESC LIMIT {SAMPLE}"  # noqa: S608 - names are ours
                [(first, last, size)] = session.rows(
                    f"SELECT (SELECT min(id) FROM {table.name}), max(id), avg(pg_column_size(latest.*)) FROM ({latest}) latest"  # noqa: S608
                )
                if size is not None:
                    total += (last - first + 1) * (float(size) + ROW_OVERHEAD)
        return int(total)

    def give_back(self) -> None:
        """Its own autovacuum does."""

    def vacuum(self) -> None:
        with self.transaction():  # connected, and on our schema
            pass
        assert self._connection is not None
        try:
            for table in LOGS:
                self._connection.execute(f"VACUUM FULL {table.name}".encode())
        except psycopg.OperationalError as error:
            raise StateUnavailable(f"PostgreSQL: {said(error)}") from error

    def another(self) -> Database:
        return PostgresDatabase(self._url, migrations=self._migrations)

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


class _PostgresSession:
    def __init__(self, cursor: psycopg.Cursor) -> None:
        self._cursor = cursor

    def run(self, sql: str, values: Values = ()) -> int:
        return self._cursor.execute(_marked(sql), values).rowcount

    def many(self, sql: str, rows: Iterable[Values]) -> None:
        self._cursor.executemany(_marked(sql), rows)

    def rows(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        return self._cursor.execute(_marked(sql), values).fetchall()


def connect(url: str) -> psycopg.Connection:
    """A connection that notices when its server has gone. Raises `psycopg.OperationalError`."""
    return psycopg.connect(url, autocommit=True, **CONNECTION)


def _shown(url: str) -> str:
    """Where it is, without who we are."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'local socket'}{parts.path}"


def said(error: psycopg.Error) -> str:
    """The first line: the rest repeats the statement."""
    return str(error).partition("\n")[0]


def _marked(sql: str) -> bytes:
    return sql.replace("?", "%s").encode()
