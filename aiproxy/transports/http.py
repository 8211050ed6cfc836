"""HTTP/1.1 to upstreams: by whatever way, TLS included, over connections that are kept.

A request is an `Exchange`, which knows the way (proxy, kept connection, TLS) and the deadlines. treq comes in by `agent`."""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.python.failure import Failure
from twisted.web.iweb import IPolicyForHTTPS

from aiproxy.neutral.errors import ConnectTimeout, GatewayError, Timeout, Unreachable, UpstreamFailed
from aiproxy.transports.addresses import parse_proxy, parse_target
from aiproxy.transports.answer import Answer
from aiproxy.transports.base import Request, Response
from aiproxy.transports.connection import ANSWER_HEAD_LIMIT, Connection
from aiproxy.transports.endpoints import OneShot, ProxyEndpoint, resolve, tcp_endpoint, tls_endpoint
from aiproxy.transports.failures import CONNECT_ERRORS, why
from aiproxy.transports.pool import ConnectionPool
from aiproxy.transports.switched import Switched
from aiproxy.transports.tls import tls_policy
from aiproxy.transports.wire import request_head

STALE_SECONDS = 5.0
"""A kept connection that the upstream has closed shows it within a round trip of its next use. One that dies later died
over the request, which may have been worked on (and billed), so it is not sent again."""

_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
"""Methods whose servers want a length even of nothing."""


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
            return Exchange(self, request).start()
        except GatewayError:
            return fail()

    def resolve(self, host: str) -> Deferred[str]:
        return Deferred.fromCoroutine(resolve(self.reactor, host))

    def close(self) -> Deferred[None]:
        """Fires when the idle connections are closed. Calls under way go on; their connections are not kept."""
        return self.pool.close()


class Exchange:
    """One request and the beginning of its answer: the `Asker` of its connection."""

    def __init__(self, transport: HttpTransport, request: Request) -> None:
        """Raises `UpstreamFailed` for an address or a header that can't be one."""
        self.target = target = parse_target(request.url)
        self._proxy = parse_proxy(request.proxy) if request.proxy else None
        self._to_host = request.address or target.host
        self._place = (target.secure, target.host, target.port, request.proxy, request.address)
        self._body = request.body
        self._bodiless = request.method == "HEAD"
        self._upgrades = bool(request.upgrade)
        length = len(request.body) if request.body or request.method in _WITH_BODY else None
        self._head = request_head(
            request.method, target.path, target.host_header, request.headers, length, request.upgrade
        )
        self._transport, self._clock, self._timeouts = transport, transport.clock, transport.timeouts
        self._answered: Deferred[Response] = Deferred(self._cancel)
        self._phase = Phase.CONNECT
        self._connecting: Deferred[Connection] | None = None
        self._connection: Connection | None = None
        self._began = 0.0
        self._first_byte: IDelayedCall | None = None
        self._late = self._cancelled = False

    def start(self) -> Deferred[Response]:
        kept = self._transport.pool.take(self._place)
        if kept is not None:
            self._ask(kept)
        else:
            self._connect()
        return self._answered

    def _cancel(self, _: Deferred[Response]) -> None:
        """Noted before it is done: libraries give a cancelled connection as many names as it has phases."""
        self._cancelled = True
        if self._connecting is not None:
            self._connecting.cancel()
        elif self._connection is not None:
            self._connection.abort()

    # Asking.

    def _ask(self, connection: Connection) -> None:
        self._connection = connection
        self._began = self._clock.seconds()
        if self._timeouts.first_byte:
            self._first_byte = self._clock.callLater(self._timeouts.first_byte, self._expire)
        connection.ask(self, self._head, self._body, bodiless=self._bodiless, upgrades=self._upgrades)

    def began(self, answer: Answer | Switched) -> None:
        self._over()
        if not self._cancelled:
            self._answered.callback(answer)

    def broke(self, error: BaseException) -> None:
        connection = self._connection
        assert connection is not None
        if self._is_stale(connection):
            self._stop_timer()
            self._connect()
            return
        self._over()
        if not self._cancelled:
            self._answered.errback(self._answer_failure(error, connection))

    def progressed(self) -> None:
        """Its time to answer starts anew."""
        if self._first_byte is not None:
            self._first_byte.reset(self._timeouts.first_byte)

    def _is_stale(self, connection: Connection) -> bool:
        """It was dead before the request reached anyone, as far as can be told; a new one is not kept when it is asked."""
        if self._late or self._cancelled or connection.used == 1 or connection.heard:
            return False
        return self._clock.seconds() - self._began < STALE_SECONDS

    def _expire(self) -> None:
        self._first_byte = None
        self._late = True
        assert self._connection is not None
        self._connection.abort()

    def _over(self) -> None:
        """The answer may stream for minutes and holds what it came from; the body need not stay."""
        self._stop_timer()
        self._body, self._connection = b"", None

    def _stop_timer(self) -> None:
        if self._first_byte is not None:
            self._first_byte.cancel()
            self._first_byte = None

    def _answer_failure(self, error: BaseException, connection: Connection) -> GatewayError:
        if self._late:
            return Timeout(
                f"{self.target} began no answer within {self._timeouts.first_byte:g} s: "
                "try again, or raise `timeouts.first-byte` if it is known to be slow."
            )
        if connection.heard > ANSWER_HEAD_LIMIT:
            return UpstreamFailed(f"{self.target} sent more than {ANSWER_HEAD_LIMIT} bytes of headers.")
        return UpstreamFailed(f"{self.target} gave no answer: {why(error)}.")

    # Connecting.

    def _connect(self) -> None:
        self._connecting = connecting = Deferred.fromCoroutine(self._establish())
        if self._timeouts.connect:
            connecting.addTimeout(self._timeouts.connect, self._clock, self._connect_expired)
        connecting.addCallbacks(self._connected, self._not_connected)

    def _connected(self, connection: Connection) -> None:
        self._connecting = None
        self._ask(connection)

    def _not_connected(self, failure: Failure) -> None:
        self._connecting = None
        self._over()
        if not self._cancelled:
            self._answered.errback(failure)

    def _connect_expired(self, _: object, seconds: float) -> Failure:
        return Failure(
            ConnectTimeout(
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
            raise Unreachable(f"{self._to()} failed ({self._phase}): {why(error)}.") from error
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
