"""What clients get wrong: a clear error in OpenAI's shape with the right status, the connection as HTTP demands, and
nothing in the log or the answer that shouldn't be there. Over raw sockets, since no SDK sends such things."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from tests.rig.daemon import Daemon, daemon

KEY = "client-key-0123456789abcdef"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    configuration = f"""
api-keys: [{KEY}]
demo: {{enabled: true, latency: 0, tokens-per-second: 0}}
limits: {{request-body-mb: 0.01, header-bytes: 4096, header-count: 50}}
"""
    with daemon(tmp_path_factory.mktemp("bad-input"), configuration) as running:
        yield running
    assert "Traceback" not in "".join(running.output)
    assert KEY not in "".join(running.output)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["error"]
        assert set(found) == {"message", "type", "param", "code"}
        assert found["message"]
        return found


def exchange(gateway: Daemon, sent: bytes) -> Answer:
    """Send these bytes, read one answer, and see whether the connection is closed after it."""
    with closing(socket.create_connection(("127.0.0.1", gateway.port), timeout=20)) as connection:
        connection.sendall(sent)
        stream = connection.makefile("rb")
        status = int(stream.readline().split()[1])
        headers = {}
        while (line := stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        assert b"Traceback" not in body
        connection.settimeout(0.3 if headers.get("connection") != "close" else 20)
        try:
            closed = stream.read(1) == b""
        except TimeoutError:
            closed = False
        except ConnectionResetError:
            closed = True
        return Answer(status, headers, body, closed)


def request(
    body: bytes = b"",
    *,
    method: str = "POST",
    path: str = "/v1/chat/completions",
    key: str | None = KEY,
    headers: str = "",
) -> bytes:
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\n{authorization}{headers}Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


GOOD = b'{"model": "demo-echo", "messages": [{"role": "user", "content": "hi"}]}'


def test_the_good_request_is_good(gateway: Daemon) -> None:
    answer = exchange(gateway, request(GOOD))
    assert (answer.status, answer.closed) == (200, False)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON"),
        (b'{"model": ', "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[1]", "object"),
        (b'{"messages": []}', "'model' is missing"),
        (b'{"model": 5}', "'model' must be"),
        (b'{"model": ""}', "'model' must be"),
        (b'{"model": "demo", "stream": "yes"}', "'stream'"),
        (b'{"model": "demo@frobnicate=1", "messages": []}', "frobnicate"),
    ],
)
def test_bodies(gateway: Daemon, body: bytes, words: str) -> None:
    answer = exchange(gateway, request(body))
    assert answer.status == 400
    assert words in answer.error["message"]
    assert answer.error["type"] == "invalid_request_error"
    assert not answer.closed, "a bad body is no reason to hang up"
    assert answer.headers["x-request-id"].startswith("req_")


def test_an_unknown_model_is_404_and_names_near_ones(gateway: Daemon) -> None:
    answer = exchange(gateway, request(b'{"model": "demo-eco", "messages": []}'))
    assert answer.status == 404
    assert "demo-echo" in answer.error["message"]
    assert answer.error["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v1/nothing", "POST", 404),
        ("/nothing", "GET", 404),
        ("/v1/chat/completions", "GET", 405),
        ("/v1/models", "DELETE", 405),
        ("/v1/%ff", "GET", 400),
        ("/v1/chat/../models", "GET", 404),
    ],
)
def test_paths_and_methods(gateway: Daemon, path: str, method: str, status: int) -> None:
    answer = exchange(gateway, request(method=method, path=path))
    assert answer.status == status
    assert answer.error["message"]
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize("key", [None, "wrong", KEY[:-1], KEY + "x", KEY.upper()])
def test_keys(gateway: Daemon, key: str | None) -> None:
    answer = exchange(gateway, request(GOOD, key=key))
    assert answer.status == 401
    assert answer.error["code"] == "invalid_api_key"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Authorization: Bearer {}", "Authorization: {}", "x-api-key: {}", "x-goog-api-key: {}"]
)
def test_the_places_of_a_key_in_headers(gateway: Daemon, header: str) -> None:
    sent = request(method="GET", path="/v1/models", key=None, headers=header.format(KEY) + "\r\n")
    assert exchange(gateway, sent).status == 200


@pytest.mark.parametrize("argument", ["key", "auth_token"])
def test_the_places_of_a_key_in_the_query(gateway: Daemon, argument: str) -> None:
    assert exchange(gateway, request(method="GET", path=f"/v1/models?{argument}={KEY}", key=None)).status == 200


def test_the_first_place_decides(gateway: Daemon) -> None:
    sent = request(method="GET", path=f"/v1/models?key={KEY}", key=None, headers="x-api-key: wrong\r\n")
    assert exchange(gateway, sent).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models",
        "/v1/models/",
        "/models",
        "/v1/v1/models",
        "//v1//models",
        "/v1/models/demo-echo",
        "/models/demo-echo",
        "/v1/v1beta/models",
        "/v1beta/v1beta/models/demo-echo",
        "/api/v1/models",
        "/v1/api/tags",
        "/api/api/tags",
        "/v1/ollama/api/tags",
        "/demo/v1/v1beta/models",
    ],
)
def test_base_urls_pasted_wrong(gateway: Daemon, path: str) -> None:
    assert exchange(gateway, request(method="GET", path=path)).status == 200


def test_a_body_too_large_by_its_length_is_refused_before_it_is_read(gateway: Daemon) -> None:
    head = request(headers="", key=KEY).replace(b"Content-Length: 0", b"Content-Length: 99999999")
    answer = exchange(gateway, head)
    assert (answer.status, answer.closed) == (413, True)
    assert answer.error["code"] == "request_too_large"
    assert "request-body-mb" in answer.error["message"]


def test_a_body_too_large_in_chunks_is_refused_on_the_way(gateway: Daemon) -> None:
    head = request().replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    answer = exchange(gateway, head + b"8000\r\n" + b"a" * 0x8000 + b"\r\n0\r\n\r\n")
    assert (answer.status, answer.closed) == (413, True)
    assert answer.error


def test_a_wrong_key_is_told_before_the_body_is_asked_for(gateway: Daemon) -> None:
    head = request(key="wrong", headers="Expect: 100-continue\r\n").replace(b"Content-Length: 0", b"Content-Length: 50")
    answer = exchange(gateway, head)
    assert (answer.status, answer.closed) == (401, True)


def test_expect_continue_is_answered_when_the_body_is_welcome(gateway: Daemon) -> None:
    head = request(headers="Expect: 100-continue\r\n").replace(b"Content-Length: 0", b"Content-Length: %d" % len(GOOD))
    with closing(socket.create_connection(("127.0.0.1", gateway.port), timeout=20)) as connection:
        connection.sendall(head)
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        connection.sendall(GOOD)
        assert connection.recv(1024).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + b"".join(b"H%d: v\r\n" % n for n in range(60)) + b"\r\n", {431}),
        (b"GET /v1/models HTTP/1.1\r\nHost: x\r\nBig: " + b"a" * 8000 + b"\r\n\r\n", {431}),
        (b"GET /v1/models HTTP/1.1\r\nHost: x\r\nBig: " + b"a" * 200_000, {431}),
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414, 431}),
        (b"NONSENSE\r\n\r\n", {400}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {400}),
        (b"GET /v1/models HTTP/1.1\r\n\r\n", {400}),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", {400}),
        (b"POST / HTTP/1.1\r\nHost : x\r\n\r\n", {400}),
    ],
)
def test_heads(gateway: Daemon, sent: bytes, statuses: set[int]) -> None:
    answer = exchange(gateway, sent)
    assert answer.status in statuses
    assert answer.closed
    assert answer.error


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Authorization: Bearer \xff", 401),
        (b"x-api-key: \xff", 401),
        (b"x-request-id: \xff\xff\xff\xff\xff\xff\xff\xff", 401),
        (b"Model-Provider: \xff", 401),
    ],
)
def test_headers_that_are_no_text(gateway: Daemon, header: bytes, status: int) -> None:
    answer = exchange(gateway, b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n")
    assert answer.status == status
    assert answer.error


def test_a_half_sent_request_and_a_reset_leave_no_trace(gateway: Daemon) -> None:
    with closing(socket.create_connection(("127.0.0.1", gateway.port), timeout=20)) as connection:
        connection.sendall(request(GOOD)[:-10])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert exchange(gateway, request(GOOD)).status == 200


def test_a_page_of_another_site_may_not_call_a_gateway_without_keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    with daemon(tmp_path_factory.mktemp("open")) as gateway:
        good = request(method="GET", path="/v1/models", key=None)
        assert exchange(gateway, good.replace(b"Host: x", b"Host: localhost")).status == 200
        assert exchange(gateway, good.replace(b"Host: x", b"Host: rebound.example")).status == 403
        for origin in (b"http://\xff", b"http://[", b"null"):
            odd = good.replace(b"Host: x", b"Host: localhost\r\nOrigin: " + origin)
            assert exchange(gateway, odd).status == 403
        foreign = good.replace(b"Host: x", b"Host: localhost\r\nOrigin: https://evil.example")
        assert exchange(gateway, foreign).status == 403
