"""Rules on files that the gateway writes: whether it can."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from aiproxy.config.problems import Finding, Severity
from aiproxy.config.schema import Logging, is_state_file

FIRST_BYTES = 512
"""Bytes of a file that tell whether it is text."""


def file_problems(logging: Logging, state: str) -> Iterator[Finding]:
    if logging.file and (fault := _unwritable(Path(logging.file))):
        yield Severity.ERROR, "unwritable-file", f"logs can't be written there: {fault}", "logging.file"
    if state and is_state_file(state):
        yield from _state(Path(state))


def is_text(path: Path) -> bool:
    """Whether there is text instead of a database. A damaged database is none.

    SQLite is asked first. Whoever opens and closes a database beside it drops the locks that this process's connections hold
    (POSIX); another process that closes the file then takes its write-ahead log for nobody's and removes it, with all that
    is written to it from then on."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA schema_version")
        return False
    except sqlite3.OperationalError:
        return False  # not there yet, or not for us: the gateway waits until it is
    except sqlite3.DatabaseError:
        pass  # nobody's database
    try:
        with path.open("rb") as stream:
            head = stream.read(FIRST_BYTES)
    except OSError:
        return False
    return bool(head) and not re.search(rb"[\x00-\x08\x0e-\x1f\x7f]", head)


def _state(path: Path) -> Iterator[Finding]:
    if path.is_dir():
        yield Severity.ERROR, "bad-state", "this is a directory; name a file in it", "state"
    elif is_text(path):
        yield Severity.ERROR, "bad-state", "this is a text file and no database; choose another file", "state"


def _unwritable(path: Path) -> str:
    """Why not; "" when nothing is against it."""
    if path.is_dir():
        return "this is a directory; name a file in it"
    if path.exists():
        return "" if os.access(path, os.W_OK) else "no permission to write to it"
    if not path.parent.is_dir():
        return "its directory doesn't exist"
    return "" if os.access(path.parent, os.W_OK | os.X_OK) else "no permission to write to its directory"
