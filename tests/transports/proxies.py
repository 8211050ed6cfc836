"""Real proxies for the tests: HTTP CONNECT and SOCKS5, with a login if wanted, that connect where they are asked to.

Names are looked up in `names` only, so that a test knows who resolved what."""

import base64
import socket
from collections.abc import Mapping
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IProtocol, ITransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure


class Pipe(Protocol):
    """Passes on what it receives, and the end as well."""

    def __init__(self, to: ITransport) -> None:
        self._to = to

    def dataReceived(self, data: bytes) -> None:
        self._to.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._to.loseConnection()


class ProxyPeer(Protocol):
    """The client's side of a proxy's connection. A dialect answers in `talk` until it calls `go`."""

    def __init__(self, proxy: "LoopbackProxy") -> None:
        self.proxy = proxy
        self.heard = b""
        self.pipe: IProtocol | None = None

    @property
    def wire(self) -> ITransport:
        assert self.transport is not None
        return self.transport

    def dataReceived(self, data: bytes) -> None:
        if self.pipe is not None:
            self.pipe.dataReceived(data)
        else:
            self.heard += data
            self.talk()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.proxy.lost += 1
        if self.pipe is not None:
            self.pipe.connectionLost(reason)

    def talk(self) -> None:
        raise NotImplementedError

    def go(self, host: str, port: int, opened: bytes, refused: bytes) -> None:
        self.proxy.asked.append((host, port))
        address = self.proxy.names.get(host, host)
        connecting = connectProtocol(TCP4ClientEndpoint(self.proxy.reactor, address, port), Pipe(self.wire))

        def connected(outward: Pipe) -> None:
            assert outward.transport is not None
            self.pipe = Pipe(outward.transport)
            self.wire.write(opened)

        connecting.addCallbacks(connected, lambda _: self.refuse(refused))

    def refuse(self, answer: bytes) -> None:
        self.wire.write(answer)
        self.wire.loseConnection()


class ConnectPeer(ProxyPeer):
    def talk(self) -> None:
        head, end, rest = self.heard.partition(b"\r\n\r\n")
        if not end:
            return
        assert not rest
        line, *fields = head.decode("ascii").split("\r\n")
        method, target, version = line.split(" ")
        headers = dict(field.split(": ", 1) for field in fields)
        assert (method, version, headers["Host"]) == ("CONNECT", "HTTP/1.1", target)
        login = base64.b64encode(self.proxy.login.encode()).decode("ascii")
        if self.proxy.login and headers.get("Proxy-Authorization") != f"Basic {login}":
            self.refuse(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = target.rpartition(":")
        self.go(
            host.strip("[]"), int(port), b"HTTP/1.1 200 Established\r\nVia: us\r\n\r\n", b"HTTP/1.1 502 Bad\r\n\r\n"
        )


class SocksPeer(ProxyPeer):
    step = 0

    def talk(self) -> None:
        data = self.heard
        if self.step == 0 and len(data) >= 2 + data[1]:
            self.heard, methods = data[2 + data[1] :], data[2 : 2 + data[1]]
            wanted = 2 if self.proxy.login else 0
            if wanted not in methods:
                self.refuse(b"\x05\xff")
                return
            self.wire.write(bytes([5, wanted]))
            self.step = 1 if wanted else 2
        elif self.step == 1 and len(data) > 2 and len(data) >= 3 + data[1] + data[2 + data[1]]:
            user, password = data[2 : 2 + data[1]], data[3 + data[1] :]
            if f"{user.decode()}:{password.decode()}" != self.proxy.login:
                self.refuse(b"\x01\x01")
                return
            self.heard, self.step = b"", 2
            self.wire.write(b"\x01\x00")
        elif self.step == 2 and len(data) > 5:
            assert data[:3] == b"\x05\x01\x00"
            kind, rest = data[3], data[4:]
            length = {1: 4, 3: 1 + rest[0], 4: 16}[kind]
            if len(rest) < length + 2:
                return
            where = rest[1:length] if kind == 3 else rest[:length]
            host = {1: socket.inet_ntoa, 3: bytes.decode, 4: _inet6}[kind](where)  # type: ignore[operator]
            bound = b"\x00\x01\x00\x00\x00\x00\x00\x00"
            self.go(host, int.from_bytes(rest[length : length + 2], "big"), b"\x05\x00" + bound, b"\x05\x05" + bound)


def _inet6(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6, packed)


class LoopbackProxy(Factory):
    """`asked` are the targets, in order; `lost` counts clients that are gone."""

    noisy = False

    def __init__(
        self, reactor: Any, dialect: type[ProxyPeer], login: str = "", names: Mapping[str, str] | None = None
    ) -> None:
        self.reactor, self.dialect, self.login, self.names = reactor, dialect, login, names or {}
        self.asked: list[tuple[str, int]] = []
        self.lost = 0

    def buildProtocol(self, addr: object) -> ProxyPeer:
        return self.dialect(self)
