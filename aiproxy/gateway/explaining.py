"""Where a call would go, and why: the plan that `planning` makes, with the reason of every account that isn't in it.

Nothing is asked, counted or waited for. Which of several ready candidates is taken is the pool's affair: its order is told,
not its choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aiproxy.catalogue import Served
from aiproxy.clients import Client
from aiproxy.codecs.codec import Codec, Incoming
from aiproxy.codecs.json_bytes import dump
from aiproxy.gateway.call import Call, read_call
from aiproxy.gateway.embed import EMBEDS, translate_embeddings
from aiproxy.gateway.endpoints import endpoint_for
from aiproxy.gateway.planning import plan
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.stages import Because
from aiproxy.gateway.state import State
from aiproxy.gateway.translate import Target, passes_through, translate
from aiproxy.neutral.errors import GatewayError
from aiproxy.pools.affinity import Candidate
from aiproxy.providers.base import Operation
from aiproxy.usage import CallRecord


@dataclass(frozen=True, slots=True)
class Lane:
    """How a candidate would be asked. `url` is "" where nobody is: tokens are then estimated. `losses` are what a translation
    of this very body would warn of, `sent` what it would become before payload rules, `refusal` what the client would be told
    instead of being served."""

    protocol: str
    url: str
    translated: bool
    losses: tuple[str, ...] = ()
    refusal: str = ""
    sent: str = ""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A candidate, with what the pool goes by."""

    account: str
    provider: str
    model: str
    priority: int
    weight: int
    lane: Lane


@dataclass(frozen=True, slots=True)
class ForeseenStage:
    """`tiers` are its candidates by priority, the first to be asked first."""

    because: Because
    model: str
    tiers: Sequence[Sequence[Foreseen]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`model` and `provider` are what the name came down to, `reasoning` whether a suffix of it asks for thinking. `passed_over`
    is by account, `refusal` why nobody is asked at all."""

    model: str
    provider: str
    reasoning: bool
    stages: Sequence[ForeseenStage]
    passed_over: Mapping[str, str]
    refusal: str = ""


async def explain(call: Call, snapshot: Snapshot, state: State, *, with_body: bool) -> Explanation:
    """`with_body`: the call's body is a real one, so that its translations can be foreseen. Waits for nothing but `state`."""
    planned = plan(call, snapshot)
    stages = []
    for stage in planned:
        found = [
            await _foreseen(candidate, served, call, snapshot, state if with_body else None)
            for candidate, served in stage.candidates.items()
        ]
        priorities = sorted({each.priority for each in found})
        tiers = [[each for each in found if each.priority == priority] for priority in priorities]
        stages.append(ForeseenStage(stage.because, stage.model, tiers))
    asked = {account for stage in planned for account, _ in stage.candidates}
    passed_over = _passed_over(call, snapshot, asked)
    refusal = "" if planned else _refusal(call)
    return Explanation(call.model, call.provider, call.reasoning is not None, stages, passed_over, refusal)


def question(codec: Codec, operation: Operation, body: bytes, model: str | None, client: Client, provider: str) -> Call:
    """A call that nobody makes, of a body or of a model's name alone. Raises `InvalidRequest`."""
    named = operation.value if operation is not Operation.CHAT else ""
    incoming = Incoming(body or dump({"model": model}), model, operation=named)
    streams = codec.name == "ollama" and operation is Operation.CHAT
    record = CallRecord("route", 0.0)
    return read_call(codec.wire, operation, incoming, client, record, codec=codec, streams=streams, provider=provider)


def by_model(snapshot: Snapshot, client: Client, found: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Each listed name → the accounts that would be asked first, with what their upstreams call it. `found` are the names that
    open accounts' upstreams list."""
    reach = snapshot.reach(client)
    return {
        model.name: [
            f"{account}:{each.name}"
            for step in snapshot.catalogue.plan(model.name, "", reach)
            for account, served in step.served.items()
            for each in served
        ]
        for model in snapshot.catalogue.listing(found, "", reach)
        if client.may_use(model.name)
    }


def _passed_over(call: Call, snapshot: Snapshot, asked: set[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    objections = snapshot.catalogue.objections(call.model, call.provider, snapshot.reach(call.client))
    for account in snapshot.upstreams:
        if account in asked:
            continue
        objection = objections.get(account)
        if objection is not None:
            found[account] = objection.value
        elif not call.client.may_use(call.model):
            found[account] = "offers this model, which this key may not use"
        else:
            found[account] = f"has no endpoint for {call.operation}"
    return found


def _refusal(call: Call) -> str:
    if not call.client.may_use(call.model):
        return f"this key may not use the model {call.model!r}"
    return f"nobody offers the model {call.model!r}"


async def _foreseen(
    candidate: Candidate, served: Served, call: Call, snapshot: Snapshot, state: State | None
) -> Foreseen:
    account, model = candidate
    upstream = snapshot.upstreams[account]
    endpoint = endpoint_for(call, upstream, served.name, prompted=not snapshot.system_prompt.changes_nothing)
    lane = Lane(call.wire.name, "", translated=False)
    if endpoint is not None:
        target = Target(upstream, endpoint, served.name, call.model if served.forced else "")
        url = endpoint.url(upstream.base_url, served.name, stream=call.stream)
        translated = not passes_through(call, target)
        lane = Lane(endpoint.wire.name, url, translated)
        if translated and state is not None:
            lane = await _translated(lane, call, target, snapshot, state)
    elif call.operation is not Operation.COUNT_TOKENS:
        lane = Lane(call.wire.name, "", translated=False, refusal=f"it has no endpoint for {call.operation}")
    return Foreseen(account, upstream.provider.name, model, upstream.priority, upstream.weight, lane)


async def _translated(lane: Lane, call: Call, target: Target, snapshot: Snapshot, state: State) -> Lane:
    """With what the translation loses and makes of it, or why there is none."""
    try:
        if call.operation in EMBEDS:
            return replace(lane, losses=translate_embeddings(call, target, snapshot).report.warnings)
        translation = await translate(call, target, snapshot, state, now=0)
    except GatewayError as error:
        return replace(lane, refusal=error.message)
    sent = translation.outgoing.body.decode("utf-8", "replace")
    return replace(lane, losses=translation.down.report.warnings, sent=sent)
