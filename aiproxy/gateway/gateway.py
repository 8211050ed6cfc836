"""A call from end to end, and the calls under way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from secrets import token_hex
from time import time

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from aiproxy.catalogue.catalogue import near
from aiproxy.catalogue.providers import EVERY_PROVIDER
from aiproxy.clients import Limiter
from aiproxy.codecs.sessions import session_of
from aiproxy.codecs.splice import read_object
from aiproxy.config.schema import LogLevel
from aiproxy.gateway.admission import Admission, Refill, no_refill
from aiproxy.gateway.attempt import Surroundings
from aiproxy.gateway.call import Call, Sink
from aiproxy.gateway.discovery import Discovery
from aiproxy.gateway.health_checks import HealthChecks
from aiproxy.gateway.keys import ManagedKey
from aiproxy.gateway.opening import Opening
from aiproxy.gateway.planning import plan
from aiproxy.gateway.quota_questions import QuotaQuestions
from aiproxy.gateway.relays import Relay, with_relays
from aiproxy.gateway.rounds import Allowance, Rounds
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.stages import Stage
from aiproxy.gateway.state import State
from aiproxy.gateway.telling import Telling
from aiproxy.gateway.warming import warm_up
from aiproxy.logs.prompt_entry import Told
from aiproxy.logs.prompt_log import Copying, PromptLog
from aiproxy.neutral.errors import ContextLength, GatewayError, Internal, NotFound, Timeout
from aiproxy.pools.pool import Pool
from aiproxy.pools.quota import QuotaBook
from aiproxy.providers.base import Operation
from aiproxy.usage import CallRecord, Outcome, story
from aiproxy.usage.trace import begin

_log = Logger("aiproxy.calls")


class _Interruptible:
    """A call under way, which its deadline or a shutdown can end with an error of their own."""

    def __init__(self, record: CallRecord) -> None:
        self.record = record
        self.reason: GatewayError | None = None
        self.task: Deferred[None] | None = None

    def interrupt(self, reason: GatewayError) -> None:
        self.reason = reason
        if self.task is not None:
            self.task.cancel()


@dataclass(slots=True)
class _Progress:
    """How a call's stages have ended so far, by their place, and which of them were asked at all."""

    failed: dict[int, GatewayError] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    last: GatewayError | None = None
    answered: bool = False

    def helped_by(self, place: int, stage: Stage) -> bool:
        """Whether this stage is worth a try after what has gone wrong last."""
        too_long_for_it = isinstance(self.failed.get(place), ContextLength)
        return not too_long_for_it and (self.last is None or stage.helps(self.last))

    def verdict(self) -> GatewayError | None:
        """What the client is told: how it went with what it asked for, not with a stand-in. Nothing is kept of it: an error that
        is raised holds whoever holds it."""
        told = self.failed.get(0)
        self.failed.clear()
        self.last = None
        return told


class Gateway:
    def __init__(self, clock: IReactorTime, random: Random, snapshot: Snapshot) -> None:
        self._clock = clock
        self._under_way: set[_Interruptible] = set()
        self.pool = Pool(clock, random)
        self.discovery = Discovery(clock)
        self.state = State(snapshot.settings, clock.seconds)
        self.limiter = Limiter()
        """What client keys have used of their limits."""
        self.refill: Refill = no_refill
        """Asks for more of limits that several processes share."""
        self.quotas = QuotaBook()
        """What vendors say of accounts' quotas."""
        self.quota_questions = QuotaQuestions(clock, random, self.pool, self.quotas, lambda: self._snapshot)
        self.ended = Telling(clock)
        """Of calls: `ended.observers` are told of them, some at a time, soon after."""
        self.prompts: PromptLog | None = None
        """Where requests and answers are written in words."""
        self.health_checks = HealthChecks(clock, random, self.pool, lambda: self._snapshot)
        self._managed: Sequence[ManagedKey] = ()
        self._relays: dict[str, Relay] = {}
        self._rounds = Rounds(self.pool, clock, random)
        self.use(snapshot)

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def use(self, snapshot: Snapshot) -> None:
        """Take a new configuration. Calls under way finish on the old one; health carries over by account id."""
        self._configured = snapshot
        self._join()
        self.discovery.forget()
        self.state.limit(snapshot.settings)
        self._reconsider_relays()

    def _join(self) -> None:
        """What the configuration says, and who has come to us."""
        snapshot = self._snapshot = with_relays(self._configured, self._relays.values(), self._clock)
        self.keyring = snapshot.keyring(self._managed)
        routing = snapshot.settings.routing
        sessions = routing.session_affinity_ttl if routing.session_affinity else 0.0
        self.pool.replace(snapshot.accounts, snapshot.strategy, sessions=sessions, queue=routing.queue)
        self.quotas.keep(snapshot.upstreams)

    @property
    def relays(self) -> int:
        """How many are connected."""
        return len(self._relays)

    def connect(self, relay: Relay) -> None:
        """An upstream has come to us: an account from now on."""
        self._relays[relay.name] = relay
        self._join()

    def disconnect(self, relay: Relay) -> None:
        if self._relays.pop(relay.name, None) is not None:
            self._join()

    def _reconsider_relays(self) -> None:
        for relay in list(self._relays.values()):
            relay.reconsider()

    def manage(self, keys: Sequence[ManagedKey]) -> None:
        """Take these keys beside those of the configuration, in the place of those taken before."""
        self._managed = keys
        self.keyring = self._snapshot.keyring(keys)
        self._reconsider_relays()

    def now(self) -> float:
        """Of the clock that times of records and rests are of."""
        return self._clock.seconds()

    @property
    def under_way(self) -> int:
        """Calls that have not ended."""
        return len(self._under_way)

    @property
    def streams_under_way(self) -> int:
        return sum(running.record.streamed for running in self._under_way)

    @property
    def records_under_way(self) -> Sequence[CallRecord]:
        """Of calls that have not ended, as far as they are filled."""
        return [running.record for running in self._under_way]

    def interrupt_all(self, reason: GatewayError) -> None:
        """End every call under way with this error: an answer where none has begun, else the protocol's error event."""
        for running in self._under_way.copy():
            running.interrupt(reason)

    def interrupt(self, request_id: str, reason: GatewayError) -> int:
        """End with this error what is under way by this id, and say how many calls that were."""
        named = [running for running in self._under_way if running.record.request_id == request_id]
        for running in named:
            running.interrupt(reason)
        return len(named)

    async def answer(self, call: Call, sink: Sink) -> None:
        """Answer the call into `sink`. Raises the `GatewayError` to render if nothing was written yet;
        otherwise the stream has been ended honestly and the error says how. Cancelling it means the client left."""
        prompts, copy = self.prompts, None
        if prompts is not None and call.client.logged and call.operation is not Operation.COUNT_TOKENS:
            sink = copy = Copying(sink)
        tracing = self._snapshot.settings.tracing
        share = tracing.sample_ratio if tracing.otlp_endpoint else None
        call.record.trace = begin(call.incoming.headers, share, token_hex)
        running = _Interruptible(call.record)
        self._under_way.add(running)
        total = self._snapshot.settings.timeouts.total
        told = f"The call took longer than {total:g} s (timeouts.total)."
        opening = Opening(call, call.codec, sink, self._clock) if call.stream and call.codec else None
        deadline = self._clock.callLater(total, lambda: running.interrupt(Timeout(told))) if total else None
        admission = Admission(self.limiter, call, self._snapshot, self.refill)
        try:
            running.task = Deferred.fromCoroutine(self._admitted(call, sink, admission, running))
            await running.task
            call.record.outcome = Outcome.COMPLETE
        except CancelledError:
            if running.reason is None:
                call.record.outcome = Outcome.CANCELLED
                raise
            call.record.outcome = Outcome.CUT if call.committed else Outcome.FAILED
            call.record.error = running.reason.kind
            if opening is not None:
                opening.fail(running.reason)
            raise running.reason from None
        except GatewayError as error:
            call.record.outcome = Outcome.CUT if call.committed else Outcome.FAILED
            call.record.error = error.kind
            error.message = self._snapshot.scrub(error.message)
            if opening is not None:
                opening.fail(error)
            raise error.with_traceback(None) from None  # a circle less, see `rounds`
        except Exception:
            if opening is not None:
                opening.fail(Internal("Something went wrong inside the gateway; its log knows more."))
            raise
        finally:
            if opening is not None:
                opening.close()
            admission.leave()
            running.task = None
            self._under_way.discard(running)
            call.record.ended = self._clock.seconds()
            if self._snapshot.settings.logging.level is LogLevel.DEBUG:
                _log.debug(
                    "{request_id} {outcome}: {story}",
                    outcome=call.record.outcome,
                    story=story(call.record),
                    **call.record.named,
                )
            if prompts is not None and copy is not None:
                prompts.note(_told(call, copy))
            self.quota_questions.observe(call.record)
            self.ended.note(call.record)
            if deadline is not None and deadline.active():
                deadline.cancel()

    async def _admitted(self, call: Call, sink: Sink, admission: Admission, running: _Interruptible) -> None:
        await admission.enter()
        await self._serve(call, sink, self._snapshot, running)

    async def _serve(self, call: Call, sink: Sink, snapshot: Snapshot, running: _Interruptible) -> None:
        """Stage after stage until one answers."""
        settings = snapshot.settings
        retries = settings.timeouts.retries or float("inf")
        allowance = Allowance(settings.max_attempts, self._clock.seconds() + retries)
        around = Surroundings(
            sink,
            snapshot,
            self.state,
            self._clock,
            int(time()),
            lambda: running.reason,
            heard=self.quota_questions.heard,
        )
        await self.state.continue_conversation(call, snapshot.sealing_key)
        if call.continues is not None:
            call.session = session_of(call.incoming.headers, read_object(call.incoming.outline))
            call.record.session = call.session.key
        planned = plan(call, snapshot)
        if call.warms_up and planned:
            warm_up(call, around)
            return
        progress = _Progress()
        for patient in (False, True) if len(planned) > 1 else (True,):
            if await self._pass_over(call, planned, around, allowance, progress, patient=patient):
                break
        if not progress.answered:
            raise progress.verdict() or self._unknown(call, snapshot)

    async def _pass_over(
        self,
        call: Call,
        planned: Sequence[Stage],
        around: Surroundings,
        allowance: Allowance,
        progress: "_Progress",
        *,
        patient: bool,
    ) -> bool:
        """Whether it is over: a stage has answered, or no other one would. Nobody is waited for, nor asked twice, while another
        stage may be ready: that is for the patient pass. There, who has been asked before has the further rounds only."""
        retries = around.snapshot.settings.request_retry
        for place, stage in enumerate(planned):
            rounds = range(place in progress.asked, retries + 1) if patient else range(1)
            spent = progress.last is not None and allowance.spent(self._clock.seconds())
            if not rounds or spent or not progress.helped_by(place, stage):
                continue
            before = len(call.record.attempts)
            failed = await self._rounds.run(call, stage, around, allowance, rounds, patient=patient)
            if failed is None:
                progress.answered = True
                return True
            progress.failed[place] = progress.last = failed.error
            if failed.final and (call.committed or not isinstance(failed.error, ContextLength)):
                return True
            if len(call.record.attempts) > before:
                progress.asked.add(place)
        return False

    def _unknown(self, call: Call, snapshot: Snapshot) -> NotFound:
        models = snapshot.catalogue.listing(self.discovery.known, call.provider, snapshot.reach(call.client))
        names = near(call.model, models, call.client.may_use)
        hint = f" Did you mean {' or '.join(repr(name) for name in names)}?" if names else ""
        at = f"at the provider {call.provider!r}" if call.provider not in ("", EVERY_PROVIDER) else "here"
        message = f"The model {call.model!r} does not exist {at} or this key may not use it.{hint} GET /v1/models lists the names."
        return NotFound(message, code="model_not_found", param="model")


def _told(call: Call, copy: Copying) -> Told:
    record = call.record
    return Told(
        at=time(),
        request_id=record.request_id,
        client=record.client,
        protocol=record.protocol,
        operation=record.operation,
        model=record.model,
        outcome=record.outcome or "",
        error=record.error,
        codec=call.codec,
        incoming=call.original or call.incoming,
        streamed=call.stream,
        answer=copy.answer,
        whole=copy.whole and record.outcome is Outcome.COMPLETE,
    )
