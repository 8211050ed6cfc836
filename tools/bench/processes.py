"""What /proc tells of a process and its children: CPU seconds and memory."""

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children[int(_stat(int(entry.name))[1])].append(int(entry.name))
    found = [pid]
    for each in found:  # grows while it is walked
        found += children[each]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time, of the whole family."""
    ticks = 0
    for each in family(pid):
        with suppress(OSError):
            ticks += sum(int(value) for value in _stat(each)[11:13])
    return ticks / _TICK


def memory(pid: int) -> int:
    """Bytes, of the whole family; pages they share count once."""
    return sum(_kilobytes(each, "smaps_rollup", "Pss:") for each in family(pid)) * 1024


def peak_memory(pid: int) -> int:
    """Bytes: the most the family has had since `forget_peak`."""
    return sum(_kilobytes(each, "status", "VmHWM:") for each in family(pid)) * 1024


def forget_peak(pid: int) -> None:
    for each in family(pid):
        with suppress(OSError):
            (PROC / str(each) / "clear_refs").write_text("5")


def _stat(pid: int) -> list[str]:
    """From the third field of /proc/PID/stat on; the second is a name that may hold anything."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _kilobytes(pid: int, file: str, name: str) -> int:
    with suppress(OSError):
        for line in (PROC / str(pid) / file).read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0
