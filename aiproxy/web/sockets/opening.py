"""The handshake at our side: which path speaks which session, who may open one, from which page."""

from collections.abc import Callable, Mapping

from twisted.internet.interfaces import IReactorTime

from aiproxy.framing.websocket import WebSocketConnection
from aiproxy.framing.websocket.handshake import (
    VERSION,
    BadHandshake,
    Headers,
    Offer,
    accept,
    asks_for_websocket,
    read_offer,
)
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import InvalidRequest, NotFound, Permission, UpgradeRequired
from aiproxy.usage import Outcome
from aiproxy.web.context import context_of
from aiproxy.web.http1 import Http1Channel, Upgraded
from aiproxy.web.keys import KEY_SUBPROTOCOL, client_key, header
from aiproxy.web.request import MIB, HttpRequest
from aiproxy.web.sockets.calls import CallsSession
from aiproxy.web.sockets.relay import RelaySession
from aiproxy.web.sockets.responses import ResponsesSession
from aiproxy.web.sockets.session import Logs, Opened

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
        return request.path in (b"/v1/ws", RELAY) or (
            request.requestHeaders.hasHeader(b"upgrade") and asks_for_websocket(_headers(request))
        )

    def open(self, request: HttpRequest) -> None:
        """Raises the `GatewayError` that refuses the handshake."""
        assert request.path is not None
        session = PATHS.get(request.path)
        if session is None:
            known = ", ".join(path.decode() for path in PATHS)
            raise NotFound(f"No WebSocket is served at this path; those there are: {known}.", code="unknown_url")
        headers = _headers(request)
        if not asks_for_websocket(headers):
            raise UpgradeRequired(
                "This path speaks WebSocket only: connect with ws:// or wss://.",
                headers={"upgrade": "websocket", "connection": "Upgrade"},
            )
        if not isinstance(request.channel, Http1Channel):
            raise UpgradeRequired("WebSockets are opened over HTTP/1.1 here.", headers={"upgrade": "websocket"})
        try:
            offer = read_offer(headers)
        except BadHandshake as bad:
            if bad.version:
                raise UpgradeRequired(str(bad), headers={"sec-websocket-version": VERSION}) from bad
            raise InvalidRequest(str(bad)) from bad
        settings = self._gateway.snapshot.settings
        origin = header(request, b"origin")
        named, keyless = settings.websocket.origins, request.path == RELAY and not settings.ws_auth
        if origin and (named or keyless) and origin not in named:
            raise Permission("Pages of this origin may not connect here (websocket.origins).", code="origin")
        most = int(settings.limits.request_body_mb * MIB)
        answer, deflate = accept(offer, most=most, subprotocol=_chosen(offer), compress=settings.websocket.compression)
        connection = WebSocketConnection(client=False, most=most, deflate=deflate)
        self._hand_over(request, request.channel, answer, session(self._opened(request, headers), connection))

    def _hand_over(
        self, request: HttpRequest, channel: Http1Channel, answer: list[tuple[str, str]], session: Upgraded
    ) -> None:
        context = context_of(request)
        assert context is not None
        context.record.outcome = Outcome.COMPLETE  # for the access log, which is told when the socket closes
        request.code, request.startedWriting = 101, True
        channel.upgrade([*answer, ("X-Request-Id", context.record.request_id)], session)

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


def _headers(request: HttpRequest) -> Headers:
    return {
        name.decode("latin-1").lower(): [value.decode("latin-1") for value in values]
        for name, values in request.requestHeaders.getAllRawHeaders()
    }


def _chosen(offer: Offer) -> str:
    """Browsers give up where none of what they offer is chosen; a key goes back only to who offers nothing else."""
    if SUBPROTOCOL in offer.subprotocols:
        return SUBPROTOCOL
    return next((name for name in offer.subprotocols if name.startswith(KEY_SUBPROTOCOL)), "")
