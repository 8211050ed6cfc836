"""One HTTP/1.1 connection to an upstream: requests out, one at a time; answers in, parsed by llhttp in its strict mode.

What one read of the socket brings is handed on at once and whole, however many chunks it came in."""

from collections.abc import Callable
from typing import Protocol as Shape

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from zope.interface import implementer

from aiproxy.transports.answer import Answer
from aiproxy.transports.eager import eager_writer
from aiproxy.transports.switched import Switched
from aiproxy.transports.upload import UPLOAD_BYTES, Upload

ANSWER_HEAD_LIMIT = 262144
"""Bytes read before an answer's headers are complete. The largest real ones (cookies, rate limits) have some 10 KiB."""

_OF_THE_CONNECTION = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "trailers", "transfer-encoding", "upgrade")
)
"""Headers that tell of the connection and the framing, and are nobody's business beyond."""

_BODILESS = (204, 304)
_SWITCHING = 101
_VERSIONS = ("1.1", "1.0")


class NotHttp(Exception):
    """What came is not a sound answer."""


class Asker(Shape):
    """Whoever sent a request: told once how it went."""

    def began(self, answer: Answer | Switched) -> None:
        """The headers are there."""

    def broke(self, error: BaseException) -> None:
        """The connection ended before the headers were there, by `error`. It is closed, or about to be."""

    def progressed(self) -> None:
        """The upstream took some of a large body."""


@implementer(IHandshakeListener)
class Connection(Protocol):
    """`idle` is called when an answer is complete and another request may follow; `lost` once, at the end.

    `used` counts requests, `heard` bytes of the answer that has not begun yet. `secured` fires when TLS is (or is not)
    there; a plain connection has none. `gone` fires when the socket is closed."""

    def __init__(
        self, secure: bool, idle: Callable[["Connection"], None], lost: Callable[["Connection"], None]
    ) -> None:
        self.secured: Deferred[None] | None = Deferred() if secure else None
        self.gone: Deferred[None] = Deferred()
        self.used = self.heard = 0
        self._idle, self._lost = idle, lost
        self._closed = self._aborted = self._paused = self._bodiless = self._upgrades = False
        self._asker: Asker | None = None
        self._answer: Answer | None = None
        self._switched: Switched | None = None
        self._upload: Upload | None = None
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self._parser = HttpResponseParser(self)
        self._expect()

    def _expect(self) -> None:
        """Nothing is known of the next answer."""
        self._headers: dict[str, str] = {}
        self._status = 0  # until the head is complete
        self._whole = self._keeps = self._framed = False

    # Asking.

    def ask(self, asker: Asker, head: bytes, body: bytes, *, bodiless: bool = False, upgrades: bool = False) -> None:
        """`bodiless`: the answer has no body, whatever its headers say, since HEAD was asked. `upgrades`: the answer may switch
        to another protocol, and is then the connection's last."""
        self.used += 1
        self.heard = 0
        self._asker = asker
        self._bodiless, self._upgrades = bodiless, upgrades
        if len(body) <= UPLOAD_BYTES:
            self._write(head + body)
        else:
            self._write(head)
            self._upload = Upload(body, self.transport, asker.progressed)
            self._upload.start()

    @property
    def busy(self) -> bool:
        return self._asker is not None or self._answer is not None

    def abort(self) -> None:
        """Close the socket now, whatever is under way. Safe to call at any time."""
        if not self._closed and self.transport is not None:
            self._aborted = True
            self.transport.abortConnection()  # type: ignore[attr-defined] # what TCP and TLS have, ITransport lacks

    def pause(self) -> None:
        if not self._paused and not self._closed:
            self._paused = True
            self.transport.pauseProducing()  # type: ignore[union-attr]

    def resume(self) -> None:
        if self._paused and not self._closed:
            self._paused = False
            self.transport.resumeProducing()  # type: ignore[union-attr]

    # What Twisted calls.

    def connectionMade(self) -> None:
        assert self.transport is not None
        self._write = eager_writer(self.transport)

    def handshakeCompleted(self) -> None:
        if self.secured is not None and not self.secured.called:
            self.secured.callback(None)

    def dataReceived(self, data: bytes) -> None:
        if not self.busy:
            if self._switched is not None:
                self._switched.dataReceived(data)
            else:
                self.abort()  # nobody asked: not an answer to the next request either
            return
        if self._asker is not None:
            self.heard += len(data)
            if self.heard > ANSWER_HEAD_LIMIT:
                self.abort()
                return
        broken: Exception | None = None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            broken = error
        if self._status == _SWITCHING:
            if isinstance(broken, HttpParserUpgrade):
                self._switch(data[broken.args[0] :])
            else:
                self._break(NotHttp("switched to nothing"))
            return
        if self._asker is not None and self._status:
            self._whole = self._whole or self._bodiless
            self._begin(self._asker)
        self._hand_on()
        if self._whole:
            self._end(clean=broken is None)
        elif broken is not None:
            self._break(broken)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closed = True
        self._lost(self)
        if self.secured is not None and not self.secured.called:
            self.secured.errback(reason)
        if self._upload is not None:
            self._upload.stop()
        asker, answer, self._asker, self._answer = self._asker, self._answer, None, None
        if asker is not None:
            asker.broke(reason.value or ConnectionDone())
        if answer is not None:
            by_close = not self._framed and reason.check(ConnectionDone)
            answer.ended(Failure(PotentialDataLoss()) if by_close else Failure(ResponseFailed([reason])))
        if self._switched is not None:
            self._switched.connectionLost(reason)
        self.gone.callback(None)

    # What the parser calls, while it is fed.

    def on_message_begin(self) -> None:
        if self._whole:
            raise NotHttp("more came than was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status:  # a trailer
            return
        text, said = name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")
        before = self._headers.get(text)
        self._headers[text] = said if before is None else f"{before}, {said}"

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        headers = self._headers
        if 100 <= status < 200:
            if status == _SWITCHING:
                if not self._upgrades:
                    raise NotHttp("switched to a protocol nobody asked for")
                self._status = status
            return
        version, coding = self._parser.get_http_version(), headers.get("transfer-encoding")
        if version not in _VERSIONS:
            raise NotHttp("another version of HTTP")
        if coding is not None and (coding.lower() != "chunked" or version == "1.0"):
            raise NotHttp("an unknown transfer coding")
        self._status = status
        self._framed = coding is not None or "content-length" in headers or status in _BODILESS
        # llhttp doesn't know of HEAD either, and would take the next answer for this one's body.
        self._keeps = self._framed and not self._bodiless and self._parser.should_keep_alive()

    def on_message_complete(self) -> None:
        if self._status:
            self._whole = True
        else:  # 100 Continue and its like
            self._headers = {}

    # What follows from it.

    def _begin(self, asker: Asker) -> None:
        headers = {name: value for name, value in self._headers.items() if name not in _OF_THE_CONNECTION}
        self._answer = Answer(self._status, headers, self)
        self._asker = None
        asker.began(self._answer)

    def _switch(self, rest: bytes) -> None:
        asker, self._asker = self._asker, None
        assert asker is not None
        assert self.transport is not None
        self._switched = Switched(self._headers, self.transport, self._write, rest)
        asker.began(self._switched)

    def _hand_on(self) -> None:
        if self._pieces:
            data = b"".join(self._pieces) if len(self._pieces) > 1 else self._pieces[0]
            self._pieces.clear()
            if self._answer is not None:
                self._answer.received(data)

    def _end(self, *, clean: bool) -> None:
        """What came after the answer was not asked for: the next answer could not be told from it. Neither could the next
        request be told from the rest of this one's body."""
        answer, self._answer = self._answer, None
        uploaded = self._upload is None or self._upload.done
        keeps = clean and self._keeps and uploaded and not self._aborted
        self._upload = None
        self._expect()
        self.resume()
        if keeps:
            self._idle(self)
        else:
            self.abort()
        if answer is not None:
            answer.ended(Failure(ResponseDone()))

    def _break(self, error: Exception) -> None:
        asker, answer, self._asker, self._answer = self._asker, self._answer, None, None
        self.abort()
        if asker is not None:
            asker.broke(NotHttp(str(error)))
        if answer is not None:
            answer.ended(Failure(ResponseFailed([Failure(NotHttp(str(error)))])))
