"""An upstream's body as a whole: for error answers and model lists, never for what a client waits for."""

import zlib
from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.transports.base import Response


def inflater(response_headers: Mapping[str, str]) -> Callable[[bytes], bytes]:
    """Identity is asked for; what is sent compressed all the same is read here as it was meant. The result raises
    `UpstreamFailed`."""
    if response_headers.get("content-encoding", "").strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return bytes
    inflate = zlib.decompressobj(wbits=47).decompress

    def unpack(data: bytes) -> bytes:
        try:
            return inflate(data)
        except zlib.error as error:
            raise UpstreamFailed("The upstream's compressed answer is damaged.") from error

    return unpack


class _Collected(Protocol):
    """The first `limit` bytes; however the body ends, what has come is the result."""

    def __init__(self, response: Response, limit: int) -> None:
        self._response = response
        self._limit = limit
        self._data = bytearray()
        self._inflate = inflater(response.headers)
        self.done: Deferred[bytes] = Deferred(lambda _: response.abort())

    def dataReceived(self, data: bytes) -> None:
        try:
            self._data += self._inflate(data)
        except UpstreamFailed:
            self.give_up()
            return
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
