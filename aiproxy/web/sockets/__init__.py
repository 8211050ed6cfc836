"""WebSockets of clients: the handshake, and a session for each path that speaks one."""

from aiproxy.web.sockets.opening import RELAY, Sockets

__all__ = ["RELAY", "Sockets"]
