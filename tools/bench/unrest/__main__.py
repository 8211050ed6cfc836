"""The run: unrest until what is kept of past calls is full, then four laps of it, then quiet. Exits with 1 when anything is
left over or any client was misled."""

import json
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater

from aiproxy.usage.journal import LATEST, LATEST_FAILED
from bench.ports import free_port
from bench.processes import memory
from bench.sockets import opened
from bench.unrest.clients import KINDS, LARGE, keep_asking
from bench.unrest.upstreams import Account, change_moods

LAPS = 10

FILLS_WITHIN = 180.0
"""Seconds in which as many calls must have ended as are kept, however slow the machine."""

SETTLES_WITHIN = 60.0
"""Seconds in which the last answers must be over: each may be waited for, and asked for again, in three rounds."""

CLOSES_WITHIN = 2.0
"""Seconds in which the gateway closes the connections that upstreams have closed."""

GROWTH = 1.1
"""Of memory from the first two laps to the last two, of whose looks each counts with its middle one: more is a leak."""

LOOKS = 20
"""At memory in each lap, since bodies of eight megabytes come and go."""

RELOADS_EVERY = 5.0
"""Seconds; each changes a deadline."""

IDLE = (2.0, 2.5)
"""Seconds that a stream may be silent: by turns, so that each reload changes something."""

reactor: Any = installed


def main() -> None:
    parser = ArgumentParser(prog="bench.unrest", description=__doc__)
    parser.add_argument("--streams", type=int, default=500, help="clients, most of whom ask for streams")
    parser.add_argument("--large", type=int, default=4, help="clients more, whose requests are of 8 MB")
    parser.add_argument("--sockets", type=int, default=50, help="WebSockets more")
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--before", type=float, default=40.0, help="seconds of unrest before memory is looked at")
    kept = LATEST + LATEST_FAILED
    parser.add_argument("--calls", type=int, default=kept, help="calls that must have ended before that, too")
    parser.add_argument("--growth", type=float, default=GROWTH, help="of memory that is no failure")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    failed: list[str] = []
    random = Random(asked.seed)  # noqa: S311 - the same run again for the same seed
    accounts = [Account(random) for _ in range(asked.accounts)]
    ports = [reactor.listenTCP(0, each, interface="127.0.0.1", backlog=1024) for each in accounts]
    port = free_port()
    with TemporaryDirectory(prefix="aiproxy-unrest-") as directory:
        file = Path(directory) / "aiproxy.yaml"
        file.write_text(configuration([each.getHost().port for each in ports]))
        file.chmod(0o600)
        command = [sys.executable, "-m", "bench.unrest.watched", "--config", str(file), "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=directory) as gateway:
            running = Deferred.fromCoroutine(run(asked, port, accounts, gateway, random, failed, file))
            running.addErrback(lambda failure: failed.append(failure.getTraceback()))
            running.addBoth(lambda _: reactor.stop())
            reactor.run()
            gateway.send_signal(signal.SIGTERM)
    print("\n".join(failed) if failed else "nothing is left over, and nobody was misled")
    sys.exit(bool(failed))


def configuration(ports: list[int]) -> str:
    accounts = "".join(
        f'  - {{api-key: key-{number:02}-0123456789abcdef, name: a{number:02}, base-url: "http://127.0.0.1:{port}/v1", '
        f"models: [m], concurrency: 60}}\n"
        for number, port in enumerate(ports)
    )
    return f"""
request-retry: 2
max-retry-interval: 5
routing: {{session-affinity: false}}
limits: {{keep-alive-seconds: 5}}
timeouts: {{first-byte: 3, first-token: 3, idle: {IDLE[0]:g}}}
logging: {{level: error}}
state: state.db
openai-api-key:
{accounts}"""


async def run(
    asked: Namespace,
    port: int,
    accounts: list[Account],
    gateway: "subprocess.Popen[str]",
    random: Random,
    failed: list[str],
    file: Path,
) -> None:
    assert gateway.stdout is not None
    before = json.loads(next(line for line in gateway.stdout if line.startswith("{")))
    print("before", before)
    going = True
    counts: Counter[str] = Counter()
    kinds = list(KINDS.values())
    for number in range(asked.streams):
        keep_asking(reactor, port, kinds[number % len(kinds)], random, counts, lambda: going)
    for _ in range(asked.large):
        keep_asking(reactor, port, LARGE, random, counts, lambda: going)
    said: Counter[str] = Counter()
    sockets = await opened(port, asked.sockets, said, busy=True, model="m")
    change_moods(reactor, accounts, random, lambda: going)
    reloads = LoopingCall(reload, gateway, file)
    reloads.start(RELOADS_EVERY, now=False)
    sizes = []
    await deferLater(reactor, asked.before)
    last = reactor.seconds() + FILLS_WITHIN
    while counts.total() - counts["open"] < asked.calls and reactor.seconds() < last:
        await deferLater(reactor, 1.0)
    for _ in range(LAPS):
        looks = []
        for _ in range(LOOKS):
            await deferLater(reactor, asked.seconds / LAPS / LOOKS)
            looks.append(memory(gateway.pid))
        sizes.append(median(looks))
        print(f"{sizes[-1] / 1e6:.1f} MB", dict(counts), "sockets", dict(said), flush=True)
    reloads.stop()
    for socket in sockets:
        socket.leave()
    going = False
    last = reactor.seconds() + SETTLES_WITHIN
    while counts["open"] and reactor.seconds() < last:
        await deferLater(reactor, 0.1)
    for account in accounts:
        account.close_idle()
    await deferLater(reactor, CLOSES_WITHIN)
    gateway.send_signal(signal.SIGUSR1)
    after = json.loads(gateway.stdout.readline())
    print("after", after, f"{memory(gateway.pid) / 1e6:.1f} MB", dict(counts))
    failed += [
        f"{after[name]} {name} are left" for name in ("leases", "waiting", "calls", "connections") if after[name]
    ]
    failed += [
        f"{name}: {before[name]} before, {after[name]} after"
        for name in ("deferreds", "sockets", "timers")
        if after[name] > before[name] + 2
    ]
    failed += [f"{count} answers: {how}" for how, count in counts.items() if count and (how.isupper() or how == "open")]
    if said["closed"] or said["refused"]:
        failed.append(f"sockets: {dict(said)}")
    first, final = sum(sizes[:2]) / 2, sum(sizes[-2:]) / 2
    print(f"memory {first / 1e6:.1f} → {final / 1e6:.1f} MB (× {final / first:.3f})")
    if final > asked.growth * first:
        failed.append(f"memory grew from {first:.0f} to {final:.0f} bytes")
    if open_upstream := sum(len(account.open) for account in accounts):
        failed.append(f"{open_upstream} upstream sockets are open")


def reload(gateway: "subprocess.Popen[str]", file: Path) -> None:
    """With the other of the two deadlines."""
    text = file.read_text()
    one, other = (f"idle: {seconds:g}" for seconds in IDLE)
    new = file.with_suffix(".new")
    new.write_text(text.replace(one, other) if one + "}" in text else text.replace(other, one))
    new.chmod(0o600)
    new.replace(file)
    gateway.send_signal(signal.SIGHUP)


if __name__ == "__main__":
    main()
