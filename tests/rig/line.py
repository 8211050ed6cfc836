"""A TCP line to a server, at a free port of this machine, that a test can cut, hold, and mend."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread

READ_BYTES = 65536

Address = tuple[str, int] | str
"""Host and port, or a Unix socket's path."""


class Line:
    """`port` is where it begins. `cut` closes what is open and refuses what comes; `hold` lets nothing through."""

    def __init__(self, target: Address) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._whole = True
        self._flowing = Event()
        self._flowing.set()
        self._open: list[socket.socket] = []
        self._lock = Lock()
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole = False
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def hold(self) -> None:
        self._flowing.clear()

    def mend(self) -> None:
        self._whole = True
        self._flowing.set()

    def close(self) -> None:
        self.cut()
        self._flowing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._whole:
                near.close()
                continue
            far = socket.socket(socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET)
            try:
                far.connect(self._target)
            except OSError:
                near.close()
                far.close()
                continue
            for each in (near, far):
                if each.family == socket.AF_INET:
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open += (near, far)
            for source, sink in ((near, far), (far, near)):
                Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(READ_BYTES):
                self._flowing.wait()
                sink.sendall(data)
        for each in (sink, source):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()


@contextmanager
def line(target: Address) -> Iterator[Line]:
    opened = Line(target)
    try:
        yield opened
    finally:
        opened.close()
