"""Threads of our own for what blocks, so that a slow disk or server never takes one that others (DNS) need."""

from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

T = TypeVar("T")


class OneThread:
    """Does one thing after the other. One that hangs doesn't keep the process from ending."""

    def __init__(self, reactor: Any, name: str) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(1, 1, name)
        self._pool.threadFactory = _Daemon

    def start(self) -> None:
        self._pool.start()

    def run(self, do: Callable[..., T], *arguments: Any, **named: Any) -> Deferred[T]:
        return deferToThreadPool(self._reactor, self._pool, do, *arguments, **named)

    def stop(self) -> None:
        """For one that has nothing to do any more."""
        self._pool.stop()


class _Daemon(Thread):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, daemon=True, **named)
