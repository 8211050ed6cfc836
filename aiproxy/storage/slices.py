"""Limits of a day or month that several processes share: this one's slices of them, asked for, renewed and given back.

While all processes live and reach the state, a limit is passed only by what single calls use beyond their own reservations.
In general, with M the limit,

    overshoot ≤ E + D · S

where E is what calls use beyond their reservations, D counts the processes that died, or lost the state for longer than
`LEASE_SECONDS`, in this period, and S is the largest slice: an eighth of M, or what the calls of one process that are under
way have reserved, whichever is more. While the state is away a process goes on with the slice it has, then refuses."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.clients import Limiter
from aiproxy.clients.limiter import Tally
from aiproxy.clients.limits import Counts, TallyKey
from aiproxy.storage.state.calls import text
from aiproxy.storage.state.database import StateRefused, StateUnavailable
from aiproxy.storage.state.slices import Grant, Want, exchange
from aiproxy.storage.state.state import State

EXCHANGE_SECONDS = 1.0
"""Between tellings of what was used: what a kill can lose, and how old the others' use is that `/v1/quota` shows."""

IDLE_SECONDS = 10.0
"""After so long without a call the slice is given back."""

PATIENCE_SECONDS = 1.0
"""How long a call waits for a larger slice: a hundred times what a database takes."""

_log = Logger("aiproxy.limits")


class Slices:
    def __init__(self, reactor: Any, limiter: Limiter, state: State) -> None:
        self._reactor = reactor
        self._limiter = limiter
        self._state = state
        self._process = text(state.name)
        self._waiting: dict[Deferred[None], Mapping[TallyKey, int]] = {}
        self._busy: Deferred[None] | None = None
        self._stopped = False
        self._ticks = LoopingCall(self._look)
        self._ticks.clock = reactor

    def start(self) -> None:
        self._limiter.shared = True
        self._ticks.start(EXCHANGE_SECONDS, now=False)

    async def stop(self) -> None:
        """Before the state stops: tell the rest and give all back."""
        if self._ticks.running:
            self._ticks.stop()
        self._stopped = True
        if self._busy is not None:
            await self._busy
        await self._exchange()

    async def refill(self, asked: Mapping[TallyKey, int]) -> None:
        """Ask for so much more, and wait for the answer, whatever it is."""
        answer: Deferred[None] = Deferred()
        self._waiting[answer] = asked
        self._look()
        try:
            await answer.addTimeout(PATIENCE_SECONDS, self._reactor)
        except TookTooLong:
            return
        finally:
            self._waiting.pop(answer, None)

    def _look(self) -> None:
        if self._busy is None:
            self._busy = Deferred.fromCoroutine(self._exchange())
            self._busy.addErrback(_failed).addBoth(self._exchanged)

    def _exchanged(self, _: object) -> None:
        self._busy = None
        if self._waiting and not self._stopped:
            self._look()

    async def _exchange(self) -> None:
        waiting, wants = list(self._waiting), self._wants()
        held = {key: self._limiter.tallies[key].slice for key in wants}
        for key, want in wants.items():
            if want.idle:  # nobody may begin to use what is being given back
                self._limiter.tallies[key].slice = want.busy
        try:
            sql, now = self._state.database.now, self._state.now()
            ask = partial(exchange, now_sql=sql, process=self._process, wants=list(wants.values()), now=now)
            grants = await self._state.transact(ask) if wants else []
        except (StateUnavailable, StateRefused, CancelledError):  # the state says so itself
            for key, slice_ in held.items():
                self._limiter.tallies[key].slice = slice_
            grants = []
        for (key, want), grant in zip(wants.items(), grants, strict=False):
            self._take(key, self._limiter.tallies[key], want, grant)
        for answer in waiting:
            if self._waiting.pop(answer, None) is not None:
                answer.callback(None)

    def _take(self, key: TallyKey, tally: Tally, want: Want, grant: Grant) -> None:
        tally.known, tally.slice = grant.known, grant.slice
        tally.ours -= want.used
        unseen = abs(self._state.now() - tally.touched) > IDLE_SECONDS
        if want.idle and unseen and not tally.ours and not tally.reserved:
            del self._limiter.tallies[key]

    def _wants(self) -> dict[TallyKey, Want]:
        """Of those tallies that anybody uses, in the order of their keys."""
        asked: dict[TallyKey, int] = {}
        for each in self._waiting.values():
            for key, amount in each.items():
                asked[key] = asked.get(key, 0) + amount
        now = self._state.now()
        return {
            key: self._want(key, tally, asked.get(key, 0), now) for key, tally in sorted(self._limiter.tallies.items())
        }

    def _want(self, key: TallyKey, tally: Tally, asked: int, now: float) -> Want:
        holder, counts, period = key
        quiet = not tally.reserved and not asked and abs(now - tally.wanted) > IDLE_SECONDS
        return Want(
            text(holder),
            Counts(counts).value,
            period,
            tally.most,
            tally.ours,
            tally.slice or 0,
            tally.reserved,
            asked,
            idle=quiet or self._stopped,
        )


def _failed(failure: Failure) -> None:
    _log.failure("a bug in sharing limits", failure=failure)
