"""What a client's connection keeps from one of its calls to the next."""

from dataclasses import replace
from secrets import token_hex

from aiproxy.credentials.base import Way
from aiproxy.transports.websocket import SocketTransport


class Connection:
    """`memory` is the name under which answers are remembered that only this connection can go on from."""

    def __init__(self) -> None:
        self.memory = f"socket\0{token_hex(16)}"
        self._sockets: dict[str, SocketTransport] = {}

    def way(self, way: Way, first_byte: float) -> Way:
        """The way to an upstream's WebSocket: one for each account. `first_byte` is seconds, 0 for no limit."""
        if way.account not in self._sockets:
            self._sockets[way.account] = SocketTransport(way.transport, way.clock, first_byte)
        return replace(way, transport=self._sockets[way.account])

    def close(self) -> None:
        for socket in self._sockets.values():
            socket.close()
