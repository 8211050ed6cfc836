"""One HTTP request between a channel and the routes: Twisted's, but refused early, kept in memory and failing as JSON."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from time import time
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IReactorTime, ITCPTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.error import UnsupportedMethod
from twisted.web.http import datetimeToString, parse_qs
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET, Request

from aiproxy.codecs.base import Answer
from aiproxy.config.schema import Limits
from aiproxy.neutral.errors import (
    GatewayError,
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    RequestTimeout,
    TooLarge,
    UnsupportedEncoding,
)
from aiproxy.web.head import RequestLine
from aiproxy.web.room import room_for
from aiproxy.web.unpacking import Unpacking, unpacking

_log = Logger("aiproxy.web")

MIB = 1024 * 1024

_PHRASES = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}

_date = lru_cache(maxsize=1)(datetimeToString)
"""By the second, which is what it is told to."""

Refuse = Callable[["HttpRequest"], GatewayError | None]
"""What there is to say against a request whose head is complete, before its body is read."""

RenderError = Callable[["HttpRequest | None", GatewayError], Answer]
"""An error in the caller's protocol, by path; None when not even the request line was understood."""


class ISocket(ITCPTransport, IConsumer):
    """What TCP and TLS transports both give to a protocol."""


class Serving(Protocol):
    """What requests and channels ask of their site."""

    resource: IResource
    reactor: IReactorTime
    limits: Limits
    refuse: Refuse
    render_error: RenderError
    draining: bool
    parting: bool

    def began(self, request: "HttpRequest") -> None: ...
    def ended(self, request: "HttpRequest") -> None: ...


def body_allowance(limits: Limits, received: int) -> float:
    """Seconds from the head in which so many bytes of a body, and some more, must have come. Pure."""
    return limits.body_idle_seconds + received / limits.body_bytes_per_second


class HttpRequest(Request):
    """Its channel calls `begin`, `admit`, then `handleContentChunk` and `requestReceived`; or `fail` at any point."""

    defaultContentType = None
    site: Serving  # type: ignore[assignment]
    channel: Any  # Twisted's HTTP/1 channel or HTTP/2 stream, with `cut`; None once the connection is gone
    method: bytes
    path: bytes | None = None  # type: ignore[assignment] # until the request line is understood
    content: BytesIO
    received: Mapping[bytes, Sequence[bytes]]
    """The headers' values, by name in lower case."""
    answering: Deferred[Any] | None = None
    """Cancelled when the client leaves."""

    _twisted_headers: Headers | None = None
    _received = 0
    _body_began: float | None = None
    _packed: Unpacking | None = None
    _cut = False

    def __init__(self, channel: Any, queued: bool = False) -> None:
        super().__init__(channel, queued=queued, parsePOSTFormSubmission=False)
        self.received = {}
        self.site = channel.site
        self.method = b"GET"
        self.clientproto = b"HTTP/1.1"  # until we know better: how to answer what couldn't be read

    def begin(self, line: RequestLine) -> None:
        self.method, self.uri, self.clientproto = line.method, line.target, line.version
        self.path, _, query = line.target.partition(b"?")
        self.args = parse_qs(query, keep_blank_values=1) if query else {}

    def receive(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Names in lower case."""
        received: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            received.setdefault(name, []).append(value)
        self.received = received
        if b"cookie" in received:
            self.parseCookies()

    @property
    def requestHeaders(self) -> Headers:  # Twisted's, which most requests never need: made on demand
        if self._twisted_headers is None:
            self._twisted_headers = Headers(self.received)
        return self._twisted_headers

    @requestHeaders.setter
    def requestHeaders(self, empty: Headers) -> None:
        """Twisted begins every request with none."""

    def admit(self, length: int | None) -> bool:
        """The head is complete. False if that was enough: the request is answered, and its body must not be read.

        A body never goes to disk: it is sent upstream whole, maybe twice, and `limits.request-body-mb` bounds it."""
        self.content = BytesIO()
        self.site.began(self)
        try:
            error = self.site.refuse(self)
        except Exception:  # noqa: BLE001 # a bug in the rules must not let the request in, nor cut the connection
            self.processingFailed(Failure())
            return False
        if error is None and length is not None and length > self._most:
            error = self._too_large()
        if error is None:
            try:
                self._packed = unpacking(self.received.get(b"content-encoding"))
            except UnsupportedEncoding as unknown:
                error = unknown
        if error is not None:
            self.fail(error)
        elif length is not None and self._packed is None:
            self.content = room_for(length)
        return error is None

    def handleContentChunk(self, data: bytes) -> None:
        """Raises `TooLarge`, or `InvalidRequest` for a compressed body that can't be read."""
        self._received += len(data)
        if self._packed is not None:
            data = self._packed.feed(data, self._most - self.content.tell())
        if max(self._received, self.content.tell() + len(data)) > self._most:
            raise self._too_large()
        self.content.write(data)

    def body_seconds(self) -> float:
        """For more of the body. One that drips within its idle time would else hold its place, and what came of it, for days."""
        limits, now = self.site.limits, self.site.reactor.seconds()
        if self._body_began is None:
            self._body_began = now
        spent = now - self._body_began
        return min(limits.body_idle_seconds, max(0.0, body_allowance(limits, self._received) - spent))

    def body_is_late(self) -> None:
        limits = self.site.limits
        self.fail(
            RequestTimeout(
                f"The request's body did not arrive in time: it may pause for {limits.body_idle_seconds:g} s "
                f"(limits.body-idle-seconds), and must come at {limits.body_bytes_per_second} bytes a second on the whole "
                "(limits.body-bytes-per-second). Send it again, or pass large media by URL."
            )
        )

    def requestReceived(self, *_: bytes) -> None:
        """The body is whole. Twisted repeats the request line here; `begin` has it already."""
        if self._packed is not None and self._received and not self._packed.whole:
            self.fail(InvalidRequest("The request's compressed body ends too early."))
            return
        self.content.seek(0)
        self.process()

    def process(self) -> None:
        assert self.path is not None
        self.prepath = []
        self.postpath = [unquote_to_bytes(segment) for segment in self.path[1:].split(b"/")]
        try:
            self.render(self.site.resource)
        except Exception:  # noqa: BLE001 # the last resort: whatever a route let through
            self.processingFailed(Failure())

    def render(self, resource: IResource) -> None:
        try:
            body: bytes | int = resource.render(self)
        except UnsupportedMethod as error:
            allowed = ", ".join(sorted(method.decode("ascii") for method in map(bytes, error.allowedMethods)))
            self.fail(MethodNotAllowed(f"Use {allowed} here.", headers={"allow": allowed}))
            return
        if body == NOT_DONE_YET:
            return
        assert isinstance(body, bytes), "a resource renders bytes or NOT_DONE_YET"
        self.setHeader(b"content-length", str(len(body)))
        self.write(body)
        self.finish()

    def processingFailed(self, reason: Failure) -> Failure:
        """Never shows the reason to the client. After the first byte all that is left is to cut the answer."""
        if self._disconnected or self.finished:
            return reason
        if isinstance(reason.value, GatewayError):
            error = reason.value
        else:
            incident = secrets.token_hex(6)
            _log.failure("incident {incident}", reason, incident=incident)
            error = Internal(f"Something went wrong inside the gateway. Its log knows more under incident {incident}.")
        self.fail(error)
        return reason

    def fail(self, error: GatewayError) -> None:
        if self.startedWriting:
            self.loseConnection()
            self.finish()
            return
        answer = self.site.render_error(self if self.path is not None else None, error)
        self.setResponseCode(answer.status)
        self.setHeader("content-type", answer.content_type)
        self.setHeader("content-length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.setHeader(name, value)
        self.write(answer.body)
        self.finish()

    def setResponseCode(self, code: int, message: bytes | None = None) -> None:
        """Twisted's table of phrases ends with RFC 2616."""
        super().setResponseCode(code, message or _PHRASES.get(code))

    def write(self, data: bytes) -> None:
        if self._cut or self._disconnected:
            return
        if self.chunked and data and not self.finished:  # as `super` does it, at a third of the price for each event
            self.sentLength += len(data)
            self.channel.write(b"%x\r\n%b\r\n" % (len(data), data))
        elif self.startedWriting:
            super().write(data)
        else:
            self.setHeader(b"date", _date(int(time())))
            super().write(data)
            self.channel.flush()

    def loseConnection(self) -> None:
        """Cut the answer so that the client sees it isn't whole; `finish` then adds no clean end."""
        if self.channel is not None and not self.finished and not self._cut:
            self._cut = True
            self.chunked = 0
            self.channel.cut(self)

    def finish(self) -> None:
        super().finish()
        self.answering = None  # which knows us, too
        self.site.ended(self)

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self.site.ended(self)
        answering, self.answering = self.answering, None
        if answering is not None:
            answering.cancel()

    @property
    def gone(self) -> bool:
        """The client has left."""
        return bool(self._disconnected)

    @property
    def _most(self) -> int:
        return int(self.site.limits.request_body_mb * MIB)

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"The request's body exceeds {self.site.limits.request_body_mb:g} MiB (limits.request-body-mb); send less,"
            " or pass large media by URL."
        )
