"""SQLite files that are damaged, foreign, of another version, gone, or out of reach."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aiproxy.config.file_rules import file_problems
from aiproxy.config.schema import Logging
from aiproxy.storage.state.batch import Batch, write
from aiproxy.storage.state.database import StateRefused, StateUnavailable
from aiproxy.storage.state.migrations import VERSION
from aiproxy.storage.state.rows import USAGE
from aiproxy.storage.state.sqlite import SqliteDatabase
from tests.storage.state.rows import log, usage


def filled(path: Path, count: int = 500) -> None:
    database = SqliteDatabase(path)
    batch = Batch()
    batch.append(log(*[usage(f"req_{number}") for number in range(count)]))
    with database.transaction() as session:
        write(session, batch, "w", 1, 0.0)
    database.close()


def count(database: SqliteDatabase) -> int:
    with database.transaction(writes=False) as session:
        return int(session.rows("SELECT count(*) FROM usage")[0][0])


def test_a_new_file_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "state.db"
    filled(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", ["first page", "middle", "half", "zeros"])
def test_a_damaged_file_is_put_aside_and_a_fresh_one_begun(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state.db"
    filled(path)
    good = path.read_bytes()
    match damage:
        case "first page":
            bad = os.urandom(4096) + good[4096:]
        case "middle":
            bad = good[:4096] + bytes(len(good) - 8192) + good[-4096:]
        case "half":
            bad = good[: len(good) // 2]
        case _:
            bad = bytes(len(good))
    path.write_bytes(bad)
    database = SqliteDatabase(path)
    database.open()
    assert count(database) == 0
    aside = Path(database.recovered)
    assert aside.name.startswith("state.db.damaged-")
    assert aside.read_bytes() == bad
    database.close()
    again = SqliteDatabase(path)
    again.open()
    assert again.recovered == ""
    again.close()


def test_damage_while_it_is_open_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    filled(path, 5000)
    database = SqliteDatabase(path)
    assert count(database) == 5000
    database.close()
    reader = SqliteDatabase(path, check=False)
    with reader.transaction(writes=False) as session:
        session.rows("SELECT count(*) FROM sqlite_master")
    with path.open("r+b") as stream:
        stream.seek(4096)
        stream.write(os.urandom(path.stat().st_size - 8192))
    with pytest.raises(StateUnavailable), reader.transaction() as session:
        session.rows(USAGE.select)
    reader.close()
    assert count(database) == 0
    assert database.recovered
    database.close()


def test_a_newer_file_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    database = SqliteDatabase(path)
    for look in (database.judge, database.open):
        with pytest.raises(StateRefused, match="newer aiproxy"):
            look()
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.damaged-*"))


def test_files_of_others_are_refused_and_not_touched(tmp_path: Path) -> None:
    notes = tmp_path / "notes.yaml"
    notes.write_text("api-keys: [one]\n" * 100)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    for path, words in ((notes, "text file"), (other, "another program's database")):
        before = path.read_bytes()
        database = SqliteDatabase(path)
        for look in (database.judge, database.open):
            with pytest.raises(StateRefused, match=words):
                look()
        assert path.read_bytes() == before


def test_a_file_that_went_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    filled(path)
    database = SqliteDatabase(path)
    assert count(database) == 500
    path.unlink()
    assert count(database) == 0
    assert path.exists()
    database.close()


def test_what_is_no_file_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "state.db"):
        database = SqliteDatabase(path)
        with pytest.raises(StateUnavailable, match="can't be opened"):
            database.open()


def test_two_connections_write_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    first, second = SqliteDatabase(path), SqliteDatabase(path)
    for number in range(1, 51):
        for name, database in (("a", first), ("b", second)):
            batch = Batch()
            batch.append(log(usage()))
            with database.transaction() as session:
                assert write(session, batch, name, number, 0.0)
    assert count(first) == count(second) == 100
    first.close()
    second.close()


def test_another_program_that_looks_takes_nothing_away(tmp_path: Path) -> None:
    """It would remove the write-ahead log if it held it for nobody's."""
    path = tmp_path / "state.db"
    look = f"import sqlite3; c = sqlite3.connect({str(path)!r}); print(c.execute('SELECT count(*) FROM usage').fetchone()[0]); c.close()"

    def seen() -> int:
        told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60)
        return int(told.stdout)

    writer = SqliteDatabase(path)
    writer.open()
    beside = writer.another()
    beside.open()
    writer.judge()
    list(file_problems(Logging(), str(path)))  # as at each reload
    for number in range(3):
        with writer.transaction() as session:
            batch = Batch()
            batch.append(log(usage(f"req_{number}")))
            write(session, batch, "w", number + 1, 0.0)
        assert seen() == number + 1
    beside.close()
    writer.close()
