"""The gateway's side of the database: rows are handed over and written behind its back, in batches, by one thread.

Nothing here makes a call wait. What is handed over is written within `FLUSH_SECONDS` and when the gateway stops. While
the database is away, rows queue up to `QUEUE_ROWS` and are written when it is back; what is beyond is dropped and counted."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from time import time
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from aiproxy.storage.state import batch as batches
from aiproxy.storage.state.batch import Batch
from aiproxy.storage.state.database import Database, Session, StateRefused, StateUnavailable
from aiproxy.storage.state.log_rows import LogRows
from aiproxy.storage.state.recalling import Recalled, request_of
from aiproxy.storage.state.retention import Retention, tidy
from aiproxy.storage.state.rows import REQUESTS, CounterRow, Key, KeyedRow, RequestRow, Table, UsageRow
from aiproxy.storage.threads import OneThread

FLUSH_SECONDS = 0.5
"""Between batches. With the time of a commit it keeps what a kill can lose below a second."""

QUEUE_ROWS = 50_000
"""Log rows that may wait for the database: about 25 MB, and at 100 calls a second four minutes of an outage."""

QUEUE_KEYS = 100_000
"""Keys whose latest row may wait: twice the conversations that a pool remembers, about 40 MB."""

LONGEST_PAUSE = 5.0
"""Seconds between attempts at a database that is away; the first pause is `FLUSH_SECONDS`, each later one twice as long."""

STOP_SECONDS = 5.0
"""How long the last batch may take when the gateway stops."""

TIDY_SECONDS = 600.0
"""Between looks for what retention lets go."""

T = TypeVar("T")

_log = Logger("aiproxy.state")


@dataclass(frozen=True, slots=True)
class Status:
    """What an operator wants to know. `written` is the time of the last batch that is safe, None before the first."""

    kind: str
    where: str
    queued: int
    dropped: int
    written: float | None
    recovered: str
    problem: str


class State:
    """`read` and `transact` run a function of a session in a thread: the former beside the writer, the latter in its
    turn. Both raise `StateUnavailable`."""

    def __init__(self, reactor: Any, database: Database, retention: Retention, now: Callable[[], float] = time) -> None:
        self.database = database
        self.retention = retention
        self.now = now
        self._reactor = reactor
        self._beside = database.another()
        self._writer = OneThread(reactor, "state-writer")
        self._reader = self._writer if self._beside is database else OneThread(reactor, "state-reader")
        self.timed: Callable[[str, float], None] = _untold
        """Told of each `read` and `write`, with its seconds."""
        self.name = token_hex(8)
        self._number = 0
        self._batch = Batch()
        self._sent: Batch | None = None
        """The batch under way, or the one whose fate is unknown."""
        self._busy = False
        self._opened = False
        self._paused_until = 0.0
        self._pause = FLUSH_SECONDS
        self._tidy_at = 0.0
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = reactor
        self._idle: list[Deferred[None]] = []
        self._dropped = 0
        self._written: float | None = None
        self._problem = ""

    # -- what callers hand over

    def append(self, rows: LogRows) -> None:
        if self.queued < QUEUE_ROWS:
            self._batch.append(rows)
        else:
            self._dropped += rows.count

    def put(self, row: KeyedRow) -> None:
        if self._has_room():
            self._batch.put(row)

    def remove(self, table: Table, key: Key) -> None:
        if self._has_room():
            self._batch.remove(table, key, self.now())

    def add(self, row: CounterRow) -> None:
        if self._has_room():
            self._batch.add(row)

    def _has_room(self) -> bool:
        if self._batch.keys < QUEUE_KEYS:
            return True
        self._dropped += 1
        return False

    async def read(self, ask: Callable[[Session], T]) -> T:
        began = self._reactor.seconds()
        try:
            return await self._reader.run(_one_transaction, self._beside, ask, writes=False)
        finally:
            self.timed("read", self._reactor.seconds() - began)

    async def transact(self, do: Callable[[Session], T]) -> T:
        began = self._reactor.seconds()
        try:
            return await self._writer.run(_one_transaction, self.database, do, writes=True)
        finally:
            self.timed("write", self._reactor.seconds() - began)

    def waiting(self, request_id: str) -> Recalled | None:
        """A call whose rows have not been written yet."""
        requests: list[RequestRow] = []
        attempts: list[UsageRow] = []
        for batch in (self._sent, self._batch):
            for several in batch.appended if batch is not None else ():
                if several.may_hold(request_id):  # unpacking all that may wait would stop the reactor for 0.2 s
                    found = [row for row in several.rows if row.request_id == request_id]
                    (requests if several.table is REQUESTS else attempts).extend(found)
        requests += [request_of(row) for row in attempts if row.before is not None]
        if not requests:
            return None
        latest = max(requests, key=lambda request: request.at)
        return Recalled(latest, [row for row in attempts if latest.span[0] <= row.at <= latest.span[1]])

    @property
    def queued(self) -> int:
        return self._batch.size + (self._sent.size if self._sent is not None else 0)

    @property
    def status(self) -> Status:
        known = self.database
        return Status(
            known.kind, known.where, self.queued, self._dropped, self._written, known.recovered, self._problem
        )

    # -- life

    @property
    def started(self) -> bool:
        return self._ticks.running

    def start(self) -> None:
        """Raises `StateRefused` when the database is not for us. Everything that takes time happens behind."""
        self.database.judge()
        for pool in {self._writer, self._reader}:
            pool.start()
        self._ticks.start(FLUSH_SECONDS)

    async def stop(self) -> None:
        """Write what is left, within `STOP_SECONDS`."""
        self._ticks.stop()
        try:
            await Deferred.fromCoroutine(self._finish()).addTimeout(STOP_SECONDS, self._reactor)
        except (TookTooLong, CancelledError):
            self._problem = self._problem or f"the database took longer than {STOP_SECONDS:g} s"
        if self.queued:
            _log.error("state: {count} records are lost: {problem}", count=self.queued, problem=self._problem)

    async def _finish(self) -> None:
        await self._write_the_rest()
        for thread, database in {self._writer: self.database, self._reader: self._beside}.items():
            await thread.run(database.close)
            thread.stop()

    async def _write_the_rest(self) -> None:
        if self._busy:
            idle: Deferred[None] = Deferred()
            self._idle.append(idle)
            await idle
        while self._sent or self._batch:  # the one whose fate is unknown, then the rest
            await self._flush()
            if self._problem:
                return

    def _tick(self) -> None:
        if not self._busy and self.now() >= self._paused_until:
            self._busy = True
            Deferred.fromCoroutine(self._work()).addErrback(_failed).addBoth(self._rested)

    def _rested(self, _: object) -> None:
        self._busy = False
        idle, self._idle = self._idle, []
        for waiting in idle:
            waiting.callback(None)

    async def _work(self) -> None:
        if not self._opened:
            await self._try(self.database.open)
            self._opened = not self._problem
        if self._opened and (self._sent or self._batch):
            await self._flush()
        if self._opened and not self._problem and self.now() >= self._tidy_at:
            more = await self._try(tidy, self.database, self.retention, self.now())
            self._tidy_at = self.now() + (0 if more else TIDY_SECONDS)

    async def _flush(self) -> None:
        if self._sent is None:
            self._sent, self._batch = self._batch, Batch()
            self._number += 1
        began = self._reactor.seconds()
        await self._try(self._write, self._sent, self._number, self.now())
        self.timed("write", self._reactor.seconds() - began)
        if not self._problem:
            self._sent = None
            self._written = self.now()

    def _write(self, batch: Batch, number: int, now: float) -> None:
        """In the writer's thread."""
        try:
            with self.database.transaction() as session:
                batches.write(session, batch, self.name, number, now)
        except (StateUnavailable, StateRefused):
            raise
        except Exception:  # noqa: BLE001 - a value no database takes must not keep the others from being written
            with self.database.transaction() as session:
                lost = batches.salvage(session, batch, self.name, number, now)
            _log.failure("state: {count} records could not be written and are lost", count=lost)
            self._dropped += lost

    async def _try(self, do: Callable[..., T], *arguments: Any) -> T | None:
        """Note how the database is. None when it is away."""
        try:
            result = await self._writer.run(do, *arguments)
        except (StateUnavailable, StateRefused) as error:
            if not self._problem:
                _log.error("state: {problem}; records wait until it is back", problem=str(error))
            self._problem = str(error)
            self._paused_until = self.now() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            return None
        if self._problem:
            _log.info("state: {where} is back", where=self.database.where)
        self._problem, self._pause = "", FLUSH_SECONDS
        return result


def _one_transaction(database: Database, do: Callable[[Session], T], *, writes: bool) -> T:
    with database.transaction(writes=writes) as session:
        return do(session)


def _untold(_operation: str, _seconds: float) -> None: ...


def _failed(failure: Any) -> None:
    _log.failure("state: a bug in writing", failure=failure)
