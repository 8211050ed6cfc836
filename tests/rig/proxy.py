"""Proxies on loopback, HTTP CONNECT and SOCKS5, in threads of their own: they remember where they were asked to go, and as whom."""

import base64
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Thread
from typing import BinaryIO


class LocalProxy:
    """`asked` are targets as they were written, with the login. Names are looked up in `names` first."""

    def __init__(self, tls: ssl.SSLContext | None, names: Mapping[str, str]) -> None:
        self.asked: list[tuple[str, str]] = []
        self._tls = tls
        self._names = names
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            with client.makefile("rb") as stream:
                host, port, login = self.greet(stream, client)
                self.asked.append((f"{host}:{port}", login))
                upstream = socket.create_connection((self._names.get(host, host), port))
                client.sendall(self.WELCOME)
                Thread(target=_pipe, args=(upstream, client), daemon=True).start()
                _pipe(client, upstream)
        client.close()

    WELCOME = b""

    def greet(self, heard: BinaryIO, client: socket.socket) -> tuple[str, int, str]:
        """The target's host and port, and the login."""
        raise NotImplementedError


class ConnectProxy(LocalProxy):
    WELCOME = b"HTTP/1.1 200 Connected\r\n\r\n"

    def greet(self, heard: BinaryIO, client: socket.socket) -> tuple[str, int, str]:
        host, _, port = heard.readline().split()[1].decode().rpartition(":")
        login = ""
        while (line := heard.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            if name.lower() == "proxy-authorization":
                login = base64.b64decode(value.split()[1]).decode()
        return host, int(port), login


class SocksProxy(LocalProxy):
    """SOCKS5 (RFC 1928); whoever offers a login (RFC 1929) is asked for it."""

    WELCOME = b"\x05\x00\x00\x01" + bytes(6)

    def greet(self, heard: BinaryIO, client: socket.socket) -> tuple[str, int, str]:
        offered, login = heard.read(heard.read(2)[1]), ""
        client.sendall(b"\x05\x02" if 2 in offered else b"\x05\x00")
        if 2 in offered:
            heard.read(1)
            user, password = (heard.read(heard.read(1)[0]).decode() for _ in range(2))
            login = f"{user}:{password}"
            client.sendall(b"\x01\x00")
        match heard.read(4)[3]:
            case 1:
                host = socket.inet_ntoa(heard.read(4))
            case 4:
                host = socket.inet_ntop(socket.AF_INET6, heard.read(16))
            case _:
                host = heard.read(heard.read(1)[0]).decode()
        return host, int.from_bytes(heard.read(2), "big"), login


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def connect_proxy(tls: ssl.SSLContext | None = None) -> Iterator[ConnectProxy]:
    running = ConnectProxy(tls, {})
    try:
        yield running
    finally:
        running.close()


@contextmanager
def socks_proxy(names: Mapping[str, str] | None = None) -> Iterator[SocksProxy]:
    running = SocksProxy(None, names or {})
    try:
        yield running
    finally:
        running.close()
