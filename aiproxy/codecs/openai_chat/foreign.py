"""A request that came in another protocol, fitted to a Chat Completions upstream: order, roles, ids, names, schemas, fields."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import assert_never, cast

from aiproxy.codecs import results, roles, tool_choice
from aiproxy.codecs.arguments import json_text
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.freeform import wrap
from aiproxy.codecs.opaque import returnable
from aiproxy.codecs.openai_chat import reasoning
from aiproxy.codecs.openai_chat.calls import encode_call, extra_content
from aiproxy.codecs.openai_chat.fitting import fitted_choice, fitted_format, fitted_tool, with_schema
from aiproxy.codecs.openai_chat.parts import encode_part
from aiproxy.codecs.openai_chat.switches import EFFORTS
from aiproxy.codecs.openai_chat.table import TABLE
from aiproxy.codecs.pairing import paired
from aiproxy.codecs.reasoning import effort_of, fitted_effort
from aiproxy.codecs.report import Report
from aiproxy.codecs.tool_ids import IdRule, fit
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import (
    DocumentPart,
    ImagePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from aiproxy.neutral.request import GenerateRequest, Turn

MOST_STOPS = 4
"""OpenAI's limit; the gateway watches for the others itself."""

FLEXIBLE_TTLS = ("30m", "12h")
"""Lifetimes `prompt_cache_options` knows; other protocols have others."""


@dataclass(frozen=True, slots=True)
class Fitted:
    request: GenerateRequest
    names: ToolNames
    ids: IdRule


def fitted(exchange: Exchange) -> Fitted:
    request, report, can = exchange.request, exchange.report, exchange.capabilities
    if request.state.background:
        TABLE.report("state.background", report)
    names = ToolNames.of(request, "openai")
    offered = request.tools if "allowed" in can.tool_choices else tool_choice.allowed(request)
    tools = tuple(fitted_tool(tool, names, can, report) for tool in offered)
    ids = cast(IdRule, can.tool_id_rule or "openai-chat")
    return Fitted(
        replace(
            request,
            turns=with_schema(_turns(request.turns, can, report), request.output_format, can),
            tools=tools,
            tool_choice=fitted_choice(request.tool_choice, tools, names, can, report),
            output_format=fitted_format(request.output_format, can, report),
            modalities=_text_only(request, report),
            audio_output=None,
        ),
        names,
        ids,
    )


def settle_fields(request: GenerateRequest, body: dict[str, Json], can: Capabilities, report: Report) -> None:
    """What the table copied, brought to what this upstream takes."""
    body.pop("reasoning_effort", None)
    effort = fitted_effort(request.reasoning, can, EFFORTS) if can.thinking != "none" else None
    asked = effort_of(request.reasoning)
    if effort is not None:
        body["reasoning_effort"] = effort
        if request.reasoning.effort is None and request.reasoning.budget_tokens is not None:
            report.rename("reasoning.budget_tokens")
        elif effort != asked:
            report.clamp("reasoning.effort")
    elif asked not in (None, "none"):
        report.drop("reasoning.effort")
    most = can.stop_limit if can.stop_limit is not None else MOST_STOPS
    if len(request.sampling.stop) > most:
        report.emulate("sampling.stop")
        body["stop"] = list(request.sampling.stop[:most])
        if not most:
            del body["stop"]
    if "top_logprobs" in body:
        body["logprobs"] = True
    if body.get("store") is False:
        del body["store"]  # what every server does unasked, and not every one knows
    options = body.get("prompt_cache_options", {})
    if options and (
        options.get("mode", "implicit") not in ("implicit", "explicit")
        or options.get("ttl") not in (None, *FLEXIBLE_TTLS)
    ):
        del body["prompt_cache_options"]
        report.ignore("cache.ttl")


def messages(fitting: Fitted, exchange: Exchange) -> list[Json]:
    return [message for turn in fitting.request.turns for message in _messages(turn, fitting, exchange)]


def _turns(turns: Sequence[Turn], can: Capabilities, report: Report) -> tuple[Turn, ...]:
    done = paired(turns, report)
    if can.system_turns_midway is False:
        leading, rest = roles.split_leading(done)
        done = (*leading, *roles.reminded(rest, report))
    return tuple(turn for turn in done if turn.role not in ("system", "developer") or _says_something(turn))


def _says_something(turn: Turn) -> bool:
    return any(not isinstance(part, TextPart) or part.text for part in turn.parts)


def _text_only(request: GenerateRequest, report: Report) -> tuple[str, ...]:
    if set(request.modalities) - {"text"}:
        TABLE.report("modalities", report)
    if request.audio_output is not None:
        TABLE.report("audio_output", report)
    return ()


def _messages(turn: Turn, fitting: Fitted, exchange: Exchange) -> Iterator[dict[str, Json]]:
    if turn.phase is not None:
        TABLE.report("turn.phase", exchange.report)
    match turn.role:
        case "tool":
            yield from _results(turn, fitting, exchange)
        case "assistant":
            yield _assistant(turn, fitting, exchange)
        case "user":
            yield _said("user", turn, exchange)
        case "system" | "developer":
            role = (
                "developer"
                if turn.role == "developer" and exchange.capabilities.developer_role is not False
                else "system"
            )
            yield _said(role, turn, exchange)
        case _:
            assert_never(turn.role)


def _said(role: str, turn: Turn, exchange: Exchange) -> dict[str, Json]:
    message: dict[str, Json] = {"role": role, "content": _content(turn.parts, exchange.report)}
    if turn.name is not None:
        message["name"] = turn.name
    return message


def _content(parts: Sequence[Part], report: Report) -> Json:
    """A string for one text, which every server takes; parts otherwise."""
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    if len(parts) == len(texts) <= 1:
        _ = [encode_part(part, report) for part in parts]
        return "".join(texts)
    return [found for part in parts if (found := encode_part(part, report)) is not None]


def _assistant(turn: Turn, fitting: Fitted, exchange: Exchange) -> dict[str, Json]:
    report, can = exchange.report, exchange.capabilities
    calls = [part for part in turn.parts if isinstance(part, ToolCallPart)]
    thinking = [part for part in turn.parts if isinstance(part, ReasoningPart)]
    text, refusal = _spoken(turn.parts, report)
    message: dict[str, Json] = {"role": "assistant", "content": text if text or not (calls or refusal) else None}
    if turn.name is not None:
        message["name"] = turn.name
    if refusal:
        message["refusal"] = refusal
    returned = reasoning.sent_back(thinking, can, fitting.request.model, calls=bool(calls))
    if thinking and not returned:
        report.ignore("part.reasoning")
    message |= returned
    for part in turn.parts:
        if isinstance(part, TextPart) and (states := returnable(part.opaque, can.vendor, fitting.request.model)):
            message |= extra_content(states[-1].data)
    if calls:
        message["tool_calls"] = [_call(call, fitting, exchange) for call in calls]
    return message


def _spoken(parts: Sequence[Part], report: Report) -> tuple[str, str]:
    """(text, refusal). Pieces of one answer belong together: nothing is put between them."""
    text, refusal = "", ""
    for part in parts:
        match part:
            case RefusalPart():
                refusal += part.text
            case ImagePart() | DocumentPart():
                report.emulate("part.image.inline")
                text += "[image]" if isinstance(part, ImagePart) else "[file]"
            case _:
                found = encode_part(part, report)
                text += found["text"] if found and isinstance(found.get("text"), str) else ""
    return text, refusal


def _call(call: ToolCallPart, fitting: Fitted, exchange: Exchange) -> dict[str, Json]:
    can = exchange.capabilities
    named = replace(
        call, call_id=fit(call.call_id, fitting.ids), name=fitting.names.safe(call.name, call.namespace), extensions={}
    )
    if call.arguments_kind == "json":
        named = replace(named, arguments_text=json_text(call.arguments_text))
    elif can.freeform_tools is False:
        named = replace(named, arguments_text=wrap(call.arguments_text), arguments_kind="json")
    states = returnable(call.opaque, can.vendor, fitting.request.model)
    return encode_call(named) | (extra_content(states[-1].data) if states else {})


def _results(turn: Turn, fitting: Fitted, exchange: Exchange) -> Iterator[dict[str, Json]]:
    """The results, then what of them isn't text as a user's message: tool messages hold text only."""
    report = exchange.report
    beside: list[Part] = []
    for result in turn.parts:
        if not isinstance(result, ToolResultPart):
            continue
        if result.is_error:
            TABLE.report("part.tool_result.is_error", report)
        media = results.result_media(result)
        content: Json = results.told_as_error(result)
        if media and exchange.capabilities.tool_result_media:
            content = _content(result.content, report)
        elif media:
            TABLE.report("part.tool_result.media", report)
            for part in media:
                kind = "image" if isinstance(part, ImagePart) else "file"
                beside += (TextPart(f"[{kind} from tool call {fit(result.call_id, fitting.ids)}]"), part)
        yield {"role": "tool", "tool_call_id": fit(result.call_id, fitting.ids), "content": content}
    if beside:
        yield {"role": "user", "content": _content(beside, report)}
