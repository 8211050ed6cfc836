"""Documents as files of this machine: the configuration's own file and one JSON file a credential in `auth-dir`.

A writer holds a lock, compares, and replaces by rename, everything synced: after a crash a file is the old or the new one.
Editors take no lock; what one of them writes between our comparison and our rename, microseconds apart, is lost.
"""

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Event

from aiproxy.storage.documents import CONFIGURATION, CREDENTIALS, check, check_body, check_name, digest, largest
from aiproxy.storage.store import Change, Condition, Conflict, Contents, Entry, Unacceptable, Unavailable

POLL_SECONDS = 1.0
"""How often files are looked at, whatever inotify says: a stat costs microseconds, and people wait for a reload."""

POLL_SHARE = 0.02
"""Of one core: looks at ten thousand files, some 50 ms each, come less often."""

TICK_NS = 100_000_000
"""A file this young may change again without its time of change telling: kernels count it in ticks of up to 10 ms."""

_LOCK = ".aiproxy.lock"
_UNFINISHED = ".aiproxy-new-"

Signature = tuple[int, int, int]
"""Inode, size and time of change: what differs after any write."""


class FileStore:
    """A `Store`. `configuration` is the file of that document, None when there is none to keep."""

    def __init__(self, configuration: Path | None, credentials: Path) -> None:
        self._configuration = configuration
        self._credentials = credentials
        self._known: dict[str, tuple[Signature, Entry]] = {}
        self._seen: frozenset[tuple[str, int, int, int]] | None = None
        """By who loaded, or began to watch."""
        self._cleared: set[Path] = set()
        """Directories that no longer hold what a killed writer left."""

    # -- reading

    def load(self) -> Contents:
        entries: dict[str, Entry] = {}
        refused: dict[str, str] = {}
        known_now: dict[str, tuple[Signature, Entry]] = {}
        self._seen = self._looked()
        for name, path in self._present():
            try:
                signature = self._signature(path, name)
                check_name(name)
                known = self._known.get(name)
                if known is None or known[0] != signature:
                    body = self._read(path, name)
                    check_body(name, body)
                    known = (signature, Entry(body, digest(body)))
            except FileNotFoundError:
                if path.is_symlink():
                    refused[name] = "is a symbolic link to nothing"
            except Unacceptable as unacceptable:
                refused[name] = unacceptable.why
            except OSError as error:
                refused[name] = f"can't be read: {error.strerror}"
            else:
                entries[name] = known[1]
                if time.time_ns() - known[0][2] > TICK_NS:
                    known_now[name] = known
        self._known = known_now
        return Contents(entries, refused)

    def _present(self) -> Iterator[tuple[str, Path]]:
        if self._configuration is not None and self._configuration.exists():
            yield CONFIGURATION, self._configuration
        for directory, below, files in os.walk(self._credentials):
            below[:] = [each for each in below if not each.startswith(".")]
            linked = [
                each for each in below if os.path.islink(os.path.join(directory, each))
            ]  # not gone into: to be named
            for file in (*linked, *(each for each in files if each.endswith(".json") and not each.startswith("."))):
                path = Path(directory, file)
                yield CREDENTIALS + path.relative_to(self._credentials).as_posix(), path

    def _signature(self, path: Path, name: str) -> Signature:
        if path.is_symlink():
            self._real(path, name)
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            raise Unacceptable(name, "is a symbolic link to a directory: only links to files are followed")
        if not stat.S_ISREG(found.st_mode):
            raise Unacceptable(name, "is not a file")
        if found.st_size > largest(name):
            raise Unacceptable(name, f"is larger than {largest(name) // 1024} KiB")
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _read(self, path: Path, name: str) -> bytes:
        with open(path, "rb") as file:
            return file.read(largest(name) + 1)

    def _path(self, name: str) -> Path:
        """Where a document is, or would be. Raises `Unacceptable`."""
        check_name(name)
        if name != CONFIGURATION:
            return self._real(self._credentials / name.removeprefix(CREDENTIALS), name)
        if self._configuration is None:
            raise Unacceptable(name, "has no file here: name one with --config")
        return self._configuration.resolve()

    def _real(self, path: Path, name: str) -> Path:
        """The file behind links (Kubernetes mounts are made of them), as long as these stay inside the directory."""
        if name == CONFIGURATION:
            return path
        real = path.resolve()
        if not real.is_relative_to(self._credentials.resolve()):
            raise Unacceptable(name, f"is a symbolic link that leads out of {self._credentials}")
        return real

    # -- writing

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:  # noqa: ARG002 - files keep no history
        check(name, body)
        path = self._path(name)
        with self._writing(path):
            if self._version(path, name) != expected:
                raise Conflict(name)
            _replace(path, body)
        return digest(body)

    def delete(self, name: str, expected: str, change: Change) -> None:  # noqa: ARG002 - files keep no history
        path = self._path(name)
        with self._writing(path):
            if self._version(path, name) != expected:
                raise Conflict(name)
            path.unlink()
            _sync_directory(path.parent)

    def _version(self, path: Path, name: str) -> str | None:
        try:
            return digest(self._read(path, name))
        except FileNotFoundError:
            return None

    @contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        """Alone among aiproxy's processes, for the documents beside this one."""
        try:
            if path.is_relative_to(self._credentials.resolve()):
                self._credentials.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path.parent / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if path.parent not in self._cleared:
                    _clear_unfinished(path.parent)
                    self._cleared.add(path.parent)
                yield
            finally:
                os.close(lock)
        except OSError as error:
            raise Unavailable(f"{path} can't be written: {error.strerror}.") from error

    # -- the rest

    def past(self, name: str, most: int, most_bytes: int) -> None:  # noqa: ARG002 - files keep no history
        return None

    def sync(self) -> bool:
        return False

    def watch(self, changed: Callable[[], None], stop: Event) -> None:
        """A look at all files, again and again. What was loaded is no news; all that changed since then is."""
        if self._seen is None:
            self._seen = self._looked()
        took = 0.0
        while not stop.wait(max(POLL_SECONDS, took / POLL_SHARE)):
            began = time.perf_counter()
            now = self._looked()
            took = time.perf_counter() - began
            if now != self._seen:
                self._seen = now
                changed()

    def _looked(self) -> frozenset[tuple[str, int, int, int]]:
        """Differs after any change."""
        found = set()
        for name, path in self._present():
            with suppress(OSError):
                at = os.stat(path)
                found.add((name, at.st_ino, at.st_size, at.st_mtime_ns))
        return frozenset(found)

    def condition(self) -> Condition:
        return Condition(f"file:{self._credentials}")

    def close(self) -> None:
        """Nothing is held open."""


def _replace(path: Path, body: bytes) -> None:
    """A reader sees the old or the new, also after a crash. Modes: 0600, or a configuration's own."""
    unfinished = path.parent / f"{_UNFINISHED}{token_hex(8)}"
    before = _stat(path)
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(file, "wb") as stream:
            owner = before or os.stat(path.parent)
            if os.geteuid() == 0:  # the tool, run by root, leaves the gateway's files to the gateway's user
                os.fchown(stream.fileno(), owner.st_uid, owner.st_gid)
            if before is not None and path.suffix != ".json":
                os.fchmod(stream.fileno(), stat.S_IMODE(before.st_mode))
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    _sync_directory(path.parent)


def _clear_unfinished(directory: Path) -> None:
    """What a killed writer left; whoever holds the lock knows that no other is at work."""
    for left in directory.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            left.unlink()


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _sync_directory(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
