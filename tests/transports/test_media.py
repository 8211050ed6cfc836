"""Fetching for clients: what is taken, what is refused, and that the address that was checked is the one connected to."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import DNSLookupError
from twisted.internet.task import Clock

from aiproxy.config.schema import MediaFetch
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.transports.base import Request, Response
from aiproxy.transports.http import HttpTransport
from aiproxy.transports.media import Fetched, MediaFetcher
from tests.transports.proxies import ConnectPeer, LoopbackProxy
from tests.transports.servers import Authority, Bench, Peer, always, edge

PNG = b"\x89PNG\r\n\x1a\n and the rest"
LOOPBACK = ("127.0.0.0/8",)


def file(data: bytes = PNG, kind: bytes = b"image/png", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(data), data)


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


class Names:
    """A network whose names are the test's; each is looked up with its next address."""

    def __init__(self, transport: HttpTransport, **addresses: list[str]) -> None:
        self.transport, self.addresses = transport, addresses
        self.asked: list[str] = []
        self.sent: list[Request] = []

    def resolve(self, host: str) -> Deferred[str]:
        self.asked.append(host)
        name = host.partition(".")[0]
        if name not in self.addresses:
            return self.transport.resolve(host)
        return succeed(self.addresses[name].pop(0))

    def send(self, request: Request) -> Deferred[Response]:
        self.sent.append(request)
        return self.transport.send(request)


def fetcher(bench: Bench, network: Any = None, clock: Any = None, proxy: str = "", **limits: Any) -> MediaFetcher:
    given = {"allow": LOOPBACK, **limits}
    return MediaFetcher(network or bench.transport(), MediaFetch(enabled=True, **given), proxy, clock or bench.reactor)


async def refused(fetching: Deferred[Fetched], words: str, bench: Bench) -> None:
    with pytest.raises(InvalidRequest, match=words) as caught:
        await bench.soon(fetching)
    assert "secret" not in str(caught.value)


@edge
async def test_a_file(bench: Bench) -> None:
    server = bench.upstream(always(file()))
    found = await bench.soon(fetcher(bench).fetch(f"http://localhost:{server.port}/a.png?signature=x#part"))
    assert found == Fetched("image/png", PNG)
    (request,) = server.peers[0].requests
    assert request.startswith(b"GET /a.png?signature=x HTTP/1.1\r\n")
    assert b"\r\nHost: localhost:%d\r\n" % server.port in request
    assert b"authorization" not in request.lower()


@edge
async def test_a_file_without_a_type_is_looked_at(bench: Bench) -> None:
    server = bench.upstream(always(file(kind=b"application/octet-stream")))
    assert (await bench.soon(fetcher(bench).fetch(f"http://localhost:{server.port}/"))).media_type == "image/png"
    server = bench.upstream(always(file(b"who knows", b"application/octet-stream")))
    await refused(fetcher(bench).fetch(f"http://localhost:{server.port}/"), "is application/octet-stream", bench)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://[::1]:9/",
        "http://[::ffff:127.0.0.1]:9/",
        "http://2130706433:9/",
        "http://0x7f.1:9/",
        "http://169.254.169.254/latest/meta-data/?secret",
        "http://10.0.0.1/",
    ],
)
@edge
async def test_addresses_that_are_not_public(bench: Bench, url: str) -> None:
    network = Names(bench.transport())
    await refused(fetcher(bench, network, allow=()).fetch(url), "is not public|has no address", bench)
    assert network.sent == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://a/",
        "gopher://a/",
        "data:,x",
        "http://",
        "//a/",
        "http://user:secret@a/",
        "x" * 9000,
    ],
)
@edge
async def test_what_is_no_url_to_fetch(bench: Bench, url: str) -> None:
    await refused(fetcher(bench).fetch(url), "must be http|longer than", bench)


@edge
async def test_the_address_that_was_checked_is_connected_to(bench: Bench, authority: Authority) -> None:
    """The name is asked once, though its second answer would be another; certificate and Host are still the name's."""
    server = bench.upstream(always(file()), authority.tls("files.example"))
    network = Names(bench.transport(environ=authority.environ), files=["127.0.0.1", "169.254.169.254"])
    found = await bench.soon(fetcher(bench, network).fetch(f"https://files.example:{server.port}/a.png"))
    assert found.data == PNG
    assert network.asked == ["files.example"]
    assert b"\r\nHost: files.example:%d\r\n" % server.port in server.peers[0].requests[0]


@edge
async def test_a_kept_connection_of_an_upstream_is_none_of_a_clients(bench: Bench) -> None:
    server = bench.upstream(always(file()))
    transport = bench.transport()
    await bench.read(transport.send(Request("GET", f"http://localhost:{server.port}/", ())))
    await bench.soon(fetcher(bench, transport).fetch(f"http://localhost:{server.port}/"))
    assert len(server.peers) == 2


@edge
async def test_each_redirect_is_checked(bench: Bench) -> None:
    server = bench.upstream()
    answers = [moved("/b.png"), file()]
    server.answer = lambda peer, n: peer.write(answers[n - 1])
    assert (await bench.soon(fetcher(bench).fetch(f"http://localhost:{server.port}/a.png"))).data == PNG
    for to in ("http://169.254.169.254/secret", "http://inside.example/"):
        inward = bench.upstream(always(moved(to)))
        network = Names(bench.transport(), inside=["10.0.0.7"])
        await refused(fetcher(bench, network).fetch(f"http://localhost:{inward.port}/"), "is not public", bench)
        assert len(network.sent) == 1
    elsewhere = bench.upstream(always(moved("file:///etc/passwd")))
    await refused(fetcher(bench).fetch(f"http://localhost:{elsewhere.port}/"), "must be http", bench)
    round_and_round = bench.upstream(always(moved("/")))
    await refused(fetcher(bench, redirects=2).fetch(f"http://localhost:{round_and_round.port}/"), "than 2 times", bench)
    assert round_and_round.count == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (file(status=b"404 Not Found"), "answered with status 404"),
        (file(kind=b"text/html; charset=utf-8"), "is text/html"),
        (file(b"x" * 2000), r"larger than 0\.001 MiB"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n\r\n" + b"x" * 2000, "larger than"),
        (file().replace(b"Type", b"Encoding: gzip\r\nContent-Type"), "compressed"),
    ],
)
@edge
async def test_what_is_not_taken(bench: Bench, answer: bytes, words: str) -> None:
    server = bench.upstream(always(answer))
    await refused(fetcher(bench, max_size_mb=0.001).fetch(f"http://localhost:{server.port}/?secret"), words, bench)
    await bench.soon(server.peers[0].closed)


@edge
async def test_a_file_that_breaks_off(bench: Bench) -> None:
    def cut(peer: Peer, _: int) -> None:
        peer.write(file()[:-3])
        peer.hang_up()

    server = bench.upstream(cut)
    await refused(fetcher(bench).fetch(f"http://localhost:{server.port}/"), "broke off", bench)


@edge
async def test_nobody_there(bench: Bench) -> None:
    await refused(fetcher(bench).fetch("http://127.0.0.1:9/secret"), "gave no answer", bench)

    class Unknown(Names):
        def resolve(self, host: str) -> Deferred[str]:
            raise DNSLookupError(host)

    await refused(fetcher(bench, Unknown(bench.transport())).fetch("http://unknown.example/"), "has no address", bench)


def silence(_peer: Peer, _: int) -> None:
    pass


def half(peer: Peer, _: int) -> None:
    peer.write(file()[:-3])


@pytest.mark.parametrize("answer", [silence, half])
@edge
async def test_time_is_limited(bench: Bench, answer: Callable[[Peer, int], None]) -> None:
    clock = Clock()
    server = bench.upstream(answer)
    fetching = fetcher(bench, clock=clock, seconds=3).fetch(f"http://localhost:{server.port}/")
    peer = await bench.soon(server.requests.get())
    clock.advance(3)
    await refused(fetching, "longer than 3 s", bench)
    await bench.soon(peer.closed)


@edge
async def test_places_are_limited_and_come_back(bench: Bench) -> None:
    server = bench.upstream()
    one_at_a_time = fetcher(bench, concurrent=1)
    first, second = (one_at_a_time.fetch(f"http://localhost:{server.port}/") for _ in range(2))
    peer = await bench.soon(server.requests.get())
    await bench.tick()
    assert server.count == 1
    first.cancel()
    first.addErrback(lambda _: None)
    await bench.soon(peer.closed)
    (await bench.soon(server.requests.get())).write(file())
    assert (await bench.soon(second)).data == PNG


@edge
async def test_a_proxy_is_given_the_checked_address(bench: Bench, authority: Authority) -> None:
    server = bench.upstream(always(file()), authority.tls("files.example"))
    proxy = LoopbackProxy(bench.reactor, ConnectPeer)
    where = f"http://127.0.0.1:{bench.listen(proxy)}"
    network = Names(bench.transport(environ=authority.environ), files=["127.0.0.1"])
    await bench.soon(fetcher(bench, network, proxy=where).fetch(f"https://files.example:{server.port}/"))
    assert proxy.asked == [("127.0.0.1", server.port)]
