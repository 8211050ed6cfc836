"""An HTTP/1 connection: requests in, strictly; answers out, each piece in one write.

Twisted's channel carries back-pressure; reading is ours, because its parser answers every fault with a bare
400 and sends `100 Continue` before anybody was asked.

What one connection is doing is its `Stage`, and the one timer always belongs to the stage:

    HEAD      waits for, or is inside, a head     keep_alive_seconds before its first byte, header_seconds from there on
    BODY      inside a body                       `HttpRequest.body_seconds`, anew at every read
    BUSY      a request is being answered         none; the gateway's own deadlines apply
    CLOSING   the last answer is on its way       LINGER_SECONDS, then the connection is cut
    UPGRADED  another protocol has it             that protocol's own
"""

import re
from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto
from typing import Protocol

from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, _ChunkedTransferDecoder, _MalformedChunkedDataError
from twisted.web.http_headers import Headers

from aiproxy.neutral.errors import GatewayError, InvalidRequest, RequestTimeout
from aiproxy.transports.deadline import Deadline
from aiproxy.transports.eager import eager_writer
from aiproxy.web.head import head_too_large, read_head, read_request_line
from aiproxy.web.request import HttpRequest, ISocket, Serving
from aiproxy.web.room import LARGE

SMALL_READ, LARGE_READ = Connection.bufferSize, 1 << 18
"""Bytes that are read of the socket at once, the second of a large body: fewer turns of the reactor, a tenth of what relaying it costs."""

PIPELINED_BYTES = 16 * 1024
"""Read ahead while a request is being answered: enough to see a client hang up, and Twisted's own figure."""

LINGER_SECONDS = 10
"""How long a client that is still sending may take to read the answer that refuses it, before it is cut off. Closing at
once would make its kernel throw the answer away (RFC 9112, 9.6). nginx lingers 5 to 30 s."""

_BARE_LF = re.compile(rb"(?<!\r)\n")
_HEAD_END = b"\r\n\r\n"
_BEGINNINGS = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\r"
"""What a request line, or the empty line before it, begins with. A TLS handshake at the wrong port doesn't."""


class Stage(Enum):
    HEAD = auto()
    BODY = auto()
    BUSY = auto()
    CLOSING = auto()
    UPGRADED = auto()


class Upgraded(Protocol):
    """What speaks on a connection after HTTP."""

    def taken(self, transport: ISocket, write: Callable[[bytes], None]) -> None:
        """The connection is its own; `write` is the transport's, or a quicker one."""

    def dataReceived(self, data: bytes) -> None: ...
    def connectionLost(self, reason: Failure) -> None: ...

    def drain(self) -> None:
        """End what is under way and close."""


class _Chunked(_ChunkedTransferDecoder):
    """Twisted's, which drops trailers without a look; a line break of one's own in them is a smuggler's."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if any(_BARE_LF.search(line) or b"\r" in line for line in self._trailerHeaders):
            raise _MalformedChunkedDataError("line break in a trailer")


class Http1Channel(HTTPChannel):
    transport: ISocket
    timeOut = None  # of Twisted's own timer, which is never armed
    persistent = True

    def __init__(self, site: Serving) -> None:
        super().__init__()
        self.site = site
        self.deadline = Deadline(site.reactor, self.timeoutConnection)
        self.deadline.set(site.limits.header_seconds)
        self._stage = Stage.HEAD
        self._unread = b""
        self._searched = 0
        self._chunked: _Chunked | None = None
        self._missing = 0
        self._reading = False
        self._head = b""
        self._upgraded: Upgraded | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._send = eager_writer(self.transport)

    def drain(self) -> None:
        """Close now if nothing is asked, else after the answer. A half-sent request isn't answered any more."""
        if self._stage is Stage.HEAD:
            self._close()
        elif self._upgraded is not None:
            self._upgraded.drain()

    def upgrade(self, headers: Sequence[tuple[str, str]], to: Upgraded) -> None:
        """Answer the request with 101, and hand the connection over. Only while it is being answered."""
        assert self._stage is Stage.BUSY
        self._stage = Stage.UPGRADED
        self._upgraded = to
        self.deadline.stop()
        self.transport.unregisterProducer()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self._send(f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode("latin-1"))
        rest, self._unread = self._unread, b""
        to.taken(self.transport, self._send)
        if rest:
            to.dataReceived(rest)

    def cut(self, request: HttpRequest) -> None:
        """End an unfinished answer. What is written arrives first where framing shows that more was to come."""
        self._stage = Stage.CLOSING
        self.deadline.set(LINGER_SECONDS)
        if request.clientproto == b"HTTP/1.1":
            self.loseConnection()
        else:
            self.transport.abortConnection()

    # Reading.

    def dataReceived(self, data: bytes) -> None:
        if self._upgraded is not None:
            self._upgraded.dataReceived(data)
            return
        if self._stage is Stage.CLOSING:
            return
        if self._stage is Stage.HEAD and not self._unread:
            self.deadline.set(self.site.limits.header_seconds)
        self._unread = self._unread + data if self._unread else data
        if self._stage is Stage.BUSY:
            if len(self._unread) > PIPELINED_BYTES and not self._waitingForTransport:
                self._networkProducer.pauseProducing()
        else:
            self._read()

    def _read(self) -> None:
        """Until more bytes or an answer are needed. Not entered twice: an answer given at once comes back to this loop."""
        if self._reading:
            return
        self._reading = True
        try:
            going = True
            while going and self._unread:
                match self._stage:
                    case Stage.HEAD:
                        going = self._read_head()
                    case Stage.BODY:
                        self._read_body()
                    case Stage.BUSY | Stage.CLOSING | Stage.UPGRADED:
                        going = False
        finally:
            self._reading = False

    def _read_head(self) -> bool:
        """False while the head is incomplete."""
        request = None
        try:
            block = self._take_head()
            if block is None:
                return False
            request = self._new_request()
            first, *lines = block.split(b"\r\n")
            line = read_request_line(first)
            request.begin(line)
            head = read_head(line.version, lines, self.site.limits.header_count)
        except GatewayError as error:
            (request or self._new_request()).fail(error)
            return True
        request.receive(head.headers)
        self.persistent = head.keep_alive
        self._missing = head.length or 0
        self._chunked = _Chunked(request.handleContentChunk, self._body_ended) if head.length is None else None
        self._stage = Stage.BUSY if head.length == 0 else Stage.BODY
        if head.length == 0:
            self.deadline.lift()
        else:
            self.deadline.set(request.body_seconds())
        if not request.admit(head.length):
            return True
        if head.length is not None and head.length >= LARGE:
            self._read_at_once(LARGE_READ)
        if self._stage is Stage.BUSY:
            request.requestReceived()
        elif head.expects_continue and not self._unread:
            self._send100Continue()
        return True

    def _take_head(self) -> bytes | None:
        """The bytes up to the empty line, out of the buffer."""
        start = 2 if self._unread.startswith(b"\r\n") else 0  # RFC 9112, 2.2: one empty line is forgiven
        most = self.site.limits.header_bytes
        end = self._unread.find(_HEAD_END, max(start, self._searched - len(_HEAD_END)))
        if (end if end != -1 else len(self._unread)) > most:
            raise head_too_large(most)
        if end == -1:
            if self._unread[start : start + 1] not in _BEGINNINGS or _BARE_LF.search(self._unread, self._searched):
                raise InvalidRequest("The request's head is malformed; its lines must end with CR LF.")
            self._searched = len(self._unread)
            return None
        block, self._unread, self._searched = self._unread[start:end], self._unread[end + len(_HEAD_END) :], 0
        return block

    def _read_body(self) -> None:
        data, self._unread = self._unread, b""
        request = self.requests[0]
        try:
            if self._chunked is not None:
                self._chunked.dataReceived(data)
            else:
                request.handleContentChunk(data[: self._missing])
                rest = data[self._missing :]
                self._missing -= min(len(data), self._missing)
                if not self._missing:
                    self._body_ended(rest)
        except _MalformedChunkedDataError:
            self._stage = Stage.BODY  # also when the fault is behind the last chunk: nothing after it can be trusted
            request.fail(InvalidRequest("The request's body is malformed: its chunks are not as RFC 9112 has them."))
        except GatewayError as error:
            request.fail(error)
        else:
            if self._stage is Stage.BUSY:
                request.requestReceived()
            else:
                self.deadline.set(request.body_seconds())

    def _read_at_once(self, size: int) -> None:
        self.transport.bufferSize = size  # type: ignore[attr-defined] # what plain TCP has; TLS has records of its own

    def _body_ended(self, rest: bytes) -> None:
        self._read_at_once(SMALL_READ)
        self._unread = rest
        self._stage = Stage.BUSY
        self.deadline.lift()

    def _new_request(self) -> HttpRequest:
        request = HttpRequest(self)
        self.requests.append(request)
        return request

    # Answering.

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Held until there is some of the body, or `flush`: head and body then go out in one piece."""
        if self._is_last or self.site.parting:
            self.persistent = False
            if not code.startswith(b"1"):
                headers.setRawHeaders(b"connection", [b"close"])
        lines = [b"%b %b %b\r\n" % (version, code, reason)]
        lines += [b"%b: %b\r\n" % (name, value) for name, values in headers.getAllRawHeaders() for value in values]
        lines.append(b"\r\n")
        self._head = b"".join(lines)

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        self._send(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    def flush(self) -> None:
        if self._head:
            self.write(b"")

    def requestDone(self, request: HttpRequest) -> None:
        self.requests.remove(request)
        self._chunked = None
        if self._stage is Stage.CLOSING:
            return
        if self._is_last:
            self._close(linger=self._stage is not Stage.BUSY or bool(self._unread))
            return
        self._stage = Stage.HEAD
        limits = self.site.limits
        self.deadline.set(limits.header_seconds if self._unread else limits.keep_alive_seconds)
        if not self._waitingForTransport:
            self._networkProducer.resumeProducing()
        self._read()

    @property
    def _is_last(self) -> bool:
        """Also when the request was answered before it was read to its end: what follows is not a request."""
        return not self.persistent or self._stage is not Stage.BUSY or self.site.draining

    def _close(self, *, linger: bool = False) -> None:
        """With `linger` what the client still sends is read and thrown away, so that it gets to read the answer. TLS does
        so by itself, until the client has confirmed the end."""
        self._stage = Stage.CLOSING
        self._unread = b""
        self.deadline.set(LINGER_SECONDS)
        self._networkProducer.resumeProducing()
        if linger and not self.isSecure():
            self.transport.unregisterProducer()
            self.transport.loseWriteConnection()
        else:
            self.loseConnection()

    # The end.

    def timeoutConnection(self) -> None:
        match self._stage:
            case Stage.HEAD if self._unread.strip(b"\r\n"):
                self._new_request().fail(RequestTimeout("The request did not arrive in time; send it again."))
            case Stage.HEAD:
                self._close()
            case Stage.BODY:
                self.requests[0].body_is_late()
            case Stage.CLOSING:
                self.transport.abortConnection()
            case Stage.BUSY | Stage.UPGRADED:
                raise AssertionError("no timer of ours runs while a request is answered, or after HTTP")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stage = Stage.CLOSING
        self.deadline.stop()
        if self._upgraded is not None:
            self._upgraded.connectionLost(reason)
        super().connectionLost(reason)
