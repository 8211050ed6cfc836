"""What the ledger, metrics and the record cost a call of W1: one gateway counts by more and more of them, turn by turn.

    PYTHONPATH=tools python -m bench.overhead --rounds 40

CPU is that of the reactor's thread, by turns of a sixth of a second in changing order, and of the ledger's writing thread. Each step is the
median over the rounds of what it adds to its own round, ± its standard error. Exits with 1 when all together take more than `GOAL` of a call."""

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread

from bench.answers import KEY, write_answers
from bench.native import build, load, stub
from bench.overhead.counting import MEANS
from bench.ports import free_port
from bench.systems import CannotRun, load_system, running
from bench.workloads import WORKLOADS

GOAL = 0.05
"""Of a call's CPU."""

W1 = next(each for each in WORKLOADS if each.id == "W1")

LOOKS_EVERY = 0.2
"""Seconds between two looks whether the last turn is over."""

LASTS = 3600.0
"""Seconds after which the load ends of itself."""


def main() -> None:
    parser = ArgumentParser(prog="bench.overhead", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    try:
        with TemporaryDirectory(prefix="aiproxy-overhead-") as made:
            first, *turns = _turns_of(Path(made), asked.rounds)
    except CannotRun as error:
        sys.exit(f"bench.overhead: {error}")
    nothing, writer = median(turn["nothing"] for turn in turns), first["writer"]
    print(f"nothing  {nothing * 1e6:7.1f} µs a call")
    for before, means in pairwise(MEANS):
        print(f"{means:8} {_told([turn[means] - turn[before] for turn in turns])}")
    print(f"writer   {writer * 1e6:+7.1f} µs, of a thread of its own")
    together = [turn["ledger"] - turn["nothing"] + writer for turn in turns]
    share = median(together) / (nothing + median(together))
    print(f"together {_told(together)}: {share:.1%} of a call")
    sys.exit(0 if share <= GOAL else 1)


def _told(differences: Sequence[float]) -> str:
    """Their median, and its standard error where they are spread about it as usual: by the median of their distances."""
    middle = median(differences)
    spread = 1.4826 * median(abs(each - middle) for each in differences)
    return f"{middle * 1e6:+7.1f} ± {1.2533 * spread / sqrt(len(differences)) * 1e6:.1f} µs"


def _turns_of(directory: Path, rounds: int) -> Sequence[Mapping[str, float]]:
    """The writer's CPU seconds a call; then, round by round, the reactor's by what is counted by."""
    build(directory)
    cores = sorted(os.sched_getaffinity(0))
    assert W1.request is not None
    request = directory / "W1.http"
    request.write_bytes(W1.request())
    values = {"key": KEY, "stub": str(free_port()), "directory": str(directory)}
    nothing = {"certificate": "", "certificate_key": ""}
    counting = ("@bin@/python", "-m", "bench.overhead.counting", "--config", "@directory@/aiproxy.yaml")
    system = replace(load_system("aiproxy"), command=(*counting, "--rounds", str(rounds)))
    options = [str(request), "--connections", str(W1.connections), "--seconds", str(LASTS), "--limit", str(2 * LASTS)]
    with (
        stub(directory, int(values["stub"]), write_answers(directory), {cores[-1]}),
        running(system, {**values, **nothing}, free_port(), {cores[0]}, tls=False, workers=1) as at,
    ):
        enough = Event()
        said = directory / "output.log"
        Thread(target=_watch, args=(said, rounds + 1, enough), daemon=True).start()
        load(directory, at.port, options, {cores[-1]}, lambda _: None, enough=enough)
        turns = _turns(said)
    if len(turns) <= rounds:
        raise CannotRun(f"The gateway broke:\n{said.read_text()}")
    return turns


def _watch(said: Path, wanted: int, enough: Event) -> None:
    while len(_turns(said)) < wanted:
        time.sleep(LOOKS_EVERY)
    enough.set()


def _turns(said: Path) -> Sequence[Mapping[str, float]]:
    lines = said.read_text().splitlines() if said.exists() else ()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


if __name__ == "__main__":
    main()
