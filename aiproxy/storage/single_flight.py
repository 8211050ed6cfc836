"""Work that one at a time may do, over all processes and nodes that share the state: a refresh with a token that is single
use. Who comes second doesn't do it again but takes what the first has left behind."""

from collections.abc import Awaitable, Callable, Coroutine
from secrets import token_hex
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.storage.state import locks
from aiproxy.storage.state.database import StateRefused, StateUnavailable
from aiproxy.storage.state.locks import HELD_SECONDS, Held
from aiproxy.storage.state.state import State

FIRST_LOOK = 0.1
LONGEST_LOOK = 1.0
"""Seconds between looks of those who wait for another, doubling."""

RENEW_SECONDS = HELD_SECONDS / 4
"""Between renewals by a holder at work."""

T = TypeVar("T")

_log = Logger("aiproxy.single-flight")


class Lost(Exception):
    """The lock was lost in the middle of the work, or the database that keeps it: somebody else may be at it by now."""


class Flight:
    """The right to do the work now. `fence` is larger than that of everyone who had it before."""

    def __init__(self, state: State, held: Held) -> None:
        self._state = state
        self._held = held
        self.fence = held.fence

    async def check(self) -> None:
        """To be asked right before what can't be undone, such as sending a single-use token. Raises `Lost`."""
        try:
            still = await self._state.transact(
                lambda session: locks.renew(session, self._state.database.now, self._held)
            )
        except (StateUnavailable, StateRefused) as error:
            raise Lost(str(error)) from error
        if not still:
            raise Lost(f"the lock on {self._held.name} was taken over")


class SingleFlight:
    def __init__(self, reactor: Any, state: State) -> None:
        self._reactor = reactor
        self._state = state

    async def run(
        self, name: str, look: Callable[[], Awaitable[T | None]], work: Callable[[Flight], Coroutine[Any, Any, T]]
    ) -> T:
        """What `look` finds, or else what `work` makes, done by one at a time of all who use this name.

        `look` gives what another has left behind meanwhile, None for nothing of use; it is asked before each try for the
        lock, and once more with the lock in hand. Raises what the two raise, `Lost`, and `StateUnavailable` when nobody
        can say whether another is at it."""
        holder = token_hex(8)
        pause = FIRST_LOOK
        while (found := await look()) is None:
            held = await self._state.transact(
                lambda session: locks.acquire(session, self._state.database.now, name, holder)
            )
            if held is not None:
                return await self._holding(held, look, work)
            await deferLater(self._reactor, pause)
            pause = min(pause * 2, LONGEST_LOOK)
        return found

    async def _holding(
        self, held: Held, look: Callable[[], Awaitable[T | None]], work: Callable[[Flight], Coroutine[Any, Any, T]]
    ) -> T:
        flight = Flight(self._state, held)
        try:
            if (found := await look()) is not None:
                return found
            return await self._renewing(flight, Deferred.fromCoroutine(work(flight)))
        finally:
            Deferred.fromCoroutine(self._release(held)).addErrback(_failed)

    async def _renewing(self, flight: Flight, working: "Deferred[T]") -> T:
        lost: list[Lost] = []

        async def renew() -> None:
            try:
                await flight.check()
            except Lost as error:
                lost.append(error)
                working.cancel()

        renewals = LoopingCall(lambda: Deferred.fromCoroutine(renew()))
        renewals.clock = self._reactor
        renewals.start(RENEW_SECONDS, now=False).addErrback(_failed)
        try:
            return await working
        except CancelledError:
            if lost:
                raise lost[0] from None
            raise
        finally:
            renewals.stop()

    async def _release(self, held: Held) -> None:
        try:
            await self._state.transact(lambda session: locks.release(session, held))
        except (StateUnavailable, StateRefused) as error:
            _log.warn("{name} stays locked for {seconds:g} s: {problem}", name=held.name, seconds=HELD_SECONDS, problem=str(error))  # fmt: skip


def _failed(failure: Failure) -> None:
    _log.failure("a bug in holding a lock", failure=failure)
