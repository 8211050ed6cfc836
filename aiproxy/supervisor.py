"""The parent of several workers: it holds the listening socket, which all of them share, and serves nothing itself.

A worker that ends is replaced, after a pause that doubles while they keep ending early. HUP goes on to all. TERM and INT stop all
after a drain, a second one at once. USR2 brings what is installed now: first to this process, which executes it in its own place (see
`succession`) once another one has shown that it starts; then, by the new code, to every worker, one after the other: the old one stops
accepting when its successor serves, and ends when its answers are finished. The sockets stay open all the time, so nobody is refused.
"""

import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_hex
from tempfile import mkdtemp
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger

from aiproxy import __version__
from aiproxy.config.listening_rules import interface_of
from aiproxy.rehearsal import rehearsed
from aiproxy.storage.bus.amp import AmpHub
from aiproxy.succession import LeftSlot, Succession, hold_signals, leave, release_signals
from aiproxy.web.listening import BACKLOG
from aiproxy.web.together import Together
from aiproxy.worker import LIFELINE, LISTENING, METRICS, NUMBER, READY, SERVES_METRICS, SESSION_KEY, VARIABLE
from aiproxy.worker_process import WorkerProcess, adopted

FIRST_PAUSE = 1.0
"""Seconds before a worker that ended is replaced; each time one ends early the next pause is twice as long."""

LONGEST_PAUSE = 30.0

EARLY = 60.0
"""Seconds. A worker that lived longer was sound, and its successor starts without delay."""

SERVES_WITHIN = 60.0
"""Seconds for a successor to serve; a start takes one. One that hangs is killed, so that another upgrade can be asked for."""

_log = Logger("aiproxy.supervisor")


@dataclass(slots=True)
class Slot:
    """A place for one worker; `pause` is the one before the next start, which `restart` is."""

    number: int
    worker: WorkerProcess | None = None
    pause: float = FIRST_PAUSE
    restart: IDelayedCall | None = None
    predecessors: list[WorkerProcess] = field(default_factory=list)
    """Those that are finishing their answers."""


class Supervisor(Service):
    """`arguments` are the workers' command line; `serving` is told the port once all of them serve for the first time;
    `cannot_start` is raised with one sentence when there is nothing to listen on; `pidfile` is removed at the end, if it is ours to
    remove; `left` is what a former image of this process has left, and `become` turns us into the next one."""

    name = "aiproxy"

    def __init__(
        self,
        *,
        reactor: Any,
        count: int,
        address: tuple[str, int],
        metrics: tuple[str, int] | None,
        arguments: Sequence[str],
        serving: Callable[[int], object],
        cannot_start: type[BaseException] = SystemExit,
        pidfile: str = "",
        left: Succession | None = None,
        become: Callable[[Sequence[str], Succession, MutableMapping[str, str]], object] = leave,
    ) -> None:
        self._reactor = reactor
        self._address, self._metrics = address, metrics
        self._arguments = arguments
        self._serving = serving
        self._cannot_start = cannot_start
        self._pidfile = pidfile
        self._left = left
        self._become = become
        self._slots = [Slot(number) for number in range(1, count + 1)]
        self._port: Any = None
        self._metrics_port: Any = None
        self._stopping = self._upgrading = self._replacing = self._asked_to_end = False

    def privilegedStartService(self) -> None:
        """Open the listener, before privileges are dropped. Nothing is accepted here: that is the workers'."""
        if self._left is not None:
            self._port = self._adopt(self._left.listening)
            self._metrics_port = self._adopt(self._left.metrics) if self._left.metrics is not None else None
            return
        self._port = self._listen(*self._address)
        if self._metrics is not None:
            self._metrics_port = self._listen(*self._metrics)

    def _listen(self, host: str, port: int) -> Any:
        try:
            listening = self._reactor.listenTCP(port, Factory(), BACKLOG, interface_of(host))
        except CannotListenError as error:
            told = f"aiproxy: cannot listen on {host or '*'}:{port}: {error.socketError}. Is another one running?"
            raise self._cannot_start(told) from None
        listening.stopReading()
        return listening

    def _adopt(self, descriptor: int) -> Any:
        with socket.socket(fileno=descriptor) as inherited:
            listening = self._reactor.adoptStreamPort(descriptor, inherited.family, Factory())
        listening.stopReading()
        return listening

    def startService(self) -> None:
        super().startService()
        self._directory = self._left.directory if self._left is not None else mkdtemp(prefix="aiproxy-")
        self._bus = os.path.join(self._directory, "bus")
        self._session_key = self._left.session_key if self._left is not None else token_hex(32)
        self._hub = AmpHub(self._reactor, self._bus)
        self._hub.start()
        self._reactor.callWhenRunning(self._take_signals)
        if self._left is not None:
            self._reactor.callWhenRunning(self._take_over, self._left)
            return
        for slot in self._slots:
            self._start(slot)
        ready = [slot.worker.ready for slot in self._slots if slot.worker is not None]
        DeferredList(ready).addCallback(lambda _: self._serving(self.port))

    @property
    def port(self) -> int:
        assert self._port is not None
        return int(self._port.getHost().port)

    @property
    def pids(self) -> list[int]:
        """Of the workers that serve."""
        return [slot.worker.pid for slot in self._slots if slot.worker is not None and slot.worker.pid is not None]

    # -- workers

    def _start(self, slot: Slot) -> WorkerProcess:
        slot.restart = None
        worker = slot.worker = WorkerProcess(slot.number, self._reactor.seconds())
        self._watch(slot, worker)
        assert self._port is not None
        descriptors = {0: 0, 1: 1, 2: 2, LISTENING: self._port.fileno(), READY: "r", LIFELINE: "w"}
        environ = {**os.environ, VARIABLE: self._bus, SESSION_KEY: self._session_key, NUMBER: str(slot.number)}
        if self._metrics_port is not None:
            descriptors[METRICS], environ[SERVES_METRICS] = self._metrics_port.fileno(), "1"
        self._reactor.spawnProcess(
            worker,
            sys.executable,
            [sys.executable, "-m", "aiproxy", *self._arguments],
            env=environ,
            childFDs=descriptors,
        )
        return worker

    def _watch(self, slot: Slot, worker: WorkerProcess) -> None:
        worker.gone.addCallback(lambda _: self._ended(slot, worker))

    def _ended(self, slot: Slot, worker: WorkerProcess) -> None:
        if not self._stopping:
            Together(self._directory, str(worker.born)).end()
        if worker in slot.predecessors:
            slot.predecessors.remove(worker)
        if slot.worker is not worker:
            return
        slot.worker = None
        if self._stopping:
            return
        early = self._reactor.seconds() - worker.started < EARLY
        pause = slot.pause if early else 0.0
        slot.pause = min(2 * slot.pause, LONGEST_PAUSE) if early else FIRST_PAUSE
        _log.warn("worker {number} is started again in {pause:g} s", number=slot.number, pause=pause)
        slot.restart = self._reactor.callLater(pause, self._start, slot)

    # -- signals

    def _take_signals(self) -> None:
        def from_signal(do: Callable[[], object]) -> Callable[[int, object], None]:
            return lambda _number, _frame: self._reactor.callFromThread(do)

        signal.signal(signal.SIGHUP, from_signal(lambda: self._tell(signal.SIGHUP)))
        signal.signal(signal.SIGUSR2, from_signal(self._asked_to_upgrade))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, from_signal(self._asked_to_stop))
        release_signals()

    def _tell(self, number: signal.Signals) -> None:
        for slot in self._slots:
            for worker in (slot.worker, *slot.predecessors):
                if worker is not None:
                    worker.signal(number)

    # -- upgrades

    def _asked_to_upgrade(self) -> None:
        Deferred.fromCoroutine(self.upgrade()).addErrback(
            lambda failure: _log.failure("what is installed now could not be brought in", failure)
        )

    async def upgrade(self) -> None:
        """Go on as what is installed now, which replaces the workers. Where it doesn't start, everything stays as it is."""
        if self._upgrading or self._replacing or self._stopping:
            return
        self._upgrading = True
        try:
            command = [sys.executable, "-m", "aiproxy", *self._arguments, f"--workers={len(self._slots)}"]
            if await rehearsed(self._reactor, command, self._succession(), SERVES_WITHIN):
                await self._go_on_as(command)
            else:
                _log.error(
                    "what is installed now doesn't start (why stands above); this process and its workers stay as they are: "
                    "mend it, and send SIGUSR2 again"
                )
        finally:
            self._upgrading = False

    async def _go_on_as(self, command: Sequence[str]) -> None:
        hold_signals()
        await self._hub.stop()  # its socket can't be taken over; the workers come back to the next one
        await deferLater(self._reactor, 0)  # what was asked before signals were held is heard now
        if not self._asked_to_end:
            try:
                self._become(command, self._succession(), os.environ)
            except OSError as error:
                _log.error(
                    "what is installed now can't be executed, the old code stays: {why}; send SIGUSR2 again when it can",
                    why=error,
                )
        self._hub.start()
        release_signals()

    def _succession(self) -> Succession:
        now = self._reactor.seconds()

        def slots() -> Iterator[LeftSlot]:
            for slot in self._slots:
                current = slot.worker.left(now) if slot.worker is not None else None
                before = tuple(left for each in slot.predecessors if (left := each.left(now)) is not None)
                yield LeftSlot(slot.number, slot.pause, current, before)

        metrics = self._metrics_port.fileno() if self._metrics_port is not None else None
        return Succession(
            self._port.fileno(), metrics, self._directory, self._session_key, self._pidfile, tuple(slots())
        )

    def _take_over(self, left: Succession) -> None:
        """From the image before us. A worker that was about to start is started at once."""
        now = self._reactor.seconds()
        for slot, was in zip(self._slots, left.slots, strict=True):
            slot.pause = was.pause
            for each in was.predecessors:
                worker = adopted(slot.number, each, now)
                slot.predecessors.append(worker)
                self._watch(slot, worker)
            if was.worker is None:
                self._start(slot)
            else:
                slot.worker = adopted(slot.number, was.worker, now)
                self._watch(slot, slot.worker)
        _log.info(
            "aiproxy {version} has taken over from the code before it, workers: {pids}",
            version=__version__,
            pids=", ".join(map(str, self.pids)),
        )
        self._asked_to_replace()

    def _asked_to_replace(self) -> None:
        Deferred.fromCoroutine(self.replace_all()).addErrback(
            lambda failure: _log.failure("the workers could not be replaced", failure)
        )

    async def replace_all(self) -> None:
        """A new worker in each slot, one after the other; an old one whose successor doesn't come to serve stays."""
        if self._replacing or self._stopping:
            return
        self._replacing = True
        try:
            for slot in self._slots:
                await self._replace(slot)
        finally:
            self._replacing = False

    async def _replace(self, slot: Slot) -> None:
        old = slot.worker
        if old is None or self._stopping:
            return
        slot.predecessors.append(old)  # from now on its end is not this slot's
        new = self._start(slot)
        serves: Deferred[bool] = Deferred()
        new.ready.addCallback(lambda _: None if serves.called else serves.callback(True))
        new.gone.addCallback(lambda _: None if serves.called else serves.callback(False))
        hangs = self._reactor.callLater(SERVES_WITHIN, new.signal, signal.SIGKILL)
        served = await serves
        if hangs.active():
            hangs.cancel()
        if served:
            _log.info("worker {number} is replaced", number=slot.number)
            old.signal(signal.SIGUSR1)
        elif slot.restart is not None and old in slot.predecessors:
            _log.error("the new worker {number} doesn't serve; the old one stays", number=slot.number)
            slot.restart.cancel()
            slot.predecessors.remove(old)
            slot.worker, slot.restart = old, None

    # -- stop

    def _asked_to_stop(self) -> None:
        if self._stopping:
            self._tell(signal.SIGTERM)
        else:
            self._asked_to_end = True
            self._reactor.stop()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        """When all workers have ended. The socket is open until then, as each worker's own listener would be."""
        self._stopping = True
        running = [w.gone for slot in self._slots for w in (slot.worker, *slot.predecessors) if w is not None]
        for slot in self._slots:
            if slot.restart is not None:
                slot.restart.cancel()
        self._tell(signal.SIGTERM)
        await DeferredList(running)
        for port in (self._port, self._metrics_port):
            closed = port.stopListening() if port is not None else None
            if closed is not None:
                await closed
        await self._hub.stop()
        shutil.rmtree(self._directory, ignore_errors=True)
        if self._pidfile and self._left is not None:  # else twistd does so
            with suppress(OSError):
                os.unlink(self._pidfile)
        _log.info("stopped")
