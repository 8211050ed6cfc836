"""An open WebSocket on a transport, either side's: pings, the slow reader, the end.

What one is doing decides what its one timer waits for:

    open, the peer reads        the next ping; a peer that was silent for a whole interval after one is gone
    open, we read not            the same, but no pong can be heard: nobody is gone for that
    open, the peer reads not    `slow_reader_seconds`, then the socket is closed with 1008
    closing                     CLOSE_SECONDS, then the connection is cut
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from aiproxy.framing.websocket import Closed, Heard, Message, Reply, WebSocketConnection
from aiproxy.framing.websocket.connection import ABNORMAL, POLICY, Received
from aiproxy.transports.deadline import Deadline

PING_SECONDS = 30.0
"""Between pings: under the 60 s after which common proxies close what is silent."""

CLOSE_SECONDS = 10.0
"""How long the peer may take to answer a close, before it is cut off."""

_log = Logger("aiproxy.websocket")


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """`outbound` is bytes that wait while the peer does not read: more, or `slow_reader_seconds` of not reading, close the
    socket."""

    outbound: int
    slow_reader_seconds: float


class Listener(Protocol):
    """Who a socket belongs to. None of these may wait."""

    def received(self, message: Message) -> None: ...

    def paused(self) -> None:
        """The peer does not read: send nothing that can be held back."""

    def resumed(self) -> None: ...

    def closed(self, code: int, reason: str) -> None:
        """Once: nothing comes any more, and nothing that is sent arrives."""


@implementer(IPushProducer)
class WebSocket:
    """`open` once, then `dataReceived` and `connectionLost` by whoever has the transport."""

    def __init__(self, connection: WebSocketConnection, clock: IReactorTime, limits: SocketLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._deadline = Deadline(clock, self._rang)
        self._heard = self._slow = self._over = False
        self._waiting = 0
        self._held = False
        self._unread: list[Iterator[Received]] = []
        self._listener: Listener
        self._transport: Any = None

    def open(self, transport: Any, write: Callable[[bytes], None], listener: Listener) -> None:
        """`transport` has no producer; `write` is its `write`, or one that is quicker."""
        self._transport, self._write, self._listener = transport, write, listener
        self._heard = True
        self._deadline.set(PING_SECONDS)
        transport.registerProducer(self, True)

    @property
    def slow(self) -> bool:
        """The peer does not read at the moment."""
        return self._slow

    # -- to the peer

    def send(self, data: bytes, *, text: bool = True) -> None:
        """A message. After the end it goes nowhere."""
        if not self._over:
            self._put(self._connection.text(data) if text else self._connection.binary(data))

    def close(self, code: int, reason: str = "") -> None:
        if not self._over:
            self._put(self._connection.close(code, reason))
            self._ended(code, reason)
            self._deadline.set(CLOSE_SECONDS)
            self.release()  # the peer's own close is yet to be read

    def abort(self) -> None:
        self._transport.abortConnection()

    # -- back-pressure, of the listener

    def hold(self) -> None:
        """Hand on no message and read no more, until `release`. What is read already waits: one read of the transport."""
        if not self._held and not self._over:
            self._held = True
            self._transport.pauseProducing()

    def release(self) -> None:
        if not self._held:
            return
        self._held = False
        self._take()
        if not self._held:
            self._heard = True
            self._transport.resumeProducing()

    def _put(self, data: bytes) -> None:
        if not data:
            return
        if self._slow:
            self._waiting += len(data)
            if self._waiting > self._limits.outbound and self._connection.open:
                self.close(POLICY, "what waits to be read is more than the limit")
                return
        self._write(data)

    # -- from the peer

    def dataReceived(self, data: bytes) -> None:
        self._heard = True
        self._unread.append(self._connection.feed(data))
        self._take()

    def _take(self) -> None:
        while self._unread and not self._held:
            event = next(self._unread[0], None)
            match event:
                case None:
                    del self._unread[0]
                case Message():
                    if not self._over:
                        self._hand(event)
                case Reply(reply):
                    self._put(reply)
                case Heard():
                    pass
                case Closed(code, reason):
                    self._ended(code, reason)
                    self._deadline.set(CLOSE_SECONDS)
                    self._transport.unregisterProducer()
                    self._transport.loseConnection()

    def _hand(self, message: Message) -> None:
        try:
            self._listener.received(message)
        except Exception:  # noqa: BLE001 - a bug of ours ends this socket and no other
            _log.failure("a message could not be taken", Failure())
            self.close(1011, "something went wrong here; the log knows more")

    def connectionLost(self, _reason: Failure) -> None:
        self._held = False
        self._take()
        self._deadline.stop()
        self._ended(ABNORMAL, "the connection was lost")

    # -- back-pressure, called by the transport

    def pauseProducing(self) -> None:
        if self._slow:
            return  # Twisted says so again at every write
        self._slow, self._waiting = True, 0
        if not self._over:
            self._deadline.set(self._limits.slow_reader_seconds)
            self._listener.paused()

    def resumeProducing(self) -> None:
        self._slow = False
        if not self._over:
            self._deadline.set(PING_SECONDS)
            self._heard = True
            self._listener.resumed()

    def stopProducing(self) -> None:
        """`connectionLost` follows."""

    # -- time

    def _rang(self) -> None:
        if self._over:
            self._transport.abortConnection()
        elif self._slow:
            self.close(POLICY, "you read too slowly")
        elif not self._heard and not self._held:
            self._ended(ABNORMAL, "the peer answers no pings")
            self._transport.abortConnection()
        else:
            self._heard = False
            self._put(self._connection.ping())
            self._deadline.set(PING_SECONDS)

    def _ended(self, code: int, reason: str) -> None:
        if not self._over:
            self._over = True
            self._listener.closed(code, reason)
