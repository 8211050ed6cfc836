"""What is said to a proxy before it becomes a pipe: HTTP CONNECT and SOCKS5, as machines of bytes in, bytes out.

No sockets here; `proxies` runs these over one."""

import base64
from ipaddress import ip_address
from typing import Protocol

from aiproxy.transports.addresses import Proxy, netloc


class ProxyRefused(Exception):
    """The proxy said no, or nothing sensible. The text ends a sentence, and holds no credential."""


class Handshake(Protocol):
    """`rest` is what came after the proxy's last word; it is meaningful once `done`."""

    done: bool
    rest: bytes

    def start(self) -> bytes:
        """What to send first."""

    def receive(self, data: bytes) -> bytes:
        """What to send next, often nothing. Raises `ProxyRefused`."""


HTTP_REPLY_LIMIT = 16384
"""Bytes of a proxy's reply to CONNECT before its end. Real ones have a few hundred."""

_HTTP_REASONS = {
    401: "it wants a user and password in `proxy-url`",
    403: "it forbids this target",
    407: "the user or password in `proxy-url` is missing or wrong",
    502: "it could not reach the target",
    503: "it is overloaded or could not reach the target",
    504: "it got no answer from the target",
}


class HttpConnect:
    """RFC 9110 §9.3.6, with Basic credentials (RFC 7617) when the proxy has a user."""

    def __init__(self, proxy: Proxy, host: str, port: int) -> None:
        self.done, self.rest = False, b""
        self._proxy, self._target = proxy, netloc(host, port)
        self._heard = b""

    def start(self) -> bytes:
        lines = [f"CONNECT {self._target} HTTP/1.1", f"Host: {self._target}"]
        if self._proxy.user or self._proxy.password:
            login = f"{self._proxy.user}:{self._proxy.password.reveal()}"
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode('ascii')}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def receive(self, data: bytes) -> bytes:
        self._heard += data
        head, end, rest = self._heard.partition(b"\r\n\r\n")
        if not end:
            if len(self._heard) > HTTP_REPLY_LIMIT:
                raise ProxyRefused("its reply to CONNECT has no end")
            return b""
        version, _, reply = head.partition(b"\r\n")[0].partition(b" ")
        status = reply[:3]
        if not version.startswith(b"HTTP/1.") or not status.isdigit():
            raise ProxyRefused("its reply is not HTTP; check that it is an HTTP proxy")
        if not 200 <= int(status) < 300:
            raise ProxyRefused(f"{int(status)}, {_HTTP_REASONS.get(int(status), 'without a known reason')}")
        self.done, self.rest = True, rest
        return b""


_SOCKS_REASONS = {
    1: "general failure",
    2: "it forbids this target",
    3: "the target's network can't be reached",
    4: "the target's host can't be reached",
    5: "the target refused the connection",
    6: "the target did not answer in time",
    7: "it can't make connections",
    8: "it doesn't know this type of address",
}
_NO_LOGIN, _LOGIN = 0, 2
_SOCKS_FIELD_LIMIT = 255
"""Bytes. A name, user or password has one byte for its length."""


class Socks5:
    """RFC 1928, with user and password (RFC 1929). `host` is sent as an address when it is one, else as a name."""

    def __init__(self, proxy: Proxy, host: str, port: int) -> None:
        self.done, self.rest = False, b""
        self._proxy, self._host, self._port = proxy, host, port
        self._heard = b""
        self._step = self._method_chosen

    def start(self) -> bytes:
        return bytes([5, 2, _NO_LOGIN, _LOGIN] if self._proxy.user else [5, 1, _NO_LOGIN])

    def receive(self, data: bytes) -> bytes:
        """Each step takes what it needs of `_heard` and returns what to say, or None when it needs more."""
        self._heard += data
        out = b""
        while not self.done and (said := self._step()) is not None:
            out += said
        if self.done:
            self.rest, self._heard = self._heard, b""
        return out

    def _take(self, count: int) -> bytes:
        taken, self._heard = self._heard[:count], self._heard[count:]
        return taken

    def _method_chosen(self) -> bytes | None:
        if len(self._heard) < 2:
            return None
        version, method = self._take(2)
        if version != 5:
            raise ProxyRefused("its reply is not SOCKS5; check that it is a SOCKS5 proxy")
        if method == _NO_LOGIN:
            return self._ask()
        if method != _LOGIN or not self._proxy.user:
            raise ProxyRefused("it wants a user and password in `proxy-url`, or a login we don't know")
        self._step = self._login_answered
        return b"\x01" + _field(self._proxy.user.encode()) + _field(self._proxy.password.reveal().encode())

    def _login_answered(self) -> bytes | None:
        if len(self._heard) < 2:
            return None
        _, status = self._take(2)
        if status != 0:
            raise ProxyRefused("the user or password in `proxy-url` is wrong")
        return self._ask()

    def _ask(self) -> bytes:
        self._step = self._connected
        try:
            address = ip_address(self._host)
        except ValueError:
            where = b"\x03" + _field(self._host.encode("ascii"))
        else:
            where = (b"\x01" if address.version == 4 else b"\x04") + address.packed
        return b"\x05\x01\x00" + where + self._port.to_bytes(2, "big")

    def _connected(self) -> bytes | None:
        if len(self._heard) < 5:
            return None
        version, reply, _, kind, first = self._heard[:5]
        if version != 5:
            raise ProxyRefused("its reply is not SOCKS5; check that it is a SOCKS5 proxy")
        if reply != 0:
            raise ProxyRefused(f"code {reply}, {_SOCKS_REASONS.get(reply, 'without a known reason')}")
        lengths = {1: 4, 3: 1 + first, 4: 16}
        if kind not in lengths:
            raise ProxyRefused("its reply holds an address of an unknown type")
        length = 4 + lengths[kind] + 2
        if len(self._heard) < length:
            return None
        self._take(length)
        self.done = True
        return b""


def _field(data: bytes) -> bytes:
    if len(data) > _SOCKS_FIELD_LIMIT:
        raise ProxyRefused("SOCKS5 has no room for a name, user or password of more than 255 bytes")
    return bytes([len(data)]) + data
