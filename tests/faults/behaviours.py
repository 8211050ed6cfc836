"""What upstreams of the fault wall do, in whichever protocol."""

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.rig.upstream import Behaviour, Received, Wire

SAYS_WITHIN = 5.0
"""Seconds for the other side's last word in TLS."""

Ending = Callable[[Wire], None]

_IN_PATH = re.compile(r"/models/([^:/]+):")


def model_of(request: Received) -> str:
    """Gemini has it in the path, all others in the body."""
    found = _IN_PATH.search(request.path)
    return found[1] if found else str(request.json["model"])


class ByModel:
    """Behaves as was said for the model that is asked for: cases may run side by side."""

    def __init__(self) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.asked: list[str] = []

    def __call__(self, request: Received, wire: Wire) -> None:
        model = model_of(request)
        self.asked.append(model)
        self.behaviours[model](request, wire)


# -- how an answer ends


def end(wire: Wire) -> None:
    wire.chunk(b"")


def hold(wire: Wire) -> None:
    wire.wait_for_close()


def stay(_wire: Wire) -> None:
    """For another request."""


def close(wire: Wire) -> None:
    """In order: over TLS with its own word, without which nobody can tell a whole body from a part."""
    if isinstance(wire.socket, ssl.SSLSocket):
        wire.socket.settimeout(SAYS_WITHIN)
        with suppress(OSError):
            wire.socket.unwrap()
    wire.cut()


def reset(wire: Wire) -> None:
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(wire.socket, ssl.SSLSocket):
        wire.socket = socket.socket(fileno=wire.socket.detach())  # no word of TLS goes before it
    wire.socket.close()
    raise ConnectionAbortedError  # whoever reads from it lets go, too: only then is it closed


# -- whole behaviours


def raw(data: bytes, then: Ending = Wire.cut) -> Behaviour:
    def behave(_request: Received, wire: Wire) -> None:
        wire.send(data)
        then(wire)

    return behave


def plain(body: bytes, head: str, then: Ending = Wire.cut, version: str = "1.1") -> Behaviour:
    return raw(f"HTTP/{version} 200 OK\r\n{head}\r\n\r\n".encode() + body, then)


def trickles(_request: Received, wire: Wire) -> None:
    """A byte of the headers now and then: no single silence is long."""
    for byte in b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-slow: " + b"x" * 1000:
        try:
            wire.send(bytes([byte]))
        except OSError:
            return
        threading.Event().wait(0.05)


def html(status: int = 200) -> Behaviour:
    return lambda _request, wire: wire.answer(status, b"<html>captive portal</html>", {"content-type": "text/html"})
