"""The handshake at our side: which path speaks which session, who may open one, from which page."""

from collections.abc import Callable, Mapping

from twisted.internet.interfaces import IReactorTime

from aiproxy.framing.websocket import WebSocketConnection
from aiproxy.framing.websocket.handshake import (
    Headers,
    Offer,
)
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import NotFound, Permission
from aiproxy.web.context import context_of
from aiproxy.web.http1 import Upgraded
from aiproxy.web.keys import KEY_SUBPROTOCOL, client_key, header
from aiproxy.web.request import MIB, HttpRequest
from aiproxy.web.sockets.calls import CallsSession
from aiproxy.web.sockets.relay import RelaySession
from aiproxy.web.sockets.responses import ResponsesSession
from aiproxy.web.sockets.session import Logs, Opened
from aiproxy.web.sockets.upgrading import asks, hand_over, headers_of, offered

SUBPROTOCOL = "aiproxy"
"""What a browser offers beside its key, so that the key need not come back to it."""

RELAY = b"/v1/ws/relay"

PATHS: Mapping[bytes, Callable[[Opened, WebSocketConnection], Upgraded]] = {
    b"/v1/ws": CallsSession,
    b"/v1/responses": ResponsesSession,
    RELAY: RelaySession,
}

_OF_THE_CONNECTION = frozenset(("connection", "upgrade", "host", "origin", "content-length", "transfer-encoding"))


class Sockets:
    """`log` writes the access log's entry of each call."""

    def __init__(self, gateway: Gateway, clock: IReactorTime, log: Logs) -> None:
        self._gateway = gateway
        self._clock = clock
        self._log = log

    def wanted(self, request: HttpRequest) -> bool:
        """Whether this is for a socket: it asks for one, or nothing else can be at its path."""
        if request.method != b"GET":
            return False
        return request.path in (b"/v1/ws", RELAY) or asks(request)

    def open(self, request: HttpRequest) -> None:
        """Raises the `GatewayError` that refuses the handshake."""
        assert request.path is not None
        session = PATHS.get(request.path)
        if session is None:
            known = ", ".join(path.decode() for path in PATHS)
            raise NotFound(f"No WebSocket is served at this path; those there are: {known}.", code="unknown_url")
        offer = offered(request)
        settings = self._gateway.snapshot.settings
        origin = header(request, b"origin")
        named, keyless = settings.websocket.origins, request.path == RELAY and not settings.ws_auth
        if origin and (named or keyless) and origin not in named:
            raise Permission("Pages of this origin may not connect here (websocket.origins).", code="origin")
        most = int(settings.limits.request_body_mb * MIB)
        opened = self._opened(request, headers_of(request))
        hand_over(
            request,
            offer,
            lambda connection: session(opened, connection),
            most=most,
            compress=settings.websocket.compression,
            subprotocol=_chosen(offer),
        )

    def _opened(self, request: HttpRequest, headers: Headers) -> Opened:
        context = context_of(request)
        assert context is not None
        assert request.path is not None
        told = {
            name: ", ".join(values)
            for name, values in headers.items()
            if name not in _OF_THE_CONNECTION and not name.startswith("sec-websocket-")
        }
        path = request.path.decode("latin-1")
        return Opened(self._gateway, self._clock, path, client_key(request), context.provider, told, self._log)


def _chosen(offer: Offer) -> str:
    """Browsers give up where none of what they offer is chosen; a key goes back only to who offers nothing else."""
    if SUBPROTOCOL in offer.subprotocols:
        return SUBPROTOCOL
    return next((name for name in offer.subprotocols if name.startswith(KEY_SUBPROTOCOL)), "")
