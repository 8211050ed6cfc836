"""The page on this machine that a vendor sends the browser back to: on loopback only, for one answer."""

import socket
from collections.abc import Callable, Sequence
from html import escape
from http import HTTPStatus
from types import TracebackType

REQUEST_BYTES = 16_384
SILENCE_SECONDS = 5.0
"""For a browser to take what it is told."""

MOST_SILENT = 8
"""Connections that have said nothing yet; a browser opens two or three. The oldest gives way."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>aiproxy</title>
<body style="font-family:sans-serif;max-width:40em;margin:4em auto"><h1>{title}</h1><p>{words}</p></body></html>"""


class CallbackListener:
    """Raises `OSError` where all ports are in use. A browser opens connections ahead, on which it says nothing for long: whoever
    waits here waits for all of `sources`."""

    def __init__(self, ports: Sequence[int], paths: Sequence[str]) -> None:
        self._paths = paths
        self._socket = _listening(ports)
        self.port: int = self._socket.getsockname()[1]
        self._silent: list[socket.socket] = []

    def __enter__(self) -> "CallbackListener":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for each in self.sources:
            each.close()

    @property
    def sources(self) -> Sequence[socket.socket]:
        return self._socket, *self._silent

    def receive(self, source: socket.socket, judge: Callable[[str], str]) -> str | None:
        """What came by a source that is ready: an address that `judge` finds nothing wrong with, "" for another, None for no
        request yet."""
        try:
            if source is self._socket:
                self._silent.append(source.accept()[0])
                if len(self._silent) > MOST_SILENT:
                    self._silent.pop(0).close()
                return None
            self._silent.remove(source)
            with source:
                source.settimeout(SILENCE_SECONDS)
                data = source.recv(REQUEST_BYTES)
                return self._answered(source, _target(data), judge) if data else None
        except OSError:
            return None

    def _answered(self, connection: socket.socket, target: str, judge: Callable[[str], str]) -> str:
        path, _, query = target.partition("?")
        if path not in self._paths:
            _answer(connection, HTTPStatus.NOT_FOUND, "Not here", "This page only waits for a login.")
            return ""
        if wrong := judge(f"http://localhost{target}"):
            _answer(connection, HTTPStatus.BAD_REQUEST, "Not this login", wrong)
            return ""
        if "error=" in query:
            _answer(connection, HTTPStatus.OK, "The login was ended", "The terminal says why.")
        else:
            _answer(connection, HTTPStatus.OK, "Logged in", "You may close this page; the terminal goes on.")
        return f"http://localhost{target}"


def _listening(ports: Sequence[int]) -> socket.socket:
    """At the first that is free."""
    for port in ports:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError as error:
            failed = error
    raise failed


def _target(request: bytes) -> str:
    words = request.partition(b"\r\n")[0].decode("latin-1").split(" ")
    return words[1] if len(words) == 3 and words[0] == "GET" else ""


def _answer(connection: socket.socket, status: HTTPStatus, title: str, words: str) -> None:
    body = _PAGE.format(title=escape(title), words=escape(words)).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
        "cache-control: no-store\r\nreferrer-policy: no-referrer\r\ncontent-security-policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
        "connection: close\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
