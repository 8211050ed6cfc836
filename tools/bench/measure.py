"""One workload at one system: what it cost, and what came back."""

import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.native import load
from bench.processes import cpu_seconds, forget_peak, memory, peak_memory
from bench.systems import Running
from bench.workloads import Workload

LIMIT = 60.0
"""Seconds after which a run is over, whatever is still missing."""

WARM_UP = 0.4
"""Seconds of the same load before the first measured run: caches filled, connections made, code paths met."""

RAMP = 1.0
"""Seconds over which streams that stay are opened."""


@dataclass(frozen=True, slots=True)
class Run:
    """`cpu` is microseconds per unit, `rate` units a second. Latencies are milliseconds, p50 and p99. `stream_bytes` is
    memory per open stream, `peak` bytes at most; None where it wasn't measured."""

    cpu: float
    rate: float
    wrong: int
    first: tuple[float, float] | None = None
    delay: tuple[float, float] | None = None
    stream_bytes: float | None = None
    peak: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The medians over the runs of one workload at one system; `runs` has each."""

    workload: str
    system: str
    unit: str
    middle: Run
    runs: Sequence[Run]

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def options(workload: Workload, request: Path, seconds: float) -> list[str]:
    words = [str(request), "--connections", str(workload.connections), "--limit", str(LIMIT)]
    if workload.events:
        words += ["--events", str(workload.events)]
    if workload.once:
        words += ["--requests", str(workload.connections), "--ramp", str(RAMP)]
    else:
        words += ["--seconds", str(seconds)]
    return [*words, "--tls"] if workload.tls else words


def warm_up(workload: Workload, at: Running, directory: Path, request: Path, cores: Set[int]) -> None:
    words = [str(request), "--connections", "4", "--seconds", str(WARM_UP), "--limit", str(LIMIT)]
    load(directory, at.port, [*words, "--tls"] if workload.tls else words, cores, lambda _: None)


def run(workload: Workload, at: Running, directory: Path, request: Path, seconds: float, cores: Set[int]) -> Run:
    """CPU is that of the whole run, or where streams stay open, of the time in which all of them are."""
    seen: dict[str, tuple[float, float, int, int]] = {}

    def sample(counted: Mapping[str, Any]) -> None:
        in_all = counted["events" if workload.events else "requests"]
        seen[counted["phase"]] = cpu_seconds(at.pid), time.monotonic(), in_all, memory(at.pid)

    before = memory(at.pid)
    forget_peak(at.pid)
    sample({"phase": "start", "events": 0, "requests": 0})
    counted = load(directory, at.port, options(workload, request, seconds), cores, sample)
    begin, end = ("open", "ending") if workload.once else ("start", "done")
    if begin not in seen or end not in seen:  # it broke before all were open
        begin, end = "start", "done"
    (cpu_0, time_0, done_0, _), (cpu_1, time_1, done_1, used) = seen[begin], seen[end]
    units = max(1, done_1 - done_0)
    return Run(
        cpu=(cpu_1 - cpu_0) / units * 1e6,
        rate=units / (time_1 - time_0),
        wrong=sum(counted[name] for name in ("failed", "refused", "lost", "out_of_order")),
        first=_ends(counted["first_ms"]),
        delay=_ends(counted["delay_ms"]),
        stream_bytes=(used - before) / workload.connections if end == "ending" else None,
        peak=peak_memory(at.pid),
    )


def _ends(series: Mapping[str, float]) -> tuple[float, float] | None:
    return (series["p50"], series["p99"]) if series else None


def result(workload: Workload, system: str, runs: Sequence[Run]) -> Result:
    def middle(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return median(known) if known else None

    def middles(pairs: Sequence[tuple[float, float] | None]) -> tuple[float, float] | None:
        known = [pair for pair in pairs if pair is not None]
        return (median(pair[0] for pair in known), median(pair[1] for pair in known)) if known else None

    first_stream = runs[0].stream_bytes  # later ones find memory that the first has left
    whole = Run(
        cpu=median(each.cpu for each in runs),
        rate=median(each.rate for each in runs),
        wrong=sum(each.wrong for each in runs),
        first=middles([each.first for each in runs]),
        delay=middles([each.delay for each in runs]),
        stream_bytes=first_stream,
        peak=max((each.peak for each in runs if each.peak is not None), default=None),
    )
    return Result(workload.id, system, workload.unit, whole, runs)
