"""The translate lane of one attempt: the client's request in the upstream's words, and the way back for its answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Codec, Exchange, Outgoing
from aiproxy.codecs.envelope import Sealer, may_hold_envelope
from aiproxy.codecs.excerpts import excerpted
from aiproxy.codecs.media_urls import with_bytes
from aiproxy.codecs.opaque import without_state, without_strangers
from aiproxy.codecs.reasoning import seen_when_asked
from aiproxy.codecs.report import Report
from aiproxy.codecs.shortening import shortened
from aiproxy.codecs.tokens import estimate
from aiproxy.codecs.translation import account_for_extensions
from aiproxy.gateway.call import Call
from aiproxy.gateway.lanes import BodySource, FramedSource, Source, StoppedSource, TranslateLane
from aiproxy.gateway.pausing import PausingSource
from aiproxy.gateway.relay import Relay, Setting
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.sources import RememberedSource, ScopedSource, SummarySource, TimedSource
from aiproxy.gateway.state import State, unknown_response
from aiproxy.gateway.stopwatch import Stopwatch
from aiproxy.gateway.stream_relay import StreamRelay
from aiproxy.gateway.whole_relays import WHOLE_BYTES, AnswerRelay, CollectRelay
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.parts import Part, ToolResultPart
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig, Turn
from aiproxy.neutral.response import GenerateResponse
from aiproxy.neutral.usage import Usage
from aiproxy.providers.base import Endpoint, Operation, Upstream

WARNINGS = "x-aiproxy-warnings"
STOPS = "sampling.stop"
"""The feature that encoders leave to us where the upstream takes none, or fewer."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an attempt goes; `model` is the upstream's name of it, `shown` what answers shall call it ("" as they do). `silent`:
    it has refused to show its thinking. `stateless`: it can't use the signed or encrypted thinking in the request.
    `quiet`: a relayed stream is asked for usage that the client doesn't want to see. `address` is where the account asks, "" for
    its own."""

    upstream: Upstream
    endpoint: Endpoint
    model: str
    shown: str = ""
    silent: bool = False
    stateless: bool = False
    quiet: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Translation:
    """`down` is the exchange as the client sees it, `up` as the upstream does."""

    source: Codec
    target: Codec
    down: Exchange
    up: Exchange
    outgoing: Outgoing
    counting: bool
    summarises: bool
    remember: Callable[[Sequence[Part]], None] | None
    pausing: PausingSource | None
    scope: str | None
    """Where alone the opaque state of its answer is good; None for everywhere."""

    @property
    def streamed(self) -> bool:
        """Whether the upstream is asked for a stream."""
        return self.up.request.stream

    def relay(self, setting: Setting) -> Relay:
        """What takes the upstream's answer to the client."""
        if self.counting:
            return AnswerRelay(setting, self._count, WHOLE_BYTES)
        streamed = sends_stream(setting.head.upstream, otherwise=True)
        came: Source = FramedSource(self.target, self.up) if streamed else BodySource(self.target, self.up)
        if streamed and self.pausing is not None:
            came = self.pausing
        call = setting.call
        if call.continuation is not None:
            if call.committed:
                return StreamRelay(setting, call.continuation.go_on(came))
            came = call.continuation.begin(came)
        if self.up.report.says("emulate", STOPS):
            came = StoppedSource(came, self.up.request.sampling.stop)
        if self.scope is not None:
            came = ScopedSource(came, self.scope)
        if self.remember is not None:
            came = RememberedSource(came, self.remember)
        if self.summarises:
            came = SummarySource(came)
        if self.source.tells_times:
            came = TimedSource(came, Stopwatch(setting))
        setting.call.record.warnings = self.down.report.warnings
        if setting.call.stream:
            head = {"content-type": self.source.stream_content_type, **_warnings(self.down.report)}
            told = replace(setting, head=replace(setting.head, headers={**setting.head.headers, **head}))
            lane = TranslateLane(came, self.source, self.down)
            if call.continuation is not None:
                call.continuation.keep(lane)
            return StreamRelay(told, lane)
        return CollectRelay(setting, came, self._whole)

    def going_on(self, parts: tuple[Part, ...]) -> "Translation":
        """Asks an upstream that paused, or another one, to go on after what was said. A last turn of its own is not for it to begin anew, so
        it need not be able to."""
        said = replace(self.up.request, turns=(*self.up.request.turns, Turn("assistant", parts)))
        able = replace(self.up.capabilities, prefill=True)
        return replace(self, outgoing=self.target.encode_request(replace(self.up, request=said, capabilities=able)))

    def _whole(self, response: GenerateResponse) -> Answer:
        answer = self.source.encode_response(response, self.down)
        return warned(answer, self.down.report)

    def _count(self, body: bytes) -> tuple[Answer, Usage | None]:
        assert self.source.token_counting is not None
        assert self.target.token_counting is not None
        answer = self.source.token_counting.encode_answer(self.target.token_counting.decode_answer(body))
        return warned(answer, self.down.report), None


def passes_through(call: Call, target: Target) -> bool:
    """The client's protocol is the endpoint's, and nothing in the body is to be said differently: no alias that can't be
    replaced in place, no thinking asked for by the model's name, none to be left out, no carrier of ours that would mean
    nothing to the upstream. Nor is the answer one that we must keep in its place, or that another account may go on with."""
    if call.continuation is not None or target.stateless:
        return False
    endpoint = target.endpoint
    storing = call.codec.storing if call.codec else None
    if not endpoint.keeps_answers and storing is not None and storing.wanted(call.incoming.outline):
        return False
    same = endpoint.wire is call.wire and endpoint.operation is call.operation
    if endpoint.repeats_model and target.model != call.model:
        return False
    return same and call.reasoning is None and not may_hold_envelope(call.incoming.outline)


def warned(answer: Answer, report: Report) -> Answer:
    """The answer, with what its translation lost in its headers."""
    return replace(answer, headers={**answer.headers, **_warnings(report)})


def _warnings(report: Report) -> dict[str, str]:
    return {WARNINGS: report.header} if report.header else {}


def sends_stream(headers: Mapping[str, str], *, otherwise: bool) -> bool:
    """Whether an answer comes as frames, by its content type; `otherwise` where that says nothing."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/event-stream", "application/x-ndjson"):
        return True
    return otherwise and "json" not in kind and kind != "text/html"


async def translate(call: Call, to: Target, snapshot: Snapshot, state: State, now: int) -> Translation:
    """Raises `InvalidRequest` for a body that can't be read, `Unsupported` for what the target must not drop, `NotFound` for
    a reference to what nobody kept."""
    source, target = call.codec, to.endpoint.codec
    assert source is not None
    assert target is not None
    sealer = Sealer(snapshot.sealing_key, call.client.tenant)
    request, report = read_request(call, snapshot)
    report = report.fork()
    capabilities = snapshot.capabilities(to.model, to.upstream.provider)
    completes = call.operation is Operation.COMPLETIONS and to.endpoint.operation is Operation.CHAT
    native = source.fields.codec == target.fields.codec and not completes
    counting = call.operation is Operation.COUNT_TOKENS
    down = Exchange(request, sealer, call.request_id, source.fields.codec, now, report=report, seed=call.seed)
    if source.storing is not None and not (native and to.endpoint.keeps_answers):
        if request.state.previous_response_id is not None:
            raise unknown_response(request.state.previous_response_id)
        if call.operation is Operation.CHAT and (request.state.store is not False or call.connection):
            down = replace(down, keep=partial(state.keep, call))
    if call.continues is not None:
        told = replace(request.state, previous_response_id=call.continues)
        down = replace(down, request=replace(request, state=told))
    request = snapshot.system_prompt.applied(request, source.prompt_place)
    if to.silent:
        if request.reasoning.visibility is not None:
            report.drop("reasoning.visibility")
        request = replace(request, reasoning=replace(request.reasoning, visibility=None, summary_style=None))
    elif source.shows_thinking and not native:
        request = replace(request, reasoning=seen_when_asked(request.reasoning))
    remember: Callable[[Sequence[Part]], None] | None = None
    if source.forgetful and not native and not counting:
        vendor = capabilities.vendor or to.endpoint.wire.name
        remember = state.rememberer(call.client.tenant, vendor)
        request = replace(request, turns=await state.recalled(call.client.tenant, vendor, request.turns))
    scope = snapshot.state_scope(to.upstream, to.model)
    turns = without_strangers(request.turns, scope)
    if turns is not request.turns:
        report.lose("part.reasoning")
        request = replace(request, turns=turns)
    if to.stateless:
        report.lose("part.reasoning")
        request = replace(request, turns=without_state(request.turns))
        if request.reasoning.mode == "manual" and _results_last(request):  # thinking would have to lead to the calls
            request = replace(request, reasoning=ReasoningConfig(mode="off"))
            report.lose("reasoning.mode")
    if call.media:
        request = with_bytes(request, target, capabilities, call.media, report)
    summarises = _summarises(call, source, to, request)
    if summarises:
        assert source.compacting is not None
        request = shortened(source.compacting.summarising(request), capabilities)
        report.emulate("compaction")
    account_for_extensions(request, source, target, report, native=native)
    whole = to.endpoint.operation in (Operation.COUNT_TOKENS, Operation.COMPACT)
    up = replace(down, request=replace(request, model=to.model, stream=not whole), capabilities=capabilities)
    if completes:
        up = replace(up, source="")  # a prompt is said in a chat's words, also where its own protocol has both
    if counting:
        if target.token_counting is None:
            raise UpstreamFailed(f"The provider {to.upstream.provider.name!r} declares a token count it can't make.")
        outgoing = target.token_counting.encode_request(up)
    else:
        outgoing = target.encode_request(up)
    pausing = PausingSource(partial(FramedSource, target, up)) if target.pauses and not native else None
    return Translation(source, target, down, up, outgoing, counting, summarises, remember, pausing, scope)


def _results_last(request: GenerateRequest) -> bool:
    return bool(request.turns) and any(isinstance(part, ToolResultPart) for part in request.turns[-1].parts)


def _summarises(call: Call, source: Codec, to: Target, request: GenerateRequest) -> bool:
    """Whether the client asks for a compaction that this upstream can't make itself."""
    if source.compacting is None or call.operation is Operation.COUNT_TOKENS or not source.compacting.asked(request):
        return False
    target = to.endpoint.codec
    return target is None or target.name != source.name or to.endpoint.operation is not call.operation


def written_anew(call: Call, to: Target, snapshot: Snapshot, now: int) -> bytes:
    """The request of a client that speaks the target's own protocol, with the operator's system prompt in it."""
    codec = call.codec
    assert codec is not None
    sealer = Sealer(snapshot.sealing_key, call.client.tenant)
    request, report = read_request(call, snapshot)
    capabilities = snapshot.capabilities(to.model, to.upstream.provider)
    request = snapshot.system_prompt.applied(replace(request, model=to.model), codec.prompt_place)
    up = Exchange(request, sealer, call.request_id, codec.fields.codec, now, capabilities, report.fork())
    if call.operation is Operation.COUNT_TOKENS:
        assert codec.token_counting is not None
        return codec.token_counting.encode_request(up).body
    return codec.encode_request(up).body


def estimated(call: Call, snapshot: Snapshot) -> Answer:
    """A token count of our own, marked as one."""
    source = call.codec
    assert source is not None
    assert source.token_counting is not None
    request, _ = read_request(call, snapshot)
    request = snapshot.system_prompt.applied(request, source.prompt_place)
    answer = source.token_counting.encode_answer(estimate(request))
    return replace(answer, headers={**answer.headers, WARNINGS: "emulate:count_tokens"})


def read_request(call: Call, snapshot: Snapshot) -> tuple[GenerateRequest, Report]:
    """The neutral request, read once for all attempts."""
    if call.understood is None:
        assert call.codec is not None
        sealer = Sealer(snapshot.sealing_key, call.client.tenant)
        report = Report(strict=snapshot.strict(call.client))
        request = excerpted(call.codec.decode_request(call.incoming, sealer, report), call.incoming.body)
        if call.reasoning is not None:
            request = replace(request, reasoning=call.reasoning)
        call.understood = (replace(request, model=call.model), report)
    return call.understood
