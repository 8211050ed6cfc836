"""WebSocket as values: the handshake of either side, and an open connection as bytes in, messages and bytes out. wsproto frames."""

from aiproxy.framing.websocket.connection import Closed, Heard, Message, Reply, WebSocketConnection
from aiproxy.framing.websocket.deflate import GuardedDeflate

__all__ = ["Closed", "GuardedDeflate", "Heard", "Message", "Reply", "WebSocketConnection"]
