"""Clients that stream, one answer after the other, some of whom leave in the middle; each answer's end is judged."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.interfaces import IDelayedCall, ITCPTransport
from twisted.internet.protocol import Protocol

LEAVES = 0.25
"""Of the answers are left before their end."""

PAUSE = 0.5
"""Seconds before a client asks again."""

IMAGE = b"iVBORw0K" * 1_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """`end` is what a whole answer holds; empty where there is none but a refusal."""

    path: str
    body: bytes
    end: bytes


_CHAT, _MESSAGES = "/v1/chat/completions", "/v1/messages"

KINDS = {
    "chat": Kind(_CHAT, b'{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}', b"[DONE]"),
    "messages": Kind(
        _MESSAGES,
        b'{"model":"m","stream":true,"max_tokens":99,"messages":[{"role":"user","content":"x"}]}',
        b"message_stop",
    ),
    "responses": Kind("/v1/responses", b'{"model":"m","stream":true,"input":"x"}', b"response.completed"),
    "whole": Kind(_CHAT, b'{"model":"m","messages":[{"role":"user","content":"x"}]}', b'"stop"'),
    "whole messages": Kind(
        _MESSAGES, b'{"model":"m","max_tokens":99,"messages":[{"role":"user","content":"x"}]}', b"end_turn"
    ),
    "no JSON": Kind(_CHAT, b'{"model":"m","messages":[', b""),
    "no model": Kind(_CHAT, b'{"model":"nobody","messages":[{"role":"user","content":"x"}]}', b""),
}

LARGE = Kind(
    _CHAT,
    b'{"model":"m","stream":true,"messages":[{"role":"user","content":[{"type":"image_url","image_url":'
    b'{"url":"data:image/png;base64,%b"}}]}]}' % IMAGE,
    b"[DONE]",
)
"""Eight megabytes."""


class Asking(Protocol):
    transport: ITCPTransport

    def __init__(self, kind: Kind, random: Random, told: Callable[[str], None], reactor: Any) -> None:
        self._kind, self._random, self._told, self._reactor = kind, random, told, reactor
        self._received = bytearray()
        self._leaving: IDelayedCall | None = None
        self._left = False

    def connectionMade(self) -> None:
        path, body = self._kind.path, self._kind.body
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.writeSequence([head.encode(), body])
        if self._random.random() < LEAVES:
            self._leaving = self._reactor.callLater(2.0 * self._random.random(), self._leave)

    def dataReceived(self, data: bytes) -> None:
        self._received += data

    def connectionLost(self, reason: Any = None) -> None:  # noqa: ARG002 - what came tells
        if self._leaving is not None and self._leaving.active():
            self._leaving.cancel()
        self._told("left" if self._left else self.judged())

    def judged(self) -> str:
        text, end = bytes(self._received), self._kind.end
        if not text.startswith(b"HTTP/1.1 200"):
            return f"status {text[9:12].decode() or 'none'}"
        if not end:
            return "NOT REFUSED"
        if end in text:
            return "complete" if text.count(b"word ") >= 15 and b'"error"' not in text else "NOT WHOLE"
        return "error event" if b'"error"' in text else "CUT SILENTLY"

    def _leave(self) -> None:
        self._left = True
        self.transport.abortConnection()


def keep_asking(
    reactor: Any, port: int, kind: Kind, random: Random, counts: Counter[str], going: Callable[[], bool]
) -> None:
    def told(how: str) -> None:
        counts["open"] -= 1
        counts[how] += 1
        if going():
            reactor.callLater(PAUSE, ask)

    def ask() -> None:
        if not going():
            return
        counts["open"] += 1
        endpoint = HostnameEndpoint(reactor, "127.0.0.1", port)
        connectProtocol(endpoint, Asking(kind, random, told, reactor)).addErrback(lambda _: told("refused"))

    ask()
