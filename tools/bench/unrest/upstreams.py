"""Accounts' upstreams, a port each, whose mood changes at random: they answer, or fail in one of the ways upstreams do."""

from collections.abc import Callable
from random import Random
from typing import Any

from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall

EVENT_SECONDS = 0.1
EVENTS = 15
"""Of an answer: a second and a half."""

PEEK = 4096
"""Bytes of a body in which it is seen whether a stream is asked for."""

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
WHOLE = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":'
    b'{"role":"assistant","content":"%b"}}],"usage":{"prompt_tokens":1,"completion_tokens":15,"total_tokens":16}}'
    % (b"word " * EVENTS)
)
CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
LAST = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":15,"total_tokens":16}}\n\ndata: [DONE]\n\n'

MOODS = ("well", "well", "well", "500", "429", "hangs up", "silent", "cuts", "stalls", "breaks", "error")


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def whole(status: int, more: bytes = b"") -> bytes:
    body = b'{"error":{"message":"unrest","code":null}}'
    return b"HTTP/1.1 %d No\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n%b" % (
        status,
        more,
        len(body),
        body,
    )


class Answering(Protocol):
    transport: ITCPTransport

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._head = b""
        self._missing = 0
        self._begun = b""
        self._loop: LoopingCall | None = None
        self.idle = False

    def connectionMade(self) -> None:
        self._account.open.add(self)

    def connectionLost(self, reason: Any = None) -> None:  # noqa: ARG002 - however it ends
        self._account.open.discard(self)
        self._stop()

    def dataReceived(self, data: bytes) -> None:
        if not self._missing:
            self._head, end, data = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                return
            self._missing = int(self._head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            self._head = self._begun = b""
        if len(self._begun) < PEEK:
            self._begun += data[:PEEK]
        self._missing -= len(data)
        if self._missing:
            return
        self.idle = False
        match self._account.mood:
            case "500":
                self._refuse(500)
            case "429":
                self._refuse(429, b"retry-after: 1\r\n")
            case "hangs up":
                self.transport.abortConnection()
            case "silent":
                pass
            case mood if b'"stream":true' in self._begun:
                self._stream(mood)
            case "well":
                self._whole(WHOLE)
            case _:
                self._whole(WHOLE[: len(WHOLE) // 2])

    def _refuse(self, status: int, more: bytes = b"") -> None:
        self.transport.write(whole(status, more))
        self.idle = True

    def _whole(self, body: bytes) -> None:
        """Its length is told; what it lacks of that is cut off."""
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(WHOLE), body)
        )
        if len(body) < len(WHOLE):
            self.transport.loseConnection()
        self.idle = True

    def _stream(self, mood: str) -> None:
        self.transport.write(HEAD)
        at = self._account.random.randrange(EVENTS) if mood != "well" else EVENTS
        sent = 0

        def event() -> None:
            nonlocal sent
            sent += 1
            if sent <= at:
                self.transport.write(chunked(CHUNK))
                return
            self._stop()
            match mood:
                case "cuts":
                    self.transport.abortConnection()
                case "breaks":
                    self.transport.write(chunked(b"data: {broken\n\n") + chunked(b""))
                case "error":
                    self.transport.write(chunked(b'data: {"error":{"message":"unrest"}}\n\n') + chunked(b""))
                case "well":
                    self.transport.write(chunked(LAST) + chunked(b""))

        self._loop = LoopingCall(event)
        self._loop.start(EVENT_SECONDS)

    def _stop(self) -> None:
        self.idle = True
        if self._loop is not None and self._loop.running:
            self._loop.stop()


class Account(Factory):
    noisy = False

    def __init__(self, random: Random) -> None:
        self.random = random
        self.mood = "well"
        self.open: set[Answering] = set()

    def close_idle(self) -> None:
        """Connections that are kept for requests which don't come any more."""
        for each in [each for each in self.open if each.idle]:
            each.transport.loseConnection()

    def buildProtocol(self, _: Any) -> Answering:
        return Answering(self)


def change_moods(reactor: Any, accounts: list[Account], random: Random, going: Callable[[], bool]) -> None:
    """One account's after another, each every few seconds; at the end all are well."""
    if not going():
        for account in accounts:
            account.mood = "well"
        return
    random.choice(accounts).mood = random.choice(MOODS)
    reactor.callLater(2.0 / len(accounts), change_moods, reactor, accounts, random, going)
