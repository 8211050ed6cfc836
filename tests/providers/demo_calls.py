"""Asks the demo upstream by a `Clock`, and keeps what it pushes."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aiproxy.config.schema import Demo
from aiproxy.providers.demo import DemoTransport
from aiproxy.transports.base import Request, Response

AT_ONCE = Demo(latency=0, tokens_per_second=0)
HELLO = [{"role": "user", "content": "hello big world"}]


class Reader(Protocol):
    """Keeps each read with its time, and how it ended."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.reads: list[tuple[float, bytes]] = []
        self.reason: Failure | None = None

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.reads)

    @property
    def times(self) -> list[float]:
        return [round(time, 6) for time, _ in self.reads]

    def dataReceived(self, data: bytes) -> None:
        assert self.reason is None
        self.reads.append((self.clock.seconds(), data))

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # Twisted gives it a default nobody wants
        assert self.reason is None
        self.reason = reason


@dataclass
class Caller:
    """One demo upstream, and a clock that only moves when told to."""

    demo: Demo = AT_ONCE
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.transport = DemoTransport(self.clock, self.demo)

    def send(self, path: str, body: Any, method: str = "POST") -> Deferred[Response]:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return self.transport.send(Request(method, f"https://demo.invalid/v1{path}", (), data))

    def answer(self, path: str, body: Any, method: str = "POST") -> Response:
        """The answer's headers, which come in the next turn."""
        answers: list[Response] = []
        self.send(path, body, method).addCallback(answers.append)
        self.clock.advance(0)
        return answers[0]

    def read(self, path: str, body: Any, method: str = "POST", seconds: float = 0) -> tuple[Response, Reader]:
        """The answer and its body, as far as it comes in this time."""
        response = self.answer(path, body, method)
        reader = Reader(self.clock)
        response.deliver(reader)
        self.clock.advance(seconds)
        while any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
            self.clock.advance(0)
        return response, reader

    def json(self, path: str, body: Any, method: str = "POST") -> tuple[int, Any]:
        response, reader = self.read(path, body, method)
        return response.status, orjson.loads(reader.data)

    def chat(self, model: str = "demo-echo", **body: Any) -> tuple[Response, Reader]:
        return self.read("/chat/completions", {"model": model, "messages": HELLO, **body})
