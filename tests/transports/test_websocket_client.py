"""The client that opens a WebSocket, by every way, against a server that others wrote."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread
from websockets.sync.server import Server, ServerConnection, serve

from aiproxy.framing.websocket import Message
from aiproxy.framing.websocket.connection import (
    GOING_AWAY,
    NORMAL,
)
from aiproxy.neutral.errors import Unreachable
from tests.transports.proxies import ConnectPeer, LoopbackProxy, ProxyPeer, SocksPeer
from tests.transports.servers import Authority, Bench, edge
from tests.transports.websockets import LIMITS, Heard, agree, opening


@asynccontextmanager
async def served(talk: Callable[[ServerConnection], None], **options: Any) -> AsyncIterator[int]:
    """A server on threads of its own; its port."""
    server: Server = serve(talk, "127.0.0.1", 0, **options)
    serving = deferToThread(server.serve_forever)
    try:
        yield server.socket.getsockname()[1]
    finally:
        await deferToThread(server.shutdown)
        await serving


def echo(peer: ServerConnection) -> None:
    for said in peer:
        peer.send(said)


@pytest.mark.parametrize("deflate", [True, False])
@edge
async def test_messages_of_every_size_come_back(bench: Bench, deflate: bool) -> None:
    said = [
        Message(b""),
        Message("ü".encode()),
        Message(b"\xff", False),
        Message(b"x" * 70_000),
        Message(b"y" * 3_000_000),
    ]
    async with served(echo, max_size=None, compression="deflate" if deflate else None) as port:
        opened = await opening(bench, bench.transport(), f"ws://127.0.0.1:{port}/v1")
        assert ("sec-websocket-extensions" in opened.headers) is deflate
        heard = Heard()
        socket = opened.start(heard, LIMITS)
        for message in said:
            socket.send(message.data, text=message.text)
        await bench.soon(heard.until(len(said)))
        assert heard.messages == said
        socket.close(NORMAL, "enough")
        await bench.soon(heard.over)
        assert heard.ends == [(NORMAL, "enough")]


@edge
async def test_compression_is_not_offered(bench: Bench) -> None:
    async with served(echo) as port:
        opened = await opening(bench, bench.transport(), f"ws://127.0.0.1:{port}/", deflate=False)
        assert "sec-websocket-extensions" not in opened.headers
        opened.abort()


@edge
async def test_headers_and_subprotocols(bench: Bench) -> None:
    asked: list[Any] = []

    def talk(peer: ServerConnection) -> None:
        asked.append(peer.request)
        peer.close(4001, "your turn is over")

    async with served(talk, subprotocols=["second"]) as port:
        opened = await opening(
            bench,
            bench.transport(),
            f"ws://127.0.0.1:{port}/v1/responses?a=b",
            headers=(("authorization", "Bearer secret"), ("openai-beta", "x")),
            subprotocols=("first", "second"),
        )
        assert opened.subprotocol == "second"
        heard = Heard()
        opened.start(heard, LIMITS)
        await bench.soon(heard.over)
    assert heard.ends == [(4001, "your turn is over")]
    assert asked[0].path == "/v1/responses?a=b"
    assert asked[0].headers["Authorization"] == "Bearer secret"
    assert asked[0].headers["OpenAI-Beta"] == "x"
    assert asked[0].headers["Sec-WebSocket-Protocol"] == "first, second"


WAYS: list[tuple[str, type[ProxyPeer] | None]] = [
    ("", None),
    ("http", ConnectPeer),
    ("https", ConnectPeer),
    ("socks5", SocksPeer),
    ("socks5h", SocksPeer),
]


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize(("kind", "dialect"), WAYS)
@edge
async def test_by_every_way(
    bench: Bench, authority: Authority, tmp_path: Path, kind: str, dialect: type[ProxyPeer] | None, scheme: str
) -> None:
    context = None
    if scheme == "wss":
        authority.tls("localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    proxy = LoopbackProxy(bench.reactor, dialect, "us:pw") if dialect else None
    where = ""
    if proxy is not None:
        where = f"us:pw@127.0.0.1:{bench.listen(proxy, authority.tls('127.0.0.1') if kind == 'https' else None)}"
    async with served(echo, ssl=context) as port:
        transport = bench.transport(environ=authority.environ)
        proxied = f"{kind}://{where}" if where else ""
        opened = await opening(bench, transport, f"{scheme}://localhost:{port}/", proxy=proxied)
        heard = Heard()
        socket = opened.start(heard, LIMITS)
        socket.send(b"z" * 300_000)
        await bench.soon(heard.until(1))
        assert heard.messages == [Message(b"z" * 300_000)]
        socket.close(GOING_AWAY)
        await bench.soon(heard.over)
    assert proxy is None or [port for _, port in proxy.asked] == [port]


@edge
async def test_a_certificate_for_another_name(bench: Bench, authority: Authority) -> None:
    upstream = bench.upstream(agree, authority.tls("other.example"))
    with pytest.raises(Unreachable, match="for another name"):
        await opening(bench, bench.transport(environ=authority.environ), f"wss://localhost:{upstream.port}/")


@edge
async def test_a_certificate_of_an_unknown_authority(bench: Bench, authority: Authority) -> None:
    upstream = bench.upstream(agree, authority.tls("localhost"))
    with pytest.raises(Unreachable, match="not trusted"):
        await opening(bench, bench.transport(), f"wss://localhost:{upstream.port}/")
