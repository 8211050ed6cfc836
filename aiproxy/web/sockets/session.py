"""What the sessions of all paths have in common: whose socket it is, its calls under way, when it is idle, how it ends."""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from time import time
from typing import Any, Protocol

import orjson
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.clients import Client
from aiproxy.codecs.base import Answer
from aiproxy.codecs.wire import Wire
from aiproxy.framing.websocket import Message, WebSocketConnection
from aiproxy.framing.websocket.connection import GOING_AWAY, NORMAL, UNSUPPORTED_DATA
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import Draining, GatewayError, RateLimited
from aiproxy.transports.deadline import Deadline
from aiproxy.transports.websocket import SocketLimits, WebSocket
from aiproxy.usage import CallRecord
from aiproxy.web.answers import as_incident
from aiproxy.web.context import new_request_id
from aiproxy.web.identity import expired, identify
from aiproxy.web.request import MIB, ISocket

_log = Logger("aiproxy.websocket")


class Logs(Protocol):
    """Writes the access log's entry of one call."""

    def __call__(self, record: CallRecord, path: str, status: int, sent: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """What a session knows from its handshake. `headers` are the client's, without those of the connection; `key` is what it
    showed: whose it is, is asked again at every call."""

    gateway: Gateway
    clock: IReactorTime
    path: str
    key: str | None
    provider: str
    headers: Mapping[str, str]
    log: Logs


class Session:
    """A child says what a message asks for (`asked`); each call it begins runs by `run`."""

    def __init__(self, opened: Opened, connection: WebSocketConnection) -> None:
        self.opened = opened
        limits = opened.gateway.snapshot.settings.websocket
        self.limits = limits
        self.socket = WebSocket(
            connection, opened.clock, SocketLimits(int(limits.outbound_mb * MIB), limits.slow_reader_seconds)
        )
        self._calls: dict[str, Deferred[None]] = {}
        self._producers: set[IPushProducer] = set()
        self._idle = Deadline(opened.clock, self._fell_idle)
        self._draining = self._over = False
        self._farewell = ""
        """Why the socket closes after its calls; "" while it doesn't."""

    # -- what the HTTP channel calls

    def taken(self, transport: ISocket, write: Any) -> None:
        self._idle.set(self.limits.idle_seconds)
        self.socket.open(transport, write, self)

    def dataReceived(self, data: bytes) -> None:
        self.socket.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        self.socket.connectionLost(reason)

    def drain(self) -> None:
        """New calls are refused; the socket closes after those under way."""
        self._draining = True
        self.leave("this gateway is shutting down")

    # -- what the socket calls

    def received(self, message: Message) -> None:
        if not message.text:
            self.close(UNSUPPORTED_DATA, "only text messages are understood here")
            return
        if not self._calls:
            self._idle.set(self.limits.idle_seconds)
        self.asked(message.data)

    def paused(self) -> None:
        for producer in list(self._producers):
            producer.pauseProducing()

    def resumed(self) -> None:
        for producer in list(self._producers):
            producer.resumeProducing()

    def closed(self, code: int, reason: str) -> None:  # noqa: ARG002 - the same for all
        self._over = True
        self._idle.stop()
        for running in list(self._calls.values()):
            running.cancel()

    # -- for the children

    def asked(self, data: bytes) -> None:
        raise NotImplementedError

    def say(self, said: object) -> None:
        self.socket.send(orjson.dumps(said))

    def close(self, code: int, reason: str = "") -> None:
        self.socket.close(code, reason)

    def leave(self, reason: str) -> None:
        """Close after the calls under way, as one that goes away: clients connect again."""
        self._farewell = reason
        self._settle()

    @property
    def under_way(self) -> int:
        return len(self._calls)

    def too_many(self) -> RateLimited:
        return RateLimited(f"A socket may have {self.limits.calls} calls at once (websocket.calls).")

    def running(self, name: str) -> bool:
        return name in self._calls

    def cancel(self, name: str) -> None:
        self._calls[name].cancel()

    def admit(self) -> Client:
        """Whose call this would be. Raises the `GatewayError` that refuses it."""
        if self._draining:
            raise Draining("This gateway is shutting down; connect again, another one will answer.", retry_after=1)
        if self.under_way >= self.limits.calls:
            raise self.too_many()
        client = identify(self.opened.gateway.keyring, self.opened.key)
        if objection := client.objection(time()):
            raise expired(objection)
        return client

    def record(self) -> CallRecord:
        return CallRecord(new_request_id(), self.opened.clock.seconds())

    def run(self, name: str, call: Coroutine[Any, Any, None]) -> None:
        """Until it ends, is cancelled, or the socket closes."""
        self._idle.lift()
        running = self._calls[name] = Deferred.fromCoroutine(call)
        running.addErrback(_unexpected)
        running.addBoth(lambda _: self._done(name))

    def register(self, producer: IPushProducer) -> None:
        self._producers.add(producer)
        if self.socket.slow:
            producer.pauseProducing()

    def unregister(self, producer: IPushProducer) -> None:
        self._producers.discard(producer)

    def _done(self, name: str) -> None:
        del self._calls[name]
        if not self._calls and not self._over:
            self._idle.set(self.limits.idle_seconds)
        self.ended(name)
        self._settle()

    def ended(self, name: str) -> None:
        """A call is over."""

    def _settle(self) -> None:
        if self._farewell and not self._calls:
            self.close(GOING_AWAY, self._farewell)

    def _fell_idle(self) -> None:
        self.close(NORMAL, f"nothing was asked for {self.limits.idle_seconds:g} s")


def told_error(wire: Wire, error: GatewayError, request_id: str) -> tuple[Answer, Any]:
    """The error in a client's protocol, and what is in its body's `error`; the whole body where that isn't an object."""
    answer = wire.encode_error(error, request_id)
    body = orjson.loads(answer.body)
    inner = body.get("error") if isinstance(body, dict) else None
    return answer, inner if isinstance(inner, dict) else body


def as_error(failure: BaseException, record: CallRecord) -> GatewayError:
    """What a call raised, for its client; a bug of ours is an incident in the log."""
    return failure if isinstance(failure, GatewayError) else as_incident(Failure(failure), record)


def _unexpected(failure: Failure) -> None:
    if not failure.check(CancelledError):
        _log.failure("a call on a socket failed", failure)
