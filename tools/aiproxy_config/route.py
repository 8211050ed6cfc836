"""`aiproxy-config route`: which accounts a call would be offered, in order, and why the others wouldn't."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import BinaryIO

import click

from aiproxy.catalogue import known_provider
from aiproxy.clients import ANYONE
from aiproxy.gateway.call import Call
from aiproxy.gateway.explaining import Explanation, Foreseen, ForeseenStage, explain, question
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.stages import Because
from aiproxy.gateway.state import State
from aiproxy.providers.base import Operation
from aiproxy.registry import PROTOCOLS
from aiproxy_config.offline import client_named, offline, reading
from aiproxy_config.options import CONFIG
from aiproxy_config.terminal import run

SPOKEN = {"openai": "openai-chat", "responses": "openai-responses", **{name: name for name in PROTOCOLS}}

OPERATIONS = [each.value for each in Operation if each is not Operation.MODELS]

WHY = {
    Because.ASKED: "the accounts for",
    Because.PREVIEW: "when its quota is used up, previews of",
    Because.PROVIDER: "when they fail (provider-fallback-chain), others for",
    Because.MODEL: "when nobody has answered (model-fallback), the accounts for",
}


@click.command()
@click.option("--protocol", type=click.Choice(list(SPOKEN)), default="openai", show_default=True, help="The client's.")
@click.option("--model", help="As the client would write it; a body names one, too.")
@click.option(
    "--key", "holder", metavar="NAME", help="Whose call it is, by the key's name in logs; anybody's when absent."
)
@click.option("--provider", default="", help="The provider that the path or the header Model-Provider names.")
@click.option(
    "--operation", type=click.Choice(OPERATIONS), default="chat", show_default=True, help="What is asked for."
)
@click.option(
    "--body", type=click.File("rb"), help='A request\'s body; "-" is standard input. Tells what a translation loses.'
)
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="With this value; repeatable.")
@click.option("--json", "in_json", is_flag=True, help="For programs.")
@CONFIG
@click.pass_context
@reading
def route(
    context: click.Context,
    protocol: str,
    model: str | None,
    holder: str | None,
    provider: str,
    operation: str,
    body: BinaryIO | None,
    overrides: tuple[str, ...],
    in_json: bool,
    config: str | None,
) -> None:
    """Show where a call would go, step by step, without making it.

    The plan is the gateway's own, for a gateway that has just started: nobody rests or is busy. The exit status is 0 when
    somebody would be asked, 1 when nobody is."""
    content = body.read() if body is not None else b""
    if model is None and not content:
        raise click.UsageError("a --model or a --body is wanted")
    snapshot = offline(config, *overrides)
    call = question(
        PROTOCOLS[SPOKEN[protocol]],
        Operation(operation),
        content,
        model,
        client_named(snapshot, holder) if holder else ANYONE,
        _provider(snapshot, provider),
    )
    asked = call.model
    state = State(snapshot.settings, time.monotonic)
    explanation = run(explain(call, snapshot, state, with_body=bool(content)))
    if in_json:
        click.echo(
            json.dumps({"asked": asked, "key": call.client.name, **asdict(explanation)}, indent=2, ensure_ascii=False)
        )
    else:
        click.echo("\n".join(_told(explanation, asked, call, snapshot)))
    context.exit(0 if explanation.stages else 1)


def _provider(snapshot: Snapshot, named: str) -> str:
    if not named:
        return ""
    found = known_provider(named, snapshot.catalogue.providers)
    if not found:
        known = ", ".join(sorted(snapshot.catalogue.providers))
        raise click.ClickException(f"there is no provider {named!r} here; there are: {known}")
    return found


def _told(explanation: Explanation, asked: str, call: Call, snapshot: Snapshot) -> Iterator[str]:
    whose = "anybody" if call.client is ANYONE else f"the key {call.client.name!r}"
    yield f"{call.operation} of {asked!r} in {call.wire.name}, for {whose}"
    if objection := call.client.objection(time.time()):
        yield f"  but this key {objection}: every call of it is refused"
    if explanation.model != asked:
        taken = [f"at {explanation.provider!r}"] if explanation.provider else []
        taken += ["with thinking as its suffix says"] if explanation.reasoning else []
        yield f"  the name means {explanation.model!r}" + (f" {' '.join(taken)}" if taken else "")
    if explanation.refusal:
        yield f"  nobody is asked: {explanation.refusal}"
    for number, stage in enumerate(explanation.stages, 1):
        yield from _stage(number, stage, snapshot)
    if explanation.passed_over:
        yield "not asked:"
    for account, why in explanation.passed_over.items():
        yield f"  {account} ({snapshot.upstreams[account].provider.name}) {why}"


def _stage(number: int, stage: ForeseenStage, snapshot: Snapshot) -> Iterator[str]:
    yield f"{number}. {WHY[stage.because]} {stage.model!r}"
    for place, tier in enumerate(stage.tiers):
        how = f", {snapshot.settings.routing.strategy}" if len(tier) > 1 else ""
        when = "" if not place else "when none of those is ready, "
        yield f"   {when}priority {tier[0].priority}{how}:"
        for each in tier:
            yield from _candidate(each)


def _candidate(each: Foreseen) -> Iterator[str]:
    weight = f", weight {each.weight}" if each.weight != 1 else ""
    yield f"     {each.account} ({each.provider}) as {each.model!r}{weight}"
    lane = each.lane
    if lane.refusal:
        yield f"       refuses: {lane.refusal}"
    elif not lane.url:
        yield "       has no endpoint that counts: the gateway estimates"
    else:
        yield f"       {'translated to ' + lane.protocol if lane.translated else 'passed through'}, POST {lane.url}"
    if lane.losses:
        yield f"       with {', '.join(lane.losses)}"
