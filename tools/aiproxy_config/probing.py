"""One blocking GET at an upstream, by its proxy as the gateway would go, with what stands in the way put into words."""

import http.client
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from aiproxy.transports.addresses import Proxy, ProxyKind, Target, parse_proxy, parse_target
from aiproxy.transports.handshakes import HttpConnect, ProxyRefused, Socks5

PATIENCE_SECONDS = 10.0
"""Longest wait for a connection, and for each read: people look on."""

LIST_BYTES = 4 << 20
"""Most bytes of an answer that are read; the largest list of models known has half a megabyte."""


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
        if proxy:
            pipe = _through(pipe, proxy, target)
        return ssl.create_default_context().wrap_socket(pipe, server_hostname=target.host) if target.secure else pipe
    except BaseException:
        pipe.close()
        raise


def _through(pipe: socket.socket, proxy: Proxy, target: Target) -> socket.socket:
    if proxy.kind is ProxyKind.HTTPS:
        if target.secure:
            raise Unreachable("the way is TLS within TLS, by an https proxy, which only the gateway itself can go")
        pipe = ssl.create_default_context().wrap_socket(pipe, server_hostname=proxy.host)
    host = target.host if proxy.kind is not ProxyKind.SOCKS5 else socket.gethostbyname(target.host)
    kind = HttpConnect if proxy.kind in (ProxyKind.HTTP, ProxyKind.HTTPS) else Socks5
    handshake = kind(proxy, host, target.port)
    pipe.sendall(handshake.start())
    while not handshake.done:
        heard = pipe.recv(4096)
        if not heard:
            raise ProxyRefused("it hung up")
        if said := handshake.receive(heard):
            pipe.sendall(said)
    return pipe
