"""Between nodes: PostgreSQL's LISTEN and NOTIFY, on one connection. Needs the extra `[postgres]`.

The reactor watches the connection's socket, so that a notification is heard when it comes; connecting and notifying, which
wait for the server, happen in a thread, and the reactor looks away meanwhile."""

import os
from collections.abc import Callable
from typing import Any

import psycopg
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from aiproxy.storage.bus.message import LARGEST_MESSAGE, WireKey
from aiproxy.storage.bus.outbox import Outbox
from aiproxy.storage.state.postgres import connect, said
from aiproxy.storage.threads import OneThread

CHANNEL = "aiproxy_bus"

NOTIFIED_BYTES = 50_000
"""Of messages in one transaction: one round to the server for what has gathered during the last."""

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
"""Seconds between attempts to connect, doubling."""

_log = Logger("aiproxy.bus")


@implementer(IReadDescriptor)
class PostgresCarrier:
    kind = "postgresql"
    most = LARGEST_MESSAGE

    def __init__(self, reactor: Any, url: str) -> None:
        self._reactor = reactor
        self._url = url
        self._thread = OneThread(reactor, "bus")
        self._outbox = Outbox()
        self._connection: psycopg.Connection | None = None
        self._socket = -1
        self._talking: Deferred[None] | None = None
        self._pause = FIRST_PAUSE
        self._again: IDelayedCall | None = None
        self._stopped = False
        self._said = False
        self._receive: Callable[[bytes], None]
        self._missed: Callable[[], None]

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def start(self, receive: Callable[[bytes], None], missed: Callable[[], None]) -> None:
        self._receive = receive
        self._missed = missed
        self._thread.start()
        self._talk(self._connect)

    def send(self, key: WireKey, data: bytes) -> None:
        self._outbox.put(key, data)
        if self._connection is not None and self._talking is None:
            self._talk(self._notify)

    async def stop(self) -> None:
        self._stopped = True
        if self._again is not None and self._again.active():
            self._again.cancel()
        if self._talking is not None:
            await self._talking
        if self._connection is not None and self._outbox:
            await self._notify()  # what was said last
        self._let_go()
        self._thread.stop()

    def _talk(self, what: Callable[[], Any]) -> None:
        """One conversation with the server at a time."""
        self._talking = Deferred.fromCoroutine(what())
        self._talking.addErrback(_bug).addBoth(self._talked)

    def _talked(self, _: object) -> None:
        self._talking = None
        if self._stopped:
            return
        if self._connection is None:
            self._again = self._reactor.callLater(self._pause, self._talk, self._connect)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        elif self._outbox:
            self._talk(self._notify)
        else:
            self._reactor.addReader(self)
            self.doRead()  # what came while the reactor looked away

    async def _connect(self) -> None:
        try:
            self._connection = await self._thread.run(_listening, self._url)
        except psycopg.Error as error:
            if not self._said:
                _log.error("bus: PostgreSQL can't be reached: {problem}", problem=said(error))
            self._said = True
            return
        self._said, self._pause = False, FIRST_PAUSE
        self._connection.add_notify_handler(
            lambda notified: self._reactor.callFromThread(self._heard, notified.payload)
        )
        # A descriptor of our own: libpq closes its one when the connection breaks, before the reactor can forget it.
        self._socket = os.dup(self._connection.fileno())
        self._missed()

    async def _notify(self) -> None:
        assert self._connection is not None
        self._reactor.removeReader(self)
        taken = self._outbox.take(NOTIFIED_BYTES)
        try:
            await self._thread.run(_notified, self._connection, [d for _, d in taken])
        except psycopg.Error as error:
            _log.warn("bus: the connection to PostgreSQL broke: {problem}", problem=said(error))
            self._outbox.give_back(taken)
            self._let_go()

    def _heard(self, payload: str) -> None:
        if not self._stopped:
            self._receive(payload.encode())

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._reactor.removeReader(self)
            os.close(self._socket)
            connection.close()

    # -- as the reactor sees it

    def fileno(self) -> int:
        return self._socket

    def logPrefix(self) -> str:
        return "bus"

    def doRead(self) -> None:
        if self._connection is None:
            return
        raw = self._connection.pgconn
        try:
            raw.consume_input()
            while (notified := raw.notifies()) is not None:
                self._receive(notified.extra)
        except psycopg.Error as error:
            self.connectionLost(Failure(error))

    def connectionLost(self, reason: Failure) -> None:
        if self._connection is not None and self._talking is None:
            _log.warn(
                "bus: the connection to PostgreSQL broke: {problem}", problem=str(reason.value).partition("\n")[0]
            )
            self._let_go()
            if not self._stopped:
                self._talk(self._connect)


def _listening(url: str) -> psycopg.Connection:
    connection = connect(url)
    connection.execute(f"LISTEN {CHANNEL}".encode())
    return connection


def _notified(connection: psycopg.Connection, messages: list[bytes]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany("SELECT pg_notify(%s, %s)", [(CHANNEL, data.decode()) for data in messages])


def _bug(failure: Failure) -> None:
    _log.failure("bus: a bug in talking to PostgreSQL", failure=failure)
