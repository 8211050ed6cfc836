"""A remote's documents on this machine: the gateway starts and serves from here while the remote is away.

A change goes here first, marked as unpushed, then to the remote. While that is away the mark stays, and `sync` gives the
change later. What others changed meanwhile makes it a conflict: theirs holds, ours is kept and shown until someone chooses.
The file is SQLite: a crash leaves every document and its base as they were before or after a step, never a mix.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, RLock

from aiproxy.storage.documents import check, check_body, check_name, digest, is_document
from aiproxy.storage.reconcile import Mirrored, Step, reconcile
from aiproxy.storage.store import (
    Change,
    Condition,
    Conflict,
    Conflicting,
    Contents,
    Entry,
    Past,
    Remote,
    StoreError,
    Unacceptable,
    Unavailable,
)

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE document (
    name TEXT PRIMARY KEY,
    body BLOB,                       -- NULL: deleted here, not yet there
    base TEXT,                       -- the remote's version it was made from
    dirty INTEGER NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX unpushed ON document (name) WHERE dirty;
CREATE TABLE conflict (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    body BLOB,
    since REAL NOT NULL
);
CREATE TABLE agreed (at REAL NOT NULL);
"""

BUSY_SECONDS = 10.0
"""How long another process of ours may hold the mirror; its longest step is one write of all documents."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between attempts to reach a remote that is away; doubled each time."""


class MirroredStore:
    """A `Store` over a `Remote`. `file` is the mirror's."""

    def __init__(self, remote: Remote, file: Path) -> None:
        self._remote = remote
        self._giving = RLock()
        """Held while the network is waited for: one change after the other. A change is written here before it waits for this."""
        self._writing = RLock()
        """Of the connection for changes, for one step; taken after `_giving`, never before."""
        self._reading = Lock()
        self._problem = ""
        self._news = False
        self._refused: Mapping[str, str] = {}
        self._rows = _opened(file)
        self._reader = _opened(file)
        self._known = self._held()
        """Name → the remote's version, as far as this process has heard: another one that shares the mirror may have taken more."""
        self._changed: dict[str, str | None] = {}
        """Name → the digest of what this process made of it last. What another one has changed, and this one gives, is news to it."""

    # -- what is here

    def load(self) -> Contents:
        with self._reading:
            found = self._reader.execute("SELECT name, body FROM document WHERE body IS NOT NULL").fetchall()
        entries, refused = {}, dict(self._refused)
        for name, body in found:
            try:
                check_body(name, body)
                entries[name] = Entry(body, digest(body))
            except Unacceptable as unacceptable:
                refused[name] = unacceptable.why
        return Contents(entries, refused)

    def condition(self) -> Condition:
        with self._reading:
            (unpushed,) = self._reader.execute("SELECT count(*) FROM document WHERE dirty").fetchone()
            found = self._reader.execute("SELECT number, name, body, since FROM conflict ORDER BY number").fetchall()
            row = self._reader.execute("SELECT at FROM agreed").fetchone()
        age = max(0.0, time.time() - row[0]) if row else None
        return Condition(self._remote.place, age, unpushed, tuple(Conflicting(*each) for each in found), self._problem)

    def _row(self, name: str) -> tuple[bytes | None, str | None, bool]:
        with self._writing:
            row = self._rows.execute("SELECT body, base, dirty FROM document WHERE name = ?", (name,)).fetchone()
        return (row[0], row[1], bool(row[2])) if row else (None, None, False)

    def past(self, name: str, most: int, most_bytes: int) -> Sequence[Past] | None:
        """Without what is still unpushed."""
        return self._remote.past(name, most, most_bytes)

    # -- changes from here

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        check(name, body)
        self._change(name, body, expected, change)
        return digest(body)

    def delete(self, name: str, expected: str, change: Change) -> None:
        check_name(name)
        self._change(name, None, expected, change)

    def _change(self, name: str, body: bytes | None, expected: str | None, change: Change) -> None:
        with self._step():
            before, base, was_dirty = self._row(name)
            if _digest(before) != expected:
                raise Conflict(name)
            self._put(name, body, base, change)
            self._changed[name] = _digest(body)
        if self._problem:
            return  # away: `watch` finds out when it is back, and gives the change then
        with self._giving:
            held, base, dirty = self._row(name)
            if held == body and not dirty:
                return  # it was given by who agreed meanwhile
            if held != body:
                if dirty:
                    return  # a later change of ours was made from this one, and is given by whoever made it
                raise Conflict(name)
            try:
                self._give(name, body, base, change)
            except Conflict:
                if self._is_there(name, body):
                    return
                with suppress(Unavailable):
                    self._yield_to_theirs(name, before, keep=was_dirty)
                raise
            except Unavailable as unavailable:
                self._problem = str(unavailable)

    def _give(self, name: str, body: bytes | None, base: str | None, change: Change) -> None:
        version: str | None = None
        if body is not None:
            version = self._remote.save(name, body, base, change)
        elif base is not None:
            self._remote.delete(name, base, change)
        with self._step():
            if self._row(name)[0] == body:
                self._hold(name, body, version)
            else:  # another process of ours has changed it since: that change was made from what was given now
                self._rows.execute("UPDATE document SET base = ? WHERE name = ?", (version, name))

    def _is_there(self, name: str, body: bytes | None) -> bool:
        """Whether the remote has it after all: an answer was lost, or another process of ours was quicker with it."""
        theirs = self._remote.fetch([name]).get(name)
        if (theirs.body if theirs else None) != body:
            return False
        with self._step():
            self._hold(name, body, theirs.version if theirs else None)
        return True

    def _yield_to_theirs(self, name: str, ours: bytes | None, *, keep: bool) -> None:
        """Theirs holds; ours is kept beside it, unless they are the same after all."""
        theirs = self._remote.fetch([name]).get(name)
        self._news = True
        with self._step():
            if keep and ours != (theirs.body if theirs else None):
                self._rows.execute(
                    "INSERT INTO conflict (name, body, since) VALUES (?, ?, ?)", (name, ours, time.time())
                )
            self._hold(name, theirs.body if theirs else None, theirs.version if theirs else None)

    def resolve(self, number: int, *, ours: bool) -> None:
        """End a conflict: with the change from here after all, or without it. Raises `Conflict` when there is none such."""
        with self._giving:
            found = [each for each in self.condition().conflicts if each.number == number]
            if not found:
                raise Conflict(f"conflict {number}")
            (conflict,) = found
            if ours:
                held = self._row(conflict.name)[0]
                change = Change(f"Resolve the conflict over {conflict.name}")
                self._change(conflict.name, conflict.body, _digest(held), change)
            with self._step():
                self._rows.execute("DELETE FROM conflict WHERE number = ?", (number,))

    # -- agreeing

    def sync(self) -> bool:
        with self._giving:
            try:
                self._agree()
            except Unavailable as unavailable:
                self._problem = str(unavailable)
                raise
            self._problem = ""
            return self._take_news()

    def _take_news(self) -> bool:
        news, self._news = self._news, False
        return news

    def _agree(self) -> None:
        there, refused = self._acceptable(self._remote.versions())
        with self._writing:
            rows = self._rows.execute("SELECT name, base, dirty FROM document").fetchall()
        steps = list(reconcile({name: Mirrored(base, bool(dirty)) for name, base, dirty in rows}, there))
        taken = [name for name, step in steps if step is Step.TAKE]
        self._take(taken, there, refused)
        self._news = self._news or refused != self._refused
        self._refused = refused
        for name, step in steps:
            if step is not Step.TAKE:
                self._settle(name, step)
        with self._step():
            self._rows.execute("DELETE FROM agreed")
            self._rows.execute("INSERT INTO agreed VALUES (?)", (time.time(),))

        held = self._held()
        self._news = self._news or held != self._known
        self._known = held

    def _held(self) -> dict[str, str]:
        with self._writing:
            return dict(self._rows.execute("SELECT name, base FROM document WHERE NOT dirty").fetchall())

    def _acceptable(self, versions: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        there, refused = {}, {}
        for name, version in versions.items():
            if is_document(name):
                try:
                    check_name(name)
                    there[name] = version
                except Unacceptable as unacceptable:
                    refused[name] = unacceptable.why
        return there, refused

    def _take(self, names: list[str], there: Mapping[str, str], refused: dict[str, str]) -> None:
        fetched = self._remote.fetch([name for name in names if name in there])
        with self._step():
            for name in names:
                if self._row(name)[2]:
                    continue  # it was changed here while the remote was asked: the next time it is settled
                theirs = fetched.get(name)
                if theirs is None and name in there:
                    refused[name] = "is too large, or went while it was read"
                self._news = self._news or theirs is not None or self._row(name)[0] is not None
                self._hold(name, theirs.body if theirs else None, theirs.version if theirs else None)

    def _settle(self, name: str, step: Step) -> None:
        """One document that was changed here."""
        body, base, _ = self._row(name)
        if step is Step.GIVE:
            with self._writing:
                asked = self._rows.execute("SELECT reason, author FROM document WHERE name = ?", (name,))
                reason, author = asked.fetchone()
            self._news = self._news or _digest(body) != self._changed.get(name, "")
            with suppress(Conflict):
                return self._give(name, body, base, Change(reason, author))
        return self._yield_to_theirs(name, body, keep=True)

    def watch(self, changed: Callable[[], None], stop: Event) -> None:
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                if self.sync():
                    changed()
                pause = FIRST_PAUSE
                self._remote.wait(stop)
            except StoreError:
                if self._take_news():
                    changed()
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def close(self) -> None:
        with self._giving:
            self._remote.close()
            with self._writing:
                self._rows.close()
        with self._reading:
            self._reader.close()

    # -- rows

    @contextmanager
    def _step(self) -> Iterator[None]:
        """All of it or nothing, alone among the threads and processes that share the mirror."""
        try:
            with self._writing:
                self._rows.execute("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    self._rows.execute("ROLLBACK")
                    raise
                self._rows.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unavailable(f"The mirror of {self._remote.place} can't be written: {error}.") from error

    def _put(self, name: str, body: bytes | None, base: str | None, change: Change) -> None:
        self._rows.execute(
            "INSERT OR REPLACE INTO document VALUES (?, ?, ?, 1, ?, ?)",
            (name, body, base, change.reason, change.author),
        )

    def _hold(self, name: str, body: bytes | None, version: str | None) -> None:
        """What the remote has, and we with it."""
        if body is None or version is None:
            self._known.pop(name, None)
        else:
            self._known[name] = version
        if body is None:
            self._rows.execute("DELETE FROM document WHERE name = ?", (name,))
        else:
            self._rows.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?, 0, '', '')", (name, body, version))


def _digest(body: bytes | None) -> str | None:
    return None if body is None else digest(body)


def _opened(file: Path) -> sqlite3.Connection:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        rows = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        (version,) = rows.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise Unavailable(
                f"{file} was written by a newer aiproxy (schema {version}): run that one, or move it away."
            )
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("PRAGMA synchronous = FULL")
        if version == 0:
            rows.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT")
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"{file} can't be used as a mirror: {error}.") from error
    return rows
