"""Through real proxies, with and without a login, to HTTP and HTTPS upstreams."""

import pytest
from twisted.web.client import ResponseDone

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.transports.base import Request
from tests.transports.proxies import ConnectPeer, LoopbackProxy, ProxyPeer, SocksPeer
from tests.transports.servers import OK, Authority, Bench, Peer, always, edge, get

KINDS: list[tuple[str, type[ProxyPeer]]] = [
    ("http", ConnectPeer),
    ("https", ConnectPeer),
    ("socks5", SocksPeer),
    ("socks5h", SocksPeer),
]
LOGIN = "us er:p@ss:w/rd"
ENCODED = "us%20er:p%40ss%3Aw%2Frd@"


def proxied(
    bench: Bench, kind: str, dialect: type[ProxyPeer], authority: Authority, login: str = ""
) -> tuple[LoopbackProxy, str]:
    """A proxy and what comes after the login in its URL."""
    proxy = LoopbackProxy(bench.reactor, dialect, login, {"only.proxy.knows": "127.0.0.1"})
    port = bench.listen(proxy, authority.tls("127.0.0.1") if kind == "https" else None)
    return proxy, f"127.0.0.1:{port}"


@pytest.mark.parametrize("login", ["", LOGIN])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("kind", "dialect"), KINDS)
@edge
async def test_through(
    bench: Bench, authority: Authority, kind: str, dialect: type[ProxyPeer], scheme: str, login: str
) -> None:
    proxy, where = proxied(bench, kind, dialect, authority, login)
    upstream = bench.upstream(always(OK), authority.tls("localhost") if scheme == "https" else None)
    transport = bench.transport(environ=authority.environ)
    url = f"{kind}://{ENCODED if login else ''}{where}"
    for _ in range(2):
        sent = transport.send(get(upstream.port, "/v1?x=y", url, scheme, "localhost"))
        _, body, reason = await bench.read(sent)
        assert body.data == b"ok"
        assert reason.check(ResponseDone)
    host = "127.0.0.1" if kind == "socks5" else "localhost"
    assert proxy.asked == [(host, upstream.port)]  # one tunnel for both
    assert upstream.peers[0].requests[0].startswith(b"GET /v1?x=y HTTP/1.1\r\n")


@pytest.mark.parametrize("kind", ["http", "socks5h"])
@edge
async def test_a_name_only_the_proxy_knows(bench: Bench, authority: Authority, kind: str) -> None:
    proxy, where = proxied(bench, kind, dict(KINDS)[kind], authority)
    upstream = bench.upstream(always(OK))
    sent = bench.transport().send(get(upstream.port, proxy=f"{kind}://{where}", host="only.proxy.knows"))
    response, _, _ = await bench.read(sent)
    assert response.status == 200
    assert proxy.asked == [("only.proxy.knows", upstream.port)]


@edge
async def test_a_name_nobody_here_knows(bench: Bench, authority: Authority) -> None:
    proxy, where = proxied(bench, "socks5", SocksPeer, authority)
    with pytest.raises(UpstreamFailed, match=r"unknown\.invalid:80 through the proxy .* can't be resolved"):
        await bench.soon(bench.transport().send(get(80, proxy=f"socks5://{where}", host="unknown.invalid")))
    assert not proxy.asked


@edge
async def test_an_ipv6_target(bench: Bench, authority: Authority) -> None:
    for kind in ("http", "socks5", "socks5h"):
        proxy, where = proxied(bench, kind, dict(KINDS)[kind], authority)
        with pytest.raises(UpstreamFailed):
            await bench.soon(bench.transport().send(get(9, proxy=f"{kind}://{where}", host="[::1]")))
        assert proxy.asked == [("::1", 9)]


@pytest.mark.parametrize("password", ["", "us%20er:hunter2@", "other:hunter2@"])
@pytest.mark.parametrize(("kind", "dialect"), KINDS)
@edge
async def test_a_wrong_login(
    bench: Bench, authority: Authority, kind: str, dialect: type[ProxyPeer], password: str
) -> None:
    proxy, where = proxied(bench, kind, dialect, authority, LOGIN)
    transport = bench.transport(environ=authority.environ)
    with pytest.raises(
        UpstreamFailed, match=rf"10\.0\.0\.1:443 through the proxy {where} failed \(proxy handshake\).*`proxy-url`"
    ) as failed:
        await bench.soon(transport.send(get(443, "/?key=hunter2", f"{kind}://{password}{where}", host="10.0.0.1")))
    for secret in ("hunter2", "us er", "other"):
        assert secret not in str(failed.value)
    assert not proxy.asked
    while not proxy.lost:
        await bench.tick()


@pytest.mark.parametrize(("kind", "dialect"), KINDS)
@edge
async def test_a_target_the_proxy_cannot_reach(
    bench: Bench, authority: Authority, kind: str, dialect: type[ProxyPeer]
) -> None:
    _, where = proxied(bench, kind, dialect, authority)
    words = "502, it could not reach" if dialect is ConnectPeer else "code 5, the target refused"
    with pytest.raises(UpstreamFailed, match=rf"127\.0\.0\.1:1 through the proxy {where}.*{words}"):
        await bench.soon(bench.transport(environ=authority.environ).send(get(1, proxy=f"{kind}://{where}")))


@edge
async def test_a_proxy_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(UpstreamFailed, match=r"through the proxy 127\.0\.0\.1:1 failed \(TCP\): connection refused"):
        await bench.soon(bench.transport().send(get(2, proxy="http://u:hunter2@127.0.0.1:1")))


@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
@pytest.mark.parametrize("answer", [b"", b"HT", b"\x05", b"SSH-2.0-x\r\n\r\n"])
@edge
async def test_not_a_proxy(bench: Bench, authority: Authority, kind: str, answer: bytes) -> None:
    def greet(peer: Peer) -> None:
        peer.write(answer)
        peer.hang_up()

    other = bench.upstream(tls=authority.tls("127.0.0.1") if kind == "https" else None)
    sent = bench.transport(environ=authority.environ).send(get(1, proxy=f"{kind}://127.0.0.1:{other.port}"))
    greet(await bench.soon(other.accepted.get()))
    with pytest.raises(UpstreamFailed, match=r"proxy handshake\)"):
        await bench.soon(sent)


@edge
async def test_an_untrusted_proxy(bench: Bench, authority: Authority) -> None:
    _, where = proxied(bench, "https", ConnectPeer, authority)
    with pytest.raises(UpstreamFailed, match=r"proxy handshake\).*not trusted"):
        await bench.soon(bench.transport(environ={}).send(get(1, proxy=f"https://{where}")))


@edge
async def test_a_proxy_that_hangs_up_on_a_pipe(bench: Bench, authority: Authority) -> None:
    _, where = proxied(bench, "http", ConnectPeer, authority)
    upstream = bench.upstream()
    sent = bench.transport().send(get(upstream.port, proxy=f"http://{where}"))
    (await bench.soon(upstream.requests.get())).hang_up()
    with pytest.raises(UpstreamFailed, match="gave no answer"):
        await bench.soon(sent)


@edge
async def test_cancelling_closes_the_pipe(bench: Bench, authority: Authority) -> None:
    proxy, where = proxied(bench, "http", ConnectPeer, authority)
    upstream = bench.upstream()
    sent = bench.transport().send(get(upstream.port, proxy=f"http://{where}"))
    peer = await bench.soon(upstream.requests.get())
    sent.addErrback(lambda _: None)
    sent.cancel()
    await bench.soon(peer.closed)
    assert proxy.lost == 1


@edge
async def test_connections_are_kept_apart_by_proxy(bench: Bench, authority: Authority) -> None:
    """Another proxy, or another login at the same one, is another way: no connection is shared."""
    first, where_first = proxied(bench, "http", ConnectPeer, authority)
    second, where_second = proxied(bench, "http", ConnectPeer, authority)
    upstream = bench.upstream(always(OK))
    transport = bench.transport()
    for url in ("", f"http://{where_first}", f"http://{where_second}", f"http://u:p@{where_second}"):
        request = Request("GET", f"http://127.0.0.1:{upstream.port}/", (), proxy=url)
        for _ in range(2):
            await bench.read(transport.send(request))
    assert (len(upstream.peers), len(first.asked), len(second.asked)) == (4, 1, 2)
