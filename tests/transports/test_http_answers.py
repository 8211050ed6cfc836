"""What upstreams answer, well or badly, byte for byte over a real socket."""

import gzip

import pytest
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.transports.base import Request
from aiproxy.transports.connection import ANSWER_HEAD_LIMIT
from tests.transports.servers import OK, Bench, Body, Peer, always, edge, get, post

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = [
    (HEAD + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    (HEAD + b"Content-Length: 0\r\n\r\n", b""),
    (CHUNKED + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n", b"hello"),
    (CHUNKED + b"5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n", b"hello"),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    (b"HTTP/1.1 200\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", b"hello"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
]


@pytest.mark.parametrize(("answer", "expected"), WHOLE)
@edge
async def test_whole(bench: Bench, answer: bytes, expected: bytes) -> None:
    upstream = bench.upstream(always(answer))
    _, body, reason = await bench.read(bench.transport().send(get(upstream.port)))
    assert body.data == expected
    assert reason.check(ResponseDone)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@edge
async def test_ended_by_close(bench: Bench, version: bytes) -> None:
    def answer(peer: Peer, _: int) -> None:
        peer.write(b"HTTP/" + version + b" 200 OK\r\nContent-Type: text/plain\r\n\r\nhello")
        peer.hang_up()

    response, body, reason = await bench.read(bench.transport().send(get(bench.upstream(answer).port)))
    assert dict(response.headers) == {"content-type": "text/plain"}
    assert body.data == b"hello"
    assert reason.check(PotentialDataLoss)


CUT = [
    (HEAD + b"Content-Length: 9\r\n\r\nhello", Peer.hang_up),
    (HEAD + b"Content-Length: 9\r\n\r\nhello", Peer.reset),
    (CHUNKED + b"5\r\nhello\r\n", Peer.hang_up),
    (CHUNKED + b"9\r\nhello", Peer.hang_up),
    (CHUNKED + b"5\r\nhello\r\n0\r\n", Peer.hang_up),
    (CHUNKED + b"5\r\nhello\r\nxyz\r\n", None),
    (HEAD + b"\r\nhello", Peer.reset),
]


@pytest.mark.parametrize("number", range(len(CUT)))
@edge
async def test_cut(bench: Bench, number: int) -> None:
    answer, end = CUT[number]
    upstream = bench.upstream(always(answer))
    response = await bench.soon(bench.transport().send(get(upstream.port)))
    body = Body()
    response.deliver(body)
    if end is not None:
        end(await upstream.requests.get())
    reason = await bench.end(body)
    assert not reason.check(ResponseDone, PotentialDataLoss)
    assert body.data in (b"hello", b"")  # a reset may overtake the data
    assert body.ends == 1


NONSENSE = [
    (b"", "closed the connection"),
    (b"HTTP/1.1 20", "closed the connection"),
    (b"HTTP/1.1 200 OK\r\nContent-Type: te", "closed the connection"),
    (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not sound HTTP"),
    (b"HTTP/1.1 OK 200\r\n\r\n", "not sound HTTP"),
    (b"HTTP/x 200 OK\r\n\r\n", "not sound HTTP"),
    (HEAD + b" : folded first\r\n\r\n", "not sound HTTP"),
    (HEAD + b"no colon\r\n\r\n", "not sound HTTP"),
    (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "not sound HTTP"),
    (HEAD + b"Content-Length: -5\r\n\r\nhello!", "not sound HTTP"),
    (HEAD + b"Transfer-Encoding: rot13\r\n\r\nhello", "not sound HTTP"),
]


@pytest.mark.parametrize(("answer", "words"), NONSENSE)
@edge
async def test_nonsense(bench: Bench, answer: bytes, words: str) -> None:
    def answered(peer: Peer, _: int) -> None:
        peer.write(answer)
        peer.hang_up()

    upstream = bench.upstream(answered)
    with pytest.raises(UpstreamFailed, match=words) as failed:
        await bench.soon(bench.transport().send(get(upstream.port, "/v1?key=hunter2")))
    assert f"127.0.0.1:{upstream.port}" in str(failed.value)
    assert "hunter2" not in str(failed.value)
    await bench.soon(upstream.peers[0].closed)
    assert upstream.count == 1


@edge
async def test_header_bomb(bench: Bench) -> None:
    upstream = bench.upstream(always(HEAD + b"A: b\r\n" * (ANSWER_HEAD_LIMIT // 4)))
    with pytest.raises(UpstreamFailed, match=f"more than {ANSWER_HEAD_LIMIT} bytes of headers"):
        await bench.soon(bench.transport().send(get(upstream.port)))
    await bench.soon(upstream.peers[0].closed)


@edge
async def test_reset_instead_of_an_answer(bench: Bench) -> None:
    upstream = bench.upstream(lambda peer, _: peer.reset())
    with pytest.raises(UpstreamFailed, match="closed the connection"):
        await bench.soon(bench.transport().send(post(upstream.port)))
    assert upstream.count == 1


@edge
async def test_what_is_sent(bench: Bench) -> None:
    upstream = bench.upstream(always(OK))
    headers = (
        ("authorization", "Bearer sk-1"),
        ("x-twice", "a"),
        ("x-twice", "b"),
        ("Accept-Encoding", "br"),
        ("content-length", "999"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("expect", "100-continue"),
    )
    url = f"http://127.0.0.1:{upstream.port}/v1/m:go?alt=sse&x=%2F"
    await bench.read(bench.transport().send(Request("POST", url, headers, b'{"a":1}')))
    head, _, body = upstream.peers[0].requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /v1/m:go?alt=sse&x=%2F HTTP/1.1"
    assert sorted(lines[1:]) == [
        b"Accept-Encoding: identity",
        b"Authorization: Bearer sk-1",
        b"Content-Length: 7",
        b"Host: 127.0.0.1:" + str(upstream.port).encode(),
        b"X-Twice: a",
        b"X-Twice: b",
    ]
    assert body == b'{"a":1}'


@edge
async def test_a_host_header_of_the_callers(bench: Bench) -> None:
    upstream = bench.upstream(always(OK))
    request = Request("GET", f"http://127.0.0.1:{upstream.port}/", (("Host", "inner.example"),))
    await bench.read(bench.transport().send(request))
    assert upstream.peers[0].requests[0].count(b"Host:") == 1
    assert b"Host: inner.example\r\n" in upstream.peers[0].requests[0]


@edge
async def test_header_values_cannot_break_out(bench: Bench) -> None:
    upstream = bench.upstream(always(OK))
    request = Request("GET", f"http://127.0.0.1:{upstream.port}/", (("x-a", "1\r\nx-b: 2"),))
    await bench.read(bench.transport().send(request))
    assert b"X-A: 1 x-b: 2\r\n" in upstream.peers[0].requests[0]
    with pytest.raises(UpstreamFailed, match="`headers`"):
        await bench.transport().send(Request("GET", f"http://127.0.0.1:{upstream.port}/", (("x\r\ny", "1"),)))


@edge
async def test_headers_of_an_answer(bench: Bench) -> None:
    upstream = bench.upstream(
        always(b"HTTP/1.1 429 Slow\r\nX-A: 1\r\nRetry-After: 7\r\nx-a: 2\r\nX-B: \xe9\r\nContent-Length: 0\r\n\r\n")
    )
    response, _, _ = await bench.read(bench.transport().send(get(upstream.port)))
    assert response.status == 429
    assert dict(response.headers) == {"x-a": "1, 2", "retry-after": "7", "x-b": "é", "content-length": "0"}


@edge
async def test_a_packed_body_is_passed_on_as_it_is(bench: Bench) -> None:
    packed = gzip.compress(b"hello")
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    response, body, reason = await bench.read(bench.transport().send(get(bench.upstream(always(answer)).port)))
    assert response.headers["content-encoding"] == "gzip"
    assert body.data == packed
    assert reason.check(ResponseDone)


@edge
async def test_redirects_are_not_followed_and_cookies_not_kept(bench: Bench) -> None:
    upstream = bench.upstream(
        always(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nSet-Cookie: a=b\xff; Path=/\r\nContent-Length: 0\r\n\r\n")
    )
    transport = bench.transport()
    for _ in range(2):
        response, _, _ = await bench.read(transport.send(get(upstream.port)))
        assert response.status == 302
    assert upstream.count == 2
    assert b"ookie" not in upstream.peers[0].requests[1]
