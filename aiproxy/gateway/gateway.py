"""The loop over steps, rounds and accounts, and the calls under way."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from time import time

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from aiproxy.catalogue import Plan, Served, Step, known_provider
from aiproxy.catalogue.catalogue import near
from aiproxy.codecs.reasoning import split_suffix
from aiproxy.gateway.attempt import Surroundings, attempt
from aiproxy.gateway.call import Call, Sink
from aiproxy.gateway.discovery import Discovery
from aiproxy.gateway.endpoints import able
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.state import State
from aiproxy.neutral.errors import GatewayError, NotFound, Overloaded, RateLimited, Timeout
from aiproxy.pools.health import JITTER, Scope, scope_of
from aiproxy.pools.pool import NoneReady, Pool, Wanted
from aiproxy.providers.base import Upstream
from aiproxy.usage import CallRecord, Outcome

FIRST_PAUSE = 0.25
"""Seconds before the second round over the accounts; each later pause is twice as long."""


class _Interruptible:
    """A call under way, which its deadline or a shutdown can end with an error of their own."""

    def __init__(self) -> None:
        self.reason: GatewayError | None = None
        self.task: Deferred[None] | None = None

    def interrupt(self, reason: GatewayError) -> None:
        self.reason = reason
        if self.task is not None:
            self.task.cancel()


class Gateway:
    def __init__(self, clock: IReactorTime, random: Random, snapshot: Snapshot) -> None:
        self._clock = clock
        self._random = random
        self._snapshot = snapshot
        self._under_way: set[_Interruptible] = set()
        self.pool = Pool(clock, random, snapshot.accounts, snapshot.strategy)
        self.discovery = Discovery(clock)
        self.state = State(snapshot.settings, clock.seconds)
        self._turns: Counter[tuple[str, str]] = Counter()
        self.observers: list[Callable[[CallRecord], None]] = []
        """Told of every call when it has ended. They may not wait, and may not raise."""

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def use(self, snapshot: Snapshot) -> None:
        """Take a new configuration. Calls under way finish on the old one; health carries over by account id."""
        self._snapshot = snapshot
        self.pool.replace(snapshot.accounts, snapshot.strategy)
        self.discovery.forget()
        self.state.limit(snapshot.settings)
        self._turns.clear()

    def interrupt_all(self, reason: GatewayError) -> None:
        """End every call under way with this error: an answer where none has begun, else the protocol's error event."""
        for running in self._under_way.copy():
            running.interrupt(reason)

    async def answer(self, call: Call, sink: Sink) -> None:
        """Answer the call into `sink`. Raises the `GatewayError` to render if nothing was written yet (`call.committed`);
        otherwise the stream has been ended honestly and the error says how. Cancelling it means the client left."""
        running = _Interruptible()
        self._under_way.add(running)
        total = self._snapshot.settings.timeouts.total
        told = f"The call took longer than {total:g} s (timeouts.total)."
        deadline = self._clock.callLater(total, lambda: running.interrupt(Timeout(told))) if total else None
        try:
            running.task = Deferred.fromCoroutine(self._serve(call, sink, self._snapshot, running))
            await running.task
            call.record.outcome = Outcome.COMPLETE
        except CancelledError:
            if running.reason is None:
                call.record.outcome = Outcome.CANCELLED
                raise
            call.record.outcome = Outcome.CUT if call.committed else Outcome.FAILED
            call.record.error = running.reason.kind
            raise running.reason from None
        except GatewayError as error:
            call.record.outcome = Outcome.CUT if call.committed else Outcome.FAILED
            call.record.error = error.kind
            error.message = self._snapshot.scrub(error.message)
            raise
        finally:
            self._under_way.discard(running)
            call.record.ended = self._clock.seconds()
            for observe in self.observers:
                observe(call.record)
            if deadline is not None and deadline.active():
                deadline.cancel()

    async def _serve(self, call: Call, sink: Sink, snapshot: Snapshot, running: _Interruptible) -> None:
        failed: GatewayError | None = None
        await self.state.continue_conversation(call, snapshot.sealing_key)
        for step in able(call, self._plan(call, snapshot), snapshot.upstreams):
            try:
                return await self._step(call, sink, snapshot, step, running)
            except GatewayError as error:
                if call.committed or scope_of(error) is Scope.REQUEST:
                    raise
                failed = error
        raise failed or self._unknown(call, snapshot)

    def _plan(self, call: Call, snapshot: Snapshot) -> Plan:
        """The steps for the model's name; for the name without its suffix (`model(high)`) or without the provider before
        it (`[provider] model`, `provider:model`) where only that is known."""
        _take_provider_from_name(call, snapshot)
        plan = snapshot.catalogue.plan(call.model, call.provider) if call.client.may_use(call.model) else ()
        base, reasoning = split_suffix(call.model)
        if (
            reasoning is not None
            and call.client.may_use(base)
            and (bare := snapshot.catalogue.plan(base, call.provider))
        ):
            call.model, call.reasoning = base, reasoning
            return bare
        return plan

    async def _step(self, call: Call, sink: Sink, snapshot: Snapshot, step: Step, running: _Interruptible) -> None:
        """Rounds over the step's accounts until one answers. Raises the last account's error, or who rests until when."""
        settings = snapshot.settings
        failed: GatewayError | None = None
        kept_waiting = 0.0
        for number in range(settings.request_retry + 1):
            if failed is not None:
                pause = self._pause(number, kept_waiting)
                if pause > settings.max_retry_interval:
                    break
                await deferLater(self._clock, pause)
            tried: set[str] = set()
            while not 0 < settings.max_retry_credentials <= len(tried):
                wanted = Wanted(
                    accounts=tuple(step.served),
                    model=call.model,
                    tried=frozenset(tried),
                    patience=0.0 if tried else settings.max_retry_interval,
                    probe=failed is None,
                )
                try:
                    lease = await self.pool.lease(wanted)
                except NoneReady as none:
                    if tried:
                        break
                    raise _refused(call, none) if failed is None else _later(failed, none) from None
                tried.add(lease.account.id)
                try:
                    async with lease:
                        upstream = snapshot.upstreams.get(lease.account.id)
                        if upstream is None:  # a reload took it away while we waited
                            continue
                        around = Surroundings(
                            sink, snapshot, self.state, self._clock, int(time()), lambda: running.reason
                        )
                        return await self._at(call, upstream, step.served[upstream.id], around)
                except GatewayError as error:
                    if call.committed or scope_of(error) is Scope.REQUEST:
                        raise
                    failed = error
                    kept_waiting = 0.0 if lease.account.cools else error.retry_after or 0.0
        assert failed is not None
        raise failed

    async def _at(self, call: Call, upstream: Upstream, served: Sequence[Served], around: Surroundings) -> None:
        """At one account, one of the models that go by the name there, in turn; where that one fails before anything was
        seen of it, the next. Raises the last one's error."""
        first = self._turns[upstream.id, call.model] % len(served)
        if len(served) > 1:
            self._turns[upstream.id, call.model] += 1
        *others, last = (*served[first:], *served[:first])
        for model in others:
            try:
                return await attempt(call, upstream, model, around)
            except GatewayError as error:
                elsewhere = scope_of(error) is Scope.MODEL or isinstance(error, NotFound)
                if call.committed or not elsewhere:
                    raise
        return await attempt(call, upstream, last, around)

    def _pause(self, number: int, kept_waiting: float) -> float:
        """Seconds before a further round. Rests are the pool's affair; an account that never rests has its upstream's
        word (`kept_waiting`) kept here."""
        pause: float = FIRST_PAUSE * 2 ** (number - 1) * (1 + JITTER * self._random.random())
        return max(pause, kept_waiting)

    def _unknown(self, call: Call, snapshot: Snapshot) -> NotFound:
        models = snapshot.catalogue.listing(self.discovery.known)
        names = near(call.model, models, call.client.may_use)
        hint = f" Did you mean {' or '.join(repr(name) for name in names)}?" if names else ""
        message = f"The model {call.model!r} does not exist here or this key may not use it.{hint} GET /v1/models lists the names."
        return NotFound(message, code="model_not_found", param="model")


def _take_provider_from_name(call: Call, snapshot: Snapshot) -> None:
    """`[provider] model` and `provider:model`, as AIClient-2-API's clients choose. A model that is listed with the colon in
    its name is that model."""
    catalogue = snapshot.catalogue
    name, closed, model = call.model.removeprefix("[").partition("]")
    if call.model.startswith("[") and closed and model.startswith(" "):
        model = model.lstrip()
    elif not catalogue.lists(call.model):
        name, _, model = call.model.partition(":")
    else:
        return
    if model and (provider := known_provider(name, catalogue.providers)):
        call.provider, call.model = provider, model


def _refused(call: Call, none: NoneReady) -> GatewayError:
    """Every account rests for longer than we may wait."""
    if none.ready_in is None:
        return Overloaded(
            f"No account is left that offers {call.model!r}; the configuration has just changed. Try again."
        )
    seconds = round(none.ready_in)
    reasons = ", ".join(sorted(set(none.reasons.values()))) or "busy"
    message = f"All accounts that offer {call.model!r} are resting ({reasons}); the first returns in {seconds} s."
    limited = "rate_limit" in none.reasons.values() or "quota_exhausted" in none.reasons.values()
    return (RateLimited if limited else Overloaded)(message, retry_after=max(1.0, none.ready_in))


def _later(failed: GatewayError, none: NoneReady) -> GatewayError:
    """The last failure, with the time at which asking again makes sense."""
    if none.ready_in is not None:
        failed.retry_after = max(failed.retry_after or 0.0, none.ready_in)
    return failed
