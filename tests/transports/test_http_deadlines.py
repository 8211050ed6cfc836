"""Deadlines by a clock, each told by its name; and what cancelling does in every phase."""

import socket
from collections.abc import Iterator

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.internet.tcp import Client

from aiproxy.neutral.errors import Timeout
from aiproxy.transports.base import Request, Response
from tests.transports.servers import OK, Bench, edge, get, post

DRAINED = 6 * 2**20
"""Bytes that a peer must read before a socket whose buffers were full takes more: a third of what Linux lets them grow to, and
the window."""


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full: to connect to it takes for ever."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
    yield port
    for each in (*fillers, listener):
        each.close()


def sockets(bench: Bench) -> list[object]:
    return [each for each in (*bench.reactor.getReaders(), *bench.reactor.getWriters()) if isinstance(each, Client)]


def still_waiting(sent: Deferred[Response]) -> bool:
    return not sent.called


@edge
async def test_connecting_takes_too_long(bench: Bench, full_port: int) -> None:
    clock = Clock()
    sent = bench.transport(clock, connect=7).send(get(full_port, "/v1?key=hunter2"))
    while not sockets(bench):
        await bench.tick()
    clock.advance(6.9)
    assert still_waiting(sent)
    clock.advance(0.2)
    with pytest.raises(
        Timeout, match=rf"127\.0\.0\.1:{full_port} took longer than 7 s \(TCP\).*`timeouts.connect`"
    ) as timeout:
        await sent
    assert "hunter2" not in str(timeout.value)
    assert not sockets(bench)


@edge
async def test_the_proxy_takes_too_long(bench: Bench) -> None:
    clock = Clock()
    proxy = bench.upstream()
    sent = bench.transport(clock, connect=7).send(get(1, proxy=f"http://u:hunter2@127.0.0.1:{proxy.port}"))
    peer = await bench.soon(proxy.requests.get())
    clock.advance(7)
    with pytest.raises(Timeout, match=rf"the proxy 127\.0\.0\.1:{proxy.port} took longer than 7 s \(proxy") as timeout:
        await sent
    assert "hunter2" not in str(timeout.value)
    await bench.soon(peer.closed)


@edge
async def test_tls_takes_too_long(bench: Bench) -> None:
    clock = Clock()
    upstream = bench.upstream()
    sent = bench.transport(clock, connect=7).send(get(upstream.port, scheme="https"))
    peer = await bench.soon(upstream.accepted.get())
    await bench.tick()
    clock.advance(7)
    with pytest.raises(Timeout, match=r"took longer than 7 s \(TLS handshake\)"):
        await sent
    await bench.soon(peer.closed)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
@edge
async def test_the_answer_takes_too_long(bench: Bench, begun: bytes) -> None:
    clock = Clock()
    upstream = bench.upstream()
    sent = bench.transport(clock, first_byte=9).send(post(upstream.port))
    peer = await bench.soon(upstream.requests.get())
    peer.write(begun)
    await bench.tick()
    clock.advance(8.9)
    assert still_waiting(sent)
    clock.advance(0.2)
    with pytest.raises(Timeout, match=r"began no answer within 9 s.*`timeouts.first-byte`"):
        await sent
    await bench.soon(peer.closed)
    assert upstream.count == 1


@edge
async def test_a_kept_connection_that_is_too_slow_is_not_stale(bench: Bench) -> None:
    clock = Clock()
    upstream = bench.upstream(lambda peer, n: peer.write(OK) if n == 1 else None)
    transport = bench.transport(clock, first_byte=1)
    await bench.read(transport.send(post(upstream.port)))
    await bench.soon(upstream.requests.get())
    sent = transport.send(post(upstream.port))
    await bench.soon(upstream.requests.get())
    clock.advance(1)
    with pytest.raises(Timeout):
        await sent
    assert (upstream.count, len(upstream.peers)) == (2, 1)


@edge
async def test_an_upload_under_way_is_not_late(bench: Bench) -> None:
    """The time for the answer starts anew whenever the upstream takes a piece of the body."""
    clock = Clock()
    upstream = bench.upstream()
    sent = bench.transport(clock, first_byte=10).send(post(upstream.port, bytes(50 * 2**20)))
    peer = await bench.soon(upstream.accepted.get())
    for _ in range(3):
        peer.transport.pauseProducing()  # type: ignore[union-attr]
        await bench.tick(0.02)
        clock.advance(9)
        peer.transport.resumeProducing()  # type: ignore[union-attr]
        before = len(peer.received)
        while len(peer.received) < before + DRAINED:
            await bench.tick()
    assert still_waiting(sent)
    peer.transport.pauseProducing()  # type: ignore[union-attr]
    await bench.tick(0.02)
    clock.advance(10)
    with pytest.raises(Timeout):
        await sent


@edge
async def test_no_deadline(bench: Bench) -> None:
    clock = Clock()
    upstream = bench.upstream()
    sent = bench.transport(clock, connect=0, first_byte=0).send(get(upstream.port))
    peer = await bench.soon(upstream.requests.get())
    clock.advance(1e6)
    assert still_waiting(sent)
    peer.write(OK)
    (await bench.soon(sent)).abort()
    assert not clock.getDelayedCalls()


async def cancelled(sent: Deferred[Response]) -> None:
    sent.cancel()
    with pytest.raises(CancelledError):
        await sent


@edge
async def test_cancel_at_once(bench: Bench) -> None:
    upstream = bench.upstream()
    await cancelled(bench.transport().send(get(upstream.port)))
    await cancelled(bench.transport().send(get(upstream.port, host="localhost")))
    await cancelled(bench.transport().send(get(upstream.port, host="[::1]")))
    await bench.tick(0.02)
    assert not sockets(bench)
    assert not upstream.requests.pending


@edge
async def test_cancel_while_connecting(bench: Bench, full_port: int) -> None:
    sent = bench.transport().send(get(full_port))
    while not sockets(bench):
        await bench.tick()
    await cancelled(sent)
    assert not sockets(bench)


@pytest.mark.parametrize("kind", ["http", "https", "socks5", "socks5h"])
@edge
async def test_cancel_in_the_proxy_handshake(bench: Bench, kind: str) -> None:
    proxy = bench.upstream()
    sent = bench.transport().send(get(1, proxy=f"{kind}://127.0.0.1:{proxy.port}"))
    peer = await bench.soon(proxy.accepted.get())
    await bench.tick()
    await cancelled(sent)
    await bench.soon(peer.closed)


@edge
async def test_cancel_in_the_tls_handshake(bench: Bench) -> None:
    upstream = bench.upstream()
    sent = bench.transport().send(get(upstream.port, scheme="https"))
    peer = await bench.soon(upstream.accepted.get())
    await bench.tick()
    await cancelled(sent)
    await bench.soon(peer.closed)


@edge
async def test_cancel_while_the_request_goes_up(bench: Bench) -> None:
    upstream = bench.upstream()
    size = 50 * 2**20
    sent = bench.transport().send(post(upstream.port, bytes(size)))
    peer = await bench.soon(upstream.accepted.get())
    peer.transport.pauseProducing()  # type: ignore[union-attr]
    await bench.tick(0.02)
    await cancelled(sent)
    peer.transport.resumeProducing()  # type: ignore[union-attr]
    await bench.soon(peer.closed)
    assert len(peer.received) < size


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
@edge
async def test_cancel_while_waiting(bench: Bench, begun: bytes) -> None:
    upstream = bench.upstream()
    sent = bench.transport().send(post(upstream.port))
    peer = await bench.soon(upstream.requests.get())
    peer.write(begun)
    await bench.tick()
    await cancelled(sent)
    await bench.soon(peer.closed)
    assert upstream.count == 1


@edge
async def test_cancel_on_a_kept_connection(bench: Bench) -> None:
    """Our own closing must not look like a stale connection, or the request would be sent again."""
    upstream = bench.upstream(lambda peer, n: peer.write(OK) if n == 1 else None)
    transport = bench.transport()
    await bench.read(transport.send(post(upstream.port)))
    await bench.soon(upstream.requests.get())
    sent = transport.send(post(upstream.port))
    peer = await bench.soon(upstream.requests.get())
    await cancelled(sent)
    await bench.soon(peer.closed)
    await bench.tick()
    assert (upstream.count, len(upstream.peers)) == (2, 1)


@edge
async def test_bad_addresses_fail_as_others_do(bench: Bench) -> None:
    failure: list[object] = []
    bench.transport().send(Request("GET", "nowhere", ())).addErrback(failure.append)
    assert failure
