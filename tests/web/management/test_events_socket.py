"""A listener's socket without a network: what waits while it isn't read, and when it is pinged."""

from typing import Any

from twisted.internet.task import Clock

from aiproxy.framing.websocket import Closed, Message, WebSocketConnection
from aiproxy.transports.websocket import SocketLimits
from aiproxy.transports.websocket.socket import PING_SECONDS
from aiproxy.web.management.events_socket import EventsSocket
from aiproxy.web.management.hearing import MOST_WAITING, Listener, event


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.producer: Any = None

    def write(self, data: bytes) -> None:
        self.written += data

    def registerProducer(self, producer: Any, _push: bool) -> None:
        self.producer = producer


def test_events_wait_for_a_slow_reader_and_the_oldest_go() -> None:
    clock, transport, client = Clock(), Transport(), WebSocketConnection(client=True, most=1000000)
    sockets: list[EventsSocket] = []
    listener = Listener((), lambda: sockets[0].told())
    limits = SocketLimits(1000, 20.0)
    server = WebSocketConnection(client=False, most=1000)
    sockets.append(EventsSocket(server, clock, limits, listener, lambda: True))
    sockets[0].taken(transport, transport.write)  # type: ignore[arg-type]

    def heard() -> list[bytes]:
        data, transport.written = transport.written, b""
        return [each.data for each in client.feed(data) if isinstance(each, Message)]

    listener.give(event("log", {"n": 0}))
    assert heard() == [b'{"event":"log","data":{"n":0}}']
    transport.producer.pauseProducing()
    for number in range(MOST_WAITING + 5):
        listener.give(event("log", {"n": number}))
    assert heard() == [], "nothing is written that nobody reads"
    transport.producer.resumeProducing()
    told = heard()
    assert told[0] == b'{"event":"missed","data":{"count":5}}'
    assert (told[1], len(told)) == (b'{"event":"log","data":{"n":5}}', MOST_WAITING + 1)
    clock.advance(PING_SECONDS)
    assert transport.written[:1] == b"\x89"
    transport.written = b""
    transport.producer.pauseProducing()
    clock.advance(20)
    assert any(isinstance(each, Closed) and each.code == 1008 for each in client.feed(transport.written))
