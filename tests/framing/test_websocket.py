"""WebSocket messages: however the bytes fall apart they are the same, and what breaks the protocol ends it with the right code."""

import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.framing.websocket import Closed, Heard, Message, Reply, WebSocketConnection
from aiproxy.framing.websocket.deflate import accepted

from .splitting import cut, cuts

MOST = 1000
"""Bytes of one message, in these tests."""

TEXT, BINARY, MORE, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
FIN, DEFLATED = 0x80, 0x40


def framed(opcode: int, data: bytes, flags: int = FIN) -> bytes:
    """As a client sends it."""
    mask = b"\x11\x22\x33\x44"
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    return bytes([flags | opcode]) + length + mask + masked


def server(*, deflate: bool = False) -> WebSocketConnection:
    agreed = accepted(["permessage-deflate"], MOST) if deflate else None
    return WebSocketConnection(client=False, most=MOST, deflate=agreed[1] if agreed else None)


def heard(pieces: Iterable[bytes], *, deflate: bool = False) -> list[Any]:
    connection = server(deflate=deflate)
    return [event for piece in pieces for event in connection.feed(piece)]


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


messages = st.one_of(
    st.text(max_size=200).map(lambda text: Message(text.encode())),
    st.binary(max_size=300).map(lambda data: Message(data, text=False)),
)


@st.composite
def streams(draw: st.DrawFn, *, deflate: bool) -> tuple[bytes, list[Message]]:
    """Messages in fragments, each whole or compressed, with pings between the fragments."""
    said = draw(st.lists(messages, max_size=5))
    out = b""
    for message in said:
        packed = deflate and draw(st.booleans())
        pieces = cut(deflated(message.data) if packed else message.data, draw(cuts(200)))
        for place, piece in enumerate(pieces):
            flags = (FIN if place == len(pieces) - 1 else 0) | (DEFLATED if packed and place == 0 else 0)
            out += framed((TEXT if message.text else BINARY) if place == 0 else MORE, piece, flags)
            out += framed(draw(st.sampled_from((PING, PONG))), b"p") if draw(st.booleans()) else b""
    return out, said


@given(deflate=st.booleans(), data=st.data())
def test_any_split_gives_the_same_messages(deflate: bool, data: st.DataObject) -> None:
    stream, said = data.draw(streams(deflate=deflate))
    pieces = cut(stream, data.draw(cuts(len(stream))))
    events = heard(pieces, deflate=deflate)
    assert [event for event in events if isinstance(event, Message)] == said
    assert events == heard([stream], deflate=deflate)
    assert events == heard((bytes([byte]) for byte in stream), deflate=deflate)
    pings = sum(isinstance(event, Reply) for event in events)
    assert pings <= sum(isinstance(event, Heard) for event in events)


BROKEN = {
    "binary of reserved kind": (1002, framed(3, b"x")),
    "reserved bit": (1002, framed(TEXT, b"x", FIN | 0x20)),
    "compressed though nobody agreed": (1002, framed(TEXT, b"x", FIN | DEFLATED)),
    "goes on from nothing": (1002, framed(MORE, b"x")),
    "a message inside another": (1002, framed(TEXT, b"x", 0) + framed(TEXT, b"y")),
    "a ping in pieces": (1002, framed(PING, b"x", 0)),
    "a long ping": (1002, framed(PING, b"x" * 126)),
    "not masked": (1002, b"\x81\x01x"),
    "a close of one byte": (1002, framed(CLOSE, b"x")),
    "a close with a code that is none": (1002, framed(CLOSE, (1005).to_bytes(2, "big"))),
    "no UTF-8": (1007, framed(TEXT, b"\xff")),
    "UTF-8 that breaks off": (1007, framed(TEXT, b"\xe2\x82")),
    "no UTF-8 across pieces": (1007, framed(TEXT, b"\xe2\x82", 0) + framed(MORE, b"x")),
    "too large": (1009, framed(TEXT, b"x" * (MOST + 1))),
    "too large in pieces": (1009, framed(TEXT, b"x" * 600, 0) + framed(MORE, b"x" * 600)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_the_protocol_ends_it_with_its_code(what: str) -> None:
    code, broken = BROKEN[what]
    stream = framed(TEXT, b"before") + broken + framed(TEXT, b"after")
    for place in range(0, len(stream), max(1, len(stream) // 50)):
        *before, reply, closed = heard(cut(stream, [place]))
        assert before == [Message(b"before")]
        assert (closed.code, reply.data[2:4]) == (code, code.to_bytes(2, "big"))


@given(data=st.data())
def test_a_compression_bomb_is_not_inflated(data: st.DataObject) -> None:
    packed = deflated(b" " * 60_000)
    stream = framed(TEXT, packed, FIN | DEFLATED)
    *_, closed = heard(cut(stream, data.draw(cuts(len(stream)))), deflate=True)
    assert closed == Closed(1009, closed.reason)


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_no_bytes_at_all_raise(pieces: list[bytes]) -> None:
    events = heard(pieces)
    assert sum(isinstance(event, Closed) for event in events) <= 1


def test_a_close_is_answered_and_nothing_is_heard_after_it() -> None:
    stream = framed(CLOSE, (1000).to_bytes(2, "big") + b"bye") + framed(TEXT, b"after")
    reply, closed = heard([stream])
    assert (reply.data[2:4], closed) == ((1000).to_bytes(2, "big"), Closed(1000, "bye"))
