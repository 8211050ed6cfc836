"""The six places a client key may stand, in the order in which they are looked at; the first that is there decides.

The last is for pages in browsers, which can set no header of a WebSocket: the subprotocol `aiproxy.key.KEY`."""

from urllib.parse import parse_qs

from aiproxy.web.request import HttpRequest

_HEADERS = (b"x-api-key", b"x-goog-api-key")
_QUERY = ("key", "auth_token")
KEY_SUBPROTOCOL = "aiproxy.key."


def header(request: HttpRequest, name: bytes) -> str:
    """The last value of a header, "" for none; the name in lower case. Bytes beyond ASCII stay what they are: Twisted's own
    look-up by text raises for what isn't UTF-8."""
    values = request.received.get(name)
    return values[-1].decode("latin-1").strip() if values else ""


def client_key(request: HttpRequest) -> str | None:
    """The key the client shows, right or wrong."""
    if authorization := header(request, b"authorization"):
        scheme, _, key = authorization.partition(" ")
        return key.strip() if scheme.lower() == "bearer" else authorization
    for place in _HEADERS:
        if found := header(request, place):
            return found
    _, _, query = request.uri.partition(b"?")
    arguments = parse_qs(query.decode("utf-8", "surrogateescape")) if query else {}
    for name in _QUERY:
        if name in arguments:
            return arguments[name][0]
    offered = b",".join(request.received.get(b"sec-websocket-protocol", ())).decode("latin-1")
    names = (name.strip() for name in offered.split(","))
    return next((name.removeprefix(KEY_SUBPROTOCOL) for name in names if name.startswith(KEY_SUBPROTOCOL)), None)
