"""What a worker process knows of its supervisor: the listening socket it shares, how to say that it serves, and how to see that
nobody supervises it any more."""

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

VARIABLE = "AIPROXY_WORKER"
"""What the supervisor leaves in a worker's environment: the path of the bus's socket."""

SESSION_KEY = "AIPROXY_SESSION_KEY"
"""Beside it: what browsers' sessions are signed with, so that each worker knows those of the others."""

NUMBER = "AIPROXY_WORKER_NUMBER"

SERVES_METRICS = "AIPROXY_WORKER_METRICS"
"""There is one more descriptor, `METRICS`."""

LISTENING, READY, LIFELINE, METRICS = 3, 4, 5, 6
"""The descriptors a worker is born with: the listening socket; a pipe to say `ready` in; one whose end is the supervisor's;
the listening socket of `metrics.port`."""


@dataclass(frozen=True, slots=True)
class Worker:
    bus: str
    number: int = 0
    """Which of them it is, from 1; a successor has its predecessor's."""
    serves_metrics: bool = False

    @property
    def directory(self) -> str:
        """The supervisor's, for what its workers share."""
        return os.path.dirname(self.bus)

    def family(self, listening: int) -> socket.AddressFamily:
        """Of a listening socket."""
        with socket.socket(fileno=os.dup(listening)) as shared:
            return shared.family

    def begin(self, reactor: Any, orphaned: Callable[[], None]) -> None:
        """Leave the terminal's signals to the supervisor, and call `orphaned` if it dies."""
        os.setpgid(0, 0)
        reactor.addReader(_Lifeline(orphaned))

    def serves(self) -> None:
        with suppress(BrokenPipeError):  # a supervisor that became another image has not waited for it
            os.write(READY, b"ready\n")
        os.close(READY)


@implementer(IReadDescriptor)
class _Lifeline:
    """Nothing is ever said in it; the reactor notices its end."""

    def __init__(self, orphaned: Callable[[], None]) -> None:
        self._orphaned = orphaned

    def fileno(self) -> int:
        return LIFELINE

    def logPrefix(self) -> str:
        return "supervisor"

    def doRead(self) -> Exception:  # type: ignore[override] # an exception, as its words say
        return ConnectionDone()

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 # Twisted's signature
        self._orphaned()


def worker_of(environ: Mapping[str, str]) -> Worker | None:
    """None for a process that nobody supervises."""
    if VARIABLE not in environ:
        return None
    return Worker(environ[VARIABLE], int(environ.get(NUMBER, "0")), SERVES_METRICS in environ)
