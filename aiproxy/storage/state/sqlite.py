"""State in a SQLite file: WAL, checked when it is opened, replaced by a fresh one when it is damaged.

Several processes of one machine may have the file open. Opening is done by one of them at a time (`PATH.lock`), so that
only one checks, migrates or puts a damaged file aside."""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from aiproxy.config.file_rules import is_text
from aiproxy.storage.state.database import Database, Session, StateRefused, StateUnavailable, Values, too_new
from aiproxy.storage.state.migrations import MIGRATIONS, Migration

APPLICATION = 0x61697078
"""`aipx`, in the file's header: how we know that a SQLite file is ours."""

BUSY_SECONDS = 5.0
"""How long another process may hold the file before a transaction gives up; ours take milliseconds."""

PAGE_BYTES = 16384
"""Of a new file. A batch of calls is a megabyte or more: in SQLite's usual pages of 4096 it takes four times as many system calls to
write, and a third more of the processor in all; a single call writes some 100 kB of pages then."""

GIVE_BACK_PAGES = 500
"""Pages (8 MB) returned to the file system at a time, so that nobody waits for long."""

_ID = "INTEGER PRIMARY KEY AUTOINCREMENT"


class SqliteDatabase:
    kind = "sqlite"
    now = "((julianday('now') - 2440587.5) * 86400.0)"

    def __init__(self, path: Path | None, *, check: bool = True, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        """`path` None is memory, forgotten at the end. `check` is for the first connection: it reads the whole file."""
        self.path = path
        self.where = str(path or "memory")
        self.recovered = ""
        self._check = check
        self._migrations = migrations
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None

    def open(self) -> None:
        if self.path is None:
            self._connection = self._connect(":memory:")
            self._migrate(self._connection, "memory")
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(self.path.with_name(self.path.name + ".lock")):
                self._open(self.path)
        except OSError as error:
            raise StateUnavailable(f"{self.path} can't be opened: {error.strerror or error}") from error

    def judge(self) -> None:
        if self.path is not None:
            with suppress(OSError):  # opening will say so
                self._judge(self.path)

    def _open(self, path: Path) -> None:
        self._judge(path)
        try:
            self._connection = self._checked(path)
        except sqlite3.OperationalError as error:  # not permitted, no room: nothing is wrong with the file
            raise StateUnavailable(f"{path} can't be opened: {error}") from error
        except sqlite3.DatabaseError:
            self.recovered = _put_aside(path)
            self._connection = self._checked(path)
        self._opened = _identity(path)

    def _judge(self, path: Path) -> None:
        """Refuse what isn't ours, by a look that changes nothing."""
        if not path.exists() or not path.stat().st_size:
            return
        if is_text(path):
            raise StateRefused(f"{path} is a text file and no database; choose another `state`")
        try:
            connection = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)
            try:
                application = connection.execute("PRAGMA application_id").fetchone()[0]
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                empty = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            finally:
                connection.close()
        except sqlite3.DatabaseError:
            return  # what is wrong is found by the check
        if application != APPLICATION and not empty:
            raise StateRefused(f"{path} is another program's database; choose another `state`")
        if version > len(self._migrations):
            raise too_new(str(path), version, len(self._migrations))

    def _checked(self, path: Path) -> sqlite3.Connection:
        if not path.exists():
            path.touch(mode=0o600)
        connection = self._connect(str(path))
        try:
            # Before anything is written, so that a damaged file is kept as it was found.
            if self._check and (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(found)
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a file that has pages, it stays
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # two commits a second: the price is nothing
            self._migrate(connection, str(path))
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self, name: str) -> sqlite3.Connection:
        return sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    def _migrate(self, connection: sqlite3.Connection, where: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(self._migrations):
                raise too_new(where, version, len(self._migrations))
            for migration in self._migrations[version:]:
                for statement in migration:
                    connection.execute(statement.replace("{id}", _ID))
            if version < len(self._migrations):
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {len(self._migrations)}")
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has ended the transaction already
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[Session]:
        connection = self._current()
        try:
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            try:
                yield _SqliteSession(connection)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise StateUnavailable(f"{self.where}: {error}") from error
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # a mistake in a statement or a value
                raise
            self.close()  # damaged while it was open: the next transaction opens and recovers
            raise StateUnavailable(f"{self.where}: {error}") from error

    def _current(self) -> sqlite3.Connection:
        """The connection; a new one when the file is no longer the one it was opened to."""
        if self._connection is not None and self.path is not None and _identity(self.path) != self._opened:
            self.close()
        if self._connection is None:
            self.open()
        assert self._connection is not None
        return self._connection

    def live_bytes(self) -> int:
        connection = self._current()
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def give_back(self) -> None:
        with suppress(sqlite3.OperationalError):  # another process writes: next time
            self._current().execute(f"PRAGMA incremental_vacuum({GIVE_BACK_PAGES})").fetchall()

    def vacuum(self) -> None:
        try:
            self._current().execute("VACUUM")
            self._current().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            raise StateUnavailable(f"{self.where}: {error}") from error

    def another(self) -> Database:
        return self if self.path is None else SqliteDatabase(self.path, check=False, migrations=self._migrations)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


ROWS_AT_ONCE = 128
"""Of one statement, as many as calls are told of at once: with 40 columns well below the 32,766 values that SQLite takes."""


class _SqliteSession:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, values: Values = ()) -> int:
        return self._connection.execute(sql, values).rowcount

    def many(self, sql: str, rows: Iterable[Values]) -> None:
        """Plain insertions many rows a statement: the interpreter's lock is let go and taken again for each statement, and
        whoever takes it waits for the reactor. By halves of the largest, so that statements are few that stay prepared."""
        head, marks = sql.rsplit(" VALUES ", 1) if sql.endswith("?)") else (sql, "")
        if not marks:
            self._connection.executemany(sql, rows)
            return
        values, width, size = [*chain.from_iterable(rows)], marks.count("?"), ROWS_AT_ONCE
        while values:
            while size * width > len(values):
                size //= 2
            every = ", ".join([marks] * size)
            self._connection.execute(f"{head} VALUES {every}", values[: size * width])
            del values[: size * width]

    def rows(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _put_aside(path: Path) -> str:
    """Rename a damaged file, with what belongs to it; its new name."""
    aside = f"{path}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(f"{path}{suffix}", f"{aside}{suffix}")
    return aside


def _quoted(path: Path) -> str:
    return path.absolute().as_uri().removeprefix("file://")
