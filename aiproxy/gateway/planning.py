"""What a call goes through: from the model's name, as the client wrote it, to the stages that may answer."""

from collections.abc import Sequence
from functools import partial

from aiproxy.catalogue.globs import matches
from aiproxy.clients import Client
from aiproxy.codecs import openai_chat
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.reasoning import split_suffix
from aiproxy.gateway.call import Call, read_call
from aiproxy.gateway.continuing import Continuation
from aiproxy.gateway.endpoints import able
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.stages import Offered, Stage, stages
from aiproxy.providers.base import Operation
from aiproxy.usage import CallRecord


def plan(call: Call, snapshot: Snapshot) -> Sequence[Stage]:
    """The stages for the model's name; for the name without its suffix (`model(high)`) or without the provider before it
    (`[provider] model`, `provider:model`) where only that is known. What was taken off the name is noted in the call, and
    whether another account may go on with its answer."""
    globs = snapshot.settings.continue_streams
    if call.stream and call.codec and call.operation is Operation.CHAT and matches(call.model, globs):
        call.continuation = Continuation()
    provider, call.model = snapshot.catalogue.provider_in(call.model)
    call.provider = provider or call.provider
    found = _stages(call.model, call, snapshot)
    base, reasoning = split_suffix(call.model)
    if reasoning is not None and (bare := _stages(base, call, snapshot)):
        call.model, call.reasoning = base, reasoning
        return bare
    return found


def _stages(model: str, call: Call, snapshot: Snapshot) -> Sequence[Stage]:
    asked = (call.provider, call.operation, call.wire.name, call.codec is None)
    return snapshot.planned.stages(call.client, model, asked, partial(_worked_out, model, call, snapshot))


def _worked_out(model: str, call: Call, snapshot: Snapshot) -> Sequence[Stage]:
    if not call.client.may_use(model):
        return ()
    return stages(model, call.provider, partial(_offers, call, snapshot), snapshot.fallbacks, call.client.may_use)


def _offers(call: Call, snapshot: Snapshot, model: str, provider: str) -> Sequence[Offered]:
    """Who can serve a model and do what is asked."""
    found = snapshot.catalogue.plan(model, provider, snapshot.reach(call.client))
    steps = able(call, found, snapshot.upstreams)
    return [
        Offered(account, served, snapshot.upstreams[account].provider.name)
        for step in steps
        for account, names in step.served.items()
        for served in names
    ]


def routes(model: str, client: Client, snapshot: Snapshot) -> tuple[tuple[str, ...], ...]:
    """By stage, who would be asked for a chat: accounts with what their upstreams call the model, the best priority first."""
    chat = openai_chat.CODEC
    call = read_call(chat.wire, Operation.CHAT, Incoming(b"{}", model, False), client, CallRecord("", 0.0), codec=chat)
    return tuple(
        tuple(
            f"{account}:{name}"
            for account, name in sorted(stage.candidates, key=lambda each: snapshot.upstreams[each[0]].priority)
        )
        for stage in plan(call, snapshot)
    )
