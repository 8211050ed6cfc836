"""HTTP to upstreams: treq over connections of our own pool, direct or by proxy, with named deadlines.

Each call gives treq an agent of its own (`Exchange`), which lives as long as the call: it knows the way (proxy, kept
connection, TLS) and nothing is shared by accident, no cookie above all."""

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.python.failure import Failure
from twisted.web._newclient import Request as WireRequest
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IPolicyForHTTPS, IResponse
from zope.interface import implementer

from aiproxy.neutral.errors import GatewayError, Timeout, UpstreamFailed
from aiproxy.transports.addresses import parse_proxy, parse_target
from aiproxy.transports.answer import Answer
from aiproxy.transports.base import Request, Response
from aiproxy.transports.connection import ANSWER_HEAD_LIMIT, Connection, RequestBody
from aiproxy.transports.endpoints import OneShot, ProxyEndpoint, resolve, tcp_endpoint, tls_endpoint
from aiproxy.transports.failures import ANSWER_ERRORS, CONNECT_ERRORS, why
from aiproxy.transports.pool import ConnectionPool
from aiproxy.transports.tls import tls_policy

STALE_SECONDS = 5.0
"""A kept connection that the upstream has closed shows it within a round trip of its next use. One that dies later died
over the request, which may have been worked on (and billed), so it is not sent again."""

_OURS = frozenset({"accept-encoding", "connection", "content-length", "expect", "keep-alive", "transfer-encoding"})
"""Headers that belong to the connection or the framing, not to the caller."""


class Phase(StrEnum):
    """Where connecting stands, for messages."""

    CONNECT = "TCP"
    PROXY = "proxy handshake"
    TLS = "TLS handshake"


class Deadlines(Protocol):
    """Seconds, 0 for none; `Timeouts` of the configuration has them. Idle and total time are the caller's to watch."""

    @property
    def connect(self) -> float:
        """DNS, TCP, proxy and TLS together."""

    @property
    def first_byte(self) -> float:
        """From the last of the request that the upstream took to the answer's headers."""


class HttpTransport:
    """The `Transport` of `base`. `environ` gives `SSL_CERT_FILE` and `SSL_CERT_DIR`; `clock` is the reactor but in tests."""

    def __init__(
        self, reactor: Any, timeouts: Deadlines, environ: Mapping[str, str], clock: IReactorTime | None = None
    ) -> None:
        self.reactor = reactor
        self.timeouts = timeouts
        self.clock: IReactorTime = clock or reactor
        self.tls: IPolicyForHTTPS = tls_policy(environ)
        self.pool = ConnectionPool(self.clock)

    def send(self, request: Request) -> Deferred[Response]:
        try:
            exchange = Exchange(self, request)
            headers = _wire_headers(request)
        except GatewayError:
            return fail()
        sent: Deferred[Any] = HTTPClient(exchange).request(
            request.method,
            exchange.target.url,
            headers=headers,
            data=exchange.body,
            allow_redirects=False,
            unbuffered=True,
            reactor=self.reactor,
        )
        return sent.addCallback(exchange.result)

    def resolve(self, host: str) -> Deferred[str]:
        return Deferred.fromCoroutine(resolve(self.reactor, host))

    def close(self) -> Deferred[None]:
        """Fires when the idle connections are closed. Calls under way go on; their connections are not kept."""
        return self.pool.close()


def _wire_headers(request: Request) -> Headers:
    headers = Headers()
    try:
        for name, value in request.headers:
            if name.lower() not in _OURS:
                headers.addRawHeader(name, value)
    except ValueError as error:
        raise UpstreamFailed(
            "A header for the upstream has an impossible name: check the entry's `headers`."
        ) from error
    return headers


class Stale(Exception):
    """A kept connection was dead before the request reached anyone, as far as can be told."""


@implementer(IAgent)
class Exchange:
    """One request and the beginning of its answer."""

    def __init__(self, transport: HttpTransport, request: Request) -> None:
        self.target = parse_target(request.url)
        self.body = RequestBody(request.body, self._progress) if request.body else None
        self._proxy = parse_proxy(request.proxy) if request.proxy else None
        self._to_host = request.address or self.target.host
        self._place = (self.target.secure, self.target.host, self.target.port, request.proxy, request.address)
        self._transport, self._clock, self._timeouts = transport, transport.clock, transport.timeouts
        self._phase = Phase.CONNECT
        self._first_byte: IDelayedCall | None = None
        self._late = self._cancelled = False
        self._answer: Answer | None = None

    def result(self, _: IResponse) -> Response:
        """Our answer for treq's."""
        answer, self._answer = self._answer, None
        assert answer is not None
        return answer

    def request(
        self,
        method: bytes,
        uri: bytes,  # noqa: ARG002 # the target, which we have in parts
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,  # noqa: N803 # IAgent's spelling
    ) -> Deferred[IResponse]:
        assert headers is not None
        headers.setRawHeaders(b"accept-encoding", [b"identity"])  # treq has asked for gzip
        if not headers.hasHeader(b"host"):
            headers.setRawHeaders(b"host", [self.target.host_header.encode("ascii")])
        wire = WireRequest(method, self.target.path, headers, bodyProducer, persistent=True)
        run = Deferred.fromCoroutine(self._run(wire))
        answered: Deferred[IResponse] = Deferred(partial(self._cancel, run))
        run.chainDeferred(answered)
        return answered

    def _cancel(self, run: Deferred[IResponse], _: object) -> None:
        """Noted before it is done: libraries give a cancelled connection or request as many names as it has phases."""
        self._cancelled = True
        run.cancel()

    async def _run(self, wire: WireRequest) -> IResponse:
        kept = self._transport.pool.take(self._place)
        try:
            if kept is not None:
                with suppress(Stale):
                    return await self._ask(kept, wire)
            return await self._ask(await self._connect(), wire)
        finally:
            self.body = None

    async def _ask(self, connection: Connection, wire: WireRequest) -> IResponse:
        began = self._clock.seconds()
        asked = connection.ask(wire, self.body)
        if self._timeouts.first_byte:
            self._first_byte = self._clock.callLater(self._timeouts.first_byte, self._expire, asked)
        try:
            response = await asked
        except ANSWER_ERRORS as error:
            connection.abort()
            raise self._answer_failure(error, connection, self._clock.seconds() - began) from error
        finally:
            if self._first_byte is not None and self._first_byte.active():
                self._first_byte.cancel()
            self._first_byte = None
        wire.bodyProducer = None  # the answer may stream for minutes, and holds its request; the body need not stay
        self._answer = Answer(response, connection)
        return response

    def _progress(self) -> None:
        """The upstream took some of the body: its time to answer starts anew."""
        if self._first_byte is not None and self._first_byte.active():
            self._first_byte.reset(self._timeouts.first_byte)

    def _expire(self, asked: Deferred[IResponse]) -> None:
        self._late = True
        asked.cancel()

    def _answer_failure(self, error: Exception, connection: Connection, seconds: float) -> Exception:
        if self._late:
            return Timeout(
                f"{self.target} began no answer within {self._timeouts.first_byte:g} s: "
                "try again, or raise `timeouts.first-byte` if it is known to be slow."
            )
        if self._cancelled:
            return CancelledError()
        if connection.used > 1 and not connection.heard and seconds < STALE_SECONDS:
            return Stale()
        if connection.heard > ANSWER_HEAD_LIMIT:
            return UpstreamFailed(f"{self.target} sent more than {ANSWER_HEAD_LIMIT} bytes of headers.")
        return UpstreamFailed(f"{self.target} gave no answer: {why(error)}.")

    async def _connect(self) -> Connection:
        connecting = Deferred.fromCoroutine(self._establish())
        if self._timeouts.connect:
            connecting.addTimeout(self._timeouts.connect, self._clock, self._connect_expired)
        return await connecting

    def _connect_expired(self, _: object, seconds: float) -> Failure:
        return Failure(
            Timeout(
                f"{self._to()} took longer than {seconds:g} s ({self._phase}): check the upstream, "
                "or raise `timeouts.connect`."
            )
        )

    async def _establish(self) -> Connection:
        pool, place = self._transport.pool, self._place
        connection = Connection(self.target.secure, partial(pool.give, place), partial(pool.forget, place))
        try:
            await self._endpoint().connect(OneShot(connection))
            if connection.secured is not None:
                self._phase = Phase.TLS
                await connection.secured
        except CONNECT_ERRORS as error:
            connection.abort()
            if self._cancelled:
                raise CancelledError from error
            raise UpstreamFailed(f"{self._to()} failed ({self._phase}): {why(error)}.") from error
        return connection

    def _to(self) -> str:
        return f"Connecting to {self.target}" + (f" through the proxy {self._proxy}" if self._proxy else "")

    def _endpoint(self) -> IStreamClientEndpoint:
        reactor, tls, target = self._transport.reactor, self._transport.tls, self.target
        if self._proxy is None:
            under = tcp_endpoint(reactor, self._to_host, target.port)
        else:
            under = ProxyEndpoint(reactor, tls, self._proxy, self._to_host, target.port, self._proxy_reached)
        return tls_endpoint(reactor, tls, target.host, target.port, under) if target.secure else under

    def _proxy_reached(self) -> None:
        self._phase = Phase.PROXY
