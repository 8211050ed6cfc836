"""A real `HttpSite` on 127.0.0.1 with a small resource behind it, and clients that speak to it in raw bytes.

Answers are read by h11, so that every answer in every test is also checked for being one."""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

import h11
import orjson
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from aiproxy.codecs.base import Answer
from aiproxy.config.schema import Limits
from aiproxy.neutral.errors import GatewayError
from aiproxy.web.request import HttpRequest
from aiproxy.web.server import HttpSite, listen
from aiproxy.web.tls import ServerTls

T = TypeVar("T")
P = ParamSpec("P")

PATIENCE = 20.0
"""Seconds before a test that waits for something gives up. No test passes by it."""


def edge(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test over sockets, written as a coroutine."""
    run: Callable[P, None] = ensureDeferred(test)
    return run


@dataclass(frozen=True)
class Heard:
    """An answer as the client read it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> Any:
        return orjson.loads(self.body)

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


class Client(Protocol):
    def __init__(self, reactor: Any, methods: Iterable[str] = ()) -> None:
        self._reactor = reactor
        self._methods = list(methods)
        self.raw = b""
        self.informational: list[int] = []
        self._answers: DeferredQueue[Heard] = DeferredQueue()
        self._closed: Deferred[BaseException] = Deferred()
        self._begin(b"")

    @property
    def wire(self) -> Any:
        return self.transport

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.wire.write(piece)

    async def ask(self, *pieces: bytes) -> Heard:
        self.send(*pieces)
        return await self.answer()

    def answer(self) -> Deferred[Heard]:
        return self._answers.get().addTimeout(PATIENCE, self._reactor)

    @property
    def unread(self) -> int:
        """Answers that came and weren't asked for yet."""
        return len(self._answers.pending)

    @property
    def lost(self) -> bool:
        return self._closed.called

    def closed(self) -> Deferred[BaseException]:
        return self._closed.addTimeout(PATIENCE, self._reactor)

    def dataReceived(self, data: bytes) -> None:
        self.raw += data
        self._parser.receive_data(data)
        self._parse()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._parser.receive_data(b"")
        if self._head is not None:
            self._parse()
        assert reason.value is not None
        self._closed.callback(reason.value)

    def _begin(self, data: bytes) -> None:
        self._parser = h11.Connection(h11.CLIENT)
        self._parser.send(
            h11.Request(method=self._methods.pop(0) if self._methods else "GET", target="/", headers=[("host", "x")])
        )
        self._parser.send(h11.EndOfMessage())
        self._head: h11.Response | None = None
        self._body = b""
        self._parser.receive_data(data) if data else None

    def _parse(self) -> None:
        while True:
            try:
                event = self._parser.next_event()
            except h11.RemoteProtocolError:
                return  # an answer that was cut: never put among the answers
            match event:
                case h11.InformationalResponse():
                    self.informational.append(event.status_code)
                case h11.Response():
                    self._head = event
                case h11.Data():
                    self._body += bytes(event.data)
                case h11.EndOfMessage():
                    assert self._head is not None
                    headers = {name.decode(): value.decode() for name, value in self._head.headers}
                    self._answers.put(Heard(self._head.status_code, headers, self._body))
                    self._begin(self._parser.trailing_data[0])
                case _:
                    return


class Echo(Resource):
    """Answers at once with what it was sent; `/wait…` when the test says so, through `waiting`."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[HttpRequest] = []
        self.waiting: DeferredQueue[HttpRequest] = DeferredQueue()

    def render(self, request: HttpRequest) -> bytes | int:
        self.requests.append(request)
        assert request.path is not None
        if request.path.startswith(b"/wait"):
            self.waiting.put(request)
            return NOT_DONE_YET
        if request.path == b"/broken":
            raise RuntimeError("a secret reason")
        return request.path + b" " + request.content.read()


class Service:
    """`async with Service() as service`: a site, its port, its clients; nothing of it is left in the reactor afterwards."""

    def __init__(
        self,
        *,
        clock: IReactorTime | None = None,
        refuse: Callable[[HttpRequest], GatewayError | None] = lambda _: None,
        http2: bool = True,
        certificate: Any = None,
        host: str = "127.0.0.1",
        **limits: float,
    ) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.echo = Echo()
        self.limits = Limits(**limits)  # type: ignore[arg-type]
        self.site = HttpSite(self.echo, clock or self.reactor, self.limits, refuse, self._render_error, http2=http2)
        self.shaped: list[HttpRequest | None] = []
        self.clients: list[Client] = []
        self._certificate: ServerTls | None = certificate
        self._host = host

    def _render_error(self, request: HttpRequest | None, error: GatewayError) -> Answer:
        self.shaped.append(request)
        path = request.path.decode() if request is not None and request.path is not None else None
        body = {"error": error.message, "kind": error.kind, "path": path}
        return Answer(error.status, orjson.dumps(body), headers=error.headers)

    async def __aenter__(self) -> Self:
        listening: Any = await listen(self.reactor, self.site, self._host, 0, self._certificate)
        self._listening = listening
        self.port: int = listening.getHost().port
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listening.stopListening()
        for client in self.clients:
            if client.wire is not None and not client.lost:
                client.wire.abortConnection()
        self.site.abort()
        await self.until(lambda: not self.site.connections)
        await self.tick()
        if kind is None:
            assert self.site.in_flight == 0
            assert not self.reactor.getDelayedCalls(), self.reactor.getDelayedCalls()

    async def connect(self, *methods: str, host: str = "127.0.0.1") -> Client:
        client = Client(self.reactor, methods)
        self.clients.append(client)
        await connectProtocol(TCP4ClientEndpoint(self.reactor, host, self.port), client)
        return client

    async def connect_tls(self, protocol: Any, authority: bytes, alpn: Iterable[bytes] = ()) -> Any:
        self.clients.append(protocol)
        trust = trustRootFromCertificates([Certificate.loadPEM(authority)])
        options = optionsForClientTLS("gateway.test", trust, acceptableProtocols=list(alpn) or None)
        endpoint = wrapClientTLS(options, TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.port))
        await connectProtocol(endpoint, protocol)
        return protocol

    def waiting(self) -> Deferred[HttpRequest]:
        """The next request at `/wait…`."""
        return self.echo.waiting.get().addTimeout(PATIENCE, self.reactor)

    async def channel(self) -> Any:
        """The server's end of the only connection."""
        await self.until(lambda: len(self.site.connections) == 1)
        (connection,) = self.site.connections
        return connection.channel

    async def until(self, fulfilled: Callable[[], bool]) -> None:
        given_up = self.reactor.seconds() + PATIENCE
        while not fulfilled():
            assert self.reactor.seconds() < given_up, "waited in vain"
            await self.tick()

    async def tick(self) -> None:
        """One turn of the reactor."""
        turned: Deferred[None] = Deferred()
        self.reactor.callLater(0, turned.callback, None)
        await turned


def request(method: str = "GET", path: str = "/", body: bytes | None = None, /, **headers: str) -> bytes:
    """A well-formed HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "host: gateway.test"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")
