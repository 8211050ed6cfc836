"""The run: unrest until what is kept of past calls is full, then quiet and a look at what is held; unrest again, then quiet and
another look. Between the two looks nothing may have grown, and nothing of a call may be left at either."""

import json
import signal
import subprocess
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.task import LoopingCall, deferLater

from bench.processes import memory
from bench.sockets import opened
from bench.unrest.clients import KINDS, LARGE, keep_asking
from bench.unrest.upstreams import Account, change_moods

LAPS = 10
"""Times that the state of things is told during the second unrest."""

FILLS_WITHIN = 180.0
"""Seconds in which as many calls must have ended as are kept, however slow the machine."""

SETTLES_WITHIN = 60.0
"""Seconds in which the last answers must be over: each may be waited for, and asked for again, in three rounds."""

CLOSES_WITHIN = 2.0
"""Seconds in which the gateway closes the connections that upstreams have closed."""

BLOCKS_GROWTH = 1.05
"""Of Python's memory blocks from one look to the other: the calls that are kept differ in how often they were tried."""

MEMORY_GROWTH = 1.2
"""Of the process's memory. It is in pieces after large bodies, so that it says less than the blocks do."""

RELOADS_EVERY = 5.0
"""Seconds; each changes a deadline."""

IDLE = (2.0, 2.5)
"""Seconds that a stream may be silent: by turns, so that each reload changes something."""

reactor: Any = installed


@dataclass(frozen=True, slots=True)
class Setting:
    """The gateway under test, at `port`, with its configuration's file; and those behind it."""

    port: int
    accounts: list[Account]
    gateway: "subprocess.Popen[str]"
    file: Path
    random: Random

    def reload(self) -> None:
        """With the other of the two deadlines."""
        text = self.file.read_text()
        one, other = (f"idle: {seconds:g}" for seconds in IDLE)
        new = self.file.with_suffix(".new")
        new.write_text(text.replace(one, other) if one + "}" in text else text.replace(other, one))
        new.chmod(0o600)
        new.replace(self.file)
        self.gateway.send_signal(signal.SIGHUP)

    def look(self, counts: Mapping[str, int]) -> dict[str, int]:
        """What the gateway holds."""
        assert self.gateway.stdout is not None
        self.gateway.send_signal(signal.SIGUSR1)
        found = {**json.loads(self.gateway.stdout.readline()), "memory": memory(self.gateway.pid)}
        print("quiet", found, dict(counts), flush=True)
        return found


async def run(asked: Namespace, setting: Setting, failed: list[str]) -> None:
    assert setting.gateway.stdout is not None
    before = json.loads(next(line for line in setting.gateway.stdout if line.startswith("{")))
    print("before", before)
    counts: Counter[str] = Counter()
    said: Counter[str] = Counter()
    await _unrest(asked, setting, counts, said, asked.before, asked.calls)
    first = setting.look(counts)
    await _unrest(asked, setting, counts, said, asked.seconds, 0)
    last = setting.look(counts)
    for look in (first, last):
        failed += [
            f"{look[name]} {name} are left" for name in ("leases", "waiting", "calls", "connections") if look[name]
        ]
        failed += [
            f"{name}: {before[name]} before, {look[name]} after"
            for name in ("deferreds", "sockets", "timers")
            if look[name] > before[name] + 2
        ]
    failed += [f"{count} answers: {how}" for how, count in counts.items() if count and (how.isupper() or how == "open")]
    if said["closed"] or said["refused"]:
        failed.append(f"sockets: {dict(said)}")
    for name, most in (("blocks", BLOCKS_GROWTH), ("memory", MEMORY_GROWTH)):
        told = f"{name}: {first[name]} → {last[name]} (× {last[name] / first[name]:.3f})"
        print(told)
        if asked.calls and last[name] > most * first[name]:
            failed.append(told)
    if open_upstream := sum(len(account.open) for account in setting.accounts):
        failed.append(f"{open_upstream} upstream sockets are open")


async def _unrest(
    asked: Namespace, setting: Setting, counts: "Counter[str]", said: "Counter[str]", seconds: float, calls: int
) -> None:
    """For so many seconds, and until so many calls have ended; then quiet."""
    going = True
    kinds = list(KINDS.values())
    for kind in [kinds[number % len(kinds)] for number in range(asked.streams)] + [LARGE] * asked.large:
        keep_asking(reactor, setting.port, kind, setting.random, counts, lambda: going)
    sockets = await opened(setting.port, asked.sockets, said, busy=True, model="m")
    change_moods(reactor, setting.accounts, setting.random, lambda: going)
    reloads = LoopingCall(setting.reload)
    reloads.start(RELOADS_EVERY, now=False)
    for _ in range(LAPS):
        await deferLater(reactor, seconds / LAPS)
        print(f"{memory(setting.gateway.pid) / 1e6:.1f} MB", dict(counts), "sockets", dict(said), flush=True)
    last = reactor.seconds() + FILLS_WITHIN
    while counts.total() - counts["open"] < calls and reactor.seconds() < last:
        await deferLater(reactor, 1.0)
    reloads.stop()
    for socket in sockets:
        socket.leave()
    going = False
    last = reactor.seconds() + SETTLES_WITHIN
    while counts["open"] and reactor.seconds() < last:
        await deferLater(reactor, 0.1)
    for account in setting.accounts:
        account.close_idle()
    await deferLater(reactor, CLOSES_WITHIN)
