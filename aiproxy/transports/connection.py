"""One HTTP/1.1 connection to an upstream: Twisted's client protocol, and what a gateway needs beside it."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import HTTP11ClientProtocol, Request
from twisted.web.iweb import IBodyProducer, IResponse
from zope.interface import implementer

ANSWER_HEAD_LIMIT = 262144
"""Bytes read before an answer's headers are complete. The largest real ones (cookies, rate limits) have some 10 KiB."""

CHUNK = 131072
"""Bytes of a request body handed to the socket at once: what Twisted sends in one write."""


@implementer(IBodyProducer)
class RequestBody:
    """A body in memory that goes up as fast as the socket takes it. `progress` is called whenever it took some.

    Can be started again, on another connection."""

    def __init__(self, body: bytes, progress: Callable[[], None]) -> None:
        self.length = len(body)
        self._body, self._progress = body, progress
        self._consumer: IConsumer | None = None
        self._sent = 0
        self._paused = False
        self._done: Deferred[None] | None = None

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        self._consumer, self._sent, self._paused = consumer, 0, False
        done = self._done = Deferred()
        self._pump()
        return done

    def _pump(self) -> None:
        while self._done is not None and not self._paused:
            if self._sent == self.length:
                done, self._done, self._consumer = self._done, None, None
                done.callback(None)
            else:
                self._write(self._body[self._sent : self._sent + CHUNK])

    def _write(self, data: bytes) -> None:
        assert self._consumer is not None
        self._sent += len(data)
        self._consumer.write(data)

    def hurry(self) -> None:
        """Hand over all of the rest: the answer is already coming, and Twisted holds it back until the request is out."""
        if self._done is not None:
            self._write(self._body[self._sent :])
            self._paused = False
            self._pump()

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self._progress()
        self._pump()

    def stopProducing(self) -> None:
        self._done = self._consumer = None


@implementer(IHandshakeListener)
class Connection(HTTP11ClientProtocol):
    """`idle` is called when an answer is complete and another request may follow; `lost` once, at the end.

    `used` counts requests, `heard` bytes of the answer that has not begun yet. `secured` fires when TLS is (or is not)
    there; a plain connection has none. `gone` fires when the socket is closed, and `reason` then says why."""

    def __init__(
        self, secure: bool, idle: Callable[["Connection"], None], lost: Callable[["Connection"], None]
    ) -> None:
        super().__init__(self._answered)
        self.secured: Deferred[None] | None = Deferred() if secure else None
        self.gone: Deferred[None] = Deferred()
        self.reason: Failure | None = None
        self.used = self.heard = 0
        self.busy = False
        self._head_pending = self._excess = False
        self._body: RequestBody | None = None
        self._idle, self._lost = idle, lost

    def ask(self, request: Request, body: RequestBody | None) -> Deferred[IResponse]:
        """Cancelling closes the socket. Fails as `HTTP11ClientProtocol.request` does."""
        self.used += 1
        self.heard = 0
        self.busy = self._head_pending = True
        self._body = body
        return self.request(request).addCallback(self._began)

    def abort(self) -> None:
        """Close the socket now, whatever is under way. Safe to call at any time."""
        if self.reason is None and self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined] # what TCP and TLS have, ITransport lacks

    def handshakeCompleted(self) -> None:
        if self.secured is not None and not self.secured.called:
            self.secured.callback(None)

    def dataReceived(self, data: bytes) -> None:
        if not self.busy:
            self.abort()  # nobody asked: not an answer to the next request either
            return
        if self._head_pending:
            self.heard += len(data)
            if self.heard > ANSWER_HEAD_LIMIT:
                self.abort()
                return
            if self._body is not None:
                self._body.hurry()
        super().dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason
        self._lost(self)
        if self.secured is not None and not self.secured.called:
            self.secured.errback(reason)
        super().connectionLost(reason)
        self.gone.callback(None)

    def _began(self, response: IResponse) -> IResponse:
        self._head_pending = False
        self._body = None
        return response

    def _finishResponse(self, rest: bytes) -> None:
        self._excess = bool(rest)
        super()._finishResponse(rest)

    def _answered(self, _: HTTP11ClientProtocol) -> None:
        """What came after the answer was not asked for: the next answer could not be told from it."""
        if not self._excess:
            self.busy = False
            self._idle(self)
