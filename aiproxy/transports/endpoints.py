"""The way to an upstream, as endpoints: direct, or by a tunnel through a proxy. TLS to the target goes on top of either.

Targets of `http://` go through CONNECT as well: one way for all, and the proxy sees neither path nor headers."""

from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import (
    IAddress,
    IHostResolution,
    IProtocol,
    IProtocolFactory,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from aiproxy.transports.addresses import Proxy, ProxyKind
from aiproxy.transports.handshakes import Handshake, HttpConnect, ProxyRefused, Socks5

ADDRESS_SECONDS = 3600
"""Seconds one address of a host may take to connect. Never reached: the transport has a deadline for the whole of
connecting, else the system one of two minutes. Twisted's default of 30 would be another."""


class OneShot(Factory):
    """Builds one protocol, the one it is given, and says nothing of it in the log."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:  # noqa: ARG002 # Twisted's signature
        return self._protocol


class AsciiHostnameEndpoint(HostnameEndpoint):
    """For a name that is ASCII already. Twisted would hold it to IDNA's rules, which forbid the underscores in the names
    that container networks give (`my_ollama`)."""

    @staticmethod
    def _hostAsBytesAndText(host: bytes | str) -> tuple[bool, bytes, str]:
        assert isinstance(host, str)
        return False, host.encode("ascii"), host


def tcp_endpoint(reactor: Any, host: str, port: int) -> IStreamClientEndpoint:
    """For a name the fastest of its addresses (happy eyeballs), which takes 0.3 s to see that there are no more."""
    if isIPAddress(host):
        return TCP4ClientEndpoint(reactor, host, port, ADDRESS_SECONDS)
    if isIPv6Address(host):
        return TCP6ClientEndpoint(reactor, host, port, ADDRESS_SECONDS)
    return AsciiHostnameEndpoint(reactor, host, port, ADDRESS_SECONDS)


def tls_endpoint(
    reactor: Any, tls: IPolicyForHTTPS, host: str, port: int, under: IStreamClientEndpoint
) -> IStreamClientEndpoint:
    return wrapClientTLS(tls.creatorForNetloc(host.encode("ascii"), port), under, reactor)


@implementer(IStreamClientEndpoint)
class ProxyEndpoint:
    """Connects to the target through the proxy. `entered` is called when the proxy is reached and its handshake begins."""

    def __init__(
        self, reactor: Any, tls: IPolicyForHTTPS, proxy: Proxy, host: str, port: int, entered: Callable[[], None]
    ) -> None:
        self._reactor, self._proxy, self._entered = reactor, proxy, entered
        self._host, self._port = host, port
        self._endpoint = tcp_endpoint(reactor, proxy.host, proxy.port)
        if proxy.kind is ProxyKind.HTTPS:
            self._endpoint = tls_endpoint(reactor, tls, proxy.host, proxy.port, self._endpoint)

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        return Deferred.fromCoroutine(self._connect(factory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        tunnel = Tunnel(await self._handshake(), factory)
        await self._endpoint.connect(OneShot(tunnel))
        self._entered()
        try:
            return await tunnel.opened
        finally:
            if not tunnel.open:
                tunnel.abort()

    async def _handshake(self) -> Handshake:
        host, port = self._host, self._port
        match self._proxy.kind:
            case ProxyKind.HTTP | ProxyKind.HTTPS:
                return HttpConnect(self._proxy, host, port)
            case ProxyKind.SOCKS5:
                return Socks5(self._proxy, await resolve(self._reactor, host), port)
            case ProxyKind.SOCKS5H:
                return Socks5(self._proxy, host, port)


class Tunnel(Protocol):
    """Speaks to the proxy until it is a pipe, then steps aside for the protocol that `factory` builds."""

    def __init__(self, handshake: Handshake, factory: IProtocolFactory) -> None:
        self.opened: Deferred[IProtocol] = Deferred()
        self._handshake, self._factory = handshake, factory
        self._inner: IProtocol | None = None
        self._over = self._lost = False

    @property
    def open(self) -> bool:
        return self._inner is not None

    def abort(self) -> None:
        self._over = True
        if not self._lost:
            self.transport.abortConnection()  # type: ignore[union-attr] # ITransport does not say what TCP and TLS have

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._handshake.start())

    def dataReceived(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.dataReceived(data)
        elif not self._over:
            self._shake(data)

    def _shake(self, data: bytes) -> None:
        assert self.transport is not None
        try:
            answer = self._handshake.receive(data)
        except ProxyRefused as error:
            self._over = True
            self.opened.errback(error)
            return
        if answer:
            self.transport.write(answer)
        if self._handshake.done:
            inner = self._inner = self._factory.buildProtocol(self.transport.getPeer())
            assert inner is not None
            inner.makeConnection(self.transport)
            if self._handshake.rest:
                inner.dataReceived(self._handshake.rest)
            self.opened.callback(inner)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost = True
        if self._inner is not None:
            self._inner.connectionLost(reason)
        elif not self._over:
            self._over = True
            self.opened.errback(reason)


@implementer(IResolutionReceiver)
class _Addresses:
    def __init__(self) -> None:
        self.found: list[IAddress] = []
        self.complete: Deferred[None] = Deferred()

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        pass

    def addressResolved(self, address: IAddress) -> None:
        self.found.append(address)

    def resolutionComplete(self) -> None:
        self.complete.callback(None)


async def resolve(reactor: Any, host: str) -> str:
    """One address of `host`; an IPv4 one if there is any, for proxies without IPv6 are common."""
    addresses = _Addresses()
    reactor.nameResolver.resolveHostName(addresses, host)
    await addresses.complete
    if not addresses.found:
        raise DNSLookupError(f"no address for {host}")
    chosen: Any = next((a for a in addresses.found if isinstance(a, IPv4Address)), addresses.found[0])
    return str(chosen.host)
