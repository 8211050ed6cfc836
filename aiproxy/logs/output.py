"""Where lines go: a stream, or a file that is rotated by its size. Writing never raises: a log that can't be written must not
stop the traffic it tells of."""

import contextlib
import os
import threading
from typing import Protocol, TextIO

KEPT = 4
"""Rotated predecessors (`.1` is the youngest): a rotation then forgets at most a fifth of the history."""


class Output(Protocol):
    def write(self, line: str) -> None: ...

    def reopen(self) -> None:
        """After somebody else moved the file (logrotate). Raises OSError, and then goes on with the old one."""

    def close(self) -> None: ...


class StreamOutput:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # gone, or closed; and no better place to say so
            self._stream.write(line)
            self._stream.flush()

    def reopen(self) -> None:
        pass

    def close(self) -> None:
        pass


class FileOutput:
    """A file of mode 0600. With its predecessors it stays under `most_bytes`. A line it can't take goes to `spare`."""

    def __init__(self, path: str, most_bytes: int, spare: Output) -> None:
        self._path = path
        self._most = most_bytes // (KEPT + 1)
        self._spare = spare
        self._lock = threading.Lock()  # Twisted logs from threads, too
        self._fd = -1
        self._size = 0
        self._open()

    def write(self, line: str) -> None:
        data = line.encode("utf-8", "backslashreplace")
        with self._lock:
            try:
                if self._size and self._size + len(data) > self._most:
                    self._rotate()
                self._size += os.write(self._fd, data)
            except OSError:
                self._spare.write(line)

    def reopen(self) -> None:
        with self._lock:
            self._open()

    def close(self) -> None:
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def _open(self) -> None:
        opened = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._size = opened, os.fstat(opened).st_size

    def _rotate(self) -> None:
        for place in range(KEPT, 0, -1):
            older = self._path if place == 1 else f"{self._path}.{place - 1}"
            with contextlib.suppress(FileNotFoundError):
                os.replace(older, f"{self._path}.{place}")
        self._open()
