"""A connection whose upstream has switched to another protocol, as it was asked to: the answer, and what it leaves behind."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IProtocol
from twisted.python.failure import Failure


class Heir(Protocol):
    """What speaks on the connection from now on."""

    def dataReceived(self, data: bytes) -> None: ...
    def connectionLost(self, reason: Failure) -> None: ...


class Switched:
    """The `Response` of `base` with the status 101: `inherit` must be called, or `abort`. Until then nothing more is read.

    `transport` has no producer; `write` is its `write`, or one that is quicker."""

    status = 101

    def __init__(self, headers: Mapping[str, str], transport: Any, write: Callable[[bytes], None], rest: bytes) -> None:
        """`rest` came in the same read as the answer. The headers are all there are."""
        self.headers = headers
        self.transport = transport
        self.write = write
        self._held = rest
        self._heir: Heir | None = None
        self._end: Failure | None = None
        transport.pauseProducing()

    # -- the connection's side

    def dataReceived(self, data: bytes) -> None:
        if self._heir is None:
            self._held += data  # TLS may have decrypted more than was read
        else:
            self._heir.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        if self._heir is None:
            self._end = reason
        else:
            self._heir.connectionLost(reason)

    # -- whoever asked

    def inherit(self, heir: Heir) -> None:
        """The connection is the heir's: what came already, what comes, and its end."""
        self._heir = heir
        held, self._held = self._held, b""
        if held:
            heir.dataReceived(held)
        if self._end is not None:
            heir.connectionLost(self._end)
        else:
            self.transport.resumeProducing()

    def deliver(self, body: IProtocol) -> None:
        """It has no body."""
        self.abort()
        body.makeConnection(self.transport)
        body.connectionLost(Failure(ConnectionAborted()))

    def abort(self) -> None:
        if self._end is None:
            self.transport.abortConnection()
