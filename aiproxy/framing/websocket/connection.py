"""One open WebSocket, after its handshake: bytes in, whole messages and the bytes that answer them out. Either side's."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from aiproxy.framing.websocket.deflate import GuardedDeflate

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
UNSUPPORTED_DATA: Final = 1003
NO_STATUS: Final = 1005
"""Never sent: the peer gave no code."""
ABNORMAL: Final = 1006
"""Never sent: the connection ended without a close."""
INVALID_DATA: Final = 1007
POLICY: Final = 1008
TOO_BIG: Final = 1009

LONGEST_REASON: Final = 123
"""Bytes that a close frame has for words (RFC 6455, 5.5)."""


class Message(NamedTuple):
    """A whole message; of a text its UTF-8, which is valid."""

    data: bytes
    text: bool = True


class Reply(NamedTuple):
    """Bytes for the peer: a pong, or the answer to its close."""

    data: bytes


class Heard(NamedTuple):
    """A pong, or a ping: the peer is there."""


class Closed(NamedTuple):
    """The end, by whoever began it: nothing more is heard after it."""

    code: int
    reason: str = ""


Received = Message | Reply | Heard | Closed


class WebSocketConnection:
    """`most` is bytes of one message. A peer that breaks the protocol gets the close frame that says so (`Reply`), and its
    connection is `Closed`."""

    def __init__(self, *, client: bool, most: int, deflate: GuardedDeflate | None = None) -> None:
        side = ConnectionType.CLIENT if client else ConnectionType.SERVER
        self._connection = Connection(side, [deflate] if deflate is not None else [])
        self._most = most
        self._held = bytearray()
        self._ended = False

    @property
    def open(self) -> bool:
        return self._connection.state is ConnectionState.OPEN

    def feed(self, data: bytes) -> Iterator[Received]:
        if self._ended:
            return
        self._connection.receive_data(data)
        for event in self._connection.events():
            match event:
                case TextMessage():
                    yield from self._piece(event.data.encode(), whole=event.message_finished, text=True)
                case BytesMessage():
                    yield from self._piece(bytes(event.data), whole=event.message_finished, text=False)
                case Ping():
                    yield Heard()
                    if self.open:
                        yield Reply(self._connection.send(event.response()))
                case Pong():
                    yield Heard()
                case CloseConnection(code=code, reason=reason):
                    if self.open:  # wsproto's word for what breaks the protocol, not the peer's close
                        yield from self._refuse(int(code), reason or "")
                        return
                    self._ended = True
                    if self._connection.state is ConnectionState.REMOTE_CLOSING:
                        yield Reply(self._connection.send(event.response()))
                    yield Closed(int(code), reason or "")
            if self._ended:
                return

    def text(self, data: bytes) -> bytes:
        """A message of UTF-8 text as bytes to send; b"" once a close was sent."""
        return self._connection.send(TextMessage(data.decode())) if self.open else b""

    def binary(self, data: bytes) -> bytes:
        return self._connection.send(BytesMessage(data)) if self.open else b""

    def ping(self) -> bytes:
        return self._connection.send(Ping()) if self.open else b""

    def close(self, code: int, reason: str = "") -> bytes:
        """The close frame; b"" when there was one already."""
        if not self.open:
            return b""
        words = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
        return self._connection.send(CloseConnection(code=code, reason=words or None))

    def _piece(self, data: bytes, *, whole: bool, text: bool) -> Iterator[Received]:
        if len(self._held) + len(data) > self._most:
            yield from self._refuse(TOO_BIG, f"a message may have {self._most} bytes")
            return
        if whole and not self._held:
            yield Message(data, text)
            return
        self._held += data
        if whole:
            data, self._held = bytes(self._held), bytearray()
            yield Message(data, text)

    def _refuse(self, code: int, reason: str) -> Iterator[Received]:
        self._held = bytearray()
        if self.open:
            yield Reply(self.close(code, reason))
        self._ended = True
        yield Closed(code, reason)
