"""An HTTP/2 client, hyper-h2."""

from collections.abc import Iterable
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import trustme
from h2.errors import ErrorCodes
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.web.serving import PATIENCE, Heard, Service


class Stream:
    def __init__(self, reactor: Any) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self.informational: list[str] = []
        self.reset: int | None = None
        self._ended: Deferred[None] = Deferred()
        self._reactor = reactor

    async def end(self) -> None:
        """Of the answer, be it whole or reset."""
        await self._ended.addTimeout(PATIENCE, self._reactor)

    async def answer(self) -> Heard:
        await self.end()
        assert self.reset in (None, ErrorCodes.NO_ERROR)
        return Heard(int(self.headers[":status"]), self.headers, self.body)

    def ended(self) -> None:
        if not self._ended.called:
            self._ended.callback(None)


class Patient(h2.connection.H2Connection):
    """Reads on after a GOAWAY, as browsers, Go and curl do, and RFC 9113 means it. hyper-h2 itself gives up."""

    goodbye: Any = None

    def _receive_goaway_frame(self, frame: Any) -> tuple[list[Any], list[Any]]:
        self.goodbye = frame
        return [], []


class Http2Client(Protocol):
    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.h2 = Patient(h2.config.H2Configuration(header_encoding="utf-8"))
        self.streams: dict[int, Stream] = {}
        self.reading = True
        self._closed: Deferred[BaseException] = Deferred()

    @property
    def wire(self) -> Any:
        return self.transport

    @property
    def lost(self) -> bool:
        return self._closed.called

    def closed(self) -> Deferred[BaseException]:
        return self._closed.addTimeout(PATIENCE, self._reactor)

    def connectionMade(self) -> None:
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.wire.write(self.h2.data_to_send())

    def ask(self, method: str, path: str, *headers: tuple[str, str], end: bool = True) -> tuple[int, Stream]:
        number = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "https"), (":authority", "gateway.test"), (":path", path)]
        stream = self.streams[number] = Stream(self._reactor)
        self.h2.send_headers(number, [*pseudo, *headers], end_stream=end)
        self.flush()
        return number, stream

    async def get(self, path: str, *headers: tuple[str, str]) -> Heard:
        return await self.ask("GET", path, *headers)[1].answer()

    def give(self, number: int, data: bytes, *, end: bool = False) -> None:
        """As much of a body as the window allows."""
        for start in range(0, max(1, len(data)), 16384):
            piece = data[start : start + 16384]
            self.h2.send_data(number, piece, end_stream=end and start + 16384 >= len(data))
        self.flush()

    def dataReceived(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            stream = self.streams.get(getattr(event, "stream_id", 0))
            match event:
                case h2.events.InformationalResponseReceived():
                    assert stream
                    stream.informational.append(_text(event.headers)[":status"])
                case h2.events.ResponseReceived():
                    assert stream
                    stream.headers = _text(event.headers)
                case h2.events.DataReceived():
                    assert stream
                    stream.body += event.data
                    if self.reading:
                        self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.StreamReset():
                    assert stream
                    stream.reset = event.error_code
                    stream.ended()
                case h2.events.StreamEnded():
                    assert stream
                    stream.ended()
        self.flush()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        assert reason.value is not None
        self._closed.callback(reason.value)


def _text(headers: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    return dict(headers)


async def connect(service: Service, authority: trustme.CA) -> Http2Client:
    client = Http2Client(service.reactor)
    await service.connect_tls(client, authority.cert_pem.bytes(), [b"h2"])
    return client


async def settle(service: Service, clock: Clock, stream: Stream) -> None:
    """Twisted's sending loop is driven by `callLater(0)`, which a test with a `Clock` has to turn."""

    def turn() -> bool:
        clock.advance(0)
        return stream._ended.called

    await service.until(turn)
