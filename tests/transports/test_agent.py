"""treq on our transport: its conveniences, our connections."""

import pytest
from treq.client import HTTPClient
from twisted.web.http_headers import Headers

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.transports.agent import UpstreamAgent
from tests.transports.servers import OK, Bench, Body, always, edge


@edge
async def test_json_there_and_back(bench: Bench) -> None:
    answer = b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"b": 2}'
    upstream = bench.upstream(always(answer))
    client = HTTPClient(UpstreamAgent(bench.transport()))
    for _ in range(2):
        response = await bench.soon(
            client.post(f"http://127.0.0.1:{upstream.port}/v1?x=1", json={"a": 1}, headers=Headers({"X-A": ["é"]}))
        )
        assert response.code == 201
        assert await bench.soon(response.json()) == {"b": 2}
    assert len(upstream.peers) == 1
    sent = upstream.peers[0].requests[0]
    assert sent.startswith(b"POST /v1?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "X-A: é\r\n".encode() in sent
    assert sent.endswith(b'\r\nContent-Length: 7\r\n\r\n{"a":1}')


@edge
async def test_a_redirect_is_followed_by_treq(bench: Bench) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    upstream = bench.upstream(lambda peer, n: peer.write(moved if n == 1 else OK))
    response = await bench.soon(HTTPClient(UpstreamAgent(bench.transport())).get(f"http://127.0.0.1:{upstream.port}/"))
    assert await bench.soon(response.content()) == b"ok"
    paths = [request.split(b" ")[1] for peer in upstream.peers for request in peer.requests]
    assert paths == [b"/", b"/there"]


@edge
async def test_a_head_has_no_body_and_its_connection_is_not_kept(bench: Bench) -> None:
    upstream = bench.upstream(lambda peer, n: peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"))
    client = HTTPClient(UpstreamAgent(bench.transport()))
    for _ in range(2):
        response = await bench.soon(client.head(f"http://127.0.0.1:{upstream.port}/"))
        assert (response.code, await bench.soon(response.content())) == (200, b"")
    assert len(upstream.peers) == 2


@edge
async def test_a_body_that_is_not_wanted_any_more(bench: Bench) -> None:
    upstream = bench.upstream(always(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello"))
    client = HTTPClient(UpstreamAgent(bench.transport()))
    response = await bench.soon(client.get(f"http://127.0.0.1:{upstream.port}/", unbuffered=True))
    body = Body()
    response.deliverBody(body)
    body.producer.abortConnection()
    await bench.end(body)
    await bench.soon(upstream.peers[0].closed)


@edge
async def test_our_errors_come_through(bench: Bench) -> None:
    upstream = bench.upstream(always(b"no HTTP\r\n\r\n"))
    client = HTTPClient(UpstreamAgent(bench.transport()))
    with pytest.raises(UpstreamFailed, match="not sound HTTP"):
        await bench.soon(client.get(f"http://127.0.0.1:{upstream.port}/"))
