"""`application/vnd.amazon.eventstream`, as the Smithy documentation gives it ("Amazon Event Stream Specification").

    total length, headers length, CRC-32 of these two | headers | payload | CRC-32 of all before

Integers are big-endian, lengths and checksums four bytes unsigned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, assert_never
from uuid import UUID
from zlib import crc32

import orjson

from aiproxy.framing.frames import Frame
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated

EXCEPTION: Final = "exception:"
"""Before the `:exception-type` in the frame of an error the service's model names. No event's name holds a colon."""

ERROR: Final = "error:"
"""Before the `:error-code` in the frame of any other error."""

MAX_HEADERS_BYTES: Final = 128 * 1024
MAX_PAYLOAD_BYTES: Final = 24 * 1024 * 1024
"""The specification's own, binding for services; botocore refuses more as we do."""

MAX_VALUE_BYTES: Final = 2**15 - 1
"""Of a header's text or bytes, by the specification. Read are up to 2**16 - 1, what the length can say."""

_PRELUDE: Final = Struct(">III")
_CRC: Final = Struct(">I")
_LEAST: Final = _PRELUDE.size + _CRC.size


class Byte(int):
    """A header's integer of one byte; a plain `int` is one of four."""


class Short(int):
    """A header's integer of two bytes."""


class Long(int):
    """A header's integer of eight bytes."""


class Timestamp(int):
    """Milliseconds since the epoch."""


HeaderValue = bool | int | bytes | str | UUID

_TRUE, _FALSE, _BYTES, _TEXT, _UUID = 0, 1, 6, 7, 9
_INTEGERS: Final[dict[int, tuple[type[int], int]]] = {
    2: (Byte, 1),
    3: (Short, 2),
    4: (int, 4),
    5: (Long, 8),
    8: (Timestamp, 8),
}
_INTEGER_CODES: Final = {kind: (code, size) for code, (kind, size) in _INTEGERS.items()}


@dataclass(frozen=True, slots=True)
class EventStreamMessage:
    headers: Mapping[str, HeaderValue]
    payload: bytes = b""

    def text(self, name: str) -> str:
        """A header that is text, "" if it is not there."""
        value = self.headers.get(name, "")
        return value if isinstance(value, str) else ""

    @property
    def frame(self) -> Frame:
        """Named by what the headers say it is; an error told in headers alone gets them as its payload."""
        match self.text(":message-type"):
            case "exception":
                return Frame(EXCEPTION + self.text(":exception-type"), self.payload)
            case "error":
                code = self.text(":error-code")
                told = {"code": code, "message": self.text(":error-message")}
                return Frame(ERROR + code, self.payload or orjson.dumps(told))
            case _:
                return Frame(self.text(":event-type"), self.payload)


class EventStreamFramer:
    """`messages` is for who needs all headers; `feed` gives the frames the headers stand for. `pending` is the open message."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def pending(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> Sequence[Frame]:
        return [message.frame for message in self.messages(data)]

    def messages(self, data: bytes) -> Sequence[EventStreamMessage]:
        self._data += data
        messages = []
        while len(self._data) >= _PRELUDE.size:
            total = _read_prelude(self._data[: _PRELUDE.size])[0]
            if len(self._data) < total:
                break
            messages.append(decode_message(bytes(self._data[:total])))
            del self._data[:total]
        return messages

    def close(self) -> Sequence[Frame]:
        if self._data:
            raise UpstreamTruncated("The upstream's event stream ended inside a message.")
        return ()


def decode_message(data: bytes) -> EventStreamMessage:
    """One whole message. Raises `UpstreamFailed` for anything else."""
    if len(data) < _LEAST:
        raise _nonsense("a message is too short")
    total, headers_size = _read_prelude(data[: _PRELUDE.size])
    if total != len(data):
        raise _nonsense("a message is not as long as it says")
    if crc32(data[: -_CRC.size]) != _CRC.unpack(data[-_CRC.size :])[0]:
        raise _nonsense("a message's checksum is wrong")
    headers_end = _PRELUDE.size + headers_size
    return EventStreamMessage(_read_headers(data[_PRELUDE.size : headers_end]), data[headers_end : -_CRC.size])


def _read_prelude(prelude: bytes | bytearray) -> tuple[int, int]:
    """Total length and headers length, checked before anything is held for them."""
    total, headers_size, checksum = _PRELUDE.unpack(prelude)
    if crc32(prelude[: -_CRC.size]) != checksum:
        raise _nonsense("a prelude's checksum is wrong")
    if headers_size > MAX_HEADERS_BYTES:
        raise _nonsense(f"its headers are over {MAX_HEADERS_BYTES} bytes")
    payload_size = total - headers_size - _LEAST
    if not 0 <= payload_size <= MAX_PAYLOAD_BYTES:
        raise _nonsense(f"its payload is not between 0 and {MAX_PAYLOAD_BYTES} bytes")
    return total, headers_size


def _read_headers(data: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    at = 0

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        if at > len(data):
            raise _nonsense("a header is cut short")
        return data[at - size : at]

    while at < len(data):
        name = _decode(take(take(1)[0]))
        if not name or name in headers:
            raise _nonsense(f"the header {name!r} is empty or comes twice")
        headers[name] = _read_value(take)
    return headers


def _read_value(take: Callable[[int], bytes]) -> HeaderValue:
    code = take(1)[0]
    if code in _INTEGERS:
        kind, size = _INTEGERS[code]
        return kind.from_bytes(take(size), "big", signed=True)
    if code in (_TRUE, _FALSE):
        return code == _TRUE
    if code == _UUID:
        return UUID(bytes=take(16))
    if code in (_BYTES, _TEXT):
        value = take(int.from_bytes(take(2), "big"))
        return value if code == _BYTES else _decode(value)
    raise _nonsense(f"a header has the unknown type {code}")


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise _nonsense("a header is not UTF-8") from error


def _nonsense(why: str) -> UpstreamFailed:
    return UpstreamFailed(f"The upstream's event stream can't be read: {why}.")


def encode_message(message: EventStreamMessage) -> bytes:
    """Raises `ValueError` or `OverflowError` for what the format can't hold."""
    headers = b"".join(_encode_header(name, value) for name, value in message.headers.items())
    if len(headers) > MAX_HEADERS_BYTES or len(message.payload) > MAX_PAYLOAD_BYTES:
        raise ValueError("the message is too large")
    lengths = Struct(">II").pack(_LEAST + len(headers) + len(message.payload), len(headers))
    checked = lengths + _CRC.pack(crc32(lengths)) + headers + message.payload
    return checked + _CRC.pack(crc32(checked))


def _encode_header(name: str, value: HeaderValue) -> bytes:
    start = name.encode()
    if not start:
        raise ValueError("a header needs a name")
    start = len(start).to_bytes(1, "big") + start
    match value:
        case bool():
            return start + bytes([_TRUE if value else _FALSE])
        case int():
            code, size = _INTEGER_CODES[type(value)]
            return start + bytes([code]) + value.to_bytes(size, "big", signed=True)
        case UUID():
            return start + bytes([_UUID]) + value.bytes
        case str():
            return start + bytes([_TEXT]) + _with_length(value.encode())
        case bytes():
            return start + bytes([_BYTES]) + _with_length(value)
        case _:
            assert_never(value)


def _with_length(value: bytes) -> bytes:
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"a header's value is over {MAX_VALUE_BYTES} bytes")
    return len(value).to_bytes(2, "big") + value
