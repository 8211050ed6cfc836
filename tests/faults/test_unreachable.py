"""The fault wall, its foot: an upstream that can't even be reached. The other account answers."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trustme

from tests.faults.test_wall import ask, configuration
from tests.rig.daemon import daemon
from tests.rig.upstream import Upstream, says, upstream


@pytest.fixture(scope="module")
def good() -> Iterator[Upstream]:
    with upstream(says("from", " the", " second")) as running:
        yield running


@contextmanager
def tls(then: Callable[[socket.socket], object]) -> Iterator[str]:
    """A port whose one connection gets this treatment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    then(connection)

        serving = threading.Thread(target=serve)
        serving.start()
        yield f"https://localhost:{listener.getsockname()[1]}/v1"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        serving.join(20)


@contextmanager
def refusing() -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def full() -> Iterator[str]:
    """A listener that takes no one: its queue is full, and what comes is left waiting."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}/v1"
        for each in waiting:
            each.close()


@contextmanager
def no_such_name() -> Iterator[str]:
    yield "http://nobody.invalid/v1"


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def reset(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def not_tls(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def unknown_certificate(connection: socket.socket) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with context.wrap_socket(connection, server_side=True) as secured:
        secured.recv(1)


UNREACHABLE: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "5 refused": refusing,
    "5 reset in the TLS handshake": partial(tls, reset),
    "6 not accepted": full,
    "6 silent in the TLS handshake": partial(tls, silent),
    "13 not TLS": partial(tls, not_tls),
    "13 a certificate nobody knows": partial(tls, unknown_certificate),
    "16 a name that nobody has": no_such_name,
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_who_cannot_be_reached_is_replaced(name: str, good: Upstream, tmp_path: Path) -> None:
    with UNREACHABLE[name]() as address, daemon(tmp_path, configuration(address, good.base_url)) as gateway:
        told = ask(gateway)
        assert (told.text, told.error) == ("from the second", None)
