"""What happens, told on a WebSocket: each event is one text message, `{"event": kind, "data": {…}}`."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from aiproxy.framing.websocket import Message, WebSocketConnection
from aiproxy.framing.websocket.connection import GOING_AWAY, POLICY
from aiproxy.transports.websocket import SocketLimits, WebSocket
from aiproxy.web.management.hearing import Listener
from aiproxy.web.request import ISocket

MOST_SAID = 1024
"""Bytes of a message from the other side: it has nothing to say here but pongs and a close."""


class EventsSocket:
    """While the other side reads too slowly, its events wait in their listener. `still` says whether it may still listen."""

    def __init__(
        self,
        connection: WebSocketConnection,
        clock: IReactorTime,
        limits: SocketLimits,
        listener: Listener,
        still: Callable[[], bool],
    ) -> None:
        self._socket = WebSocket(connection, clock, limits)
        self._listener = listener
        self._still = still

    def told(self) -> None:
        """There is something to tell."""
        if self._socket.slow:
            return
        if not self._still():
            self._socket.close(POLICY, "the session has ended, or the management key is another one")
            return
        for event in self._listener.take():
            self._socket.send(b'{"event":"%s","data":%s}' % (event.kind.encode(), event.body))

    def end(self) -> None:
        self._socket.close(GOING_AWAY, "this gateway is shutting down")

    # -- what the HTTP channel calls

    def taken(self, transport: ISocket, write: Any) -> None:
        self._socket.open(transport, write, self)

    def dataReceived(self, data: bytes) -> None:
        self._socket.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        self._socket.connectionLost(reason)

    def drain(self) -> None:
        self.end()

    # -- what the socket calls

    def received(self, message: Message) -> None:  # noqa: ARG002 - whatever is said here asks for nothing
        self._socket.close(POLICY, "events are only told here; the management API takes requests over HTTP")

    def paused(self) -> None:
        """Its listener holds what comes."""

    def resumed(self) -> None:
        self.told()

    def closed(self, code: int, reason: str) -> None:
        """Its request is cancelled when the connection is lost."""
