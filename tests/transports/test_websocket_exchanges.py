"""Requests on one kept WebSocket, in virtual time: how long each may take, how long the socket is kept, who reads slowly."""

import json
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from aiproxy.framing.websocket import Closed, Message, WebSocketConnection
from aiproxy.framing.websocket.handshake import accept_token
from aiproxy.neutral.errors import Timeout, UpstreamFailed
from aiproxy.transports.base import Request, Response
from aiproxy.transports.switched import Switched
from aiproxy.transports.websocket import SocketTransport
from aiproxy.transports.websocket.exchanges import IDLE_SECONDS

FIRST_BYTE = 30.0
REQUEST = Request("POST", "https://upstream.test/responses", (("content-type", "application/json"),), b'{"input":[1]}')


class Upstream:
    """Agrees to every handshake; `say` speaks on the latest socket."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.transports: list[StringTransport] = []
        self.requests: list[Request] = []
        self.sockets = SocketTransport(self, self.clock, FIRST_BYTE)

    def send(self, request: Request) -> Deferred[Response]:
        self.requests.append(request)
        key = dict(request.headers)["Sec-WebSocket-Key"]
        transport = StringTransport()
        self.transports.append(transport)
        self.peer = WebSocketConnection(client=False, most=1 << 20)
        headers = {"upgrade": "websocket", "connection": "upgrade", "sec-websocket-accept": accept_token(key)}
        self.switched = Switched(headers, transport, transport.write, b"")
        answered: Deferred[Response] = Deferred()
        answered.callback(self.switched)
        return answered

    def ask(self) -> tuple[Deferred[Response], list[Any]]:
        sent, told = self.sockets.send(REQUEST), []
        sent.addCallbacks(told.append, lambda failure: told.append(failure.value))
        return sent, told

    def say(self, **event: Any) -> None:
        self.switched.dataReceived(self.peer.text(json.dumps(event).encode()))

    def heard(self) -> list[Any]:
        data = self.transports[-1].value()
        self.transports[-1].clear()
        return [event for event in self.peer.feed(data) if isinstance(event, Message | Closed)]

    def lose(self) -> None:
        self.switched.connectionLost(connectionDone)


class Reader(Protocol):
    def __init__(self) -> None:
        self.data = b""
        self.ended: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = reason


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


def test_an_answer_must_begin_in_time(upstream: Upstream) -> None:
    _, told = upstream.ask()
    upstream.say(type="codex.rate_limits")  # no answer yet
    upstream.clock.advance(FIRST_BYTE)
    assert isinstance(told[0], Timeout)
    assert upstream.transports[-1].disconnected


def test_a_request_that_is_not_wanted_any_more_ends_its_socket(upstream: Upstream) -> None:
    sent, told = upstream.ask()
    sent.cancel()
    assert isinstance(told[0], CancelledError)
    assert upstream.transports[-1].disconnected
    upstream.lose()
    _, told = upstream.ask()
    upstream.say(type="response.created")
    assert told[0].status == 200
    assert len(upstream.transports) == 2


def test_a_socket_that_closes_before_it_answers(upstream: Upstream) -> None:
    _, told = upstream.ask()
    upstream.lose()
    assert isinstance(told[0], UpstreamFailed)


def test_a_socket_at_rest_is_closed(upstream: Upstream) -> None:
    upstream.ask()
    upstream.say(type="response.completed", response={"id": "r", "output": []})
    upstream.heard()
    for _ in range(int(IDLE_SECONDS) // 30):
        upstream.clock.advance(29)
        upstream.switched.dataReceived(upstream.peer.ping())
    assert not [event for event in upstream.heard() if isinstance(event, Closed)]
    upstream.clock.advance(10)
    assert Closed(1000, "") in upstream.heard()


def test_a_reader_that_pauses_holds_the_upstream(upstream: Upstream) -> None:
    _, told = upstream.ask()
    upstream.say(type="response.created")
    reader = Reader()
    told[0].deliver(reader)
    told[0].pauseProducing()
    upstream.say(type="response.output_text.delta", delta="a")
    assert upstream.transports[-1].producerState == "paused"
    assert b"delta" not in reader.data
    upstream.say(type="response.completed", response={"id": "r", "output": []})
    assert reader.ended is None
    told[0].resumeProducing()
    assert reader.data.count(b"event: ") == 3
    assert reader.ended is not None
    assert upstream.transports[-1].producerState == "producing"
