"""A request for an upstream of this protocol: its own clients' requests go back as they came, others' are fitted to it."""

from hashlib import sha256
from typing import Final

from aiproxy.codecs.capabilities import ALL_EFFORTS
from aiproxy.codecs.codec import Exchange, Outgoing
from aiproxy.codecs.fields import TILDE
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_responses.decode_request import INSTRUCTIONS, LOGPROBS
from aiproxy.codecs.openai_responses.foreign import write_foreign_history
from aiproxy.codecs.openai_responses.history import INPUT, ITEM_KINDS, ITEMS
from aiproxy.codecs.openai_responses.own import write_own_history
from aiproxy.codecs.openai_responses.reading import note
from aiproxy.codecs.openai_responses.table import NAME, TABLE
from aiproxy.codecs.openai_responses.write_tools import (
    foreign_choice,
    foreign_format,
    foreign_tools,
    own_choice,
    own_format,
    own_tools,
)
from aiproxy.codecs.reasoning import effort_of, fitted_effort
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import Turn

ENCRYPTED: Final = "reasoning.encrypted_content"

LONGEST_USER: Final = 64
"""Characters of `user` and `safety_identifier`; Claude Code's user id is several hundred."""

_COUNTED: Final = (
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "text",
    "truncation",
    "conversation",
    "previous_response_id",
    "personality",
)
"""What the endpoint that counts input tokens takes."""


def encode_request(exchange: Exchange) -> Outgoing:
    return Outgoing(dump(own_body(exchange) if exchange.source == NAME else _foreign_body(exchange)))


def encode_count(exchange: Exchange) -> Outgoing:
    body = own_body(exchange) if exchange.source == NAME else _foreign_body(exchange)
    return Outgoing(dump({key: body[key] for key in _COUNTED if key in body}))


def own_body(exchange: Exchange) -> dict[str, Json]:
    """The body of a request that came by this protocol."""
    request = exchange.request
    body = own_settings(exchange)
    turns = request.turns
    if turns and note(turns[0].extensions, INSTRUCTIONS):
        body["instructions"] = _text(turns[0])
        turns = turns[1:]
    notes = request.extensions.get(NAME, {})
    if notes.get(INPUT) and len(turns) == 1 and all(isinstance(part, TextPart) for part in turns[0].parts):
        body["input"] = _text(turns[0])
        return body
    items = write_own_history(turns, exchange)
    for place, item in notes.get(ITEMS, ()):
        items.insert(place, item)
    if items:
        body["input"] = items
    return body


def own_settings(exchange: Exchange) -> dict[str, Json]:
    """The same without the conversation: also what an answer repeats of its request."""
    request = exchange.request
    riding = request.extensions.get(NAME, {})
    body: dict[str, Json] = {}
    for key, value in riding.items():
        if not key.startswith((TILDE, ITEM_KINDS)):
            body[key] = dict(value) if isinstance(value, dict) else value
    body |= riding.get(TILDE, {})
    TABLE.write(request, body, exchange.capabilities, exchange.report, foreign=False)
    if tools := own_tools(request.tools):
        body["tools"] = tools
    if (choice := own_choice(request.tool_choice)) is not None:
        body["tool_choice"] = choice
    if request.tool_choice.allow_parallel is not None:
        body["parallel_tool_calls"] = request.tool_choice.allow_parallel
    if request.output_format:
        body.setdefault("text", {})["format"] = own_format(request.output_format)
    reasoning = {"effort": effort_of(request.reasoning), "summary": request.reasoning.summary_style}
    if said := {key: value for key, value in reasoning.items() if value is not None}:
        body["reasoning"] = {**body.get("reasoning", {}), **said}
    if (conversation := request.state.conversation) is not None:
        body["conversation"] = {"id": conversation} if riding.get("~conversation") else conversation
    for wire, value in (("user", request.identity.end_user), ("safety_identifier", request.identity.safety_id)):
        if value is not None:
            body[wire] = value
    return body


def _foreign_body(exchange: Exchange) -> dict[str, Json]:
    request, report, can = exchange.request, exchange.report, exchange.capabilities
    body: dict[str, Json] = {}
    TABLE.write(request, body, can, report)
    _refuse_shapes(exchange)
    names = ToolNames.of(request, "openai", flatten=False)
    instructions, items = write_foreign_history(exchange, names)
    if instructions is not None:
        body["instructions"] = instructions
    body["input"] = items
    if tools := foreign_tools(request, can, names, report):
        body["tools"] = tools
        _choose(exchange, body, names)
    if request.output_format and request.output_format.kind != "text":
        body.setdefault("text", {})["format"] = foreign_format(request.output_format, report)
    _think(exchange, body)
    _include(exchange, body)
    body.setdefault("store", False)
    for wire, value in (("user", request.identity.end_user), ("safety_identifier", request.identity.safety_id)):
        if value is not None:
            body[wire] = value if len(value) <= LONGEST_USER else sha256(value.encode("utf-8", "replace")).hexdigest()
    return body


def _refuse_shapes(exchange: Exchange) -> None:
    request, report = exchange.request, exchange.report
    if request.sampling.n is not None and request.sampling.n != 1:
        TABLE.report("sampling.n", report)
    if request.audio_output is not None:
        TABLE.report("audio_output", report)
    if set(request.modalities) - {"text"}:
        TABLE.report("modalities", report)
    if request.state.conversation is not None:
        report.refuse("state.conversation")


def _choose(exchange: Exchange, body: dict[str, Json], names: ToolNames) -> None:
    request, can, report = exchange.request, exchange.capabilities, exchange.report
    choice = request.tool_choice
    if choice.mode in ("required", "named") and choice.mode not in can.tool_choices:
        report.refuse(f"tool_choice.{choice.mode}")
    elif (found := foreign_choice(request, names)) is not None:
        body["tool_choice"] = found
    if choice.allow_parallel is not None:
        body["parallel_tool_calls"] = choice.allow_parallel


def _think(exchange: Exchange, body: dict[str, Json]) -> None:
    """Only what somebody asked for is said."""
    config, can, report = exchange.request.reasoning, exchange.capabilities, exchange.report
    asked = effort_of(config)
    if can.thinking == "none":
        if asked not in (None, "none"):
            report.drop("reasoning.effort")
        return
    said: dict[str, Json] = {}
    if (effort := fitted_effort(config, can, ALL_EFFORTS)) is not None:
        if config.budget_tokens is not None:
            TABLE.report("reasoning.budget_tokens", report)
        elif effort != asked:
            report.clamp("reasoning.effort")
        said["effort"] = effort
    if config.visibility in ("summary", "full"):
        style = config.summary_style
        said["summary"] = style if style in ("auto", "concise", "detailed") else "auto"
    if said:
        body["reasoning"] = said


def _include(exchange: Exchange, body: dict[str, Json]) -> None:
    """Encrypted reasoning is asked for where thinking is in play: models without it answer that with an error."""
    request, can = exchange.request, exchange.capabilities
    include = []
    if "reasoning" in body or can.thinking not in (None, "none"):
        include.append(ENCRYPTED)
    if request.sampling.logprobs:
        include.append(LOGPROBS)
    if include:
        body["include"] = include


def _text(turn: Turn) -> str:
    return "".join(part.text for part in turn.parts if isinstance(part, TextPart))
