"""WebSockets over Twisted's transports: an open one of either side, and the client that opens one."""

from aiproxy.transports.websocket.client import Opened, Opening, connect
from aiproxy.transports.websocket.exchanges import SocketTransport
from aiproxy.transports.websocket.socket import Listener, SocketLimits, WebSocket

__all__ = ["Listener", "Opened", "Opening", "SocketLimits", "SocketTransport", "WebSocket", "connect"]
