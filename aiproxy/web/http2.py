"""An HTTP/2 connection: Twisted's, with our limits, refusals, deadlines and an orderly goodbye.

What it cannot do, because hyper-h2 hands us a head only when all of it has come: answer 431 above `HEAD_SLACK` times
`limits.header-bytes`, or 408 inside a head. A connection whose head grows larger when it is unpacked, or comes in more than hyper-h2's
`CONTINUATION_BACKLOG` frames (64: a mebibyte), is closed with GOAWAY and nothing is kept of it. A malformed request is a protocol
error of the whole connection (RFC 9113, 8.1.1 allows that) and ends the same way.
"""

from collections import deque
from collections.abc import Callable
from typing import cast

from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame
from priority import DuplicateStreamError  # type: ignore[import-untyped]
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from twisted.web._http2 import H2Connection, H2Stream
from twisted.web.http_headers import Headers

from aiproxy.neutral.errors import GatewayError
from aiproxy.transports.deadline import Deadline
from aiproxy.web.head import RequestLine, expects_continue, head_too_large, read_target, too_many_headers
from aiproxy.web.http1 import LINGER_SECONDS
from aiproxy.web.request import HttpRequest, ISocket, Serving

HEAD_SLACK = 2
"""Times `limits.header-bytes` that the decoder takes, so that a head which is a little too large gets an honest 431."""

STREAMS = 100
"""Requests at once on one connection: hyper-h2's own figure and the least RFC 9113 recommends."""

UPLOAD_WINDOW = 1024 * 1024
"""Bytes a client may send ahead, per stream and per connection. HTTP/2's 64 KiB makes an image of 8 MB over a line of
50 ms take 6 s; a megabyte fills 160 Mbit/s. Bodies are kept whole anyway, so it costs no memory."""

_HOP_BY_HOP = ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
"""Of HTTP/1 alone; forbidden in an HTTP/2 answer (RFC 9113, 8.2.2)."""


class Http2Stream(H2Stream):
    """One request on the connection; a channel as far as its `HttpRequest` can tell."""

    site: Serving
    _deadline: Deadline | None = None
    """Of its body."""

    def _convertHeaders(self, headers: object) -> None:
        """Not in the constructor, before the connection knows us: an answer might be the result. See `begin`."""

    def begin(self, headers: list[tuple[bytes, bytes]], *, has_body: bool) -> None:
        request, limits = self.request, self.site.limits
        request.clientproto = b"HTTP/2"
        pseudo = {name: value for name, value in headers if name.startswith(b":")}
        try:
            method = pseudo[b":method"]
            request.begin(RequestLine(method, read_target(method, pseudo.get(b":path", b"")), b"HTTP/2"))
            if sum(len(name) + len(value) for name, value in headers) > limits.header_bytes:
                raise head_too_large(limits.header_bytes)
            if len(headers) - len(pseudo) > limits.header_count:
                raise too_many_headers(limits.header_count)
            said = [(name, value) for name, value in headers if not name.startswith(b":")]
            if b":authority" in pseudo:
                said = [each for each in said if each[0] != b"host"] + [(b"host", pseudo[b":authority"])]
            request.receive(said)
            continues = expects_continue(request.received.get(b"expect", ()))
        except GatewayError as error:
            request.fail(error)
            return
        length = request.received.get(b"content-length")
        if request.admit(int(length[0]) if length else None) and has_body:
            self._deadline = Deadline(self.site.reactor, request.body_is_late)
            self._deadline.set(request.body_seconds())
            if continues:
                self._send100Continue()

    @property
    def request(self) -> HttpRequest:
        return cast(HttpRequest, self._request)

    def receiveDataChunk(self, data: bytes, flowControlledLength: int) -> None:  # noqa: N803
        if self.request.finished:
            self._conn.openStreamWindow(self.streamID, flowControlledLength)
            return
        try:
            super().receiveDataChunk(data, flowControlledLength)
        except GatewayError as error:
            self._body_ended()
            self.request.fail(error)
        else:
            if self._deadline is not None:
                self._deadline.set(self.request.body_seconds())

    def requestComplete(self) -> None:
        self._body_ended()
        if not self.request.finished:
            super().requestComplete()

    def connectionLost(self, reason: Failure) -> None:
        self._body_ended()
        super().connectionLost(reason)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        for name in _HOP_BY_HOP:
            headers.removeHeader(name)
        super().writeHeaders(version, code, reason, headers)

    def flush(self) -> None:
        """Nothing is held."""

    def requestDone(self, request: HttpRequest) -> None:
        if self.streamID in self._conn.streams:
            super().requestDone(request)

    def cut(self, request: HttpRequest) -> None:  # noqa: ARG002 # of one stream there is one request
        self._conn.abortRequest(self.streamID)

    def _body_ended(self) -> None:
        if self._deadline is not None:
            self._deadline.stop()
            self._deadline = None


class Http2Channel(H2Connection):
    site: Serving  # type: ignore[assignment]
    transport: ISocket
    timeOut: float | None  # type: ignore[assignment]

    def __init__(self, site: Serving) -> None:
        super().__init__(site.reactor)
        self.site = site
        self.requestFactory = HttpRequest
        self.timeOut = site.limits.keep_alive_seconds
        self.conn.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.INITIAL_WINDOW_SIZE: UPLOAD_WINDOW,
                SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS,
                SettingCodes.MAX_HEADER_LIST_SIZE: site.limits.header_bytes,
            },
        )
        self.conn.decoder.max_header_list_size = HEAD_SLACK * site.limits.header_bytes
        self._last_accepted = 0
        self._leaving = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self.conn.increment_flow_control_window(UPLOAD_WINDOW)
        self._tryToWriteControlData()

    def drain(self) -> None:
        """Open streams are finished. The client is told when it asks for another one, not before: many clients, all those
        on hyper-h2 among them, give up their open streams at a GOAWAY."""
        if not self.streams:
            self._say_goodbye()
            self._leave()

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if not self._stillProducing:  # a protocol error, or the client's own goodbye
            self._leave()

    def timeoutConnection(self) -> None:
        """Silence is a fault only while nothing is being answered: bodies have deadlines of their own."""
        if self.streams:
            self.setTimeout(self.timeOut)
        else:
            self._say_goodbye()
            self._leave()

    def callLater(self, period: float, func: Callable[[], object]) -> IDelayedCall:
        return self.site.reactor.callLater(period, func)

    def abortRequest(self, streamID: int) -> None:  # noqa: N803
        """Never NO_ERROR, which could be taken for an end."""
        if streamID in self.streams:
            self.conn.reset_stream(streamID, ErrorCodes.INTERNAL_ERROR)
            if self._tryToWriteControlData():
                self._requestDone(streamID)

    def _requestReceived(self, event: RequestReceived) -> None:
        """Twisted's, with our own class of streams."""
        if self.site.draining:
            self._say_goodbye()
            self.conn.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._last_accepted = event.stream_id
        stream = Http2Stream(event.stream_id, self, event.headers, self.requestFactory, self.site, self.site)
        self.streams[event.stream_id] = stream
        self._streamCleanupCallbacks[event.stream_id] = Deferred()
        self._outboundStreamQueues[event.stream_id] = deque()
        try:
            self.priority.insert_stream(event.stream_id)
        except DuplicateStreamError:
            pass  # a PRIORITY frame came before the request
        else:
            self.priority.block(event.stream_id)
        stream.begin(event.headers, has_body=event.stream_ended is None)

    def _requestDataReceived(self, event: DataReceived) -> None:
        if event.stream_id in self.streams:
            super()._requestDataReceived(event)
        else:
            self.openStreamWindow(event.stream_id, event.flow_controlled_length)

    def _requestEnded(self, event: StreamEnded) -> None:
        if event.stream_id in self.streams:
            super()._requestEnded(event)

    def _requestAborted(self, event: StreamReset) -> None:
        if event.stream_id in self.streams:
            super()._requestAborted(event)

    def _requestDone(self, streamID: int) -> None:  # noqa: N803
        """The answer is sent. A client that still sends its body is told to stop (RFC 9113, 8.1)."""
        super()._requestDone(streamID)
        if not self._stillProducing:
            return
        stream = self.conn.streams.get(streamID)
        if stream is not None and not stream.closed:
            self.conn.reset_stream(streamID, ErrorCodes.NO_ERROR)
            self._tryToWriteControlData()
        if self.site.draining:
            self.drain()

    def _say_goodbye(self) -> None:
        """GOAWAY: what came after the last accepted stream the client may safely send elsewhere.

        Not hyper-h2's own, after which nothing can be sent on open streams either."""
        goodbye = GoAwayFrame(last_stream_id=self._last_accepted, error_code=ErrorCodes.NO_ERROR)
        self.transport.write(goodbye.serialize())

    def _leave(self) -> None:
        """Close after what is written; a client that doesn't confirm is cut off."""
        if self._leaving:
            return
        self._leaving = True
        self.setTimeout(None)
        self.transport.unregisterProducer()  # TLS closes only then
        self._abortingCall = self.callLater(LINGER_SECONDS, self.forceAbortClient)
        self.transport.loseConnection()
