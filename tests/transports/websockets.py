"""The client's end of a WebSocket in tests: what hears it, and servers that say exactly what a test wants."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from aiproxy.framing.websocket import Message
from aiproxy.framing.websocket.handshake import accept_token
from aiproxy.transports.http import HttpTransport
from aiproxy.transports.websocket import Opened, Opening, SocketLimits, WebSocket, connect
from tests.transports.servers import Bench, Peer, Upstream

LIMITS = SocketLimits(1 << 20, 60)


class Heard:
    """A `Listener` that keeps what it is told; `until` waits for so many messages, `over` for the end."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.pauses: list[bool] = []
        self.ends: list[tuple[int, str]] = []
        self.over: Deferred[None] = Deferred()
        self._wanted, self._enough = 0, Deferred[None]()

    def received(self, message: Message) -> None:
        self.messages.append(message)
        if len(self.messages) == self._wanted:
            self._enough.callback(None)

    def paused(self) -> None:
        self.pauses.append(True)

    def resumed(self) -> None:
        self.pauses.append(False)

    def closed(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))
        self.over.callback(None)

    def until(self, count: int) -> Deferred[None]:
        self._wanted, self._enough = count, Deferred()
        if len(self.messages) >= count:
            self._enough.callback(None)
        return self._enough


def opening(bench: Bench, transport: HttpTransport, url: str, clock: Any = None, **more: Any) -> Deferred[Opened]:
    return bench.soon(Deferred.fromCoroutine(connect(transport, Opening(url, **more), clock or bench.reactor)))


def key_of(request: bytes) -> str:
    lines = dict(line.split(": ", 1) for line in request.decode().split("\r\n")[1:] if line)
    return lines["Sec-Websocket-Key"]


def agreeing(*more: str, after: bytes = b"") -> Callable[[Peer, int], None]:
    """Opens the socket, with more headers, and `after` in the same write."""

    def answer(peer: Peer, _: int) -> None:
        headers = [
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept_token(key_of(peer.requests[-1]))}",
        ]
        peer.write("\r\n".join(["HTTP/1.1 101 Switching", *headers, *more, "", ""]).encode() + after)

    return answer


agree = agreeing()


def at(upstream: Upstream) -> str:
    return f"ws://127.0.0.1:{upstream.port}/"


async def started(
    bench: Bench, upstream: Upstream, clock: Clock | None = None, **more: Any
) -> tuple[WebSocket, Heard, Peer]:
    opened = await opening(bench, bench.transport(clock), at(upstream), clock, **more)
    heard = Heard()
    return opened.start(heard, LIMITS), heard, upstream.peers[0]


REFUSAL = b"HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + b'{"error":"why"}'
