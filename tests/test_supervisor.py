"""What the parent of the workers decides when one of them does not do as it should; the processes are made up, time is virtual."""

import signal
from collections.abc import Sequence
from typing import Any

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aiproxy.succession import VARIABLE, LeftSlot, LeftWorker, Succession, decoded
from aiproxy.supervisor import FIRST_PAUSE, LONGEST_PAUSE, SERVES_WITHIN, Slot, Supervisor
from aiproxy.worker import LIFELINE
from aiproxy.worker_process import WorkerProcess


class Process:
    """What `spawnProcess` returns."""

    def __init__(self, pid: int, protocol: WorkerProcess) -> None:
        self.pid: int | None = pid
        self.pipes = {LIFELINE: Port(100 + pid)}
        self.told: list[int] = []
        self._protocol = protocol

    def signalProcess(self, number: int) -> None:
        self.told.append(number)
        if number == signal.SIGKILL:
            self.end()

    def serve(self) -> None:
        self._protocol.childDataReceived(4, b"ready\n")

    def end(self, why: Exception | None = None) -> None:
        self.pid = None
        self._protocol.processEnded(Failure(why or ProcessTerminated(1)))


class Machine(Clock):
    """A reactor whose processes do what the test says; `became` is what it was told to become, unless that `fails`."""

    fails = False

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Process] = []
        self.environs: list[Any] = []
        self.became: list[tuple[Sequence[str], Succession]] = []

    def become(self, command: Sequence[str], left: Succession, _environ: Any) -> None:
        self.became.append((command, left))
        if self.fails:
            raise OSError("no such interpreter")

    def spawnProcess(self, protocol: WorkerProcess, *_: Any, **more: Any) -> Process:
        process = Process(1000 + len(self.started), protocol)
        self.started.append(process)
        self.environs.append(more["env"])
        protocol.makeConnection(process)
        return process


class Port:
    def __init__(self, descriptor: int = 3) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


class Hub:
    """Of the bus: whether it is there."""

    def __init__(self) -> None:
        self.there = True

    async def stop(self) -> None:
        self.there = False

    def start(self) -> None:
        self.there = True


def one_worker(directory: str) -> tuple[Machine, Supervisor, Slot]:
    """That serves."""
    machine = Machine()
    supervisor = Supervisor(
        reactor=machine,
        count=1,
        address=("", 0),
        metrics=None,
        arguments=("--drain=3",),
        serving=lambda _: None,
        become=machine.become,
    )
    supervisor._hub = Hub()  # type: ignore[assignment]
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


def test_an_upgrade_is_rehearsed_and_then_goes_on_in_place(tmp_path: Any) -> None:
    machine, supervisor, _ = one_worker(str(tmp_path))
    machine.advance(7)
    supervisor._asked_to_upgrade()
    worker, rehearsal = machine.started
    left = decoded(machine.environs[1][VARIABLE])
    assert (left.rehearsal, machine.became) == (True, [])
    supervisor._asked_to_upgrade()
    assert len(machine.started) == 2, "one at a time"
    rehearsal.end(ProcessDone(0))
    machine.advance(0)
    ((command, left),) = machine.became
    assert list(command[1:]) == ["-m", "aiproxy", "--drain=3", "--workers=1"]
    assert not left.rehearsal
    assert left.slots == (LeftSlot(1, FIRST_PAUSE, LeftWorker(1000, 1100, 7.0), ()),)
    assert worker.told == []


def test_code_that_does_not_start_or_hangs_at_its_rehearsal_changes_nothing(tmp_path: Any) -> None:
    machine, supervisor, slot = one_worker(str(tmp_path))
    supervisor._asked_to_upgrade()
    machine.started[-1].end()
    supervisor._asked_to_upgrade()
    machine.advance(SERVES_WITHIN)
    worker, _, hung = machine.started
    assert hung.told == [signal.SIGKILL]
    assert (machine.became, worker.told, slot.worker and slot.worker.pid) == ([], [], worker.pid)
    assert machine.getDelayedCalls() == []


def test_where_the_new_code_can_not_be_executed_the_old_one_goes_on(tmp_path: Any) -> None:
    machine, supervisor, _ = one_worker(str(tmp_path))
    machine.fails = True
    for count in (1, 2):
        supervisor._asked_to_upgrade()
        machine.started[-1].end(ProcessDone(0))
        machine.advance(0)
        assert len(machine.became) == count, "another upgrade can be asked for"
        assert supervisor._hub.there  # type: ignore[attr-defined]


def test_who_is_asked_to_end_meanwhile_becomes_nothing(tmp_path: Any) -> None:
    machine, supervisor, _ = one_worker(str(tmp_path))
    machine.stop = lambda: None  # type: ignore[attr-defined]
    supervisor._asked_to_upgrade()
    machine.started[-1].end(ProcessDone(0))
    supervisor._asked_to_stop()
    machine.advance(0)
    assert machine.became == []
