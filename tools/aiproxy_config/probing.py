"""One blocking GET at an upstream, by its proxy as the gateway would go, with what stands in the way put into words."""

import http.client
import select
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from threading import Thread
from typing import NamedTuple

from aiproxy.transports.addresses import Proxy, ProxyKind, Target, parse_proxy, parse_target
from aiproxy.transports.handshakes import HttpConnect, ProxyRefused, Socks5

PATIENCE_SECONDS = 10.0
"""Longest wait for a connection, and for each read: people look on."""

LIST_BYTES = 4 << 20
"""Most bytes of an answer that are read; the largest list of models known has half a megabyte."""


CHUNK_BYTES = 65536


class Unreachable(Exception):
    """Nobody answers there."""


class Untrusted(Exception):
    """Somebody answers whose certificate doesn't say that it is the upstream."""


class Answer(NamedTuple):
    """`date` is the upstream's clock, "" where it doesn't say."""

    status: int
    body: bytes
    date: str


def ask(url: str, headers: Mapping[str, str], proxy_url: str) -> Answer:
    """Raises `Unreachable` and `Untrusted`, whose texts end a sentence and hold no secret."""
    target = parse_target(url)
    connection = http.client.HTTPConnection(target.host, target.port)
    try:
        connection.sock = _connected(target, parse_proxy(proxy_url) if proxy_url else None)
        connection.request("GET", target.path.decode(), headers={"host": target.host_header, **headers})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(LIST_BYTES), answer.headers.get("date") or "")
    except ssl.SSLCertVerificationError as error:
        raise Untrusted(f"its certificate can't be trusted: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise Untrusted(f"no TLS can be agreed on ({(error.reason or 'unknown reason').lower()})") from error
    except TimeoutError as error:
        raise Unreachable(f"no answer within {PATIENCE_SECONDS:g} seconds") from error
    except ProxyRefused as error:
        raise Unreachable(f"its proxy refuses: {error}") from error
    except socket.gaierror as error:
        raise Unreachable("its host's name, or its proxy's, has no address") from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable((getattr(error, "strerror", None) or type(error).__name__).lower()) from error
    finally:
        connection.close()


def _connected(target: Target, proxy: Proxy | None) -> socket.socket:
    host, port = (proxy.host, proxy.port) if proxy else (target.host, target.port)
    pipe = socket.create_connection((host, port), PATIENCE_SECONDS)
    try:
        if proxy and proxy.kind is ProxyKind.HTTPS:
            pipe = ssl.create_default_context().wrap_socket(pipe, server_hostname=proxy.host)
        if proxy:
            _ask_through(pipe, proxy, target)
        if target.secure:
            inner = _plain(pipe) if isinstance(pipe, ssl.SSLSocket) else pipe
            pipe = ssl.create_default_context().wrap_socket(inner, server_hostname=target.host)
    except BaseException:
        pipe.close()
        raise
    return pipe


def _ask_through(pipe: socket.socket, proxy: Proxy, target: Target) -> None:
    host = target.host
    if proxy.kind is ProxyKind.SOCKS5:  # the name is looked up here, not there
        host = str(socket.getaddrinfo(host, target.port, type=socket.SOCK_STREAM)[0][4][0])
    kind = HttpConnect if proxy.kind in (ProxyKind.HTTP, ProxyKind.HTTPS) else Socks5
    handshake = kind(proxy, host, target.port)
    pipe.sendall(handshake.start())
    while not handshake.done:
        heard = pipe.recv(4096)
        if not heard:
            raise ProxyRefused("it hung up")
        if said := handshake.receive(heard):
            pipe.sendall(said)


def _plain(tls: ssl.SSLSocket) -> socket.socket:
    """A socket whose bytes go through this one: `ssl` lays TLS over sockets, not over TLS."""
    near, far = socket.socketpair()
    near.settimeout(PATIENCE_SECONDS)
    Thread(target=_pass_on, args=(tls, far), daemon=True).start()
    return near


def _pass_on(tls: ssl.SSLSocket, plain: socket.socket) -> None:
    """In both directions, until either side ends."""
    with tls, plain, suppress(OSError):
        while True:
            ready, _, _ = ([tls], (), ()) if tls.pending() else select.select([tls, plain], (), ())
            if plain in ready:
                if not (said := plain.recv(CHUNK_BYTES)):
                    return
                tls.settimeout(PATIENCE_SECONDS)
                tls.sendall(said)
            if tls in ready:
                tls.settimeout(0)
                with suppress(ssl.SSLWantReadError):  # TLS's own business: a session's ticket
                    if not (heard := tls.recv(CHUNK_BYTES)):
                        return
                    plain.sendall(heard)
