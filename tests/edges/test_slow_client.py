"""A client that reads a kilobyte now and then of an answer of 200 MB: nobody holds for it what it doesn't take."""

import os
import socket
import threading
import time
from pathlib import Path

from tests.rig.daemon import daemon
from tests.rig.upstream import Received, Wire, begin_stream, events, upstream

ANSWER_BYTES = 200 * 2**20
BUFFERS = 32 * 2**20
"""Bytes. What both connections' kernel buffers, which Linux lets grow to 6 MiB for reading and 4 MiB for writing, and the
gateway's own of 64 KiB may hold together, with room to spare."""

PATIENCE = 30.0
"""Seconds before the test gives up. It does not pass by it."""


class Flood:
    """Sends as fast as it is read; `sent` counts bytes."""

    def __init__(self) -> None:
        self.sent = 0
        self.ended = threading.Event()

    def __call__(self, _request: Received, wire: Wire) -> None:
        begin_stream(wire)
        first, block, *_ = events("", "x" * 60_000)
        wire.chunk(first)
        try:
            while self.sent < ANSWER_BYTES:
                wire.chunk(block)
                self.sent += len(block)
        except OSError:
            pass  # the gateway has hung up
        self.ended.set()

    def settled(self) -> int:
        """Once nothing more has been sent for a while."""
        given_up = time.monotonic() + PATIENCE
        same, last = 0, -1
        while same < 30:
            assert time.monotonic() < given_up
            same, last = same + 1 if self.sent == last else 0, self.sent
            time.sleep(0.01)
        return last


def resident(pid: int) -> int:
    """Bytes of memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_the_upstream_is_held_back(tmp_path: Path) -> None:
    flood = Flood()
    with upstream(flood) as vendor:
        text = f"""
state: memory
openai-compatibility:
  - {{name: vendor, base-url: "{vendor.base_url}", api-key-entries: [key-0123456789abcdef], models: [m]}}
"""
        with daemon(tmp_path, text) as gateway, socket.create_connection(("127.0.0.1", gateway.port)) as client:
            before = resident(gateway.process.pid)
            body = b'{"model": "m", "stream": true, "messages": [{"role": "user", "content": "hi"}]}'
            head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            client.settimeout(PATIENCE)
            assert client.recv(1024).startswith(b"HTTP/1.1 200")
            assert 0 < flood.settled() < BUFFERS
            for _ in range(20):
                assert len(client.recv(1024)) == 1024
            assert flood.settled() < BUFFERS
            assert resident(gateway.process.pid) - before < BUFFERS
            client.close()
            assert flood.ended.wait(PATIENCE), "a client that leaves ends the upstream's answer"
