"""A client that never falls silent and never ends: it is told so, in its own protocol's words."""

import json
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.rig.daemon import daemon

PATIENCE = 30.0
"""Seconds before the test gives up. It does not pass by it."""

DRIP_SECONDS = 0.05

LIMITS = """
state: memory
limits: {body-idle-seconds: 1, body-bytes-per-second: 1000}
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/messages", ["type", "error"]), ("/v1/chat/completions", ["error"])],
    ids=["anthropic", "openai"],
)
def test_a_dripped_body_ends_with_a_408(path: str, kind: list[str], tmp_path: Path) -> None:
    with daemon(tmp_path, LIMITS) as gateway, socket.create_connection(("127.0.0.1", gateway.port)) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n".encode())
        client.settimeout(DRIP_SECONDS)
        drips, heard, given_up = 0, b"", time.monotonic() + PATIENCE
        while not heard:
            assert time.monotonic() < given_up
            client.sendall(b" ")
            drips += 1
            with suppress(TimeoutError):
                heard = client.recv(65536)
        assert heard.startswith(b"HTTP/1.1 408 ")
        assert drips > 1 / DRIP_SECONDS / 2, "it was no single silence"
        body = json.loads(heard.partition(b"\r\n\r\n")[2])
        assert list(body)[: len(kind)] == kind
        assert "limits.body-bytes-per-second" in body["error"]["message"]
