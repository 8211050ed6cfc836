"""What the parent of the workers decides when one of them does not do as it should; the processes are made up, time is virtual."""

import signal
from typing import Any

from twisted.internet.error import ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aiproxy.supervisor import FIRST_PAUSE, LONGEST_PAUSE, SERVES_WITHIN, Slot, Supervisor, WorkerProcess


class Process:
    """What `spawnProcess` returns."""

    def __init__(self, pid: int, protocol: WorkerProcess) -> None:
        self.pid: int | None = pid
        self.told: list[int] = []
        self._protocol = protocol

    def signalProcess(self, number: int) -> None:
        self.told.append(number)
        if number == signal.SIGKILL:
            self.end()

    def serve(self) -> None:
        self._protocol.childDataReceived(4, b"ready\n")

    def end(self) -> None:
        self.pid = None
        self._protocol.processEnded(Failure(ProcessTerminated(1)))


class Machine(Clock):
    """A reactor whose processes do what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Process] = []

    def spawnProcess(self, protocol: WorkerProcess, *_: Any, **__: Any) -> None:
        process = Process(1000 + len(self.started), protocol)
        self.started.append(process)
        protocol.makeConnection(process)


class Port:
    def fileno(self) -> int:
        return 3


def one_worker(directory: str) -> tuple[Machine, Supervisor, Slot]:
    """That serves."""
    machine = Machine()
    supervisor = Supervisor(
        reactor=machine, count=1, address=("", 0), metrics=None, arguments=(), serving=lambda _: None
    )
    supervisor._port, supervisor._bus, supervisor._session_key = Port(), f"{directory}/bus", "k"
    supervisor._directory = directory
    (slot,) = supervisor._slots
    supervisor._start(slot)
    machine.started[0].serve()
    return machine, supervisor, slot


def test_one_that_keeps_ending_early_is_started_after_longer_and_longer_pauses(tmp_path: Any) -> None:
    machine, _, _ = one_worker(str(tmp_path))
    pauses = []
    for _ in range(8):
        began = machine.seconds()
        count = len(machine.started)
        machine.started[-1].end()
        while len(machine.started) == count:
            machine.advance(0.5)
        pauses.append(machine.seconds() - began)
    assert pauses == [FIRST_PAUSE, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_one_that_lived_long_is_replaced_at_once(tmp_path: Any) -> None:
    machine, _, _ = one_worker(str(tmp_path))
    machine.advance(3600)
    machine.started[0].end()
    machine.advance(0)
    assert len(machine.started) == 2


def test_a_successor_that_serves_lets_the_old_one_retire(tmp_path: Any) -> None:
    machine, supervisor, slot = one_worker(str(tmp_path))
    supervisor._asked_to_replace()
    old, new = machine.started
    assert old.told == []
    new.serve()
    assert old.told == [signal.SIGUSR1]
    assert supervisor.pids == [new.pid]
    old.end()
    machine.advance(SERVES_WITHIN)
    assert (new.told, slot.predecessors, machine.getDelayedCalls()) == ([], [], [])


def test_a_successor_that_hangs_is_killed_and_the_old_one_stays(tmp_path: Any) -> None:
    machine, supervisor, slot = one_worker(str(tmp_path))
    supervisor._asked_to_replace()
    old, new = machine.started
    machine.advance(SERVES_WITHIN)
    assert (new.told, old.told) == ([signal.SIGKILL], [])
    assert (supervisor.pids, slot.predecessors, machine.getDelayedCalls()) == ([old.pid], [], [])
    supervisor._asked_to_replace()
    machine.started[-1].serve()
    assert old.told == [signal.SIGUSR1], "another upgrade can be asked for"


def test_where_both_die_there_is_another_one(tmp_path: Any) -> None:
    machine, supervisor, slot = one_worker(str(tmp_path))
    supervisor._asked_to_replace()
    old, new = machine.started
    old.end()
    new.end()
    machine.advance(FIRST_PAUSE)
    assert len(machine.started) == 3
    assert supervisor.pids == [machine.started[2].pid]
    assert slot.predecessors == []
