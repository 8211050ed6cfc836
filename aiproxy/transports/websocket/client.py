"""Our side of a WebSocket to an upstream: its handshake is a request like any other, by the same ways, deadlines and TLS."""

import os
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from aiproxy.framing.websocket import GuardedDeflate, WebSocketConnection
from aiproxy.framing.websocket.handshake import BadHandshake, check_answer, fresh_key, request_headers
from aiproxy.neutral.errors import Said, UpstreamFailed
from aiproxy.transports.addresses import parse_target
from aiproxy.transports.base import Request, Transport
from aiproxy.transports.body import read_body
from aiproxy.transports.switched import Switched
from aiproxy.transports.websocket.socket import Listener, SocketLimits, WebSocket

REFUSAL_BYTES = 65536
"""Of the body of a refused handshake that are read."""

REFUSAL_SECONDS = 10.0
"""How long that body may take to come; what there is of it then has to do."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A socket to open. `url` is `ws[s]://` or `http[s]://`; `proxy` and `address` are as a `Request` has them. `most` is bytes of
    one message that comes; `deflate` offers compression."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    subprotocols: tuple[str, ...] = ()
    proxy: str = ""
    address: str = ""
    deflate: bool = True
    most: int = 64 * 1024 * 1024


class Opened:
    """A socket whose upstream agreed: `start` must be called, or `abort`. Nothing is read until then.

    `headers` are those of the handshake's answer, `subprotocol` the one it chose ("" for none)."""

    def __init__(
        self, answer: Switched, subprotocol: str, connection: WebSocketConnection, clock: IReactorTime
    ) -> None:
        self.headers = answer.headers
        self.subprotocol = subprotocol
        self._answer = answer
        self._connection = connection
        self._clock = clock

    def start(self, listener: Listener, limits: SocketLimits) -> WebSocket:
        """What has come already may reach the listener before this returns."""
        socket = WebSocket(self._connection, self._clock, limits)
        socket.open(self._answer.transport, self._answer.write, listener)
        self._answer.inherit(socket)
        return socket

    def abort(self) -> None:
        self._answer.abort()


async def connect(transport: Transport, opening: Opening, clock: IReactorTime) -> Opened:
    """Raises what `transport.send` does, and `UpstreamFailed` for a handshake that failed: of a refused one it has the status
    (`upstream_status`) and all that was said (`said`). Cancelling it closes the connection in whatever phase it is."""
    key = fresh_key(os.urandom(16))
    ours = request_headers(key, opening.subprotocols, compress=opening.deflate)
    url = "http" + opening.url[2:] if opening.url.startswith(("ws://", "wss://")) else opening.url
    request = Request("GET", url, (*opening.headers, *ours), b"", opening.proxy, opening.address, "websocket")
    answer = await transport.send(request)
    if not isinstance(answer, Switched):
        host, status = parse_target(url), answer.status
        said = Said(answer.headers, await read_body(answer, REFUSAL_BYTES, clock, REFUSAL_SECONDS))
        raise UpstreamFailed(
            f"{host} answered {status} instead of opening a WebSocket.", upstream_status=status, said=said
        )
    try:
        subprotocol, deflate = _checked(answer, key, opening)
    except BadHandshake as bad:
        answer.abort()
        raise UpstreamFailed(f"{parse_target(url)} opened no sound WebSocket: {bad}.", upstream_status=101) from bad
    return Opened(answer, subprotocol, WebSocketConnection(client=True, most=opening.most, deflate=deflate), clock)


def _checked(answer: Switched, key: str, opening: Opening) -> tuple[str, GuardedDeflate | None]:
    """Raises `BadHandshake`."""
    headers = {name: [value] for name, value in answer.headers.items()}
    if "sec-websocket-extensions" in headers and not opening.deflate:
        raise BadHandshake("the server chose an extension that was not offered")
    return check_answer(headers, key, opening.subprotocols, most=opening.most)
