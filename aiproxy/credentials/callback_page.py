"""The page on this machine that a vendor sends the browser back to, on the gateway's reactor: loopback only, for one login."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from aiproxy.credentials.ways.desk import Redirect

SILENT_SECONDS = 60
"""A connection that says nothing is closed after that; a browser opens some ahead."""

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>aiproxy</title><h1>{title}</h1><p>{words}</p></html>'
)


def listener(reactor: Any) -> Callable[[Redirect, Callable[[str], str]], Callable[[], object]]:
    """A `flows.Listen`."""

    def listen(redirect: Redirect, came: Callable[[str], str]) -> Callable[[], object]:
        site = _Unlogged(_Callback(redirect.paths, came), timeout=SILENT_SECONDS)
        for number in redirect.ports:
            try:
                port = reactor.listenTCP(number, site, interface="127.0.0.1")
            except CannotListenError as error:
                failed = error
            else:
                return lambda: port.stopListening()
        raise OSError(failed.socketError.strerror or "it is in use") from failed

    return listen


class _Unlogged(Site):
    """What comes holds a code."""

    noisy = False

    def log(self, request: Any) -> None: ...


class _Callback(Resource):
    isLeaf = True

    def __init__(self, paths: Sequence[str], came: Callable[[str], str]) -> None:
        super().__init__()
        self._paths = {path.encode() for path in paths}
        self._came = came

    def render_GET(self, request: Request) -> bytes:
        request.setHeader("content-type", "text/html; charset=utf-8")
        request.setHeader("cache-control", "no-store")
        request.setHeader("referrer-policy", "no-referrer")
        request.setHeader("content-security-policy", "default-src 'none'")
        request.setHeader("connection", "close")
        if request.path not in self._paths:
            request.setResponseCode(404)
            return _page("Not here", "This page only waits for a login.")
        if wrong := self._came(f"http://localhost{request.uri.decode('latin-1')}"):
            request.setResponseCode(400)
            return _page("Not this login", wrong)
        return _page("Thank you", "You may close this page; the login goes on where it was begun.")


def _page(title: str, words: str) -> bytes:
    return _PAGE.format(title=escape(title), words=escape(words)).encode()
