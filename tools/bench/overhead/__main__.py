"""What the ledger, metrics and the record cost a call of W1: one gateway counts by more and more of them, turn by turn.

    PYTHONPATH=tools python -m bench.overhead --rounds 6

CPU is the process's own, the ledger's writing thread included. Exits with 1 when all together take more than `GOAL` of a call."""

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

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
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn, after a second to settle")
    asked = parser.parse_args()
    try:
        with TemporaryDirectory(prefix="aiproxy-overhead-") as made:
            costs = _costs(Path(made), asked.seconds, asked.rounds)
    except CannotRun as error:
        sys.exit(f"bench.overhead: {error}")
    share = 1 - costs["nothing"] / costs["ledger"]
    for means, before in zip(MEANS, (None, *MEANS), strict=False):
        more = f"  + {costs[means] - costs[before]:5.1f}" if before else ""
        print(f"{means:8} {costs[means]:7.1f} µs a call{more}")
    print(f"record, metrics and ledger together: {share:.1%} of a call")
    sys.exit(0 if share <= GOAL else 1)


def _costs(directory: Path, seconds: float, rounds: int) -> Mapping[str, float]:
    """Microseconds a call, the median over the rounds, by what is counted by."""
    build(directory)
    cores = sorted(os.sched_getaffinity(0))
    assert W1.request is not None
    request = directory / "W1.http"
    request.write_bytes(W1.request())
    values = {"key": KEY, "stub": str(free_port()), "directory": str(directory)}
    nothing = {"certificate": "", "certificate_key": ""}
    counting = ("@bin@/python", "-m", "bench.overhead.counting", "--config", "@directory@/aiproxy.yaml")
    system = replace(load_system("aiproxy"), command=(*counting, "--seconds", str(seconds), "--rounds", str(rounds)))
    options = [str(request), "--connections", str(W1.connections), "--seconds", str(LASTS), "--limit", str(2 * LASTS)]
    with (
        stub(directory, int(values["stub"]), write_answers(directory), {cores[-1]}),
        running(system, {**values, **nothing}, free_port(), {cores[0]}, tls=False, workers=1) as at,
    ):
        enough = Event()
        said = directory / "output.log"
        Thread(target=_watch, args=(said, rounds * len(MEANS), enough), daemon=True).start()
        load(directory, at.port, options, {cores[-1]}, lambda _: None, enough=enough)
        turns = _turns(said)
    found: defaultdict[str, list[float]] = defaultdict(list)
    for turn in turns:
        found[turn["means"]].append(turn["cpu"] / turn["calls"] * 1e6)
    return {means: median(each) for means, each in found.items()}


def _watch(said: Path, wanted: int, enough: Event) -> None:
    while len(_turns(said)) < wanted:
        time.sleep(LOOKS_EVERY)
    enough.set()


def _turns(said: Path) -> Sequence[dict[str, Any]]:
    lines = said.read_text().splitlines() if said.exists() else ()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


if __name__ == "__main__":
    main()
