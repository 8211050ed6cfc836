"""An upstream's body as a whole: for error answers and model lists, never for what a client waits for."""

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from aiproxy.transports.base import Response


class _Collected(Protocol):
    """The first `limit` bytes; however the body ends, what has come is the result."""

    def __init__(self, response: Response, limit: int) -> None:
        self._response = response
        self._limit = limit
        self._data = bytearray()
        self.done: Deferred[bytes] = Deferred(lambda _: response.abort())

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        if len(self._data) >= self._limit:
            self._finish()
            self._response.abort()

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:  # noqa: ARG002, B008
        self._finish()

    def give_up(self) -> None:
        self._finish()
        self._response.abort()

    def _finish(self) -> None:
        if not self.done.called:
            self.done.callback(bytes(self._data[: self._limit]))


async def read_body(response: Response, limit: int, clock: IReactorTime, patience: float) -> bytes:
    """At most `limit` bytes, and what has come after `patience` seconds (0: no limit). Cancelling it closes the socket."""
    collected = _Collected(response, limit)
    response.deliver(collected)
    alarm: IDelayedCall | None = clock.callLater(patience, collected.give_up) if patience else None
    try:
        return await collected.done
    finally:
        if alarm is not None and alarm.active():
            alarm.cancel()
