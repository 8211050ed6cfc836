"""The command line: which workloads at which systems, how often; runs of the systems alternate (A B A B)."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import cpu_count, sched_getaffinity
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic

from bench.answers import KEY, write_answers
from bench.certificate import write_certificate
from bench.measure import Result, Run, result, run, warm_up
from bench.native import build, stub
from bench.ports import free_port
from bench.report import as_json, table
from bench.systems import CannotRun, Running, System, load_system, running
from bench.workloads import WORKLOADS, Request, Workload

SECONDS, ROUNDS = 5.0, 5
QUICK_SECONDS, QUICK_ROUNDS = 1.5, 2


def main() -> None:
    asked = _arguments()
    try:
        results = list(_measure(asked))
    except CannotRun as error:
        sys.exit(f"bench: {error}")
    print(table(results))
    if asked.json:
        asked.json.write_text(as_json(results) + "\n")


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} runs of {QUICK_SECONDS:g} s each")
    parser.add_argument("--systems", default="nginx,aiproxy", help="names or adapter files, the floor first")
    parser.add_argument("--work", default="", help="such as W1,W6; all when not given")
    parser.add_argument("--seconds", type=float, help=f"of a run ({SECONDS:g}; streams that stay take their own)")
    parser.add_argument("--rounds", type=int, help=f"runs of each ({ROUNDS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there, too")
    asked = parser.parse_args()
    asked.seconds = asked.seconds or (QUICK_SECONDS if asked.quick else SECONDS)
    asked.rounds = asked.rounds or (QUICK_ROUNDS if asked.quick else ROUNDS)
    known = {workload.id: workload for workload in WORKLOADS}
    names = asked.work.split(",") if asked.work else list(known)
    if wrong := [name for name in names if name not in known]:
        parser.error(f"there is no workload {wrong[0]!r}; there are {', '.join(known)}")
    asked.work = [known[name] for name in names]
    return asked


def _measure(asked: Namespace) -> Iterator[Result]:
    systems = [load_system(name) for name in asked.systems.split(",")]
    cores = sorted(sched_getaffinity(0))
    if len(cores) < 2:
        raise CannotRun(f"Two cores are needed: one for the gateway, one for those around it; here are {cpu_count()}.")
    with TemporaryDirectory(prefix="aiproxy-bench-") as made:
        directory = Path(made)
        speaks_tls = build(directory)
        certificate, key = write_certificate(directory)
        values = {"key": KEY, "certificate": str(certificate), "certificate_key": str(key), "stub": str(free_port())}
        with stub(directory, int(values["stub"]), write_answers(directory), {cores[1]}):
            for workload in asked.work:
                if workload.tls and not speaks_tls:
                    print(
                        f"{workload.id}: left out; OpenSSL's headers are missing (Debian: libssl-dev).", file=sys.stderr
                    )
                    continue
                yield from Bench(directory, values, cores, asked.seconds, asked.rounds).compare(workload, systems)


class Bench:
    def __init__(
        self, directory: Path, values: dict[str, str], cores: Sequence[int], seconds: float, rounds: int
    ) -> None:
        self._directory = directory
        self._values = values
        self._cores = cores
        self._seconds = seconds
        self._rounds = rounds

    def compare(self, workload: Workload, systems: Sequence[System]) -> Iterator[Result]:
        able = [system for system in systems if _can(system, workload)]
        began = monotonic()
        print(f"{workload.id}: {workload.title} ...", end="", file=sys.stderr, flush=True)
        if workload.request is None:
            yield from [self._start_time(workload, system) for system in able]
        else:
            yield from self._alternate(workload, able)
        print(f" {monotonic() - began:.0f} s", file=sys.stderr)

    def _alternate(self, workload: Workload, systems: Sequence[System]) -> Iterator[Result]:
        request = self._file(workload.request)
        first = self._file(workload.warm_up or workload.request)
        around = {self._cores[1]}
        with ExitStack() as started:
            there = [started.enter_context(self._started(system, workload)) for system in systems]
            for at in there:
                warm_up(workload, at, self._directory, first, around)
            runs: dict[str, list[Run]] = {system.name: [] for system in systems}
            for _ in range(self._rounds):
                for at in there:
                    found = run(workload, at, self._directory, request, self._seconds, around)
                    runs[at.system.name].append(found)
        for system in systems:
            yield result(workload, system.name, runs[system.name])

    def _file(self, request: Request | None) -> Path:
        assert request is not None
        path = self._directory / f"{id(request)}.http"
        path.write_bytes(request())
        return path

    def _start_time(self, workload: Workload, system: System) -> Result:
        runs = []
        for _ in range(self._rounds):
            with self._started(system, workload) as at:
                runs.append(Run(cpu=at.seconds, rate=0, wrong=0))
        return Result(workload.id, system.name, "", Run(median(each.cpu for each in runs), 0, 0), runs)

    @contextmanager
    def _started(self, system: System, workload: Workload) -> Iterator[Running]:
        """The system on one core, or for more workers on as many."""
        cores = set(self._cores[: workload.workers])
        with TemporaryDirectory(prefix=f"{system.name}-", dir=self._directory) as directory:
            values = {**self._values, "directory": directory}
            with running(system, values, free_port(), cores, tls=workload.tls, workers=workload.workers) as at:
                yield at


def _can(system: System, workload: Workload) -> bool:
    if workload.translates and not system.translates:
        return False
    if workload.tls and system.values_with_tls is None:
        return False
    return workload.workers <= system.most_workers


if __name__ == "__main__":
    main()
