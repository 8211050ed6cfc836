"""Documents in PostgreSQL: one row each, a version from a sequence, and a notification after every change."""

import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Lock, Timer
from typing import Any, LiteralString, cast

import psycopg
from psycopg import errors, sql

from aiproxy.storage.documents import largest
from aiproxy.storage.store import Change, Conflict, Entry, Unavailable

MIGRATIONS: tuple[LiteralString, ...] = (
    """
    CREATE SEQUENCE store_version;
    CREATE TABLE store_document (
        name text PRIMARY KEY,
        body bytea NOT NULL,
        version bigint NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(),
        author text NOT NULL,
        reason text NOT NULL
    );
    """,
)
"""Each brings the schema from the version of its place in the list to the next one. Never edit one that was released."""

CONNECT_SECONDS = 5
"""A server in reach accepts within milliseconds; the gateway serves from its mirror meanwhile."""

STATEMENT_SECONDS = 10
"""No statement here takes more than a second, with ten thousand documents."""

WAIT_SECONDS = 30.0
"""After this long without a notification we look all the same: a pooler in between may swallow them."""

STOP_SECONDS = 0.5
"""How often a wait looks whether it should end."""

_CHANNEL = "aiproxy_store"
_MIGRATING = 0x61697078
"""The advisory lock of migrations: any number, as long as it is always this one."""


class PostgresRemote:
    """A `Remote`. `dsn` is libpq's; `schema` is made if it is missing, empty means the server's default."""

    def __init__(self, dsn: str, schema: str = "") -> None:
        self._dsn = dsn
        self._schema = schema
        self._lock = Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._listening: psycopg.Connection[Any] | None = None
        self.place = _place(dsn, schema)

    # -- documents

    def versions(self) -> Mapping[str, str]:
        with self._transaction() as cursor:
            cursor.execute("SELECT name, version FROM store_document")
            return {name: str(version) for name, version in cursor}

    def fetch(self, names: Iterable[str]) -> Mapping[str, Entry]:
        wanted = list(names)
        with self._transaction() as cursor:
            limits = [largest(name) for name in wanted]
            cursor.execute(
                "SELECT d.name, d.body, d.version FROM store_document d"
                " JOIN unnest(%s::text[], %s::int[]) AS wanted (name, largest) USING (name)"
                " WHERE octet_length(d.body) <= wanted.largest",
                (wanted, limits),
            )
            return {name: Entry(bytes(body), str(version)) for name, body, version in cursor}

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        with self._transaction() as cursor:
            if expected is None:
                cursor.execute(
                    "INSERT INTO store_document (name, body, version, author, reason)"
                    " VALUES (%s, %s, nextval('store_version'), %s, %s)"
                    " ON CONFLICT DO NOTHING RETURNING version",
                    (name, body, change.author, change.reason),
                )
            else:
                cursor.execute(
                    "UPDATE store_document SET body = %s, version = nextval('store_version'), changed_at = now(),"
                    " author = %s, reason = %s WHERE name = %s AND version = %s RETURNING version",
                    (body, change.author, change.reason, name, int(expected)),
                )
            return str(self._changed(cursor, name))

    def delete(self, name: str, expected: str, change: Change) -> None:  # noqa: ARG002 - the row goes, its reason with it
        with self._transaction() as cursor:
            cursor.execute(
                "DELETE FROM store_document WHERE name = %s AND version = %s RETURNING version", (name, int(expected))
            )
            self._changed(cursor, name)

    def _changed(self, cursor: psycopg.Cursor[Any], name: str) -> int:
        row = cursor.fetchone()
        if row is None:
            raise Conflict(name)
        cursor.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, self._schema))
        return int(row[0])

    def past(self, name: str, most: int, most_bytes: int) -> None:  # noqa: ARG002 - rows keep no history
        return None

    def wait(self, stop: Event) -> None:
        with self._failures():
            try:
                if self._listening is None:
                    self._listening = self._connect()
                    with _deadline(self._listening):
                        self._listening.execute(f"LISTEN {_CHANNEL}")
                    return  # whatever happened before we listened is to be looked for now
                left = WAIT_SECONDS
                while left > 0 and not stop.is_set():
                    for _ in self._listening.notifies(timeout=STOP_SECONDS, stop_after=1):
                        return
                    left -= STOP_SECONDS
            except psycopg.Error:
                _close(self._listening)
                self._listening = None
                raise

    def close(self) -> None:
        with self._lock:
            _close(self._connection)
            self._connection = None
        _close(self._listening)
        self._listening = None

    # -- connection

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        """Begun on a connection that works: one that died since its last use is replaced, once."""
        with self._lock, self._failures():
            if self._connection is not None and not self._alive(self._connection):
                _close(self._connection)
                self._connection = None
            if self._connection is None:
                self._connection = self._migrated()
            connection = self._connection
            with _deadline(connection), connection.transaction(), connection.cursor() as cursor:
                yield cursor

    def _alive(self, connection: psycopg.Connection[Any]) -> bool:
        try:
            with _deadline(connection):
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name="aiproxy",
            keepalives_idle=int(WAIT_SECONDS),
            tcp_user_timeout=STATEMENT_SECONDS * 1000,
        )
        with _deadline(connection):
            connection.execute(f"SET statement_timeout = {STATEMENT_SECONDS * 1000}")
            if self._schema:
                connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(self._schema)))
        return connection

    def _migrated(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        try:
            with _deadline(connection), connection.transaction(), connection.cursor() as cursor:
                self._migrate(cursor)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, cursor: psycopg.Cursor[Any]) -> None:
        if self._version(cursor) == len(MIGRATIONS):
            return
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
        found = self._version(cursor)
        if found > len(MIGRATIONS):
            words = f"has schema {found} of a newer aiproxy, this one knows {len(MIGRATIONS)}: nothing was changed"
            raise Unavailable(f"{self.place} {words}.")
        if self._schema:
            cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self._schema)))
        if found == 0:
            cursor.execute("CREATE TABLE store_schema (version int NOT NULL)")
            cursor.execute("INSERT INTO store_schema VALUES (0)")
        for migration in MIGRATIONS[found:]:
            cursor.execute(migration)
        cursor.execute("UPDATE store_schema SET version = %s", (len(MIGRATIONS),))

    def _version(self, cursor: psycopg.Cursor[Any]) -> int:
        """0 where we have never been."""
        cursor.execute("SELECT to_regclass('store_schema')")
        if cast("tuple[object]", cursor.fetchone())[0] is None:
            return 0
        cursor.execute("SELECT version FROM store_schema")
        return int(cast("tuple[int]", cursor.fetchone())[0])

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise Unavailable(f"{self.place} {_words(error)}") from error


@contextmanager
def _deadline(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """An end to waiting for a server that keeps the connection and says nothing: its own timeout is no help then."""
    late = Event()

    def cut() -> None:
        late.set()
        with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    timer = Timer(STATEMENT_SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except psycopg.OperationalError as error:
        if late.is_set():
            raise errors.QueryCanceled from error
        raise
    finally:
        timer.cancel()


def _close(connection: psycopg.Connection[Any] | None) -> None:
    if connection is not None:
        with suppress(psycopg.Error):
            connection.close()


def _place(dsn: str, schema: str) -> str:
    """Host and database; raises `Unavailable` for a text that is no DSN. libpq's own message would show it."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise Unavailable(
            "`store.postgres.dsn` is not a PostgreSQL URL: postgresql://user:password@host/database"
        ) from None
    host = parts.get("host") or "local socket"
    return f"postgres:{host}/{parts.get('dbname') or ''}" + (f"?schema={schema}" if schema else "")


_SAID: tuple[tuple[tuple[type[psycopg.Error], ...], str], ...] = (
    ((errors.InvalidPassword, errors.InvalidAuthorizationSpecification), "refused the user or the password"),
    ((errors.ReadOnlySqlTransaction,), "is read-only"),
    (
        (errors.InsufficientPrivilege,),
        "doesn't allow this user to do so: it needs CREATE once, then SELECT, INSERT, UPDATE, DELETE",
    ),
    ((errors.DiskFull, errors.OutOfMemory), "is full"),
    ((errors.InvalidCatalogName,), "has no database of this name"),
    ((errors.QueryCanceled, errors.ConnectionTimeout, errors.LockNotAvailable), "is too slow"),
)

_SAID_CONNECTING = (
    (
        r"password authentication failed|no password supplied|not permitted to log in|no pg_hba.conf entry",
        "refused the user or the password",
    ),
    (r'role ".*" does not exist', "refused the user or the password"),
    (r'database ".*" does not exist', "has no database of this name"),
    ("timeout expired", "is too slow"),
)


def _words(error: psycopg.Error) -> str:
    for kinds, words in _SAID:
        if isinstance(error, kinds):
            return f"{words}."
    text = str(error)  # of a connection that was refused there is nothing but words
    for pattern, words in _SAID_CONNECTING:
        if re.search(pattern, text):
            return f"{words}."
    if isinstance(error, psycopg.OperationalError):
        return "can't be reached."
    return f"failed ({re.sub('[^A-Za-z]', '', type(error).__name__)})."
