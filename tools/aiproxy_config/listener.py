"""The page on this machine that a vendor sends the browser back to: on loopback only, for one answer."""

import socket
from collections.abc import Callable
from html import escape
from http import HTTPStatus
from types import TracebackType

REQUEST_BYTES = 16_384
SILENCE_SECONDS = 5.0
"""For a browser to say what it wants."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>aiproxy</title>
<body style="font-family:sans-serif;max-width:40em;margin:4em auto"><h1>{title}</h1><p>{words}</p></body></html>"""


class CallbackListener:
    """Raises `OSError` for a port that is in use."""

    def __init__(self, port: int, path: str) -> None:
        self._path = path
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> "CallbackListener":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self, judge: Callable[[str], str]) -> str:
        """One request; "" unless it is what `judge` finds nothing wrong with."""
        try:
            connection, _ = self._socket.accept()
            with connection:
                connection.settimeout(SILENCE_SECONDS)
                target = _target(connection.recv(REQUEST_BYTES))
                path, _, query = target.partition("?")
                if path != self._path:
                    _answer(connection, HTTPStatus.NOT_FOUND, "Not here", "This page only waits for a login.")
                    return ""
                wrong = judge(f"http://localhost{target}")
                if wrong:
                    _answer(connection, HTTPStatus.BAD_REQUEST, "Not this login", wrong)
                    return ""
                if "error=" in query:
                    _answer(connection, HTTPStatus.OK, "The login was ended", "The terminal says why.")
                else:
                    _answer(connection, HTTPStatus.OK, "Logged in", "You may close this page; the terminal goes on.")
                return f"http://localhost{target}"
        except OSError:
            return ""


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
