"""The client's leaving closes the upstream's socket in every phase; a slow client slows the upstream."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Behaviour, Received, Upstream, Wire, begin_stream, events, fails, says, upstream

BODY = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}).encode()

CLOSES_WITHIN = 10.0
"""Seconds. Generous for a busy machine; what it takes is a few milliseconds."""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with upstream(says("ok")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    configuration = (
        f"openai-compatibility: [{{name: v, base-url: '{vendor.base_url}', models: [m]}}]\ndisable-cooling: true\n"
    )
    with daemon(tmp_path_factory.mktemp("leaves"), configuration) as running:
        yield running
        assert httpx2.post(f"{running.base_url}/chat/completions", content=BODY).status_code == 200


def call(gateway: Daemon, request_id: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {request_id}\r\n"
    head += f"Content-Length: {len(BODY)}\r\n\r\n"
    connection.sendall(head.encode() + BODY)
    return connection


class Watched:
    """Does something, then waits for the gateway to close."""

    def __init__(self, before: Callable[[Wire], None]) -> None:
        self.before = before
        self.reached = threading.Event()
        self.closed = threading.Event()

    def __call__(self, _request: Received, wire: Wire) -> None:
        self.before(wire)
        self.reached.set()
        if wire.wait_for_close():
            self.closed.set()


def nothing(_wire: Wire) -> None: ...


def half_the_head(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\ncontent-")


def headers_only(wire: Wire) -> None:
    begin_stream(wire)


def prologue(wire: Wire) -> None:
    begin_stream(wire)
    wire.chunk(events("x")[0])


def half_a_whole_answer(wire: Wire) -> None:
    wire.head(200, {"content-type": "application/json", "content-length": "100"})
    wire.send(b'{"id": ')


def half_an_error(wire: Wire) -> None:
    wire.head(500, {"content-type": "application/json", "content-length": "100"})
    wire.send(b'{"error": ')


@pytest.mark.parametrize("phase", [nothing, half_the_head, headers_only, prologue, half_a_whole_answer, half_an_error])
def test_before_the_first_byte(gateway: Daemon, vendor: Upstream, phase: Callable[[Wire], None]) -> None:
    watched = Watched(phase)
    vendor.script.append(watched)
    with closing(call(gateway, f"leaves-{phase.__name__}")):
        assert watched.reached.wait(CLOSES_WITHIN)
    assert watched.closed.wait(CLOSES_WITHIN)


def test_in_mid_stream(gateway: Daemon, vendor: Upstream) -> None:
    def some_events(wire: Wire) -> None:
        begin_stream(wire)
        for event in events("a", "b")[:3]:
            wire.chunk(event)

    watched = Watched(some_events)
    vendor.script.append(watched)
    with closing(call(gateway, "leaves-mid-stream")) as connection:
        assert b"200" in connection.recv(65536)
        # A reset, not a polite end: what a killed client's kernel sends.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert watched.closed.wait(CLOSES_WITHIN)
    assert gateway.wait_for_access("leaves-mid-stream")["outcome"] == "cancelled"


def test_while_waiting_between_rounds(gateway: Daemon, vendor: Upstream) -> None:
    """The retry wait ends with the client; nothing more is sent upstream."""
    before = len(vendor.received)
    told: Behaviour = fails(503, headers={"retry-after": "2"})
    answered = threading.Event()

    def refuse(request: Received, wire: Wire) -> None:
        told(request, wire)
        answered.set()

    vendor.script.append(refuse)
    with closing(call(gateway, "leaves-between-rounds")):
        assert answered.wait(CLOSES_WITHIN)
    logged = gateway.wait_for_access("leaves-between-rounds")
    assert (logged["outcome"], logged["status"], logged["attempts"]) == ("cancelled", 499, 1)
    assert len(vendor.received) == before + 1


def test_a_slow_reader_slows_the_upstream(gateway: Daemon, vendor: Upstream) -> None:
    """A client that doesn't read makes the upstream wait: what is under way stays bounded by the sockets' buffers."""
    piece = events("y" * 10_000)[1]
    sent = 0
    blocked = threading.Event()
    resume = threading.Event()
    everything = 100 << 20

    def flood(_request: Received, wire: Wire) -> None:
        nonlocal sent
        begin_stream(wire)
        wire.socket.settimeout(2.0)
        while sent < everything:
            try:
                wire.chunk(piece)
            except TimeoutError:
                blocked.set()
                resume.wait(20)
                return
            sent += len(piece)

    vendor.script.append(flood)
    with closing(call(gateway, "reads-slowly")) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert blocked.wait(30), f"the upstream could send {sent} bytes to a client that reads nothing"
        resume.set()
    assert sent < everything
