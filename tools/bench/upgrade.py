"""Upgrades under load: 500 paced streams, whose clients begin another one as each ends, while all workers are replaced 20 times;
beside them a client that opens a connection for each of its requests, without a pause.

    PYTHONPATH=tools python -m bench.upgrade --upgrades 20 --streams 500 --workers 2

An upgrade is over when the last of the workers before it has ended. Exits with 1 when a stream broke, an event was lost or out of
order, a connection was refused, or an upgrade did not come to its end."""

import json
import os
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from bench.answers import KEY, PACED_EVENTS, write_answers
from bench.native import build, load, stub
from bench.ports import free_port
from bench.processes import family, memory
from bench.systems import CannotRun, Running, load_system, running
from bench.workloads import PACED

LOOKS_EVERY = 0.02
"""Seconds between two looks at which workers there are."""

ENDS_WITHIN = 120.0
"""Seconds in which an upgrade is over: the streams under way last six."""

WRONG = ("failed", "refused", "lost", "out_of_order")


def main() -> None:
    parser = ArgumentParser(prog="bench.upgrade", description=__doc__)
    parser.add_argument("--upgrades", type=int, default=20)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    try:
        held = _measure(asked)
    except CannotRun as error:
        sys.exit(f"bench.upgrade: {error}")
    sys.exit(0 if held else 1)


def _measure(asked: Namespace) -> bool:
    cores = os.sched_getaffinity(0)
    with TemporaryDirectory(prefix="aiproxy-upgrade-") as made:
        directory = Path(made)
        build(directory)
        upstream = free_port()
        values = {"key": KEY, "certificate": "", "certificate_key": "", "stub": str(upstream), "directory": made}
        request = directory / "request.http"
        request.write_bytes(PACED())
        with (
            stub(directory, upstream, write_answers(directory), cores),
            running(load_system("aiproxy"), values, free_port(), cores, tls=False, workers=asked.workers) as at,
        ):
            return _under_load(asked, at, directory, request)


def _under_load(asked: Namespace, at: Running, directory: Path, request: Path) -> bool:
    """The load runs until the upgrades are over, and then until its last streams have ended."""
    enough = Event()
    streams: dict[str, Any] = {}
    connections: Counter[str] = Counter()

    def stream() -> None:
        words = [str(request), "--connections", str(asked.streams), "--events", str(PACED_EVENTS), "--ramp", "2"]
        words += ["--seconds", str(ENDS_WITHIN * asked.upgrades), "--limit", str(ENDS_WITHIN * asked.upgrades)]
        streams.update(load(directory, at.port, words, os.sched_getaffinity(0), lambda _: None, enough=enough))

    def connect() -> None:
        while not enough.is_set():
            connections[_fresh(at.port)] += 1

    threads = [Thread(target=stream), Thread(target=connect)]
    for thread in threads:
        thread.start()
    time.sleep(3.0)
    before = memory(at.pid)
    began = time.monotonic()
    took = []
    for number in range(1, asked.upgrades + 1):
        took.append(_upgrade(at.pid, asked.workers))
        print(f"upgrade {number}: {took[-1]:.1f} s, connections {dict(connections)}", flush=True)
    print(f"{time.monotonic() - began:.0f} s, memory {before / 1e6:.0f} → {memory(at.pid) / 1e6:.0f} MB")
    enough.set()
    for thread in threads:
        thread.join()
    wrong = {name: streams[name] for name in WRONG if streams[name]}
    wrong |= {how: count for how, count in connections.items() if how != "200"}
    print(
        f"{asked.upgrades} upgrades of {asked.workers} workers, {median(took):.1f} s each (longest {max(took):.1f}): "
        f"{streams['requests']} streams of {PACED_EVENTS} events, {connections['200']} fresh connections, "
        f"{streams['stale']} kept connections closed as a request came; first event {json.dumps(streams['first_ms'])}, "
        f"delay {json.dumps(streams['delay_ms'])}; wrong: {wrong or 'nothing'}"
    )
    return not wrong and max(took) < ENDS_WITHIN


def _upgrade(parent: int, workers: int) -> float:
    """Seconds until none of those before is left and as many serve."""
    before = set(family(parent)) - {parent}
    began = time.monotonic()
    os.kill(parent, signal.SIGUSR2)
    while time.monotonic() < began + ENDS_WITHIN:
        now = set(family(parent)) - {parent}
        if not now & before and len(now) == workers:
            break
        time.sleep(LOOKS_EVERY)
    return time.monotonic() - began


def _fresh(port: int) -> str:
    """How one request on a connection of its own went."""
    connection = HTTPConnection("127.0.0.1", port, timeout=ENDS_WITHIN)
    try:
        connection.request("GET", "/healthz")
        return str(connection.getresponse().status)
    except (OSError, HTTPException) as error:
        return type(error).__name__
    finally:
        with suppress(OSError):
            connection.close()


if __name__ == "__main__":
    main()
