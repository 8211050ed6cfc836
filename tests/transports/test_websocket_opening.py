"""A WebSocket that a client opens: whatever the server answers, until it is open or somebody gives up."""

from collections.abc import Callable

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from aiproxy.framing.websocket import Message
from aiproxy.framing.websocket.connection import (
    ABNORMAL,
    NORMAL,
)
from aiproxy.neutral.errors import ConnectTimeout, GatewayError, Timeout, Unreachable, UpstreamFailed
from aiproxy.transports.websocket import Opened
from tests.transports.servers import Authority, Bench, Peer, edge
from tests.transports.websockets import LIMITS, REFUSAL, Heard, agree, agreeing, at, opening


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
