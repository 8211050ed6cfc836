"""`/v1/ws` as clients meet it: what it says is what HTTP says, and whatever goes wrong harms nobody else on the socket."""

import json
import re
import signal
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, begin_stream, events, says, upstream

KEY = "a-client-key-0123456789"
MESSAGES = [{"role": "user", "content": "hi"}]
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "openai-chat": ("/v1/chat/completions", {"model": "m", "messages": MESSAGES, "stream": True}),
    "openai-responses": ("/v1/responses", {"model": "m", "input": "hi", "stream": True}),
    "anthropic": ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": MESSAGES, "stream": True}),
    "gemini": (
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    ),
    "ollama": ("/ollama/api/chat", {"model": "m", "messages": MESSAGES}),
}


def configured(vendor: Upstream, more: str = "") -> str:
    return f"""
api-keys: [{KEY}]
request-retry: 0
openai-compatibility:
  - {{name: vendor, base-url: "{vendor.base_url}", api-key-entries: [key-0123456789abcdef], models: [m]}}
{more}
"""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with upstream(says("one", " two")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    more = "limits: {request-body-mb: 0.1}\nwebsocket: {calls: 2}"
    with daemon(tmp_path_factory.mktemp("gateway"), configured(vendor, more)) as running:
        yield running


def opened(gateway: Daemon, **more: Any) -> ClientConnection:
    options: dict[str, Any] = {"additional_headers": {"authorization": f"Bearer {KEY}"}, "proxy": None, **more}
    ws: ClientConnection = connect(f"ws://127.0.0.1:{gateway.port}/v1/ws", **options)
    return ws


def framed(first: int, data: bytes) -> bytes:
    """A frame as no well-behaved library would send it; `first` holds FIN, the reserved bits and the opcode."""
    if len(data) < 126:
        length = bytes([0x80 | len(data)])
    elif len(data) < 1 << 16:
        length = b"\xfe" + len(data).to_bytes(2, "big")
    else:
        length = b"\xff" + len(data).to_bytes(8, "big")
    return bytes([first]) + length + bytes(4) + data


def close_code(ws: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        ws.recv(timeout=20)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def send(ws: ClientConnection, **said: Any) -> None:
    ws.send(json.dumps(said))


def ask(ws: ClientConnection, name: str = "r1", protocol: str = "openai-chat", body: Any = None, **more: Any) -> None:
    send(ws, type="request", id=name, protocol=protocol, body=body or BODIES[protocol][1], **more)


def hear(ws: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ws.recv(timeout=20))
    return found


def until(ws: ClientConnection, *kinds: str) -> list[dict[str, Any]]:
    said = [hear(ws)]
    while said[-1]["type"] not in kinds:
        said.append(hear(ws))
    return said


def words(said: list[dict[str, Any]]) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for each in said
        if each["type"] == "event" and isinstance(each["data"], dict)
        for choice in each["data"]["choices"]
    )


_VOLATILE = re.compile(r'"(id|item_id|response_id|created|created_at|completed_at|\w+_duration)": ?("[^"]*"|[0-9.]+)')


def steady(data: str) -> str:
    """Without ids and times, which no two calls share."""
    with suppress(ValueError):
        data = json.dumps(json.loads(data))
    return _VOLATILE.sub(r'"\1": 0', data)


def over_http(gateway: Daemon, protocol: str) -> list[tuple[str, str]]:
    path, body = BODIES[protocol]
    said = httpx2.post(f"{gateway.address}{path}", json=body, headers={"authorization": f"Bearer {KEY}"}).text
    said = said.replace("\r\n", "\n")
    if protocol == "ollama":
        return [("", steady(line)) for line in said.splitlines()]
    found = []
    for block in filter(None, said.split("\n\n")):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields.get("event", ""), steady(fields["data"])))
    return found


@pytest.mark.parametrize("protocol", BODIES)
def test_every_event_is_what_http_streams(gateway: Daemon, protocol: str) -> None:
    with opened(gateway) as ws:
        body = BODIES[protocol][1]
        ask(ws, protocol=protocol, body={"model": "m", **body} if protocol == "gemini" else body)
        said = until(ws, "end", "error")
    told = [
        (each.get("event", ""), steady(each["data"] if isinstance(each["data"], str) else json.dumps(each["data"])))
        for each in said
        if each["type"] == "event"
    ]
    assert told == over_http(gateway, protocol)
    assert len(told) >= 3
    assert [each["seq"] for each in said[1:-1]] == list(range(len(told)))
    assert said[0]["status"] == 200
    assert said[-1]["usage"] == {"input_tokens": 9, "output_tokens": 2}


def test_a_whole_answer_is_one_event(gateway: Daemon) -> None:
    with opened(gateway) as ws:
        ask(ws, body={"model": "m", "messages": MESSAGES, "stream": False})
        _, event, end = until(ws, "end")
    assert event["data"]["choices"][0]["message"]["content"] == "one two"
    assert end["usage"]["input_tokens"] == 9


@pytest.mark.parametrize(
    "shown",
    [
        {"additional_headers": {"x-api-key": KEY}},
        {"additional_headers": {}, "subprotocols": ["aiproxy", f"aiproxy.key.{KEY}"]},
        {"additional_headers": {}, "subprotocols": [f"aiproxy.key.{KEY}"]},
    ],
)
def test_a_key_is_shown_by_header_or_subprotocol(gateway: Daemon, shown: Any) -> None:
    with opened(gateway, **shown) as ws:
        ask(ws)
        assert words(until(ws, "end")) == "one two"
        assert ws.subprotocol == shown.get("subprotocols", [None])[0]


def test_a_key_is_shown_by_query(gateway: Daemon) -> None:
    with connect(f"ws://127.0.0.1:{gateway.port}/v1/ws?key={KEY}", proxy=None) as ws:
        ask(ws)
        assert words(until(ws, "end")) == "one two"
    assert KEY not in "".join(gateway.output)


def test_no_key_is_401_and_no_upgrade_426(gateway: Daemon) -> None:
    with pytest.raises(InvalidStatus) as refused:
        opened(gateway, additional_headers={})
    assert refused.value.response.status_code == 401
    told = httpx2.get(f"{gateway.base_url}/ws", headers={"authorization": f"Bearer {KEY}"})
    assert told.status_code == 426
    assert told.headers["upgrade"] == "websocket"


def test_only_named_origins_may_connect(vendor: Upstream, tmp_path: Path) -> None:
    with daemon(tmp_path, configured(vendor, 'websocket: {origins: ["https://app.example"]}')) as gateway:
        with pytest.raises(InvalidStatus) as refused:
            opened(gateway, origin="https://evil.example")
        assert refused.value.response.status_code == 403
        with opened(gateway, origin="https://app.example") as ws, opened(gateway) as other:
            for each in (ws, other):
                send(each, type="ping")
                assert hear(each) == {"type": "pong"}


@pytest.mark.parametrize("compression", ["deflate", None])
def test_bad_messages_are_told_and_harm_no_other_call(vendor: Upstream, gateway: Daemon, compression: Any) -> None:
    go = threading.Event()

    def waits(_request: Received, wire: Wire) -> None:
        begin_stream(wire)
        first, *rest = events("slow", " one")
        wire.chunk(first + rest[0])
        go.wait(20)
        for data in rest[1:]:
            wire.chunk(data)
        wire.chunk(b"")

    vendor.script.append(waits)
    with opened(gateway, compression=compression) as ws:
        ask(ws, "slow")
        begun = [hear(ws), hear(ws), hear(ws)]
        for message, param in (
            ("{", None),
            ("[]", None),
            ('{"type":"dance"}', "type"),
            ('{"type":"request"}', "id"),
            ('{"type":"request","id":7}', "id"),
            ('{"type":"request","id":"%s"}' % ("x" * 201), "id"),
            ('{"type":"request","id":"slow","protocol":"anthropic","body":{}}', "id"),
            ('{"type":"request","id":"b","protocol":"smtp","body":{}}', "protocol"),
            ('{"type":"cancel","id":"nothing"}', "id"),
            ('{"type":"hello"}', "type"),
        ):
            ws.send(message)
            told = hear(ws)
            assert (told["type"], told["id"]) == ("error", None), message
            assert told["error"]["param"] == param, message
        send(ws, type="request", id="b", protocol="anthropic", body=[1])
        told = hear(ws)
        assert (told["id"], told["status"], told["error"]["type"]) == ("b", 400, "invalid_request_error")
        ask(ws, "c", provider="nobody")
        assert hear(ws)["status"] == 404
        go.set()
        assert words([*begun, *until(ws, "end")]) == "slow one"


def test_calls_run_at_once_up_to_the_limit_and_are_cancelled_by_id(vendor: Upstream, gateway: Daemon) -> None:
    closed: list[bool] = []

    def hangs(_request: Received, wire: Wire) -> None:
        begin_stream(wire)
        wire.chunk(b"".join(events("x")[:2]))
        closed.append(wire.wait_for_close())

    vendor.script.extend([hangs, hangs])
    with opened(gateway) as ws:
        ask(ws, "a")
        ask(ws, "b")
        said = [hear(ws) for _ in range(6)]
        assert {each["id"] for each in said} == {"a", "b"}
        ask(ws, "c")
        assert hear(ws)["status"] == 429
        send(ws, type="cancel", id="a")
        told = hear(ws)
        assert (told["id"], told["status"], told["error"]["code"]) == ("a", 499, "cancelled")
        ask(ws, "a")  # the id is free again, and so is the place
        assert words([each for each in until(ws, "end") if each["id"] == "a"]) == "one two"
    gateway.wait_for("WS /v1/ws 200")


@pytest.mark.parametrize(
    ("code", "frames"),
    [
        (1003, framed(0x82, b"x")),
        (1007, framed(0x81, b"\xff\xfe")),
        (1009, framed(0x81, b" " * 200_000)),
        (1009, framed(0x01, b" " * 60_000) + framed(0x80, b" " * 60_000)),
        (1002, framed(0x80, b"x")),
        (1002, framed(0xA1, b"x")),
        (1002, framed(0x83, b"x")),
        (1002, framed(0x89, b"x" * 126)),
    ],
)
def test_broken_frames_close_with_their_code(gateway: Daemon, code: int, frames: bytes) -> None:
    with opened(gateway, compression=None) as ws:
        ws.socket.sendall(frames)
        assert close_code(ws) == code
    assert httpx2.get(f"{gateway.address}/healthz").status_code == 200


def test_a_compression_bomb_ends_at_the_limit(gateway: Daemon) -> None:
    """100 MB of blanks in 100 kB."""
    packer = zlib.compressobj(wbits=-15)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(100)) + packer.flush(zlib.Z_SYNC_FLUSH)
    with opened(gateway) as ws:
        ws.socket.sendall(framed(0xC1, bomb[:-4]))
        assert close_code(ws) == 1009


def test_a_call_after_close_is_not_heard(vendor: Upstream, gateway: Daemon) -> None:
    before = len(vendor.received)
    said = json.dumps({"type": "request", "id": "r", "protocol": "openai-chat", "body": BODIES["openai-chat"][1]})
    with opened(gateway, compression=None) as ws:
        ws.socket.sendall(framed(0x88, b"\x03\xe8") + framed(0x81, said.encode()))
        with pytest.raises(ConnectionClosed):
            ws.recv(timeout=20)
    assert len(vendor.received) == before


def test_drain_closes_1001_after_the_running_calls(tmp_path: Path) -> None:
    go = threading.Event()

    def waits(_request: Received, wire: Wire) -> None:
        begin_stream(wire)
        wire.chunk(b"".join(events("a", "b")[:2]))
        go.wait(20)
        wire.chunk(b"".join(events("a", "b")[2:]))
        wire.chunk(b"")

    with upstream(waits) as vendor, daemon(tmp_path, configured(vendor)) as gateway:  # noqa: SIM117
        with opened(gateway) as ws, opened(gateway) as idle:
            ask(ws)
            begun = [hear(ws), hear(ws), hear(ws)]
            gateway.signal(signal.SIGTERM)
            assert close_code(idle) == 1001
            ask(ws, "late")
            assert hear(ws)["status"] == 503
            go.set()
            assert words([*begun, *until(ws, "end")]) == "ab"
            assert close_code(ws) == 1001


def test_a_client_that_does_not_read_is_paused_then_closed(tmp_path: Path) -> None:
    """The upstream offers 200 MB; no more than what sockets hold ever leaves it."""
    sent = 0
    big = b"".join(events("x" * 100_000)[1:2])

    def floods(_request: Received, wire: Wire) -> None:
        nonlocal sent
        begin_stream(wire)
        with suppress(OSError):
            for _ in range(2000):
                wire.chunk(big)
                sent += len(big)

    with upstream(floods) as vendor:
        more = "websocket: {slow-reader-seconds: 1, compression: false}"
        with daemon(tmp_path, configured(vendor, more)) as gateway:
            raw = socket.create_connection(("127.0.0.1", gateway.port))
            with raw:
                ask_bytes = json.dumps(
                    {"type": "request", "id": "r", "protocol": "openai-chat", "body": BODIES["openai-chat"][1]}
                ).encode()
                raw.sendall(
                    f"GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nx-api-key: {KEY}\r\n\r\n".encode()
                    + framed(0x81, ask_bytes)
                )
                gateway.wait_for("WS /v1/ws 200")  # the call has ended, unread
            assert sent < 50_000_000
