"""A request becomes a WebSocket: what was offered is judged, the answer given, the connection handed over."""

from collections.abc import Callable

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
from aiproxy.neutral.errors import InvalidRequest, UpgradeRequired
from aiproxy.usage import Outcome
from aiproxy.web.context import context_of
from aiproxy.web.http1 import Http1Channel, Upgraded
from aiproxy.web.request import HttpRequest


def asks(request: HttpRequest) -> bool:
    return b"upgrade" in request.received and asks_for_websocket(headers_of(request))


def offered(request: HttpRequest) -> Offer:
    """Raises the `GatewayError` that refuses the handshake."""
    headers = headers_of(request)
    if not asks_for_websocket(headers):
        raise UpgradeRequired(
            "This path speaks WebSocket only: connect with ws:// or wss://.",
            headers={"upgrade": "websocket", "connection": "Upgrade"},
        )
    if not isinstance(request.channel, Http1Channel):
        raise UpgradeRequired("WebSockets are opened over HTTP/1.1 here.", headers={"upgrade": "websocket"})
    try:
        return read_offer(headers)
    except BadHandshake as bad:
        if bad.version:
            raise UpgradeRequired(str(bad), headers={"sec-websocket-version": VERSION}) from bad
        raise InvalidRequest(str(bad)) from bad


def hand_over(
    request: HttpRequest,
    offer: Offer,
    session: Callable[[WebSocketConnection], Upgraded],
    *,
    most: int,
    compress: bool,
    subprotocol: str = "",
) -> None:
    """`most` is bytes of a message. What was `offered` on this request is taken."""
    answer, deflate = accept(offer, most=most, subprotocol=subprotocol, compress=compress)
    context = context_of(request)
    assert context is not None
    assert isinstance(request.channel, Http1Channel)
    to = session(WebSocketConnection(client=False, most=most, deflate=deflate))  # which may refuse
    context.record.outcome = Outcome.COMPLETE  # for the access log, which is told when the socket closes
    request.code, request.startedWriting = 101, True
    headers = [*answer, ("X-Request-Id", context.record.request_id)]
    request.channel.upgrade(headers, to)


def headers_of(request: HttpRequest) -> Headers:
    return {
        name.decode("latin-1"): [value.decode("latin-1") for value in values]
        for name, values in request.received.items()
    }
