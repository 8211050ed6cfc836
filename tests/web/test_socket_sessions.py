"""What a socket does with its calls, in virtual time: idleness, a client that does not read, records."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from twisted.internet.testing import StringTransport

from aiproxy.framing.websocket import Closed, Message, WebSocketConnection
from aiproxy.usage import CallRecord, Outcome
from aiproxy.web.sockets.calls import CallsSession
from aiproxy.web.sockets.responses import ResponsesSession
from aiproxy.web.sockets.session import Opened, Session
from tests.rig.scripted import Rig, Streams
from tests.rig.upstream import events

CONFIGURATION = """
openai-compatibility:
  - {name: vendor, base-url: "http://vendor.test/v1", api-key-entries: [key-0123456789abcdef], models: [m]}
limits: {request-body-mb: 1}
websocket: {idle-seconds: 100, slow-reader-seconds: 20, responses-seconds: 250, outbound-mb: 0.001}
"""
MESSAGES = [{"role": "user", "content": "hi"}]


@dataclass
class Upstream(Streams):
    """Notes when its readers have had enough, and when they can go on."""

    signals: list[str] = field(default_factory=list)

    def pauseProducing(self) -> None:
        self.signals.append("pause")

    def resumeProducing(self) -> None:
        self.signals.append("resume")


class Socket:
    def __init__(self, make: Callable[[Opened, WebSocketConnection], Session]) -> None:
        self.rig = Rig(CONFIGURATION)
        self.upstream = Upstream()
        self.rig["vendor"].otherwise = self.upstream
        self.records: list[CallRecord] = []
        self.logged: list[tuple[int, int]] = []
        self.rig.gateway.ended.observers.append(self.records.extend)
        self.client = WebSocketConnection(client=True, most=1 << 20)
        self.transport = StringTransport()
        opened = Opened(self.rig.gateway, self.rig.clock, "/v1/ws", None, "", {}, self.log)
        self.session = make(opened, WebSocketConnection(client=False, most=1 << 20))
        self.session.taken(self.transport, self.transport.write)  # type: ignore[arg-type]

    def log(self, record: CallRecord, path: str, status: int, sent: int) -> None:
        self.logged.append((status, sent))

    def ask(self, name: str = "r") -> None:
        body = {"model": "m", "messages": MESSAGES}
        self.send({"type": "request", "id": name, "protocol": "openai-chat", "body": body})

    def send(self, said: Any) -> None:
        self.session.dataReceived(self.client.text(json.dumps(said).encode()))

    def heard(self) -> list[Any]:
        """Messages, and the codes of closes."""
        data = self.transport.value()
        self.transport.clear()
        found: list[Any] = []
        for event in self.client.feed(data):
            match event:
                case Message(text):
                    found.append(json.loads(text))
                case Closed(code):
                    found.append(code)
        return found

    def wait(self, seconds: float) -> None:
        """With the client's pongs."""
        for _ in range(int(seconds)):
            self.rig.clock.advance(1)
            self.session.dataReceived(self.client.ping())


def test_a_socket_without_a_call_is_kept_for_a_while() -> None:
    socket = Socket(CallsSession)
    socket.wait(99)
    socket.send({"type": "ping"})  # asks for something, which pings of the protocol do not
    socket.wait(99)
    assert socket.heard() == [{"type": "pong"}]
    socket.wait(1)
    assert socket.heard() == [1000]


def test_a_socket_with_a_call_is_not_idle() -> None:
    socket = Socket(CallsSession)
    socket.ask()
    socket.upstream.say(*events("a")[:2])
    for _ in range(10):
        socket.wait(60)
        socket.upstream.say(b": still there\n\n")
    assert 1000 not in socket.heard()
    socket.upstream.say(*events("a")[2:])
    socket.upstream.end()
    assert socket.heard()[-1]["type"] == "end"
    socket.wait(99)
    assert not socket.heard()
    socket.wait(1)
    assert socket.heard() == [1000]


def test_calls_of_a_client_that_does_not_read_pause_and_then_fail() -> None:
    socket = Socket(CallsSession)
    socket.ask()
    socket.upstream.say(*events("a")[:2])
    socket.session.socket.pauseProducing()
    socket.session.socket.resumeProducing()
    socket.session.socket.pauseProducing()
    socket.ask("later")  # begins while nobody reads
    socket.upstream.say(*events("b")[:2])
    assert socket.upstream.signals == ["pause", "resume", "pause", "pause"]
    socket.wait(20)
    assert socket.heard()[-1] == 1008
    assert len(socket.upstream.aborted) == 2
    socket.rig.gateway.ended.now()
    assert [record.outcome for record in socket.records] == [Outcome.CANCELLED] * 2
    assert socket.rig.gateway.under_way == 0


def test_what_does_not_pause_ends_at_the_limit() -> None:
    socket = Socket(CallsSession)
    socket.ask()
    socket.upstream.say(*events("a")[:2])
    socket.session.socket.pauseProducing()
    before = len(socket.transport.value())
    for _ in range(1000):
        socket.upstream.say(events("x" * 50)[1])
    assert len(socket.transport.value()) - before < 3000
    assert socket.heard()[-1] == 1008
    assert len(socket.upstream.aborted) == 1


def test_a_call_leaves_the_record_that_http_leaves() -> None:
    socket = Socket(CallsSession)

    def answered() -> None:
        socket.upstream.say(*events("one", " two"))
        socket.upstream.end()

    over_http = socket.rig.ask("m", stream=True)
    answered()
    assert over_http.error is None
    socket.ask()
    answered()
    socket.rig.gateway.ended.now()
    http, on_the_socket = socket.records
    for name in ("client", "protocol", "operation", "model", "streamed", "outcome", "error", "warnings", "rewritten"):
        assert getattr(http, name) == getattr(on_the_socket, name), name
    (first,), (second,) = http.attempts, on_the_socket.attempts
    assert (first.usage, first.outcome, first.account) == (second.usage, second.outcome, second.account)
    assert first.usage is not None
    assert socket.logged == [(200, len(over_http.sink.body))]


@pytest.mark.parametrize("make", [CallsSession, ResponsesSession])
def test_a_client_that_leaves_ends_its_calls(make: Callable[[Opened, WebSocketConnection], Session]) -> None:
    socket = Socket(make)
    if make is CallsSession:
        socket.ask()
    else:
        for said in ("one", "two"):
            socket.send({"type": "response.create", "model": "m", "input": said})
    assert socket.rig.gateway.under_way == 1
    socket.session.dataReceived(socket.client.close(1000))
    assert socket.rig.gateway.under_way == 0
    assert len(socket.rig["vendor"].asked) == 1, "what waited was not begun"
    assert socket.logged == [(499, 0)]


def test_what_waits_for_its_turn_is_bounded() -> None:
    socket = Socket(ResponsesSession)
    for _ in range(4):
        socket.send({"type": "response.create", "model": "m", "input": "x" * 400_000})
    (refused,) = socket.heard()
    assert (refused["status"], refused["error"]["code"]) == (429, "rate_limit_exceeded")
    assert socket.rig.gateway.under_way == 1


def test_an_hour_ends_after_the_call_under_way() -> None:
    socket = Socket(ResponsesSession)
    socket.wait(50)
    socket.send({"type": "response.create", "model": "m", "input": "one", "store": False})
    socket.upstream.say(*events("a")[:2])
    for _ in range(4):
        socket.wait(60)
        socket.upstream.say(b": still there\n\n")
    assert 1001 not in socket.heard()
    socket.send({"type": "response.create", "model": "m", "input": "two", "store": False})
    socket.upstream.say(*events("a")[2:])
    socket.upstream.end()
    *_, completed, refused, code = socket.heard()
    assert completed["type"] == "response.completed"
    assert refused["error"]["code"] == "websocket_connection_limit_reached"
    assert code == 1001
    socket.session.dataReceived(b"")
    assert socket.rig.gateway.state.responses.entries == 0, "what a socket remembers ends with it"
