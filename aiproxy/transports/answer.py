"""An answer whose headers have come, and how its body is pushed to whoever reads it."""

from collections.abc import Callable

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.python.failure import Failure
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IResponse
from zope.interface import implementer

from aiproxy.transports.connection import Connection


class Answer:
    """The `Response` of `base`. It takes the headers out of Twisted's response, and leaves none in there: treq would
    unpack a body by them that is to be passed on as it is, and keep cookies."""

    def __init__(self, response: IResponse, connection: Connection) -> None:
        self.status: int = response.code
        self.headers = _joined(response.headers)
        if response.length is not UNKNOWN_LENGTH:
            self.headers.setdefault("content-length", str(response.length))
        response.headers = Headers()
        self._response, self._connection = response, connection
        self._number = connection.used

    def deliver(self, body: IProtocol) -> None:
        delivery = Delivery(body, self)
        self._response.deliverBody(delivery)
        delivery.delivered()

    def abort(self) -> None:
        if self.under_way:
            self._connection.abort()

    @property
    def under_way(self) -> bool:
        """The connection is still ours: the answer is not complete, or is but the connection can't be used again."""
        return self._connection.used == self._number and self._connection.busy

    @property
    def ended_by_close(self) -> bool:
        """The upstream closed the connection in good order; anything else that ends a body of unknown length cuts it."""
        reason = self._connection.reason
        return reason is not None and reason.check(ConnectionDone) is not None

    @property
    def reason(self) -> Failure | None:
        return self._connection.reason


@implementer(IPushProducer)
class Delivery:
    """Stands between Twisted's response and the body's reader: a protocol to the one, the transport of the other."""

    def __init__(self, reader: IProtocol, answer: Answer) -> None:
        self.dataReceived: Callable[[bytes], None] = reader.dataReceived
        self._reader: IProtocol | None = reader
        self._answer = answer
        self._paused = False
        self._upstream: IPushProducer | None = None

    def makeConnection(self, upstream: IPushProducer) -> None:
        self._upstream = upstream
        assert self._reader is not None
        self._reader.makeConnection(self)  # type: ignore[arg-type] # a producer, as `base` says, not all of ITransport

    def delivered(self) -> None:
        """Twisted resumes the socket when it has handed over what it held, even if the reader paused it meanwhile."""
        if self._paused:
            self.pauseProducing()

    def connectionLost(self, reason: Failure) -> None:
        reader, self._reader, self._upstream = self._reader, None, None
        self.dataReceived = _discard  # with the reader let go of, no cycle is left for the garbage collector
        if reason.check(PotentialDataLoss) and not self._answer.ended_by_close:
            reason = self._answer.reason or reason
        self._answer.abort()  # complete, but not kept: over TLS a paused socket would wait for its peer for ever
        assert reader is not None
        reader.connectionLost(reason)

    def pauseProducing(self) -> None:
        self._paused = True
        if self._upstream is not None:
            self._upstream.pauseProducing()

    def resumeProducing(self) -> None:
        self._paused = False
        if self._upstream is not None:
            self._upstream.resumeProducing()

    def abortConnection(self) -> None:
        self.dataReceived = _discard
        self._answer.abort()

    def stopProducing(self) -> None:
        self.abortConnection()

    def loseConnection(self) -> None:
        self.abortConnection()


def _discard(data: bytes) -> None:
    """Nobody wants it any more."""


def _joined(headers: Headers) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in headers.getAllRawHeaders()
    }
