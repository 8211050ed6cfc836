"""The client that opens a WebSocket: by every way, whatever the server answers, until somebody closes or gives up."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from websockets.sync.server import Server, ServerConnection, serve

from aiproxy.framing.websocket import Message
from aiproxy.framing.websocket.connection import (
    ABNORMAL,
    GOING_AWAY,
    INVALID_DATA,
    NORMAL,
    POLICY,
    PROTOCOL_ERROR,
    TOO_BIG,
)
from aiproxy.framing.websocket.handshake import accept_token
from aiproxy.neutral.errors import ConnectTimeout, GatewayError, Timeout, Unreachable, UpstreamFailed
from aiproxy.transports.http import HttpTransport
from aiproxy.transports.websocket import Opened, Opening, SocketLimits, WebSocket, connect
from aiproxy.transports.websocket.socket import CLOSE_SECONDS, PING_SECONDS
from tests.transports.proxies import ConnectPeer, LoopbackProxy, ProxyPeer, SocksPeer
from tests.transports.servers import Authority, Bench, Peer, Upstream, edge

LIMITS = SocketLimits(1 << 20, 60)


class Heard:
    """A `Listener` that keeps what it is told; `until` waits for so many messages, `over` for the end."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.pauses: list[bool] = []
        self.ends: list[tuple[int, str]] = []
        self.over: Deferred[None] = Deferred()
        self._wanted, self._enough = 0, Deferred[None]()

    def received(self, message: Message) -> None:
        self.messages.append(message)
        if len(self.messages) == self._wanted:
            self._enough.callback(None)

    def paused(self) -> None:
        self.pauses.append(True)

    def resumed(self) -> None:
        self.pauses.append(False)

    def closed(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))
        self.over.callback(None)

    def until(self, count: int) -> Deferred[None]:
        self._wanted, self._enough = count, Deferred()
        if len(self.messages) >= count:
            self._enough.callback(None)
        return self._enough


def opening(bench: Bench, transport: HttpTransport, url: str, clock: Any = None, **more: Any) -> Deferred[Opened]:
    return bench.soon(Deferred.fromCoroutine(connect(transport, Opening(url, **more), clock or bench.reactor)))


# With a server that others wrote.


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


# With a server that says exactly what a test wants.


def key_of(request: bytes) -> str:
    lines = dict(line.split(": ", 1) for line in request.decode().split("\r\n")[1:] if line)
    return lines["Sec-Websocket-Key"]


def agreeing(*more: str, after: bytes = b"") -> Callable[[Peer, int], None]:
    """Opens the socket, with more headers, and `after` in the same write."""

    def answer(peer: Peer, _: int) -> None:
        headers = [
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept_token(key_of(peer.requests[-1]))}",
        ]
        peer.write("\r\n".join(["HTTP/1.1 101 Switching", *headers, *more, "", ""]).encode() + after)

    return answer


agree = agreeing()


def at(upstream: Upstream) -> str:
    return f"ws://127.0.0.1:{upstream.port}/"


async def started(
    bench: Bench, upstream: Upstream, clock: Clock | None = None, **more: Any
) -> tuple[WebSocket, Heard, Peer]:
    opened = await opening(bench, bench.transport(clock), at(upstream), clock, **more)
    heard = Heard()
    return opened.start(heard, LIMITS), heard, upstream.peers[0]


@edge
async def test_what_comes_with_the_handshake_waits_for_a_listener(bench: Bench) -> None:
    upstream = bench.upstream(agreeing(after=b"\x81\x02hi\x88\x02\x03\xe8"))
    opened = await opening(bench, bench.transport(), at(upstream))
    heard = Heard()
    opened.start(heard, LIMITS)
    assert heard.messages == [Message(b"hi")]
    assert heard.ends == [(NORMAL, "")]
    await bench.soon(upstream.peers[0].closed)


@edge
async def test_the_end_waits_for_a_listener_too(bench: Bench, authority: Authority) -> None:
    upstream = bench.upstream(agree, authority.tls("localhost"))
    opened = await opening(bench, bench.transport(environ=authority.environ), f"wss://localhost:{upstream.port}/")
    upstream.peers[0].write(b"\x81\x02hi")
    upstream.peers[0].hang_up()
    heard = Heard()
    opened.start(heard, LIMITS)
    await bench.soon(heard.over)
    assert heard.messages == [Message(b"hi")]
    assert heard.ends == [(ABNORMAL, "the connection was lost")]


REFUSAL = b"HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + b'{"error":"why"}'


@edge
async def test_a_refusal_has_its_status_and_its_words(bench: Bench) -> None:
    upstream = bench.upstream(lambda peer, _: peer.write(REFUSAL))
    with pytest.raises(UpstreamFailed, match="answered 403 instead of opening a WebSocket") as refused:
        await opening(bench, bench.transport(), at(upstream))
    assert refused.value.upstream_status == 403
    assert refused.value.said is not None
    assert refused.value.said.text == '{"error":"why"}'
    assert refused.value.said.headers["content-type"] == "application/json"


@edge
async def test_a_refusal_without_end_is_read_in_part(bench: Bench) -> None:
    head = b"HTTP/1.1 500 No\r\nContent-Length: 10000000\r\n\r\n"
    upstream = bench.upstream(lambda peer, _: peer.write(head + b"x" * 200_000))
    with pytest.raises(UpstreamFailed) as refused:
        await opening(bench, bench.transport(), at(upstream))
    assert refused.value.said is not None
    assert refused.value.said.body == b"x" * 65536
    await bench.soon(upstream.peers[0].closed)


def with_(*lines: str) -> Callable[[Peer, int], None]:
    return lambda peer, _: peer.write("\r\n".join(["HTTP/1.1 101 Switching", *lines, "", ""]).encode())


WRONG: dict[str, tuple[Callable[[Peer, int], None], str]] = {
    "another key's answer": (
        with_("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: AAAA"),
        "Accept does not fit",
    ),
    "no answer to the key": (with_("Upgrade: websocket", "Connection: Upgrade"), "Accept does not fit"),
    "another protocol": (with_("Upgrade: h2c", "Connection: Upgrade"), "another protocol"),
    "no protocol": (with_("Connection: keep-alive"), "not sound HTTP"),
    "a subprotocol unasked": (agreeing("Sec-WebSocket-Protocol: mine"), "subprotocol that was not offered"),
    "an extension unasked": (agreeing("Sec-WebSocket-Extensions: x-mine"), "extension that was not offered"),
    "an extension in vain": (
        agreeing("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99"),
        "extension that was not offered",
    ),
    "no HTTP": (lambda peer, _: peer.write(b"\x81\x02hi"), "not sound HTTP"),
    "nothing": (lambda peer, _: peer.hang_up(), "closed the connection"),
}


@pytest.mark.parametrize("what", WRONG)
@edge
async def test_a_handshake_that_is_none(bench: Bench, what: str) -> None:
    answer, words = WRONG[what]
    upstream = bench.upstream(answer)
    with pytest.raises(UpstreamFailed, match=words):
        await opening(bench, bench.transport(), at(upstream))
    await bench.soon(upstream.peers[0].closed)


@edge
async def test_compression_that_was_not_offered(bench: Bench) -> None:
    upstream = bench.upstream(agreeing("Sec-WebSocket-Extensions: permessage-deflate"))
    with pytest.raises(UpstreamFailed, match="extension that was not offered"):
        await opening(bench, bench.transport(), at(upstream), deflate=False)


@edge
async def test_a_switch_that_nobody_asked_for(bench: Bench) -> None:
    from tests.transports.servers import get

    upstream = bench.upstream(with_("Upgrade: websocket", "Connection: Upgrade"))
    with pytest.raises(UpstreamFailed, match="not sound HTTP"):
        await bench.soon(bench.transport().send(get(upstream.port)))


@edge
async def test_nobody_there(bench: Bench) -> None:
    upstream = bench.upstream()
    await bench._ports.pop().stopListening()
    with pytest.raises(Unreachable, match="connection refused"):
        await opening(bench, bench.transport(), at(upstream))


@edge
async def test_a_handshake_has_its_time(bench: Bench) -> None:
    clock, upstream = Clock(), bench.upstream()
    waiting = opening(bench, bench.transport(clock, first_byte=7), at(upstream), clock)
    peer = await bench.soon(upstream.requests.get())
    clock.advance(7)
    with pytest.raises(Timeout, match="within 7 s"):
        await waiting
    await bench.soon(peer.closed)


# Giving up.


async def cancelled(waiting: Deferred[Opened]) -> None:
    waiting.cancel()
    with pytest.raises(CancelledError):
        await waiting


@edge
async def test_cancelled_while_the_proxy_is_silent(bench: Bench) -> None:
    proxy = bench.upstream()
    waiting = opening(bench, bench.transport(), "ws://127.0.0.1:9/", proxy=f"http://127.0.0.1:{proxy.port}")
    peer = await bench.soon(proxy.requests.get())
    await cancelled(waiting)
    await bench.soon(peer.closed)


@edge
async def test_cancelled_while_tls_is_made(bench: Bench) -> None:
    upstream = bench.upstream()
    waiting = opening(bench, bench.transport(), f"wss://127.0.0.1:{upstream.port}/")
    peer = await bench.soon(upstream.accepted.get())
    await cancelled(waiting)
    await bench.soon(peer.closed)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 101 Switching\r\nUpg", REFUSAL[:-4]])
@edge
async def test_cancelled_while_the_answer_comes(bench: Bench, said: bytes) -> None:
    upstream = bench.upstream(lambda peer, _: peer.write(said))
    waiting = opening(bench, bench.transport(), at(upstream))
    peer = await bench.soon(upstream.requests.get())
    await bench.tick(0.01)
    await cancelled(waiting)
    await bench.soon(peer.closed)


@edge
async def test_not_wanted_any_more(bench: Bench) -> None:
    upstream = bench.upstream(agree)
    (await opening(bench, bench.transport(), at(upstream))).abort()
    await bench.soon(upstream.peers[0].closed)


# Once it is open.

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


@edge
async def test_no_connection_in_time(bench: Bench) -> None:
    clock, proxy = Clock(), bench.upstream()
    waiting = opening(
        bench, bench.transport(clock, connect=3), "ws://127.0.0.1:9/", clock, proxy=f"http://127.0.0.1:{proxy.port}"
    )
    await bench.soon(proxy.requests.get())
    clock.advance(3)
    with pytest.raises(ConnectTimeout, match=r"3 s \(proxy handshake\)"):
        await waiting


@edge
async def test_no_secret_is_told(bench: Bench) -> None:
    upstream = bench.upstream(lambda peer, _: peer.write(REFUSAL))
    with pytest.raises(GatewayError) as failed:
        await opening(bench, bench.transport(), at(upstream) + "?key=s3cret", headers=(("authorization", "s3cret"),))
    assert "s3cret" not in str(failed.value) + repr(failed.value)
