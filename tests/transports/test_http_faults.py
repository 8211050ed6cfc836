"""Everything that can go wrong, at random and at once: each request ends in a known way, and nothing is left over."""

import random
from collections.abc import Callable

import pytest
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.error import ConnectionClosed
from twisted.internet.tcp import Client
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss

from aiproxy.neutral.errors import Timeout, UpstreamFailed
from aiproxy.transports.base import Request, Response
from tests.transports.servers import OK, Authority, Bench, Body, Peer, edge

HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = b"x" * 70000

Step = bytes | Callable[[Peer], None]

ANSWERS: list[list[Step]] = [
    [OK],
    [HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n"],
    [HEAD + b"Content-Length: 70000\r\n\r\n", LONG],
    [HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok"],
    [HEAD + b"Content-Length: 140000\r\n\r\n" + LONG, Peer.reset],
    [HEAD + b"\r\n" + LONG, Peer.hang_up],
    [HEAD + b"Content-Le", Peer.hang_up],
    [b"no HTTP\r\n\r\n"],
    [Peer.hang_up],
    [Peer.reset],
    [],
]


class Fickle(Body):
    """Reads; sometimes pauses for a while, sometimes leaves."""

    def __init__(self, bench: Bench, chance: random.Random) -> None:
        super().__init__()
        self._bench, self._chance = bench, chance

    def connectionMade(self) -> None:
        if self._chance.random() < 0.1:
            self.producer.pauseProducing()
            self._bench.reactor.callLater(0.005, self.producer.resumeProducing)

    def dataReceived(self, data: bytes) -> None:
        if self._chance.random() < 0.05:
            self.producer.abortConnection()


async def one(bench: Bench, chance: random.Random, sent: Deferred[Response]) -> None:
    if chance.random() < 0.1:
        bench.reactor.callLater(chance.random() / 100, sent.cancel)  # changes nothing if it is late
    try:
        response = await sent
    except (UpstreamFailed, Timeout, CancelledError):
        return
    if chance.random() < 0.1:
        response.abort()
        return
    body = Fickle(bench, chance)
    response.deliver(body)
    reason = await bench.end(body)
    assert reason.check(ResponseDone, PotentialDataLoss, ResponseFailed, ConnectionClosed)
    assert body.ends == 1


@pytest.mark.parametrize("seed", range(4))
@edge
async def test_faults(bench: Bench, authority: Authority, seed: int) -> None:
    chance = random.Random(seed)

    def answer(peer: Peer, _: int) -> None:
        for number, step in enumerate(chance.choice(ANSWERS)):
            bench.reactor.callLater(number * 0.001, act, peer, step)

    def act(peer: Peer, step: Step) -> None:
        if peer.open:
            step(peer) if callable(step) else peer.write(step)

    plain, secure = bench.upstream(answer), bench.upstream(answer, authority.tls("localhost"))
    urls = [f"http://127.0.0.1:{plain.port}/", f"https://localhost:{secure.port}/"]
    transport = bench.transport(environ=authority.environ, connect=10, first_byte=0.1)

    async def client() -> None:
        for _ in range(8):
            body = bytes(chance.choice([0, 10, 1000000]))
            await one(bench, chance, transport.send(Request("POST", chance.choice(urls), (), body)))

    await gatherResults([Deferred.fromCoroutine(client()) for _ in range(20)])
    assert plain.count + secure.count > 100
    await transport.close()
    await bench.tick(0.02)
    assert not [each for each in bench.reactor.getReaders() if isinstance(each, Client)]
