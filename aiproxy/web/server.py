"""The HTTP server below the routes: connections, limits, refusals, drain. It knows no path and no Klein.

A request's way: `Connection` (which protocol did TLS agree on?) → `Http1Channel` or `Http2Channel` (bytes ↔ requests,
limits, deadlines) → `HttpRequest.admit` (is it welcome?) → body → the site's resource.
"""

import os
from collections.abc import Callable
from socket import AddressFamily
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolNegotiationFactory,
    IReactorSocket,
    IReactorTCP,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.resource import IResource
from twisted.web.server import Site
from zope.interface import implementer

from aiproxy.config.listening_rules import interface_of
from aiproxy.config.schema import Limits
from aiproxy.web.http1 import Http1Channel
from aiproxy.web.http2 import Http2Channel
from aiproxy.web.listening import BACKLOG
from aiproxy.web.request import HttpRequest, ISocket, Refuse, RenderError
from aiproxy.web.tls import ServerTls

_log = Logger("aiproxy.web")


class Connection(Protocol):
    """One client's connection; HTTP/2 is known only once the TLS handshake is over, that is at its first bytes."""

    transport: ISocket

    def __init__(self, site: "HttpSite") -> None:
        self._site = site
        self._decided = self._turned_away = False
        self.channel: Http1Channel | Http2Channel = Http1Channel(site)

    def connectionMade(self) -> None:
        if self._site.admit(self):
            self.channel.makeConnection(self.transport)
        else:
            self._turned_away = True
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        if self._turned_away:
            return
        if not self._decided:
            self._decided = True
            if getattr(self.transport, "negotiatedProtocol", None) == b"h2":
                assert isinstance(self.channel, Http1Channel)
                self._switch(self.channel)
        self.channel.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self._turned_away:
            self.channel.connectionLost(reason)
            self._site.closed(self)

    def _switch(self, unused: Http1Channel) -> None:
        unused.deadline.stop()
        self.transport.unregisterProducer()
        self.channel = Http2Channel(self._site)
        self.channel.makeConnection(self.transport)
        self.transport.registerProducer(self.channel, True)


@implementer(IProtocolNegotiationFactory)
class HttpSite(Site):
    """`limits` may be replaced at any time and rules the next request. Writes no access log: the routes do."""

    noisy = False

    def __init__(
        self,
        resource: IResource,
        reactor: IReactorTime,
        limits: Limits,
        refuse: Refuse,
        render_error: RenderError,
        *,
        http2: bool = True,
        finished: Callable[[HttpRequest], None] = lambda _: None,
    ) -> None:
        """`finished` is told of each request once, when its answer is over or its client gone (`request.gone`)."""
        super().__init__(resource, requestFactory=HttpRequest, parsePOSTFormSubmission=False, reactor=reactor)
        self.limits = limits
        self.refuse = refuse
        self.render_error = render_error
        self.finished = finished
        self.http2 = http2
        self.draining = self.parting = self._full = False
        self.connections: set[Connection] = set()
        self._in_flight: set[HttpRequest] = set()
        self._waiting: list[Deferred[None]] = []

    def buildProtocol(self, _: IAddress | None) -> Connection:  # type: ignore[override] # ours needs no wrapping
        return Connection(self)

    def acceptableProtocols(self) -> list[bytes]:
        """For ALPN."""
        return [b"h2", b"http/1.1"] if self.http2 else [b"http/1.1"]

    def startFactory(self) -> None:
        """Twisted would start a clock for its access log."""

    def stopFactory(self) -> None: ...

    def log(self, request: Request) -> None: ...

    def admit(self, connection: Connection) -> bool:
        """Whether there is room for one more. There is no answer to one that is turned away: an answer costs what is short."""
        if len(self.connections) < self.limits.connections:
            self.connections.add(connection)
            self._full = False
            return True
        if not self._full:
            self._full = True
            _log.warn(
                "{count} connections are open: no more are taken (limits.connections)", count=len(self.connections)
            )
        return False

    @property
    def in_flight(self) -> int:
        """Requests whose head has arrived and whose answer is not finished."""
        return len(self._in_flight)

    def part(self) -> None:
        """Each answer that begins from now on is the last on its connection, and says so. Connections at rest stay open: a request
        may be on its way on any of them, and would be lost by a close."""
        self.parting = True

    def drain(self) -> None:
        """Idle connections close now, the others after their answers. Whoever still connects gets one answer."""
        self.draining = True
        for connection in list(self.connections):
            connection.channel.drain()

    def idle(self) -> Deferred[None]:
        """Fires when no request is in flight; while draining, when the answers are written out too and every connection
        is closed."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        self._settle()
        return waiting

    def abort(self) -> None:
        """Cut every connection."""
        for connection in list(self.connections):
            connection.transport.abortConnection()

    def began(self, request: HttpRequest) -> None:
        self._in_flight.add(request)

    def ended(self, request: HttpRequest) -> None:
        if request in self._in_flight:
            self._in_flight.remove(request)
            self.finished(request)
        self._settle()

    def closed(self, connection: Connection) -> None:
        """A WebSocket takes its channel over, and its request is never finished: it ends here."""
        self.connections.discard(connection)
        if isinstance(connection.channel, Http1Channel):
            self._in_flight.difference_update(connection.channel.requests)
        self._settle()

    def _settle(self) -> None:
        if self._waiting and not self._in_flight and not (self.draining and self.connections):
            waiting, self._waiting = self._waiting, []
            for deferred in waiting:
                deferred.callback(None)


def listen(
    reactor: IReactorTCP, site: HttpSite, host: str, port: int, tls: ServerTls | None = None
) -> Deferred[IListeningPort]:
    """Listen at a host as `interface_of` takes it. Fails with `CannotListenError`."""
    return execute(reactor.listenTCP, port, _factory(site, tls), backlog=BACKLOG, interface=interface_of(host))


def adopt(
    reactor: IReactorSocket, site: HttpSite, descriptor: int, family: AddressFamily, tls: ServerTls | None = None
) -> IListeningPort:
    """Serve on a socket that listens already, and stays open when we stop."""
    os.set_blocking(descriptor, False)
    return reactor.adoptStreamPort(descriptor, family, _factory(site, tls))


def _factory(site: HttpSite, tls: ServerTls | None) -> Any:
    """Twisted's types know no factory of a protocol that is not its own."""
    return site if tls is None else TLSMemoryBIOFactory(tls, False, site, clock=site.reactor)
