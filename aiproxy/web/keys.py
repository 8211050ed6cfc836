"""The five places a client key may stand, in the order in which they are looked at; the first that is there decides."""

from urllib.parse import parse_qs

from twisted.web.server import Request

_HEADERS = ("x-api-key", "x-goog-api-key")
_QUERY = ("key", "auth_token")


def client_key(request: Request) -> str | None:
    """The key the client shows, right or wrong."""
    authorization = request.getHeader("authorization")
    if authorization:
        scheme, _, key = authorization.strip().partition(" ")
        return key.strip() if scheme.lower() == "bearer" else authorization.strip()
    for name in _HEADERS:
        if found := request.getHeader(name):
            return found.strip()
    _, _, query = request.uri.partition(b"?")
    arguments = parse_qs(query.decode("utf-8", "surrogateescape")) if query else {}
    return next((arguments[name][0] for name in _QUERY if name in arguments), None)
