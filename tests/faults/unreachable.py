"""The fault wall, its foot: addresses at which nobody can be reached, as `base-url`s without a path."""

import socket
import ssl
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from threading import Thread

import trustme


@contextmanager
def accepting(then: Callable[[socket.socket], object]) -> Iterator[str]:
    """A port each of whose connections gets this treatment."""

    def treat(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            then(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                Thread(target=treat, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepts = Thread(target=accept, daemon=True)
        accepts.start()
        yield f"https://localhost:{listener.getsockname()[1]}"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        accepts.join(20)


@contextmanager
def refusing() -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


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
        yield f"http://127.0.0.1:{address[1]}"
        for each in waiting:
            each.close()


@contextmanager
def no_such_name() -> Iterator[str]:
    yield "http://nobody.invalid"


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


UNREACHABLE: Mapping[str, Callable[[], AbstractContextManager[str]]] = {
    "6 not accepted": full,
    "6 silent in the TLS handshake": partial(accepting, silent),
    "5 refused": refusing,
    "5 reset in the TLS handshake": partial(accepting, reset),
    "13 not TLS": partial(accepting, not_tls),
    "13 a certificate nobody knows": partial(accepting, unknown_certificate),
    "16 a name that nobody has": no_such_name,
}
"""Those that take time come first."""
