"""Bodies under pressure: slow readers, large uploads, readers that leave."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.interfaces import IPushProducer
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from zope.interface import implementer

from aiproxy.transports.base import Response
from tests.transports.servers import OK, Bench, Body, Peer, always, edge, get, post

HEAD = b"HTTP/1.1 200 OK\r\n"
BLOCK = bytes(65536)
BLOCKS = 800
KERNEL_BUFFERS = 16 * 2**20
"""Bytes. Both ends' socket buffers on loopback hold at most about 10 MiB; an answer of 50 MiB does not fit."""


@implementer(IPushProducer)
class Flood:
    """Writes `BLOCKS` blocks as fast as the peer's socket takes them."""

    def __init__(self, peer: Peer) -> None:
        self.written, self._paused, self._transport = 0, False, peer.transport
        peer.write(HEAD + b"Content-Length: %d\r\n\r\n" % (len(BLOCK) * BLOCKS))
        self._transport.registerProducer(self, True)  # type: ignore[union-attr]
        self.resumeProducing()

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        while not self._paused and self.written < BLOCKS:
            self.written += 1
            self._transport.write(BLOCK)  # type: ignore[union-attr]
        if self.written == BLOCKS:
            self._transport.unregisterProducer()  # type: ignore[union-attr]

    def stopProducing(self) -> None:
        self._paused = True


class Counting(Body):
    def __init__(self, paused: bool) -> None:
        super().__init__(paused)
        self.count = 0

    def dataReceived(self, data: bytes) -> None:
        self.count += len(data)


async def settled(bench: Bench, value: Callable[[], int]) -> int:
    """The value, once it has stayed the same for a while."""
    same, last = 0, -1
    while same < 20:
        same = same + 1 if value() == last else 0
        last = value()
        await bench.tick(0.01)
    return last


@edge
async def test_a_reader_that_pauses_stops_the_upstream(bench: Bench) -> None:
    floods: list[Flood] = []
    upstream = bench.upstream(lambda peer, _: floods.append(Flood(peer)))
    response = await bench.soon(bench.transport().send(get(upstream.port)))
    before_delivery = await settled(bench, lambda: floods[0].written)
    assert before_delivery * len(BLOCK) < KERNEL_BUFFERS
    body = Counting(paused=True)  # pauses in connectionMade, before Twisted's own resume
    response.deliver(body)
    assert await settled(bench, lambda: body.count) < KERNEL_BUFFERS
    assert await settled(bench, lambda: floods[0].written * len(BLOCK)) < KERNEL_BUFFERS
    body.producer.resumeProducing()
    assert (await bench.end(body)).check(ResponseDone)
    assert body.count == len(BLOCK) * BLOCKS


def gone_by_abort(body: Body) -> None:
    body.producer.abortConnection()


def gone_by_stop(body: Body) -> None:
    body.producer.stopProducing()


def gone_by_lose(body: Body) -> None:
    body.producer.loseConnection()


LENGTHS = [b"Content-Length: 99\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"\r\nhello"]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("go", [gone_by_abort, gone_by_stop, gone_by_lose])
@edge
async def test_a_reader_that_leaves_closes_the_socket(bench: Bench, length: bytes, go: Callable[[Body], None]) -> None:
    upstream = bench.upstream(always(HEAD + length))
    transport = bench.transport()
    response = await bench.soon(transport.send(get(upstream.port)))
    body = Body()
    response.deliver(body)
    go(body)
    reason = await bench.end(body)
    assert not reason.check(ResponseDone, PotentialDataLoss)
    assert body.ends == 1
    await bench.soon(upstream.peers[0].closed)
    body.producer.resumeProducing()  # late calls change nothing
    go(body)


@edge
async def test_a_reader_that_leaves_gets_no_more_of_what_was_read(bench: Bench) -> None:
    class Leaves(Body):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            self.producer.abortConnection()

    chunks = b"".join(b"1\r\n%d\r\n" % n for n in range(10))
    upstream = bench.upstream(always(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks))
    response = await bench.soon(bench.transport().send(get(upstream.port)))
    body = Leaves()
    response.deliver(body)
    await bench.end(body)
    assert body.data == b"".join(b"%d" % n for n in range(10))  # one read, one piece
    upstream.peers[0].write(chunks)
    await bench.soon(upstream.peers[0].closed)
    assert len(body.data) == 10


@edge
async def test_an_answer_nobody_wants_closes_the_socket(bench: Bench) -> None:
    upstream = bench.upstream(always(HEAD + b"Content-Length: 99\r\n\r\nhello"))
    response = await bench.soon(bench.transport().send(get(upstream.port)))
    response.abort()
    response.abort()
    await bench.soon(upstream.peers[0].closed)


@edge
async def test_an_unwanted_answer_that_is_complete_spares_the_next_one(bench: Bench) -> None:
    upstream = bench.upstream(always(OK))
    transport = bench.transport()
    first = await bench.soon(transport.send(get(upstream.port)))
    await bench.tick()  # the headers come first, the body of the same read after them
    second = await bench.soon(transport.send(get(upstream.port)))
    first.abort()
    body = Body()
    second.deliver(body)
    assert (await bench.end(body)).check(ResponseDone)
    assert len(upstream.peers) == 1


@edge
async def test_a_large_body_goes_up_whole(bench: Bench) -> None:
    upstream = bench.upstream(always(OK))
    sent = bytes(range(256)) * 20000
    await bench.read(bench.transport().send(post(upstream.port, sent)))
    assert upstream.peers[0].requests[0].endswith(b"\r\n\r\n" + sent)


class Deaf(Peer):
    """Answers before it has read the request's body, and does not read it."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.producer: Any = self.transport

    def dataReceived(self, data: bytes) -> None:
        self.producer.pauseProducing()
        self.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")


@edge
async def test_an_answer_in_the_middle_of_the_upload_comes_through(bench: Bench, monkeypatch: Any) -> None:
    upstream = bench.upstream()
    monkeypatch.setattr(upstream, "buildProtocol", lambda _: Deaf(upstream))
    response: Response
    response, body, reason = await bench.read(bench.transport().send(post(upstream.port, bytes(50 * 2**20))))
    assert (response.status, body.data) == (413, b"big")
    assert reason.check(ResponseDone)
