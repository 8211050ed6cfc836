"""Upstreams for the tests: real sockets on 127.0.0.1, doing exactly what a test says, and the bench they stand on."""

import os
import re
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import trustme
from OpenSSL import SSL
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from aiproxy.config.schema import Timeouts
from aiproxy.transports.base import Request, Response
from aiproxy.transports.http import HttpTransport

T = TypeVar("T")
P = ParamSpec("P")

PATIENCE = 20.0
"""Seconds before a test that waits for something gives up. No test passes by it."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer(Protocol):
    """The upstream's end of one connection."""

    def __init__(self, server: "Upstream") -> None:
        self.server = server
        self.received = b""
        self.requests: list[bytes] = []
        self.closed: Deferred[None] = Deferred()
        self.open = True

    def connectionMade(self) -> None:
        self.server.peers.append(self)
        self.server.accepted.put(self)

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        while 0 < (length := request_length(self.received)) <= len(self.received):
            self.requests.append(self.received[:length])
            self.received = self.received[length:]
            self.server.asked(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.open = False
        self.closed.callback(None)

    def write(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def hang_up(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    @property
    def bare(self) -> Any:
        """The TCP transport under TLS."""
        tls: Any = self.transport
        return tls.transport

    def reset(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]


def request_length(data: bytes) -> int:
    """Bytes of the first request in `data`, or 0 while that can't be known."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return 0
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return len(head) + 4 + (int(length[1]) if length else 0)


class Upstream(Factory):
    """Calls `answer(peer, n)` for its n-th request (from 1), if given; puts the peer in `requests` in any case."""

    noisy = False

    def __init__(self, answer: Callable[[Peer, int], None] | None = None) -> None:
        self.answer = answer
        self.peers: list[Peer] = []
        self.accepted: DeferredQueue[Peer] = DeferredQueue()
        self.requests: DeferredQueue[Peer] = DeferredQueue()
        self.count = 0
        self.port = 0

    def buildProtocol(self, addr: object) -> Peer:
        return Peer(self)

    def asked(self, peer: Peer) -> None:
        self.count += 1
        self.requests.put(peer)
        if self.answer is not None:
            self.answer(peer, self.count)


def edge(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test over sockets, written as a coroutine."""
    run: Callable[P, None] = ensureDeferred(test)
    return run


def always(data: bytes) -> Callable[[Peer, int], None]:
    return lambda peer, _: peer.write(data)


class Body(Protocol):
    """Reads an answer's body; `done` fires at its end, and `reason` says why."""

    def __init__(self, paused: bool = False) -> None:
        self.data = b""
        self.reason: Failure = connectionDone
        self.done: Deferred[None] = Deferred()
        self.ends = 0
        self._paused = paused

    def connectionMade(self) -> None:
        if self._paused:
            self.producer.pauseProducing()

    @property
    def producer(self) -> Any:
        return self.transport

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ends += 1
        self.reason = reason
        self.done.callback(None)


def get(port: int, path: str = "/", proxy: str = "", scheme: str = "http", host: str = "127.0.0.1") -> Request:
    return Request("GET", f"{scheme}://{host}:{port}{path}", (), proxy=proxy)


def post(port: int, body: bytes = b"{}") -> Request:
    return Request("POST", f"http://127.0.0.1:{port}/v1", (("content-type", "application/json"),), body)


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """TLS by PEM files. `CertificateOptions` would hand pyOpenSSL objects that it warns of."""

    def __init__(self, certificate: str, key: str) -> None:
        self.context = SSL.Context(SSL.TLS_METHOD)
        self.context.use_certificate_chain_file(certificate)
        self.context.use_privatekey_file(key)

    def serverConnectionForTLS(self, protocol: object) -> SSL.Connection:
        return SSL.Connection(self.context, None)


class Authority:
    """An authority of the test's own, its files in `directory`; `environ` makes a transport trust it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self._ca, self._directory = trustme.CA(), directory
        self.file = directory / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.file))
        self.environ = {"SSL_CERT_FILE": str(self.file)}

    def tls(self, *names: str) -> ServerTls:
        issued = self._ca.issue_cert(*names)
        certificate, key = str(self._directory / "server.pem"), str(self._directory / "server.key")
        issued.cert_chain_pems[0].write_to_path(certificate)
        issued.private_key_pem.write_to_path(key)
        return ServerTls(certificate, key)


class Bench:
    """Servers and transports of one test, taken down after it; nothing may be left in the reactor then."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self._ports: list[Any] = []
        self._transports: list[HttpTransport] = []
        self._upstreams: list[Upstream] = []

    def listen(self, factory: Factory, tls: ServerTls | None = None, interface: str = "127.0.0.1") -> int:
        served: Any = factory if tls is None else TLSMemoryBIOFactory(tls, False, factory, self.reactor)
        served.noisy = False
        port = self.reactor.listenTCP(0, served, interface=interface)
        self._ports.append(port)
        return int(port.getHost().port)

    def upstream(self, answer: Callable[[Peer, int], None] | None = None, tls: ServerTls | None = None) -> Upstream:
        upstream = Upstream(answer)
        upstream.port = self.listen(upstream, tls)
        self._upstreams.append(upstream)
        return upstream

    def transport(
        self, clock: IReactorTime | None = None, environ: Mapping[str, str] = os.environ, **timeouts: float
    ) -> HttpTransport:
        transport = HttpTransport(self.reactor, Timeouts(**timeouts), environ, clock)
        self._transports.append(transport)
        return transport

    def soon(self, awaited: Deferred[T]) -> Deferred[T]:
        """The same, but failing the test instead of hanging it."""
        return awaited.addTimeout(PATIENCE, self.reactor)

    async def read(self, sent: Deferred[Response]) -> tuple[Response, Body, Failure]:
        """The answer, its whole body, and how that ended."""
        response = await self.soon(sent)
        body = Body()
        response.deliver(body)
        return response, body, await self.end(body)

    async def end(self, body: Body) -> Failure:
        await self.soon(body.done)
        return body.reason

    async def tick(self, seconds: float = 0) -> None:
        turned: Deferred[None] = Deferred()
        self.reactor.callLater(seconds, turned.callback, None)
        await turned

    async def close(self) -> None:
        for transport in self._transports:
            await transport.close()
        for port in self._ports:
            await port.stopListening()
        for upstream in self._upstreams:
            for peer in upstream.peers:
                if peer.open:
                    peer.reset()
                    await peer.closed
        for _ in range(3):
            await self.tick()
        left = self.reactor.getDelayedCalls()
        assert not left, left
