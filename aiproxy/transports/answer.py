"""An answer whose headers have come, and how its body is pushed to whoever reads it."""

from collections.abc import Mapping
from typing import Protocol

from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer


class Flow(Protocol):
    """What an answer asks of its connection while its body is under way."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def abort(self) -> None: ...


@implementer(IPushProducer)
class Answer:
    """The `Response` of `base`, and the transport of its body's reader.

    The connection calls `received` for each read and `ended` once; by then it may already serve another request. What comes
    before there is a reader, or while it pauses, is held: never more than one read of the socket, which pauses too."""

    __slots__ = ("_end", "_flow", "_held", "_paused", "_reader", "_unwanted", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], flow: Flow) -> None:
        self.status = status
        self.headers = headers
        self._flow: Flow | None = flow
        self._reader: IProtocol | None = None
        self._held = b""
        self._end: Failure | None = None
        self._paused = self._unwanted = False

    # The connection's side.

    def received(self, data: bytes) -> None:
        if self._unwanted:
            return
        if self._reader is not None and not self._paused:
            self._reader.dataReceived(data)
        elif self._flow is not None:
            self._held += data
            self._flow.pause()

    def ended(self, reason: Failure) -> None:
        self._flow = None
        self._end = reason
        self._flush()

    # The reader's side.

    def deliver(self, body: IProtocol) -> None:
        self._reader = body
        body.makeConnection(self)  # type: ignore[arg-type] # a producer, as `base` says, not all of ITransport
        if not self._paused:
            self.resumeProducing()

    def pauseProducing(self) -> None:
        self._paused = True
        if self._flow is not None:
            self._flow.pause()

    def resumeProducing(self) -> None:
        self._paused = False
        self._flush()
        if self._flow is not None and not self._paused:
            self._flow.resume()

    def abort(self) -> None:
        """An end that was still waiting behind what is thrown away here isn't the end of what the reader got."""
        self._unwanted, self._paused = True, False
        if self._held and self._end is not None:
            self._end = Failure(ConnectionAborted())
        self._held = b""
        if self._flow is not None:
            self._flow.abort()
        self._flush()

    abortConnection = stopProducing = loseConnection = abort

    def _flush(self) -> None:
        if self._reader is not None and self._held and not self._paused:
            held, self._held = self._held, b""
            self._reader.dataReceived(held)
        if self._reader is not None and self._end is not None and not self._held:
            reader, self._reader = self._reader, None
            reader.connectionLost(self._end)
