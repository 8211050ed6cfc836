"""`/v1/ws/relay`: who connects here is an upstream. Calls go to it by its transport until its socket closes."""

from secrets import token_hex
from time import time
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.framing.websocket import Message, WebSocketConnection
from aiproxy.framing.websocket.connection import GOING_AWAY, INVALID_DATA, POLICY, UNSUPPORTED_DATA
from aiproxy.neutral.errors import GatewayError, Permission, RateLimited, UpstreamFailed
from aiproxy.transports.relay import RelayTransport
from aiproxy.transports.websocket import SocketLimits, WebSocket
from aiproxy.web.identity import expired, identify
from aiproxy.web.request import MIB, ISocket
from aiproxy.web.sockets.session import Opened

BIGGEST_ASKED = 4
"""How many of the largest requests may wait in a relay's socket: one is written at a time, the rest is room for pongs."""

_log = Logger("aiproxy.websocket")


class RelaySession:
    """The `Upgraded` of the channel, the `Listener` of its socket and the `Relay` of the gateway. Raises the `GatewayError` that refuses it."""

    def __init__(self, opened: Opened, connection: WebSocketConnection) -> None:
        self._opened = opened
        settings = opened.gateway.snapshot.settings
        limits = settings.websocket
        if opened.gateway.relays >= limits.relays:
            raise RateLimited(f"There may be {limits.relays} relays at once (websocket.relays).")
        if refusal := self._refusal():
            raise refusal
        self.name = f"aistudio-{token_hex(8)}"
        self.transport = RelayTransport(
            self.name,
            self._say,
            opened.clock,
            held=int(limits.outbound_mb * MIB),
            first_byte=lambda: opened.gateway.snapshot.settings.timeouts.first_byte,
        )
        room = BIGGEST_ASKED * int(settings.limits.request_body_mb * MIB)
        self._socket = WebSocket(connection, opened.clock, SocketLimits(room, limits.slow_reader_seconds))
        self._draining = False

    def _refusal(self) -> GatewayError | None:
        """What there is to say against this relay, as things stand now."""
        gateway = self._opened.gateway
        settings, keyring = gateway.snapshot.settings, gateway.keyring
        if keyring.open or not settings.ws_auth:
            return None
        try:
            client = identify(keyring, self._opened.key)
        except GatewayError as error:
            return error
        if objection := client.objection(time()):
            return expired(objection)
        named = settings.websocket.relay_keys
        if client.name in named or (not named and len(keyring.clients) == 1):
            return None
        return Permission(
            "This key may not connect relays, which see other clients' calls: name it in websocket.relay-keys.",
            code="relay",
        )

    # -- what the HTTP channel calls

    def taken(self, transport: ISocket, write: Any) -> None:
        self._socket.open(transport, write, self)
        self._opened.gateway.connect(self)
        _log.info("the relay {account} has come", account=self.name)

    def dataReceived(self, data: bytes) -> None:
        self._socket.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        self._socket.connectionLost(reason)

    def drain(self) -> None:
        """What it answers at the moment is finished."""
        self._draining = True
        self._settle()

    # -- what the gateway calls

    def reconsider(self) -> None:
        if refusal := self._refusal():
            self._socket.close(POLICY, refusal.message)

    # -- what the socket calls

    def received(self, message: Message) -> None:
        if not message.text:
            self._socket.close(UNSUPPORTED_DATA, "only text messages are understood here")
            return
        try:
            said = load_object(message.data)
        except UpstreamFailed:
            self._socket.close(INVALID_DATA, "a message must be a JSON object")
            return
        match said.get("type"):
            case "ping":
                self._say(dump({"id": said.get("id"), "type": "pong"}))
            case "pong":
                pass
            case _:
                self.transport.received(said)
                self._settle()

    def paused(self) -> None:
        self.transport.paused()

    def resumed(self) -> None:
        self.transport.resumed()

    def closed(self, code: int, reason: str) -> None:
        self._opened.gateway.disconnect(self)
        _log.info("the relay {account} has left ({code} {reason})", account=self.name, code=code, reason=reason)
        self.transport.left()

    def _say(self, data: bytes) -> None:
        self._socket.send(data)

    def _settle(self) -> None:
        if self._draining and not self.transport.busy:
            self._socket.close(GOING_AWAY, "this gateway is shutting down")
