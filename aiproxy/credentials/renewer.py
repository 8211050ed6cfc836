"""Renewing one login: by one process at a time, from the file as it is then, and saved before anybody uses what it gave.

The gateway and the tool both do it by this page, each with its own documents, locks and connections."""

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from time import time
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.credentials.base import Way
from aiproxy.credentials.exchange import Web
from aiproxy.credentials.login import Changes, Login, Renew
from aiproxy.credentials.record import REFUSED, Record, Unreadable, login_mark, read_record
from aiproxy.credentials.times import written
from aiproxy.credentials.token import Token
from aiproxy.neutral.errors import CredentialRefused, UpstreamFailed
from aiproxy.storage.single_flight import Lost
from aiproxy.storage.state.database import StateRefused, StateUnavailable
from aiproxy.storage.store import Change, Conflict, Entry, StoreError

MARGIN_SECONDS = 30.0
"""A token that ends sooner isn't begun with: clocks differ, and a call takes its time."""

ENDLESS = 10 * 365 * 86400.0
"""Seconds that a token lasts whose end nobody knows: until it is refused."""

RENEWAL_SECONDS = 60.0
"""For all questions of one renewal; real ones take one second. Then it is failed, whatever comes of it. A gateway that stops
waits that long for those under way, since the old refresh token may be worth nothing by then."""

SAVES = 5
"""Tries to save new tokens in a file that others write at the same time."""

REMEMBERED_SAVES = 16
"""Versions of one file that are known to be ours: more than can be written while a reload reads."""

T = TypeVar("T")

_log = Logger("aiproxy.accounts")


class Documents(Protocol):
    """Where credential files are."""

    async def read(self, name: str) -> Entry | None:
        """As it is now, also if another process wrote it. Raises `StoreError`."""

    async def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        """As `Store.save`."""


class Right(Protocol):
    async def check(self) -> None:
        """Raises `Lost`."""


class Flights(Protocol):
    """As `SingleFlight`."""

    async def run(
        self, name: str, look: Callable[[], Awaitable[T | None]], work: Callable[[Right], Coroutine[Any, Any, T]]
    ) -> T: ...


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """`base` is the file that `changes` were made to, `before` its refresh token."""

    base: Record
    changes: Changes
    before: str


class Renewer:
    """`web` makes connections for a way. `clock` limits a renewal; `now` is seconds since the epoch. `seen` is told of every
    record as it is found in its file, or left there."""

    def __init__(
        self,
        documents: Documents,
        flights: Flights,
        web: Callable[[Way, float], Web],
        clock: IReactorTime,
        now: Callable[[], float] = time,
    ) -> None:
        self._documents = documents
        self._flights = flights
        self._web = web
        self._clock = clock
        self._now = now
        self.seen: Callable[[Record], object] = lambda _record: None
        self._unsaved: dict[str, _Unsaved] = {}
        self._saved: dict[str, deque[str]] = {}

    def ours(self, name: str, version: str) -> bool:
        """Whether this version of a file is one that was written here."""
        return version in self._saved.get(name, ())

    def forget(self, name: str) -> None:
        self._unsaved.pop(name, None)
        self._saved.pop(name, None)

    async def renew(self, login: Login, name: str, given: str, way: Way) -> Record:
        """The record with another access token than `given`, whoever got it. Raises `CredentialRefused`, `UpstreamFailed`."""

        async def look() -> Record | None:
            record = await self._current(login, name, way)
            return record if usable(login, record, given, self._now()) is not None else None

        async def work(right: Right) -> Record:
            record = await self._current(login, name, way)
            if why := login.refused(record):
                raise CredentialRefused(f"The account {way.account!r} must be logged in again ({why}).")
            await right.check()
            return await self._ask(login, record, way)

        try:
            return await self._flights.run(f"refresh {name}", look, work)
        except (StateUnavailable, StateRefused, Lost) as error:
            told = f"The account {way.account!r} can't be refreshed now: who else is at it can't be said ({error})."
            raise UpstreamFailed(told) from error

    async def _current(self, login: Login, name: str, way: Way) -> Record:
        """The file as it is now: another process may have renewed it. What couldn't be saved before goes first."""
        if (unsaved := self._unsaved.get(name)) is not None:
            return await self._save(login, unsaved.base, {}, "")
        try:
            return self._known(read_record(name, *await self._read(name, way)))
        except Unreadable as error:
            raise UpstreamFailed(f"The credential file {name} {error}.") from error
        except StoreError as error:
            raise UpstreamFailed(f"The account {way.account!r} can't be refreshed now: {error}") from error

    def _known(self, record: Record) -> Record:
        self.seen(record)
        return record

    async def _read(self, name: str, way: Way) -> tuple[bytes, str]:
        entry = await self._documents.read(name)
        if entry is None:
            self.forget(name)
            raise CredentialRefused(f"The credential file of the account {way.account!r} is gone.")
        return entry.body, entry.version

    async def _ask(self, login: Login, record: Record, way: Way) -> Record:
        assert login.renew is not None
        until = self._clock.seconds() + RENEWAL_SECONDS
        renewed = await self._stepped(login.renew, login, record, way, until)
        if login.completes is not None:
            renewed = await self._stepped(login.completes, login, renewed, way, until)
        _log.info("account {account}: token renewed", account=record.id)
        return renewed

    async def _stepped(self, step: Renew, login: Login, record: Record, way: Way, until: float) -> Record:
        """What the vendor gave is in the file before anything else is done."""
        before = record.text(*login.refresh)
        asked = Deferred.fromCoroutine(step(login, record, self._web(way, RENEWAL_SECONDS), self._now()))
        left = max(0.0, until - self._clock.seconds())
        asked.addTimeout(left, self._clock, lambda _, __: _late(way, RENEWAL_SECONDS))
        try:
            changes = await asked
        except CredentialRefused as error:
            mark = {"reason": error.message, "at": written(self._now()), "login": login_mark(before)}
            await self._save(login, record, {REFUSED: mark}, before)
            _log.warn("account {account} is refused, and left alone: {why}", account=record.id, why=error.message)
            raise
        return await self._save(login, record, {**changes, REFUSED: None}, before)

    async def _save(self, login: Login, record: Record, changes: Changes, before: str) -> Record:
        """Write changes into the file as it is by then. A file that has another refresh token than `before` was logged in
        anew meanwhile, and holds. Changes that can't be written are kept in memory, and tried again."""
        name = record.name
        if (unsaved := self._unsaved.get(name)) is not None:
            record, changes, before = unsaved.base, {**unsaved.changes, **changes}, unsaved.before
        for _ in range(SAVES):
            wanted = record.with_changes(changes)
            try:
                reason = Change(f"Renew the login of {record.id}")
                version = await self._documents.save(name, wanted.body(), record.version, reason)
            except Conflict:
                entry = await self._documents.read(name)
                if entry is None:
                    self.forget(name)
                    raise CredentialRefused(f"The credential file of the account {record.id!r} is gone.") from None
                record = read_record(name, entry.body, entry.version)
                if record.text(*login.refresh) != before:
                    self._unsaved.pop(name, None)
                    return self._known(record)
            except StoreError as error:
                told = (
                    "account {account}: new tokens can't be saved ({why}); they are kept in memory, and lost if the gateway "
                    "ends before they are"
                )
                _log.error(told, account=record.id, why=str(error))
                self._unsaved[name] = _Unsaved(record, changes, before)
                return self._known(wanted)
            else:
                self._unsaved.pop(name, None)
                self._saved.setdefault(name, deque(maxlen=REMEMBERED_SAVES)).append(version)
                return self._known(Record(name, wanted.type, wanted.content, version))
        self._unsaved[name] = _Unsaved(record, changes, before)
        raise UpstreamFailed(f"The credential file {name} is written by others all the time.")


def usable(login: Login, record: Record, given: str, now: float) -> Token | None:
    """The record's token, unless it ends or is the one that was `given` before. Raises `CredentialRefused`."""
    try:
        tokens = login.tokens(record)
    except Unreadable as error:
        raise CredentialRefused(f"The credential file {record.name} {error}.") from error
    left = ENDLESS if tokens.expires is None else tokens.expires - now
    access = tokens.access.reveal()
    if not access or access == given or left <= (MARGIN_SECONDS if login.renewable(record) else 0):
        return None
    return Token(tokens.access, left)


def _late(way: Way, seconds: float) -> Failure:
    return Failure(UpstreamFailed(f"No token for the account {way.account!r} within {seconds:g} s."))
