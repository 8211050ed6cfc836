"""What a request pays for being decided on and for the record of it: the plan's stage, the lease, the note of every choice,
the row of the ledger. In microseconds of the process's own time, the best of several rounds. Run it from the project's root:

    .venv/bin/python -m tools.bench.decisions
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from aiproxy.catalogue import Served
from aiproxy.codecs.sessions import session_of
from aiproxy.gateway.rounds import noted
from aiproxy.gateway.stages import Stage
from aiproxy.gateway.telling import AT_ONCE
from aiproxy.neutral.errors import RateLimited
from aiproxy.pools.lending import Wanted
from aiproxy.pools.pool import Lease, Pool
from aiproxy.pools.selection import STRATEGIES, Account
from aiproxy.storage.state.calls import logged
from aiproxy.usage import Attempt, CallRecord, Outcome

GOAL = 20.0
"""Microseconds a request that the record may cost, with twenty accounts of which half rest."""

ACCOUNTS = 20
TIMES = 5000
ROUNDS = 5

TOOLS = [{"type": "function", "function": {"name": f"tool_{i}", "description": "d" * 500}} for i in range(40)]
BODIES: dict[str, dict[str, Any]] = {
    "a question": {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    "an agent's": {
        "model": "m",
        "system": [{"type": "text", "text": "s" * 20_000}],
        "tools": TOOLS,
        "messages": [{"role": "user", "content": "u" * 3_000}, {"role": "assistant", "content": "a"}] * 50,
    },
    "8 MB of image": {
        "model": "m",
        "messages": [{"role": "user", "content": [{"url": "A" * (8 << 20)}, {"text": "?"}]}],
    },
}


def microseconds(work: Callable[[], object]) -> float:
    def once() -> float:
        began = time.process_time()
        for _ in range(TIMES):
            work()
        return (time.process_time() - began) / TIMES * 1e6

    return min(once() for _ in range(ROUNDS))


def leasing(strategy: str, resting: int) -> tuple[Callable[[], Lease], Stage]:
    pool = Pool(Clock(), Random(1))  # noqa: S311 - spreads retries, guards nothing
    names = [f"account-{number}" for number in range(ACCOUNTS)]
    pool.replace([Account(name, network="n", provider="p") for name in names], STRATEGIES[strategy], sessions=3600.0)
    stage = Stage({(name, "m"): Served("m") for name in names}, "m")
    for name in names[:resting]:
        pool.found(name, RateLimited("x", retry_after=1e6), "m")

    def lease() -> Lease:
        got: list[Lease] = []
        pool.lease(Wanted(tuple(stage.candidates))).addCallback(got.append)
        Deferred.fromCoroutine(got[0].__aexit__(None, None, None))
        return got[0]

    return lease, stage


def recording(resting: int) -> Callable[[], None]:
    lease, stage = leasing("round-robin", resting)
    one, numbers = lease(), count()
    waiting: list[CallRecord] = []

    def record() -> None:
        call = CallRecord(f"req-{next(numbers)}", 0.0, ended=0.0, outcome=Outcome.COMPLETE)
        call.choices.append(noted(stage, one.taken.skipped, one.waited, one, 0.0))
        call.attempts.append(Attempt(*one.candidate, "m", 0.0, 0.0, Outcome.COMPLETE))
        waiting.append(call)
        if len(waiting) == AT_ONCE:
            list(logged(waiting, "node", 0.0))
            waiting.clear()

    return record


def main() -> int:
    for strategy in STRATEGIES:
        for resting in (0, ACCOUNTS // 2):
            lease, _ = leasing(strategy, resting)
            print(f"lease {strategy}, {ACCOUNTS} accounts, {resting} rest: {microseconds(lease):.1f} us")
    for name, body in BODIES.items():
        print(f"session of {name}: {microseconds(partial(session_of, {}, body)):.1f} us")
    worst = 0.0
    for resting in (0, ACCOUNTS // 2):
        cost = microseconds(recording(resting))
        worst = max(worst, cost)
        print(f"record, {resting} of {ACCOUNTS} rest: {cost:.1f} us")
    return worst > GOAL


if __name__ == "__main__":
    sys.exit(main())
