"""The client's leaving before its request has reached anybody: in the queue, while the upstream is connected to, in the TLS
handshake, amid the upload. Each phase has an upstream of its own that goes no further."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, says, upstream

CLOSES_WITHIN = 10.0
"""Seconds. Generous for a busy machine; what it takes is a few milliseconds."""

LARGE = 32 << 20
"""Bytes of a request that no socket's buffers hold."""


class Stuck:
    """Takes one connection, reads a little, and waits for its end."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.reached, self.closed = threading.Event(), threading.Event()
        self._go = threading.Event()
        self._serving = threading.Thread(target=self._serve)
        self._serving.start()

    def drain(self) -> None:
        """Read what is left in the socket, up to its end."""
        self._go.set()

    def close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._go.set()
        self._serving.join(CLOSES_WITHIN)

    def _serve(self) -> None:
        with suppress(OSError):
            connection, _ = self.listener.accept()
            with connection:
                connection.settimeout(CLOSES_WITHIN)
                with suppress(ConnectionResetError):
                    connection.recv(1)
                    self.reached.set()
                    self._go.wait(CLOSES_WITHIN)
                    while connection.recv(65536):
                        pass
                self.closed.set()


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with upstream(says("ok")) as running:
        yield running


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    running = Stuck()
    yield running
    running.close()


@pytest.fixture
def gateway(vendor: Upstream, stuck: Stuck, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    configuration = f"""
disable-cooling: true
openai-api-key:
  - {{api-key: key-0123456789abcdef, base-url: "{vendor.base_url}", models: [queue], concurrency: 1}}
  - {{api-key: key-0123456789abcdef, base-url: "https://localhost:{stuck.port}/v1", models: [tls]}}
  - {{api-key: key-0123456789abcdef, base-url: "http://127.0.0.1:{stuck.port}/v1", models: [upload]}}
"""
    with daemon(tmp_path_factory.mktemp("early"), configuration) as running:
        yield running


def call(gateway: Daemon, model: str, size: int = 1) -> socket.socket:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "x" * size}]}).encode()
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=CLOSES_WITHIN)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: leaves-{model}\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


@pytest.mark.parametrize(("phase", "size"), [("tls", 1), ("upload", LARGE)])
def test_on_the_way(gateway: Daemon, stuck: Stuck, phase: str, size: int) -> None:
    with closing(call(gateway, phase, size)):
        assert stuck.reached.wait(CLOSES_WITHIN)
    stuck.drain()
    assert stuck.closed.wait(CLOSES_WITHIN)
    logged = gateway.wait_for_access(f"leaves-{phase}")
    assert (logged["outcome"], logged["status"], logged["attempts"]) == ("cancelled", 499, 1)


def test_in_the_queue(gateway: Daemon, vendor: Upstream) -> None:
    """Whoever leaves the queue takes no turn, and the lease of the one before comes back."""
    busy, go = threading.Event(), threading.Event()

    def slow(request: Received, wire: Wire) -> None:
        busy.set()
        go.wait(CLOSES_WITHIN)
        says("first")(request, wire)

    vendor.script.append(slow)
    before = len(vendor.received)
    with closing(call(gateway, "queue")) as first:
        assert busy.wait(CLOSES_WITHIN)
        call(gateway, "queue").close()
        logged = gateway.wait_for_access("leaves-queue")
        assert (logged["outcome"], logged["status"], logged["attempts"]) == ("cancelled", 499, 0)
        go.set()
        assert b" 200 " in first.recv(65536)
    with closing(call(gateway, "queue")) as third:
        assert b" 200 " in third.recv(65536)
    assert len(vendor.received) == before + 2
