"""The client's side of a WebSocket over any split of a server's bytes: the same messages, the same close, and nothing else raised."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import FrameProtocol, Opcode

from aiproxy.framing.websocket import Closed, GuardedDeflate, Heard, Message, Reply, WebSocketConnection
from aiproxy.framing.websocket.connection import INVALID_DATA, NORMAL, PROTOCOL_ERROR, TOO_BIG, Received
from tests.framing.splitting import cut, cuts

MOST = 2000
AGREED = {"server_no_context_takeover": "", "client_no_context_takeover": ""}

Piece = tuple[bool, bytes]
"""Whether it is text, and all of a message."""

texts = st.text(max_size=400).map(lambda text: (True, text.encode()))
binaries = st.binary(max_size=MOST).map(lambda data: (False, data))
pieces = st.one_of(texts, binaries, st.just((False, bytes(1500))))
conversations = st.lists(st.tuples(pieces, st.lists(st.integers(0, 1500), max_size=4), st.booleans()), max_size=6)


def deflating() -> GuardedDeflate:
    return GuardedDeflate(MOST, AGREED)


def said(conversation: Sequence[tuple[Piece, list[int], bool]], *, deflate: bool) -> bytes:
    """By a server that sends a message in frames that begin at the given places, with a ping between two of them if told so."""
    compression = PerMessageDeflate()
    compression.finalize("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    server = FrameProtocol(client=False, extensions=[compression] if deflate else [])
    out = bytearray()
    for (is_text, data), places, pings in conversation:
        frames = cut(data, places) if not is_text else _whole_characters(data, places)
        for number, frame in enumerate(frames):
            payload: bytes | str = frame.decode() if is_text else frame
            out += server.send_data(payload, number == len(frames) - 1)
            if pings:
                out += server.ping(b"?")
    return bytes(out + server.close(1000, "bye"))


def _whole_characters(data: bytes, places: Iterable[int]) -> list[bytes]:
    text = data.decode()
    edges = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[start:end].encode() for start, end in pairwise(edges)]


def client(*, deflate: bool = False) -> WebSocketConnection:
    return WebSocketConnection(client=True, most=MOST, deflate=deflating() if deflate else None)


def heard(connection: WebSocketConnection, parts: Iterable[bytes]) -> list[Received]:
    return [event for part in parts for event in connection.feed(part)]


@given(conversations, cuts(6000), st.booleans())
def test_any_split_gives_the_same(
    conversation: list[tuple[Piece, list[int], bool]], places: list[int], deflate: bool
) -> None:
    data = said(conversation, deflate=deflate)
    events = heard(client(deflate=deflate), cut(data, places))
    assert [event for event in events if isinstance(event, Message)] == [
        Message(message, text) for (text, message), _, _ in conversation
    ]
    assert events[-1] == Closed(NORMAL, "bye")
    pings = sum(len(frames) + 1 for _, frames, pings in conversation if pings)
    assert sum(isinstance(event, Heard) for event in events) == pings
    assert sum(isinstance(event, Reply) for event in events) == pings + 1  # a pong each, and the close


@given(st.binary(max_size=3000), cuts(3000), st.booleans())
def test_any_bytes_at_all_give_messages_or_a_close(data: bytes, places: list[int], deflate: bool) -> None:
    """Nothing is raised, and whatever the split, it ends the same way."""
    at_once = heard(client(deflate=deflate), [data])
    split = heard(client(deflate=deflate), cut(data, places))
    for events in (at_once, split):
        assert sum(isinstance(event, Closed) for event in events) <= 1
        assert all(len(event.data) <= MOST for event in events if isinstance(event, Message))
    ends = [[event.code for event in events if isinstance(event, Closed)] for events in (at_once, split)]
    assert ends[0] == ends[1]


BROKEN = {
    "masked": (b"\x81\x82\0\0\0\0hi", PROTOCOL_ERROR),
    "invalid UTF-8": (b"\x81\x02\xc3\x28", INVALID_DATA),
    "invalid UTF-8 over two frames": (b"\x01\x01\xc3\x80\x01\x28", INVALID_DATA),
    "reserved bit": (b"\xc1\x02hi", PROTOCOL_ERROR),
    "oversize": (b"\x82\x7e\x07\xd1" + bytes(MOST + 1), TOO_BIG),
}


@given(st.sampled_from(sorted(BROKEN)), cuts(MOST))
def test_any_split_of_what_is_broken_closes_with_its_code(what: str, places: list[int]) -> None:
    data, code = BROKEN[what]
    *_, answer, end = heard(client(), cut(data, places))
    assert isinstance(end, Closed)
    assert end.code == code
    assert isinstance(answer, Reply)
    server = FrameProtocol(client=False, extensions=[])
    server.receive_bytes(answer.data)
    (frame,) = server.received_frames()
    assert (frame.opcode, frame.payload[0]) == (Opcode.CLOSE, code)


@given(cuts(2000))
def test_any_split_of_a_compression_bomb(places: list[int]) -> None:
    server = FrameProtocol(client=False, extensions=[GuardedDeflate(10_000_000, AGREED)])
    data = bytes(server.send_data(bytes(1_000_000), True))
    assert len(data) < 2000
    events = heard(client(deflate=True), cut(data, places))
    assert [event.code for event in events if isinstance(event, Closed)] == [TOO_BIG]
    assert not [event for event in events if isinstance(event, Message)]
