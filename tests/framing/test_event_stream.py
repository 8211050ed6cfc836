"""The AWS event stream against botocore's reader, and botocore's reader against our writer."""

from struct import pack
from typing import Any
from uuid import UUID
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer, ParserError
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.framing import Frame
from aiproxy.framing.event_stream import (
    MAX_HEADERS_BYTES,
    MAX_PAYLOAD_BYTES,
    Byte,
    EventStreamFramer,
    EventStreamMessage,
    HeaderValue,
    Long,
    Short,
    Timestamp,
    decode_message,
    encode_message,
)
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated

from .splitting import cut, cuts, read

TEXT = EventStreamMessage(
    {":message-type": "event", ":event-type": "assistantResponseEvent", ":content-type": "application/json"},
    '{"content":"é😀"}'.encode(),
)

ALL_TYPES: dict[str, HeaderValue] = {
    "true": True,
    "false": False,
    "byte": Byte(-128),
    "short": Short(-2),
    "integer": 2**31 - 1,
    "long": Long(-(2**63)),
    "bytes": b"\x00\xff",
    "text": "é",
    "time": Timestamp(1_763_683_200_000),
    "uuid": UUID("0123456789abcdef0123456789abcdef"),
}


def by_hand(headers: bytes, payload: bytes = b"") -> bytes:
    start = pack(">II", 16 + len(headers) + len(payload), len(headers))
    start += pack(">I", crc32(start)) + headers + payload
    return start + pack(">I", crc32(start))


def test_the_bytes_are_those_of_the_specification() -> None:
    assert encode_message(EventStreamMessage({})) == bytes.fromhex("00000010 00000000 05c248eb 7d98c8ff")
    assert encode_message(EventStreamMessage({"a": "bc", "n": 1}, b"{}")) == by_hand(
        b"\x01a\x07\x00\x02bc\x01n\x04\x00\x00\x00\x01", b"{}"
    )


@pytest.mark.parametrize(
    ("headers", "payload", "told"),
    [
        ({":message-type": "event", ":event-type": "chunk"}, b"{}", ("chunk", b"{}")),
        ({":event-type": "chunk"}, b"", ("chunk", b"")),
        ({}, b"x", ("", b"x")),
        ({":event-type": 7}, b"x", ("", b"x")),
        ({":message-type": "exception", ":exception-type": "throttlingException"}, b'{"message":"slow"}', ("exception:throttlingException", b'{"message":"slow"}')),
        ({":message-type": "error", ":error-code": "InternalError", ":error-message": "oh"}, b"", ("error:InternalError", b'{"code":"InternalError","message":"oh"}')),
        ({":message-type": "error", ":error-code": "E"}, b"{}", ("error:E", b"{}")),
    ],
)  # fmt: skip
def test_the_frame_of_a_message(headers: dict[str, HeaderValue], payload: bytes, told: tuple[str, bytes]) -> None:
    message, frame = EventStreamMessage(headers, payload), Frame(*told)
    assert message.frame == frame
    assert read(EventStreamFramer, [encode_message(message)]) == [frame]


def test_every_cut_of_a_stream() -> None:
    stream = encode_message(TEXT) * 2 + encode_message(EventStreamMessage(ALL_TYPES))
    frames = [TEXT.frame, TEXT.frame, Frame("", b"")]
    assert read(EventStreamFramer, [bytes([byte]) for byte in stream]) == frames
    for place in range(len(stream)):
        assert read(EventStreamFramer, cut(stream, [place])) == frames


def test_all_types_of_headers_keep_value_and_width() -> None:
    (message,) = EventStreamFramer().messages(encode_message(EventStreamMessage(ALL_TYPES)))
    assert message.headers == ALL_TYPES
    assert [type(value) for value in message.headers.values()] == [type(value) for value in ALL_TYPES.values()]


_SIZES: list[tuple[type[int], int]] = [(Byte, 8), (Short, 16), (int, 32), (Long, 64), (Timestamp, 64)]
_INTEGERS = st.one_of([st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).map(kind) for kind, bits in _SIZES])
_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
_HEADERS = st.dictionaries(
    _NAMES, st.booleans() | _INTEGERS | st.binary(max_size=40) | st.text(max_size=20) | st.uuids(), max_size=6
)
_MESSAGES = st.lists(st.builds(EventStreamMessage, _HEADERS, st.binary(max_size=60)), max_size=4)


def botocore_reads(stream: bytes) -> list[Any]:
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    return [(message.headers, message.payload) for message in buffer]


def plain(message: EventStreamMessage) -> tuple[dict[str, object], bytes]:
    """As botocore has it: a UUID is its bytes."""
    return {
        name: value.bytes if isinstance(value, UUID) else value for name, value in message.headers.items()
    }, message.payload


@given(_MESSAGES, cuts(500))
def test_botocore_and_we_read_what_we_write(messages: list[EventStreamMessage], places: list[int]) -> None:
    stream = b"".join(map(encode_message, messages))
    framer = EventStreamFramer()
    assert [message for piece in cut(stream, places) for message in framer.messages(piece)] == messages
    assert botocore_reads(stream) == [plain(message) for message in messages]
    assert read(EventStreamFramer, cut(stream, places)) == [message.frame for message in messages]


_LENGTHY = st.binary(max_size=20).map(lambda value: pack(">H", len(value)) + value)
_RAW_HEADER = st.builds(
    lambda name, code, value: bytes([len(name)]) + name + bytes([code]) + value,
    st.text("abcdef:-", max_size=6).map(str.encode),
    st.integers(0, 11),
    _LENGTHY | st.binary(max_size=20),
)
_RAW = st.lists(_RAW_HEADER, max_size=4).map(b"".join) | st.binary(max_size=40)


@given(_RAW, st.binary(max_size=20))
def test_we_read_what_botocore_reads(headers: bytes, payload: bytes) -> None:
    """Headers of any bytes, under good checksums. We refuse some that botocore takes: cut short, or without a name."""
    stream = by_hand(headers, payload)
    try:
        ours = [plain(message) for message in EventStreamFramer().messages(stream)]
    except UpstreamFailed:
        return
    assert ours == botocore_reads(stream)


@given(st.integers(0, 8 * len(encode_message(TEXT)) - 1))
def test_any_flipped_bit_is_noticed(bit: int) -> None:
    stream = bytearray(encode_message(TEXT))
    stream[bit // 8] ^= 1 << bit % 8
    with pytest.raises(UpstreamFailed, match="checksum"):
        EventStreamFramer().feed(bytes(stream))
    with pytest.raises(ParserError):
        botocore_reads(bytes(stream))


@given(st.binary(max_size=200), cuts(200))
def test_junk_raises_only_ours(stream: bytes, places: list[int]) -> None:
    framer = EventStreamFramer()
    try:
        for piece in cut(stream, places):
            framer.feed(piece)
        framer.close()
    except UpstreamFailed:
        return
    assert stream == b""


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (b"\x01a\x0a", "unknown type 10"),
        (b"\x01a\x01\x01a\x01", "comes twice"),
        (b"\x00\x01", "empty"),
        (b"\x02a", "cut short"),
        (b"\x01a", "cut short"),
        (b"\x01a\x07\x00\x05abc", "cut short"),
        (b"\x01a\x09abc", "cut short"),
        (b"\x01\xff\x00", "UTF-8"),
        (b"\x01a\x07\x00\x01\xff", "UTF-8"),
    ],
)
def test_bad_headers(headers: bytes, why: str) -> None:
    with pytest.raises(UpstreamFailed, match=why):
        decode_message(by_hand(headers))


@pytest.mark.parametrize(
    ("total", "headers", "why"),
    [
        (16 + MAX_HEADERS_BYTES + 1, MAX_HEADERS_BYTES + 1, "headers are over"),
        (16 + MAX_PAYLOAD_BYTES + 1, 0, "payload"),
        (2**32 - 1, 0, "payload"),
        (15, 0, "payload"),
        (20, 5, "payload"),
    ],
)
def test_lengths_are_judged_before_anything_is_held(total: int, headers: int, why: str) -> None:
    prelude = pack(">II", total, headers)
    with pytest.raises(UpstreamFailed, match=why):
        EventStreamFramer().feed(prelude + pack(">I", crc32(prelude)))


def test_half_a_message_is_a_truncation() -> None:
    framer = EventStreamFramer()
    framer.feed(encode_message(TEXT)[:-1])
    with pytest.raises(UpstreamTruncated):
        framer.close()


@pytest.mark.parametrize("data", [b"", b"x" * 15, encode_message(TEXT)[:-1], encode_message(TEXT) + b"x"])
def test_one_message_is_exactly_one(data: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        decode_message(data)


@pytest.mark.parametrize(
    "message",
    [
        EventStreamMessage({"": True}),
        EventStreamMessage({"x" * 256: True}),
        EventStreamMessage({"a": 2**31}),
        EventStreamMessage({"a": Byte(128)}),
        EventStreamMessage({"a": "x" * 2**15}),
        EventStreamMessage({str(n): b"x" * 30_000 for n in range(5)}),
        EventStreamMessage({}, b"x" * (MAX_PAYLOAD_BYTES + 1)),
    ],
    ids=["no name", "long name", "large integer", "large byte", "long text", "headers", "payload"],
)
def test_what_the_format_cannot_hold_is_not_written(message: EventStreamMessage) -> None:
    with pytest.raises((ValueError, OverflowError)):
        encode_message(message)
