"""A worker as its supervisor sees it: one that it has started, or one that the former image of its process has."""

import os
import signal
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.process import registerReapProcessHandler, unregisterReapProcessHandler
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.succession import LeftWorker
from aiproxy.worker import LIFELINE

_log = Logger("aiproxy.supervisor")


class WorkerProcess(ProcessProtocol):
    """One worker. `ready` fires when it serves, `gone` when it has ended."""

    transport: Any

    def __init__(self, number: int, started: float) -> None:
        self.number, self.started = number, started
        self.born = 0
        """The process's id, also after its end."""
        self.ready: Deferred[None] = Deferred()
        self.gone: Deferred[None] = Deferred()

    @property
    def pid(self) -> int | None:
        """None before its start and after its end."""
        return self.transport.pid if self.transport is not None else None

    def left(self, now: float) -> LeftWorker | None:
        """For the next image; None where it has ended."""
        if self.pid is None or LIFELINE not in self.transport.pipes:
            return None
        return LeftWorker(self.pid, self.transport.pipes[LIFELINE].fileno(), now - self.started)

    def connectionMade(self) -> None:
        self.born = self.pid or 0

    def signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            self.transport.signalProcess(int(number))

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N803, ARG002 # Twisted's signature
        if not self.ready.called:
            self.ready.callback(None)

    def processEnded(self, reason: Failure) -> None:
        _log.info("worker {number} ended: {why}", number=self.number, why=reason.getErrorMessage())
        self.gone.callback(None)


def adopted(number: int, left: LeftWorker, now: float) -> WorkerProcess:
    """One that serves already, as far as anybody knows."""
    worker = WorkerProcess(number, now - left.age)
    worker.ready.callback(None)
    _Inherited(left).connect(worker)
    return worker


class _Inherited:
    """A child that Twisted didn't start: what `WorkerProcess` and the reactor's reaper ask of a process."""

    def __init__(self, left: LeftWorker) -> None:
        self.pid: int | None = left.pid
        self.pipes = {LIFELINE: _Held(left.lifeline)}

    def connect(self, worker: WorkerProcess) -> None:
        self._worker = worker
        worker.makeConnection(self)
        registerReapProcessHandler(self.pid, self)

    def signalProcess(self, number: int) -> None:
        assert self.pid is not None
        os.kill(self.pid, number)  # one that has ended is there until we ask for its status

    def reapProcess(self) -> None:
        assert self.pid is not None
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            unregisterReapProcessHandler(self.pid, self)
            self.processEnded(status)

    def processEnded(self, status: int) -> None:
        self.pid = None
        os.close(self.pipes.pop(LIFELINE).fileno())
        code = os.waitstatus_to_exitcode(status)
        how = ProcessDone(status) if code == 0 else ProcessTerminated(max(code, 0), -code if code < 0 else None, status)
        self._worker.processEnded(Failure(how))


class _Held:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor
