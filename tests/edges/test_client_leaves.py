"""The client's leaving ends what is done for it within 300 ms, in every phase: in the queue, while an upstream is connected to,
in the TLS handshake, amid the upload, before the headers and after them, in the middle of an answer, relayed or translated,
while its media are fetched, and between two rounds. Nothing is sent for it any more, and its attempt is recorded as cancelled."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from queue import Queue
from time import monotonic, sleep

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, begin_stream, events, fails, says, upstream

GONE_WITHIN = 0.3
"""Seconds. What is promised; what it takes on a quiet machine is a few milliseconds."""

TRIES = 3
"""Times that a phase may be tried: a busy machine is late now and then, and never always."""

PATIENCE = 10.0
"""Seconds before a test that waits gives up; none passes by it."""

LARGE = 32 << 20
"""Bytes of a request that no socket's buffers hold."""

CHAT = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
SYN_SENT = "02"


class Watching:
    """Does something for each connection, then waits for the gateway to close it."""

    def __init__(self, before: Callable[[Wire], None] = lambda _: None) -> None:
        self.before = before
        self.reached: Queue[None] = Queue()
        self.closed: Queue[float] = Queue()

    def __call__(self, _request: Received, wire: Wire) -> None:
        self.before(wire)
        self.reached.put(None)
        if wire.wait_for_close():
            self.closed.put(monotonic())


class Stuck(Watching):
    """A port whose connections are read a byte of, and the rest when the client has left."""

    def __init__(self) -> None:
        super().__init__()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.left = threading.Semaphore(0)
        self._serving = threading.Thread(target=self._serve)
        self._serving.start()

    def close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.left.release()
        self._serving.join(PATIENCE)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, suppress(ConnectionResetError):
                    connection.settimeout(PATIENCE)
                    connection.recv(1)
                    self.reached.put(None)
                    self.left.acquire(timeout=PATIENCE)
                    while connection.recv(1 << 20):
                        pass
                self.closed.put(monotonic())


class Full:
    """A port whose queue is full: what comes is left waiting."""

    def __init__(self) -> None:
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self._waiting = [socket.socket() for _ in range(4)]
        for each in self._waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", self.port))
        self._before = self.connecting

    @property
    def connecting(self) -> int:
        """Sockets of this machine that wait to be accepted there."""
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        there = f"0100007F:{self.port:04X}"
        return sum(fields[2] == there and fields[3] == SYN_SENT for fields in map(str.split, lines))

    def until(self, connecting: bool) -> float:
        """Wait until the gateway is, or isn't, among them: the moment."""
        end = monotonic() + PATIENCE
        while (self.connecting > self._before) is not connecting:
            assert monotonic() < end, f"{self.connecting} wait, {self._before} did before"
            sleep(0.002)
        return monotonic()

    def close(self) -> None:
        for each in (*self._waiting, self.listener):
            each.close()


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with upstream(says("ok")) as running:
        yield running


@pytest.fixture(scope="module")
def stuck() -> Iterator[Stuck]:
    with closing(Stuck()) as running:
        yield running


@pytest.fixture(scope="module")
def full() -> Iterator[Full]:
    with closing(Full()) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Upstream, stuck: Stuck, full: Full, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    configuration = f"""
disable-cooling: true
media-fetch: {{enabled: true, allow: [127.0.0.0/8]}}
openai-api-key:
  - {{api-key: key-0123456789abcdef, base-url: "{vendor.base_url}", models: [m]}}
  - {{api-key: key-0123456789abcdef, base-url: "{vendor.base_url}", models: [queue], concurrency: 1}}
  - {{api-key: key-0123456789abcdef, base-url: "http://127.0.0.1:{full.port}/v1", models: [connect]}}
  - {{api-key: key-0123456789abcdef, base-url: "https://localhost:{stuck.port}/v1", models: [tls]}}
  - {{api-key: key-0123456789abcdef, base-url: "http://127.0.0.1:{stuck.port}/v1", models: [upload]}}
ollama: [{{base-url: "{vendor.base_url.removesuffix("/v1")}", models: [bytes-only]}}]
"""
    with daemon(tmp_path_factory.mktemp("leaves"), configuration) as running:
        yield running
        assert httpx2.post(f"{running.base_url}/chat/completions", json=CHAT).status_code == 200


class Leaver:
    """A client that asks, and leaves by a reset: what a killed one's kernel sends."""

    def __init__(
        self, gateway: Daemon, request_id: str, body: object = CHAT, path: str = "/v1/chat/completions"
    ) -> None:
        written = json.dumps(body).encode()
        self.connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {request_id}\r\n"
        self.connection.sendall(f"{head}Content-Length: {len(written)}\r\n\r\n".encode() + written)

    def leave(self) -> float:
        """The moment."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        return monotonic()


def promptly(leave: Callable[[], float]) -> None:
    """`leave` is one try: how long it took until nothing was done for the client any more."""
    took = [leave()]
    while took[-1] > GONE_WITHIN and len(took) < TRIES:
        took.append(leave())
    assert min(took) <= GONE_WITHIN, took


def cancelled(gateway: Daemon, request_id: str, attempts: int) -> float:
    """The moment at which its end is on record."""
    logged = gateway.wait_for_access(request_id)
    assert (logged["outcome"], logged["attempts"]) == ("cancelled", attempts)
    return monotonic()


def half_the_head(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\ncontent-")


def prologue(wire: Wire) -> None:
    begin_stream(wire)
    wire.chunk(events("x")[0])


def half_a_whole_answer(wire: Wire) -> None:
    wire.head(200, {"content-type": "application/json", "content-length": "100"})
    wire.send(b'{"id": ')


def half_an_error(wire: Wire) -> None:
    wire.head(500, {"content-type": "application/json", "content-length": "100"})
    wire.send(b'{"error": ')


BEFORE_THE_FIRST_BYTE: dict[str, Callable[[Wire], None]] = {
    "request sent": lambda _: None,
    "half the headers": half_the_head,
    "headers": begin_stream,
    "prologue": prologue,
    "half a whole answer": half_a_whole_answer,
    "half an error": half_an_error,
}
MESSAGES = {**CHAT, "max_tokens": 9}


@pytest.mark.parametrize(("path", "body"), [("/v1/chat/completions", CHAT), ("/v1/messages", MESSAGES)])
@pytest.mark.parametrize("phase", BEFORE_THE_FIRST_BYTE)
def test_before_the_first_byte(gateway: Daemon, vendor: Upstream, phase: str, path: str, body: object) -> None:
    def leave() -> float:
        watching = Watching(BEFORE_THE_FIRST_BYTE[phase])
        vendor.script.append(watching)
        client = Leaver(gateway, "leaves-early", body, path)
        watching.reached.get(timeout=PATIENCE)
        left = client.leave()
        took = watching.closed.get(timeout=PATIENCE) - left
        cancelled(gateway, "leaves-early", 1)
        return took

    promptly(leave)


@pytest.mark.parametrize(("path", "body"), [("/v1/chat/completions", CHAT), ("/v1/messages", MESSAGES)])
def test_in_mid_stream(gateway: Daemon, vendor: Upstream, path: str, body: object) -> None:
    def some_events(wire: Wire) -> None:
        begin_stream(wire)
        for event in events("a", "b")[:3]:
            wire.chunk(event)

    def leave() -> float:
        watching = Watching(some_events)
        vendor.script.append(watching)
        client = Leaver(gateway, "leaves-mid-stream", body, path)
        assert b"200" in client.connection.recv(65536)
        left = client.leave()
        took = watching.closed.get(timeout=PATIENCE) - left
        cancelled(gateway, "leaves-mid-stream", 1)
        return took

    promptly(leave)


@pytest.mark.parametrize(("phase", "size"), [("tls", 1), ("upload", LARGE)])
def test_on_the_way(gateway: Daemon, stuck: Stuck, phase: str, size: int) -> None:
    body = {"model": phase, "messages": [{"role": "user", "content": "x" * size}]}

    def leave() -> float:
        client = Leaver(gateway, f"leaves-{phase}", body)
        stuck.reached.get(timeout=PATIENCE)
        left = client.leave()
        stuck.left.release()
        took = stuck.closed.get(timeout=PATIENCE) - left
        cancelled(gateway, f"leaves-{phase}", 1)
        return took

    promptly(leave)


def test_while_the_upstream_is_connected_to(gateway: Daemon, full: Full) -> None:
    def leave() -> float:
        client = Leaver(gateway, "leaves-connect", {**CHAT, "model": "connect"})
        full.until(connecting=True)
        left = client.leave()
        took = full.until(connecting=False) - left
        cancelled(gateway, "leaves-connect", 1)
        return took

    promptly(leave)


def test_while_its_media_are_fetched(gateway: Daemon, vendor: Upstream) -> None:
    """The upstream, which takes bytes only, hears nothing of it."""
    image = {"type": "image_url", "image_url": {"url": f"{vendor.base_url}/image.png"}}
    body = {"model": "bytes-only", "messages": [{"role": "user", "content": [image]}]}
    fetched: list[str] = []

    def leave() -> float:
        watching = Watching()

        def fetch(request: Received, wire: Wire) -> None:
            fetched.append(request.path)
            watching(request, wire)

        vendor.script.append(fetch)
        client = Leaver(gateway, "leaves-media", body)
        watching.reached.get(timeout=PATIENCE)
        left = client.leave()
        took = watching.closed.get(timeout=PATIENCE) - left
        cancelled(gateway, "leaves-media", 1)
        return took

    promptly(leave)
    assert set(fetched) == {"/v1/image.png"}


def test_between_rounds(gateway: Daemon, vendor: Upstream) -> None:
    """The pause ends with the client; nothing more is sent upstream."""

    def leave() -> float:
        before = len(vendor.received)
        answered = threading.Event()

        def refuse(request: Received, wire: Wire) -> None:
            fails(503, headers={"retry-after": "2"})(request, wire)
            answered.set()

        vendor.script.append(refuse)
        client = Leaver(gateway, "leaves-between-rounds")
        assert answered.wait(PATIENCE)
        left = client.leave()
        took = cancelled(gateway, "leaves-between-rounds", 1) - left
        assert len(vendor.received) == before + 1
        return took

    promptly(leave)


def test_in_the_queue(gateway: Daemon, vendor: Upstream) -> None:
    """Whoever leaves the queue takes no turn, and the lease of the one before comes back."""
    queued = {**CHAT, "model": "queue", "stream": False}
    busy, go = threading.Event(), threading.Event()

    def slow(request: Received, wire: Wire) -> None:
        busy.set()
        go.wait(PATIENCE)
        says("first")(request, wire)

    def leave() -> float:
        left = Leaver(gateway, "leaves-queue", queued).leave()
        return cancelled(gateway, "leaves-queue", 0) - left

    vendor.script.append(slow)
    before = len(vendor.received)
    first = Leaver(gateway, "stays", queued)
    assert busy.wait(PATIENCE)
    promptly(leave)
    go.set()
    with first.connection:
        assert b" 200 " in first.connection.recv(65536)
    third = Leaver(gateway, "stays", queued)
    with third.connection:
        assert b" 200 " in third.connection.recv(65536)
    assert len(vendor.received) == before + 2


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
    client = Leaver(gateway, "reads-slowly")
    client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert blocked.wait(30), f"the upstream could send {sent} bytes to a client that reads nothing"
    resume.set()
    client.leave()
    assert sent < everything
