"""The store's credential files, and what is done to them, by the tool: as by the gateway, with connections and locks that block."""

import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import closing, contextmanager
from secrets import token_hex
from typing import Any, TypeVar

import click
from twisted.internet.task import Clock

from aiproxy.config import Settings
from aiproxy.config.schema import MEMORY
from aiproxy.credentials.base import Way
from aiproxy.credentials.files import Files, read_files
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.renewer import Renewer, Right
from aiproxy.credentials.ways.desk import LoginFailed
from aiproxy.neutral.errors import GatewayError
from aiproxy.registry import load_registry
from aiproxy.storage.documents import CREDENTIALS
from aiproxy.storage.encryption import EncryptedStore
from aiproxy.storage.single_flight import Lost
from aiproxy.storage.source import Source
from aiproxy.storage.state import locks
from aiproxy.storage.state.database import Database, StateRefused, StateUnavailable
from aiproxy.storage.state_address import database_of
from aiproxy.storage.store import Change, Conflict, Entry, StoreError
from aiproxy_config.asking import ask_vendor
from aiproxy_config.options import refusing
from aiproxy_config.terminal import BlockingWeb, run

T = TypeVar("T")

LOCK_SECONDS = 60.0
"""How long another process's refresh is waited for: longer than the lock of one that died lasts."""


one_sentence = refusing(StoreError, StateRefused, StateUnavailable, LoginFailed, GatewayError)


class Credentials:
    """Those of one gateway. `files` are as they were when it was opened; `refused` those that are none, and why."""

    def __init__(self, store: EncryptedStore, settings: Settings, files: Files, refused: Mapping[str, str]) -> None:
        self._store = store
        self.settings = settings
        self.files = files
        self.refused = refused

    def login(self, provider: str) -> Login:
        logins = load_registry().logins
        if provider not in logins:
            raise click.ClickException(f"there is no login for {provider!r}; there are: {', '.join(sorted(logins))}")
        return logins[provider].resolved(self.settings)

    def login_of(self, record: Record) -> Login:
        return self.login(next(each.provider for each in self.files.logins.values() if record.type in each.types))

    def record(self, name: str) -> Record:
        """By its id, its file's name, or whom it belongs to."""
        wanted = name.removesuffix(".json")
        found = [each for each in self.files.records if wanted in (each.id, each.name) or name == each.label]
        if len(found) == 1:
            return found[0]
        if found:
            raise click.ClickException(f"{name!r} means several: {', '.join(each.id for each in found)}")
        known = ", ".join(each.id for each in self.files.records) or "none"
        raise click.ClickException(f"there is no account {name!r}; there are: {known}")

    def put(self, name: str, make: Callable[[Record | None], Record], reason: str) -> Record:
        """Write a record made of the one that is there by then."""
        while True:
            entry = self._store.load().entries.get(name)
            before = None
            if entry is not None:
                before = Record(name, "", _content(entry.body), entry.version)
            made = make(before)
            try:
                version = self._store.save(
                    name, made.body(), entry.version if entry else None, Change(reason, "aiproxy-config")
                )
            except Conflict:
                continue
            return Record(name, made.type, made.content, version)

    def change(self, record: Record, changes: Mapping[str, Any], reason: str) -> Record:
        def made(before: Record | None) -> Record:
            return (before or record).with_changes(changes)

        return self.put(record.name, made, reason)

    def remove(self, record: Record) -> None:
        self._store.delete(record.name, record.version, Change(f"Remove {record.id}", "aiproxy-config"))

    def asked(self, record: Record) -> str:
        """What its vendor says of it. Raises `Refused`."""
        login = self.login_of(record)
        provider = next(each for each in load_registry().providers if each.name == login.provider)
        return run(ask_vendor(provider, login, record, self.settings, BlockingWeb(), _way(record)))

    def renewed(self, record: Record) -> Record:
        """As the gateway renews it, and never at the same time."""
        login = self.login_of(record)
        if not login.renewable(record):
            raise click.ClickException(
                f"{record.id} can't be refreshed: {login.refused(record) or 'it has no refresh token'}"
            )
        state = self.settings.state_in_effect
        if state == MEMORY:
            raise click.ClickException(
                "the state is in memory, so that a gateway that refreshes at the same moment isn't seen; set `state`"
            )
        with closing(database_of(state)) as database:
            database.open()
            renewer = Renewer(_Documents(self._store), _Flights(database), BlockingWeb, Clock())
            return run(renewer.renew(login, record.name, record.text(*login.access), _way(record)))


@contextmanager
def opened(config: str | None) -> Iterator[Credentials]:
    source = Source(config, os.environ)
    source.local()
    with closing(source.open()) as store:
        store.sync()
        loaded = source.load(store)
        files = read_files(loaded.credentials, load_registry().logins)
        configuration = files.without_demo(loaded.configuration)
        yield Credentials(store, configuration.settings, files, {**loaded.refused, **files.refused})


class _Documents:
    def __init__(self, store: EncryptedStore) -> None:
        self._store = store

    async def read(self, name: str) -> Entry | None:
        return self._store.load().entries.get(name)

    async def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        return self._store.save(name, body, expected, change)


class _Held:
    def __init__(self, database: Database, held: locks.Held) -> None:
        self._database = database
        self._held = held

    async def check(self) -> None:
        with self._database.transaction() as session:
            if not locks.renew(session, self._database.now, self._held):
                raise Lost(f"the lock on {self._held.name} was taken over")


class _Flights:
    """As `SingleFlight`, for one thread that may block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(
        self, name: str, look: Callable[[], Awaitable[T | None]], work: Callable[[Right], Coroutine[Any, Any, T]]
    ) -> T:
        until, holder = time.monotonic() + LOCK_SECONDS, token_hex(8)
        while time.monotonic() < until:
            with self._database.transaction() as session:
                held = locks.acquire(session, self._database.now, name, holder)
            if held is None:
                time.sleep(0.2)  # noqa: ASYNC251 - there is no loop to block
                continue
            try:
                found = await look()
                return found if found is not None else await work(_Held(self._database, held))
            finally:
                with self._database.transaction() as session:
                    locks.release(session, held)
        raise Lost(f"another process is at {name} for longer than {LOCK_SECONDS:g} s")


def _way(record: Record) -> Way:
    return Way(record.id, None, "", Clock())  # type: ignore[arg-type] # BlockingWeb needs no transport


def _content(body: bytes) -> Mapping[str, Any]:
    import orjson

    found = orjson.loads(body)
    return found if isinstance(found, dict) else {}


def short(name: str) -> str:
    return name.removeprefix(CREDENTIALS)
