"""A client's WebSocket once it is open: what servers do wrong, pings, closes, and who reads slowly."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from aiproxy.framing.websocket import Message
from aiproxy.framing.websocket.connection import (
    ABNORMAL,
    INVALID_DATA,
    NORMAL,
    POLICY,
    PROTOCOL_ERROR,
    TOO_BIG,
)
from aiproxy.transports.websocket.socket import CLOSE_SECONDS, PING_SECONDS
from tests.transports.servers import Bench, Peer, edge
from tests.transports.websockets import agree, agreeing, started

BROKEN: dict[str, tuple[bytes, int]] = {
    "masked": (b"\x81\x82\0\0\0\0hi", PROTOCOL_ERROR),
    "invalid UTF-8": (b"\x81\x02\xc3\x28", INVALID_DATA),
    "invalid UTF-8 over two frames": (b"\x01\x01\xc3\x80\x01\x28", INVALID_DATA),
    "half a character": (b"\x81\x01\xc3", INVALID_DATA),
    "reserved bit": (b"\xc1\x02hi", PROTOCOL_ERROR),
    "reserved opcode": (b"\x83\x02hi", PROTOCOL_ERROR),
    "a long ping": (b"\x89\x7e\x00\x80" + bytes(128), PROTOCOL_ERROR),
    "a ping in pieces": (b"\x09\x00", PROTOCOL_ERROR),
    "a piece of nothing": (b"\x80\x02hi", PROTOCOL_ERROR),
    "an impossible close code": (b"\x88\x02\x03\xed", PROTOCOL_ERROR),
    "oversize": (b"\x81\x7e\x04\x01" + b"x" * 1025, TOO_BIG),
    "oversize over many frames": (b"\x01\x7d" + b"x" * 125 + (b"\x00\x7d" + b"x" * 125) * 8, TOO_BIG),
    "oversize announced": (b"\x82\x7f\x00\x00\x7f\xff\xff\xff\xff\xff" + b"x" * 2000, TOO_BIG),
}


def close_code(received: bytes) -> int:
    """Of the masked close frame that is all a client sent."""
    assert received[0] == 0x88
    mask, data = received[2:6], received[6:8]
    return int.from_bytes(bytes(byte ^ mask[i] for i, byte in enumerate(data)), "big")


@pytest.mark.parametrize("what", BROKEN)
@edge
async def test_a_server_that_breaks_the_protocol(bench: Bench, what: str) -> None:
    data, code = BROKEN[what]
    upstream = bench.upstream(agree)
    _, heard, peer = await started(bench, upstream, most=1024)
    peer.write(data)
    await bench.soon(heard.over)
    assert heard.ends[0][0] == code
    assert not heard.messages
    await bench.soon(peer.closed)
    assert len(peer.received) == 6 + peer.received[1] - 0x80  # one close frame
    assert close_code(peer.received) == code


@edge
async def test_a_compression_bomb_is_not_inflated(bench: Bench) -> None:
    import zlib

    deflating = zlib.compressobj(wbits=-15)
    bomb = (deflating.compress(bytes(50_000_000)) + deflating.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(bomb) < 65536
    upstream = bench.upstream(agreeing("Sec-WebSocket-Extensions: permessage-deflate"))
    _, heard, peer = await started(bench, upstream, most=1_000_000)
    peer.write(b"\xc1\x7e" + len(bomb).to_bytes(2, "big") + bomb)
    await bench.soon(heard.over)
    assert heard.ends[0][0] == TOO_BIG
    assert not heard.messages
    await bench.soon(peer.closed)
    assert close_code(peer.received) == TOO_BIG


async def arrived(bench: Bench, peer: Peer, length: int) -> None:
    async def enough() -> None:
        while len(peer.received) < length:
            await bench.tick(0.001)

    await bench.soon(Deferred.fromCoroutine(enough()))


@edge
async def test_a_ping_is_answered_and_ours_is_sent(bench: Bench) -> None:
    clock, upstream = Clock(), bench.upstream(agree)
    _, heard, peer = await started(bench, upstream, clock)
    peer.write(b"\x89\x02hi\x81\x01!")
    await bench.soon(heard.until(1))
    await arrived(bench, peer, 8)
    assert peer.received[0] == 0x8A
    clock.advance(PING_SECONDS)
    await arrived(bench, peer, 14)
    assert peer.received[8] == 0x89
    clock.advance(PING_SECONDS)
    assert heard.ends == [(ABNORMAL, "the peer answers no pings")]
    await bench.soon(peer.closed)


@edge
async def test_a_server_that_does_not_answer_a_close(bench: Bench) -> None:
    clock, upstream = Clock(), bench.upstream(agree)
    socket, heard, peer = await started(bench, upstream, clock)
    socket.close(NORMAL)
    assert heard.ends == [(NORMAL, "")]
    clock.advance(CLOSE_SECONDS)
    await bench.soon(peer.closed)


@edge
async def test_held_back_nothing_is_read(bench: Bench) -> None:
    """And nothing is lost: the messages of the read under way, those of the sockets' buffers, and the end."""
    upstream = bench.upstream(agree)
    socket, heard, peer = await started(bench, upstream)
    taken = heard.received

    def one(message: Message) -> None:
        taken(message)
        if len(heard.messages) == 1:
            socket.hold()

    heard.received = one  # type: ignore[method-assign]
    many = 200_000
    peer.write(b"\x82\x7d" + bytes(125) + (b"\x82\x7d" + b"x" * 125) * (many - 1) + b"\x88\x02\x03\xe8")
    await bench.soon(heard.until(1))
    for _ in range(5):
        await bench.tick(0.01)
    assert len(heard.messages) == 1
    transport: Any = peer.transport
    assert transport.dataBuffer or transport._tempDataLen  # it could not send it all
    socket.release()
    await bench.soon(heard.over)
    assert len(heard.messages) == many
    assert heard.ends == [(NORMAL, "")]


@edge
async def test_a_close_while_held_back_reads_on(bench: Bench) -> None:
    upstream = bench.upstream(agree)
    socket, heard, peer = await started(bench, upstream)
    socket.hold()
    socket.close(NORMAL)
    peer.write(b"\x82\x01x\x88\x02\x03\xe8")
    await bench.soon(peer.closed)
    assert not heard.messages
    assert heard.ends == [(NORMAL, "")]


@edge
async def test_a_server_that_does_not_read(bench: Bench) -> None:
    upstream = bench.upstream(agree)
    socket, heard, peer = await started(bench, upstream)
    peer.transport.pauseProducing()  # type: ignore[union-attr]
    while not heard.pauses:
        socket.send(b"x" * 100_000)
    while not heard.ends:
        socket.send(b"x" * 100_000)
    assert heard.ends == [(POLICY, "what waits to be read is more than the limit")]
    socket.abort()
    peer.transport.resumeProducing()  # type: ignore[union-attr]
    await bench.soon(peer.closed)
