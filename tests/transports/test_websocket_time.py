"""An open WebSocket in virtual time: pings, a peer that is dead, one that does not read, one that does not close."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from aiproxy.framing.websocket import Closed, Heard, Message, Reply, WebSocketConnection
from aiproxy.transports.websocket import SocketLimits, WebSocket
from aiproxy.transports.websocket.socket import CLOSE_SECONDS, PING_SECONDS

LIMITS = SocketLimits(outbound=1000, slow_reader_seconds=7.0)


@dataclass
class Told:
    """What the socket's owner is told."""

    messages: list[Message] = field(default_factory=list)
    paused_now: bool = False
    ended: list[int] = field(default_factory=list)

    def received(self, message: Message) -> None:
        self.messages.append(message)

    def paused(self) -> None:
        self.paused_now = True

    def resumed(self) -> None:
        self.paused_now = False

    def closed(self, code: int, _reason: str) -> None:
        self.ended.append(code)


class Open:
    """A server's socket; `peer` is the client's end, which answers when it is told to `listen`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.told = Told()
        self.transport = StringTransport()
        self.peer = WebSocketConnection(client=True, most=1 << 20)
        self.socket = WebSocket(WebSocketConnection(client=False, most=1 << 20), self.clock, LIMITS)
        self.socket.open(self.transport, self.transport.write, self.told)

    def listen(self, *, answer: bool = True) -> list[Any]:
        data = self.transport.value()
        self.transport.clear()
        events = list(self.peer.feed(data))
        for event in events:
            if isinstance(event, Reply) and answer:
                self.socket.dataReceived(event.data)
        return events

    @property
    def cut(self) -> bool:
        return bool(self.transport.disconnected)


@pytest.fixture
def at() -> Open:
    return Open()


def test_a_peer_that_answers_pings_stays(at: Open) -> None:
    for _ in range(20):
        at.clock.advance(PING_SECONDS)
        assert Heard() in at.listen()
    assert not at.told.ended
    assert not at.cut


def test_a_peer_that_answers_no_ping_is_gone_after_a_second_interval(at: Open) -> None:
    at.clock.advance(PING_SECONDS)
    assert Heard() in at.listen(answer=False)
    at.clock.advance(PING_SECONDS - 0.1)
    assert not at.told.ended
    at.clock.advance(0.1)
    assert (at.told.ended, at.cut) == ([1006], True)


def test_any_message_is_a_sign_of_life(at: Open) -> None:
    for _ in range(5):
        at.clock.advance(PING_SECONDS)
        at.listen(answer=False)
        at.socket.dataReceived(at.peer.text(b"here"))
    assert len(at.told.messages) == 5
    assert not at.told.ended


def test_who_does_not_read_is_paused_then_closed(at: Open) -> None:
    at.socket.pauseProducing()
    assert at.told.paused_now
    at.clock.advance(LIMITS.slow_reader_seconds - 0.1)
    assert not at.told.ended
    at.clock.advance(0.1)
    assert at.told.ended == [1008]
    assert Closed(1008, "you read too slowly") in at.listen()


def test_who_reads_again_in_time_is_forgiven(at: Open) -> None:
    for _ in range(3):
        at.socket.pauseProducing()
        at.clock.advance(LIMITS.slow_reader_seconds - 0.1)
        at.socket.resumeProducing()
        assert not at.told.paused_now
    assert not at.told.ended


def test_what_waits_for_who_does_not_read_is_bounded(at: Open) -> None:
    at.socket.send(b"x" * 5000)  # who reads may have any amount
    at.socket.pauseProducing()
    for _ in range(100):
        at.socket.send(b"x" * 100)
    assert at.told.ended == [1008]
    written = len(at.transport.value())
    at.socket.send(b"x" * 100)
    assert len(at.transport.value()) == written < 5000 + LIMITS.outbound + 500


def test_who_does_not_answer_a_close_is_cut(at: Open) -> None:
    at.socket.close(1000)
    assert at.told.ended == [1000]
    at.clock.advance(CLOSE_SECONDS - 0.1)
    assert not at.cut
    at.clock.advance(0.1)
    assert at.cut


def test_a_closed_socket_leaves_no_timer(at: Open) -> None:
    at.socket.close(1000)
    at.listen()
    assert at.transport.disconnecting
    at.socket.connectionLost(Failure(ConnectionLost()))
    assert not at.clock.getDelayedCalls()
    assert at.told.ended == [1000]


def test_a_message_that_cannot_be_taken_ends_its_socket(at: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at.told, "received", lambda _message: 1 / 0)
    at.socket.dataReceived(at.peer.text(b"here"))
    assert at.told.ended == [1011]
