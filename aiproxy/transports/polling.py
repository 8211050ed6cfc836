"""One turn of Twisted's epoll reactor, without the log context around each event.

Twisted calls every reader and writer inside a context that names it to the old log, which nothing of ours reads; a stream's event
is so short that this is a good part of it. Everything else, errors included, is the reactor's own."""

from functools import partial
from typing import Any

from twisted.internet.epollreactor import EPollReactor


def poll_lightly(reactor: Any) -> None:
    """Have it poll so from now on; a reactor that isn't Twisted's epoll one stays as it is."""
    if type(reactor) is EPollReactor:
        setattr(reactor, "doIteration", partial(_poll, reactor))  # noqa: B010 # a method, for mypy


def _poll(reactor: Any, timeout: float | None) -> None:
    selectables, act = reactor._selectables, reactor._doReadOrWrite  # noqa: SLF001 # as its own doPoll does
    try:
        events = reactor._poller.poll(-1 if timeout is None else timeout, len(selectables))  # noqa: SLF001
    except InterruptedError:
        return
    for fd, event in events:
        selectable = selectables.get(fd)
        if selectable is not None:
            act(selectable, fd, event)
