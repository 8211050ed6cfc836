"""Connections that are kept: which is taken, when they age out, and what happens when one turns out dead."""

import gc

import pytest
from twisted.internet.task import Clock
from twisted.web.client import ResponseDone

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.transports.http import STALE_SECONDS
from aiproxy.transports.pool import IDLE_SECONDS
from tests.transports.servers import OK, Bench, Body, Peer, always, edge, get, post


@edge
async def test_one_connection_for_requests_in_turn(bench: Bench) -> None:
    upstream = bench.upstream(always(OK))
    transport = bench.transport()
    for _ in range(5):
        await bench.read(transport.send(post(upstream.port)))
    assert len(upstream.peers) == 1


@edge
async def test_the_youngest_is_taken_and_the_oldest_ages_out(bench: Bench) -> None:
    clock = Clock()
    upstream = bench.upstream(lambda peer, _: None)
    transport = bench.transport(clock)
    sent = []
    for _ in range(2):
        sent.append(transport.send(get(upstream.port)))
        await bench.soon(upstream.requests.get())
    first, second = upstream.peers
    for peer, each in zip((first, second), sent, strict=True):
        peer.write(OK)
        await bench.read(each)
        clock.advance(1)
    again = transport.send(get(upstream.port))
    peer = await bench.soon(upstream.requests.get())
    assert peer is second
    clock.advance(IDLE_SECONDS - 1.9)
    peer.write(OK)
    await bench.read(again)
    clock.advance(1)
    await bench.soon(first.closed)
    assert second.open


@pytest.mark.parametrize("how", [Peer.hang_up, Peer.reset])
@edge
async def test_a_connection_that_closed_while_idle(bench: Bench, how: object) -> None:
    assert callable(how)
    upstream = bench.upstream(always(OK))
    transport = bench.transport()
    await bench.read(transport.send(post(upstream.port)))
    how(upstream.peers[0])
    response, _, reason = await bench.read(transport.send(post(upstream.port)))
    assert (response.status, len(upstream.peers)) == (200, 2)
    assert reason.check(ResponseDone)


BODY = b'{"n":' + b"1" * 300000 + b"}"


@pytest.mark.parametrize("how", [Peer.hang_up, Peer.reset])
@edge
async def test_a_kept_connection_that_dies_under_a_post_is_replaced_once(bench: Bench, how: object) -> None:
    assert callable(how)
    upstream = bench.upstream(lambda peer, n: how(peer) if n == 2 else peer.write(OK))
    transport = bench.transport()
    await bench.read(transport.send(post(upstream.port)))
    response, _, _ = await bench.read(transport.send(post(upstream.port, BODY)))
    assert (response.status, upstream.count, len(upstream.peers)) == (200, 3, 2)
    assert upstream.peers[1].requests[0] == upstream.peers[0].requests[1]
    assert upstream.peers[1].requests[0].endswith(BODY)


@edge
async def test_the_replacement_is_the_last_try(bench: Bench) -> None:
    upstream = bench.upstream(lambda peer, n: peer.hang_up() if n >= 2 else peer.write(OK))
    transport = bench.transport()
    await bench.read(transport.send(post(upstream.port)))
    with pytest.raises(UpstreamFailed, match="closed the connection"):
        await bench.soon(transport.send(post(upstream.port)))
    assert (upstream.count, len(upstream.peers)) == (3, 2)


@edge
async def test_nothing_is_sent_again_after_a_byte(bench: Bench) -> None:
    def answer(peer: Peer, n: int) -> None:
        peer.write(OK if n == 1 else b"H")
        if n > 1:
            peer.hang_up()

    upstream = bench.upstream(answer)
    transport = bench.transport()
    await bench.read(transport.send(post(upstream.port)))
    with pytest.raises(UpstreamFailed):
        await bench.soon(transport.send(post(upstream.port)))
    assert upstream.count == 2


@edge
async def test_nothing_is_sent_again_when_it_may_have_been_worked_on(bench: Bench) -> None:
    clock = Clock()
    upstream = bench.upstream(lambda peer, n: peer.write(OK) if n == 1 else None)
    transport = bench.transport(clock)
    await bench.read(transport.send(post(upstream.port)))
    await bench.soon(upstream.requests.get())
    sent = transport.send(post(upstream.port))
    peer = await bench.soon(upstream.requests.get())
    clock.advance(STALE_SECONDS)
    peer.hang_up()
    with pytest.raises(UpstreamFailed):
        await bench.soon(sent)
    assert upstream.count == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ],
)
@edge
async def test_connections_that_are_not_kept(bench: Bench, answer: bytes) -> None:
    upstream = bench.upstream(always(answer))
    transport = bench.transport()
    for _ in range(2):
        _, body, reason = await bench.read(transport.send(post(upstream.port)))
        assert body.data == b"ok"
        assert reason.check(ResponseDone)
    assert len(upstream.peers) == 2
    await bench.soon(upstream.peers[0].closed)


@edge
async def test_words_nobody_asked_for_close_the_connection(bench: Bench) -> None:
    upstream = bench.upstream(always(OK))
    transport = bench.transport()
    await bench.read(transport.send(post(upstream.port)))
    upstream.peers[0].write(OK)
    await bench.soon(upstream.peers[0].closed)
    await bench.read(transport.send(post(upstream.port)))
    assert len(upstream.peers) == 2


@edge
async def test_close(bench: Bench) -> None:
    upstream = bench.upstream(lambda peer, n: peer.write(OK) if n == 1 else None)
    transport = bench.transport()
    await bench.read(transport.send(get(upstream.port)))
    idle = await bench.soon(upstream.requests.get())
    under_way, peers = [], []
    for _ in range(2):
        under_way.append(transport.send(get(upstream.port)))
        peers.append(await bench.soon(upstream.requests.get()))
    assert peers[0] is idle
    peers[1].write(OK)
    await bench.read(under_way[1])
    await bench.soon(transport.close())
    await bench.soon(peers[1].closed)
    peers[0].write(OK)  # calls under way are finished
    body = Body()
    (await bench.soon(under_way[0])).deliver(body)
    assert (await bench.end(body)).check(ResponseDone)
    await bench.soon(peers[0].closed)


@edge
async def test_a_request_leaves_nothing_to_collect(bench: Bench) -> None:
    upstream = bench.upstream(always(OK))
    transport = bench.transport()

    async def once() -> None:
        await bench.read(transport.send(post(upstream.port)))

    await once()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            await once()
        assert gc.collect() < 20
    finally:
        gc.enable()


@edge
async def test_a_connection_that_dies_under_an_upload(bench: Bench) -> None:
    upstream = bench.upstream()
    sent = bench.transport().send(post(upstream.port, bytes(50 * 2**20)))
    (await bench.soon(upstream.accepted.get())).reset()
    with pytest.raises(UpstreamFailed, match="closed the connection"):
        await bench.soon(sent)
