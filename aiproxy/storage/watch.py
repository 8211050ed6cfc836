"""Noticing changes, for the daemon: files by inotify and a look now and then, remote stores by a thread that waits for them."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event, Thread
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python._inotify import INotifyError

from aiproxy.storage.file import POLL_SECONDS
from aiproxy.storage.store import Store

SETTLE_SECONDS = 0.1
"""How long it must be quiet after a change: editors write a file in several steps."""

Signature = tuple[int, int, int] | None
"""Inode, size and time of change; None for a file that isn't there."""

_log = Logger("aiproxy.storage")


class FileWatch:
    """Calls `changed` when one of the files it follows changes, however an editor or a mount does that.

    Inotify tells at once. It says nothing about links that lead elsewhere, network file systems, or when its limits are
    reached: a look once a second at these few files finds the rest."""

    def __init__(self, reactor: Any, changed: Callable[[], object]) -> None:
        self._reactor = reactor
        self._changed = changed
        self._seen: dict[Path, Signature] = {}
        self._settling: IDelayedCall | None = None
        self._poll = LoopingCall(self._look)
        self._poll.clock = reactor
        self._events: Any = None
        self._directories: set[Path] = set()

    def start(self) -> None:
        """After a daemon has left its terminal."""
        self._events = _inotify(self._reactor)
        self._poll.start(POLL_SECONDS, now=False)

    def mark(self) -> None:
        """What is there now is known: whoever reads it does so after this."""
        self._seen = {path: _signature(path) for path in self._seen}

    def follow(self, paths: Iterable[Path]) -> None:
        """These from now on. What was followed already keeps its mark."""
        self._seen = {path: self._seen[path] if path in self._seen else _signature(path) for path in paths}
        wanted = {path if path.is_dir() else path.parent for path in self._seen}
        for directory in wanted - self._directories:
            self._listen_to(directory)

    def stop(self) -> None:
        if self._poll.running:
            self._poll.stop()
        if self._settling is not None and self._settling.active():
            self._settling.cancel()
        if self._events is not None:
            self._events.loseConnection()

    def _listen_to(self, directory: Path) -> None:
        if self._events is None:
            return
        from twisted.internet import inotify
        from twisted.python.filepath import FilePath

        interesting = (
            inotify.IN_CHANGED | inotify.IN_CREATE | inotify.IN_DELETE | inotify.IN_MOVED_TO | inotify.IN_MOVED_FROM
        )
        try:
            self._events.watch(FilePath(os.fsencode(directory)), interesting, callbacks=[self._happened])
        except (INotifyError, OSError):
            return
        self._directories.add(directory)

    def _happened(self, _watch: object, _path: object, _mask: int) -> None:
        if self._settling is not None and self._settling.active():
            self._settling.reset(SETTLE_SECONDS)
        else:
            self._settling = self._reactor.callLater(SETTLE_SECONDS, self._look)

    def _look(self) -> None:
        if any(_signature(path) != seen for path, seen in self._seen.items()):
            self.mark()
            self._changed()


def _signature(path: Path) -> Signature:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _inotify(reactor: Any) -> Any:
    """None where the system has none, or no more to give."""
    try:
        from twisted.internet.inotify import INotify

        events = INotify(reactor)
        events.startReading()
    except (ImportError, AttributeError, NotImplementedError, OSError, INotifyError):
        _log.info("inotify can't be had here: files are looked at once a second")
        return None
    return events


class StoreWatch:
    """A thread in which a store waits for changes by others. It closes the store when it ends."""

    def __init__(self, reactor: Any, store: Store, changed: Callable[[], object]) -> None:
        self._reactor = reactor
        self._store = store
        self._changed = changed
        self._stop = Event()

    def start(self) -> None:
        Thread(target=self._run, name="aiproxy-store", daemon=True).start()

    def _run(self) -> None:
        try:
            self._store.watch(self._tell, self._stop)
        except Exception:  # noqa: BLE001 - in a thread of its own there is no one to raise it to
            _log.failure("changes in the store are no longer noticed")
        finally:
            self._store.close()

    def _tell(self) -> None:
        if not self._stop.is_set():
            self._reactor.callFromThread(self._changed)

    def stop(self) -> None:
        """It ends after what it is at, a request that hangs for one; nothing waits for it."""
        self._stop.set()
