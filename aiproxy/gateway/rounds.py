"""One stage of a call: rounds over its candidates until one answers, and a note of every choice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from aiproxy.catalogue import Served
from aiproxy.codecs.sessions import responded
from aiproxy.gateway.attempt import Surroundings, attempt
from aiproxy.gateway.call import Call
from aiproxy.gateway.homes import homes
from aiproxy.gateway.named_answers import NamedSink
from aiproxy.gateway.refusals import put_off, refused
from aiproxy.gateway.stages import Stage
from aiproxy.neutral.errors import GatewayError, QuotaExhausted
from aiproxy.pools.affinity import Candidate
from aiproxy.pools.health import JITTER, Health
from aiproxy.pools.lending import NoneReady, Skipped, Wanted
from aiproxy.pools.pool import Lease, Pool
from aiproxy.pools.repeats import Repeats
from aiproxy.providers.base import Upstream
from aiproxy.usage import Choice, Passed

FIRST_PAUSE = 0.25
"""Seconds before the second round over the accounts; each later pause is twice as long."""


@dataclass(slots=True)
class Allowance:
    """What a call may still spend: attempts, and the clock's time after which none is begun."""

    attempts: int
    until: float

    def spent(self, now: float) -> bool:
        return self.attempts <= 0 or now >= self.until


@dataclass(frozen=True, slots=True)
class Failed:
    """The error that ended a stage; one is `final` that no other account would spare the client."""

    error: GatewayError
    final: bool = False


class Rounds:
    def __init__(self, pool: Pool, clock: IReactorTime, random: Random) -> None:
        self._pool = pool
        self._clock = clock
        self._random = random

    async def run(
        self, call: Call, stage: Stage, around: Surroundings, allowance: Allowance, rounds: range, *, patient: bool
    ) -> Failed | None:
        """None when the stage has answered, else the last candidate's error, or who rests until when. Errors that are kept lose
        their tracebacks, whose frames hold them in turn: such circles would pile up until the garbage collector comes.

        Rounds after the first (0) begin with a pause. A `patient` one waits for who is busy or rests, and may probe."""
        settings = around.snapshot.settings
        failed: GatewayError | None = None
        kept_waiting = 0.0
        repeats = Repeats()
        at_home = self._keeper(call) & stage.candidates.keys() or homes(call, stage.candidates, around.snapshot)
        for number in rounds:
            if number:
                pause = self._pause(number, kept_waiting)
                if pause > settings.max_retry_interval or allowance.spent(self._clock.seconds() + pause):
                    break
                await deferLater(self._clock, pause)
            tried: set[Candidate] = set()
            accounts = 0
            while not 0 < settings.max_retry_credentials <= accounts:
                now = self._clock.seconds()
                if failed is not None and allowance.spent(now):
                    return Failed(failed)
                patience = min(settings.max_retry_interval, max(0.0, allowance.until - now))
                wanted = Wanted(
                    candidates=stage.candidates,
                    tried=frozenset(tried),
                    patience=patience if patient and not tried else 0.0,
                    probe=patient and failed is None,
                    session=call.session.key,
                    begins=call.session.begins,
                    priority=call.client.priority,
                    homes=at_home,
                )
                try:
                    lease = await self._pool.lease(wanted)
                except CancelledError:
                    self._note(call, stage, self._pool.passed_over(wanted), self._clock.seconds() - now)
                    raise
                except NoneReady as none:
                    none.with_traceback(None)
                    if tried:
                        break
                    self._note(call, stage, none.skipped, self._clock.seconds() - now)
                    return Failed(refused(stage.model, none) if failed is None else put_off(failed, none))
                accounts += all(lease.account.id != account for account, _ in tried)
                tried.add(lease.candidate)
                allowance.attempts -= 1
                self._note(call, stage, lease.taken.skipped, lease.waited, lease)
                try:
                    async with lease:
                        upstream = around.snapshot.upstreams[lease.account.id]
                        served = stage.candidates[lease.candidate]
                        told = replace(around, worked=lease.worked)
                        await self._noting_its_name(call, lease, told, upstream, served)
                        return None
                except GatewayError as error:
                    error.with_traceback(None)
                    verdict = lease.account.judge(error)
                    waiting = call.continuation is not None and call.continuation.waiting
                    if verdict.stops or (call.committed and not waiting):
                        return Failed(error, final=True)
                    if same := repeats.heard(lease.candidate, error):
                        for account, model in same:
                            self._pool.clear(account, model)  # none of them is to blame
                        return Failed(error, final=True)
                    failed = error
                    kept_waiting = 0.0 if verdict.cools else error.retry_after or 0.0
                    if isinstance(error, QuotaExhausted) and not settings.quota_exceeded.switch_project:
                        tried |= _same_login(stage, around, lease)
        return None if failed is None else Failed(failed)

    async def _noting_its_name(
        self, call: Call, lease: Lease, around: Surroundings, upstream: Upstream, served: Served
    ) -> None:
        """One attempt; whoever goes on from an answer that upstreams keep comes back to its account."""
        storing = call.codec.storing if call.codec else None
        if storing is None or not storing.wanted(call.incoming.outline):
            await attempt(call, upstream, served, around)
            return
        sink = NamedSink(around.sink)
        await attempt(call, upstream, served, replace(around, sink=sink))
        if sink.id:
            self._pool.bind_session(responded(sink.id), lease.candidate)

    def _keeper(self, call: Call) -> frozenset[Candidate]:
        """The account that keeps the answer which the request goes on from, as far as is known."""
        storing = call.codec.storing if call.codec else None
        named = storing.upstreams(call.incoming.outline) if storing else None
        found = self._pool.bound_to(responded(named)) if named else None
        return frozenset(() if found is None else (found,))

    def _pause(self, number: int, kept_waiting: float) -> float:
        """Seconds before a further round. Rests are the pool's affair; an account that never rests has its upstream's
        word (`kept_waiting`) kept here."""
        pause: float = FIRST_PAUSE * 2 ** (number - 1) * (1 + JITTER * self._random.random())
        return max(pause, kept_waiting)

    def _note(
        self, call: Call, stage: Stage, skipped: Sequence[Skipped], waited: float, lease: Lease | None = None
    ) -> None:
        call.record.choices.append(noted(stage, skipped, waited, lease, self._clock.seconds()))


def noted(stage: Stage, skipped: Sequence[Skipped], waited: float, lease: Lease | None, now: float) -> Choice:
    """A choice for the record; `now` is the clock's."""
    passed = tuple([_passed(each) for each in skipped]) if skipped else ()
    if lease is None:
        return Choice(now, "", "", "", stage.because, waited, passed)
    taken = lease.taken
    return Choice(now, taken.account.id, taken.model, taken.why, stage.because, waited, passed)


def _passed(skipped: Skipped) -> Passed:
    account, model = skipped.candidate
    match skipped.why:
        case Health() as health:
            return Passed(account, model, health.reason, health.ready_at)
        case hindrance:
            return Passed(account, model, hindrance.value)


def _same_login(stage: Stage, around: Surroundings, lease: Lease) -> set[Candidate]:
    """The candidates that are other projects of the login that has just used up its quota."""
    upstreams = around.snapshot.upstreams
    login = upstreams[lease.account.id].login
    return {each for each in stage.candidates if login and each[0] in upstreams and upstreams[each[0]].login == login}
