"""A Messages request from a client → neutral."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from aiproxy.codecs import readers
from aiproxy.codecs.anthropic_messages.choice import read_choice
from aiproxy.codecs.anthropic_messages.read_blocks import (
    Malformed,
    ReadState,
    left,
    read_blocks,
    taken,
    with_call_states,
)
from aiproxy.codecs.anthropic_messages.table import NAME, TABLE
from aiproxy.codecs.anthropic_messages.telling import tell
from aiproxy.codecs.anthropic_messages.thinking import take_reasoning
from aiproxy.codecs.anthropic_messages.tools import read_tool
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.opaque import read_slot
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import (
    Part,
    ToolCallPart,
    ToolResultPart,
)
from aiproxy.neutral.request import GenerateRequest, Identity, OutputFormat, Role, SamplingParams, Turn
from aiproxy.neutral.tools import ToolChoice, ToolDefinition

TOP = "~top"
"""The note on the turn that was the body's `system`, not one of its messages."""
JOINED = "~joined"
"""The note on a turn that was one message with the turn before it: tool results and what the user said beside them."""
OLD_FORMAT = "~output_format"
"""The note that the schema of the output came under its old name."""
BETAS, VERSION = "~betas", "~version"
"""Notes that hold the client's `anthropic-beta` and `anthropic-version` headers: they say how the body is meant."""

COUNT = "count_tokens"

_REASONING = {
    "mode": "thinking.type",
    "budget_tokens": "thinking.budget_tokens",
    "visibility": "thinking.display",
    "effort": "output_config.effort",
}


def decode_request(incoming: Incoming, sealer: Sealer, report: Report) -> GenerateRequest:
    body = read_object(incoming.body)
    for name in ("model", "messages") if incoming.operation == COUNT else ("model", "max_tokens", "messages"):
        if body.get(name) is None or (body[name] == [] and name != "messages"):
            raise InvalidRequest(f"{name}: Field required", param=name)
    reading = TABLE.read(body, report)
    rest = reading.rest
    try:
        turns = _turns(rest, lambda value, kind: read_slot(sealer, value, NAME, kind))
        tools = _tools(rest)
        choice = _choice(rest, tools)
    except Malformed as error:
        raise InvalidRequest(str(error), param=error.where) from error
    tell(turns, tools, choice, report)
    stops = _stops(rest, report)
    reasoning = take_reasoning(rest)
    for name, wire in _REASONING.items():
        if getattr(reasoning, name) not in (None, "default"):
            report.read(wire, f"reasoning.{name}")
    output_format = _output_format(rest, report)
    tier = _service_tier(rest, report)
    _note_headers(rest, incoming.headers)
    return GenerateRequest(
        model=reading.values["model"],
        turns=turns,
        stream=reading.values.get("stream", False),
        tools=tools,
        tool_choice=choice,
        sampling=SamplingParams(**reading.group("sampling"), stop=stops),
        reasoning=reasoning,
        output_format=output_format,
        identity=Identity(**reading.group("identity")),
        service_tier=tier,
        extensions=TABLE.extensions(rest, report),
    )


def _turns(rest: dict[str, Json], read_state: ReadState) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    if rest.get("system"):
        try:
            parts, note = read_blocks(rest.pop("system"), read_state)
        except Malformed as error:
            raise Malformed(error.where.replace("content", "system", 1), error.problem) from error
        turns.append(Turn("system", parts, extensions={NAME: {**note, TOP: True}}))
    messages = rest.pop("messages")
    if not isinstance(messages, list):
        raise Malformed("messages", "must be a list")
    for place, message in enumerate(messages):
        try:
            turns += _message(message, read_state)
        except Malformed as error:
            raise Malformed(f"messages.{place}.{error.where}", error.problem) from error
    return tuple(turns)


def _message(message: Json, read_state: ReadState) -> Iterator[Turn]:
    """One turn; several where a user's message holds tool results and other things: each run of either is a turn."""
    if not isinstance(message, dict):
        raise Malformed("role", "every message must be an object")
    rest = taken(message)
    role = rest.pop("role", None)
    if role not in ("user", "assistant", "system"):
        raise Malformed("role", "must be user, assistant or system")
    parts, note = read_blocks(rest.pop("content", None), read_state)
    rest |= note
    if misplaced := [part for part in parts if isinstance(part, _MISPLACED[role])]:
        name = "tool_use" if isinstance(misplaced[0], ToolCallPart) else "tool_result"
        raise Malformed("content", f"{name} blocks may not stand in a message of role {role}")
    if role != "user":
        yield Turn(role, with_call_states(parts), extensions=left(rest))
        return
    runs: list[tuple[bool, tuple[Part, ...]]] = [
        (results, tuple(run)) for results, run in groupby(parts, lambda part: isinstance(part, ToolResultPart))
    ]
    for place, (results, run) in enumerate(runs or [(False, ())]):
        speaker: Role = "tool" if results else "user"
        yield Turn(speaker, run, extensions=left(rest if place == 0 else {JOINED: True}))


_MISPLACED: Mapping[Role, type[Part] | tuple[type[Part], ...]] = {
    "user": ToolCallPart,
    "assistant": ToolResultPart,
    "system": (ToolCallPart, ToolResultPart),
}


def _tools(rest: dict[str, Json]) -> tuple[ToolDefinition, ...]:
    if not rest.get("tools"):
        return ()
    found = rest.pop("tools")
    if not isinstance(found, list):
        raise Malformed("tools", "must be a list")
    tools = []
    for place, tool in enumerate(found):
        try:
            tools.append(read_tool(tool))
        except Malformed as error:
            raise Malformed(f"tools.{place}.{error.where}", error.problem) from error
    return tuple(tools)


def _choice(rest: dict[str, Json], tools: tuple[ToolDefinition, ...]) -> ToolChoice:
    return read_choice(rest.pop("tool_choice"), tools) if rest.get("tool_choice") is not None else ToolChoice()


def _stops(rest: dict[str, Json], report: Report) -> tuple[str, ...]:
    if not rest.get("stop_sequences"):
        return ()
    report.read("stop_sequences", "sampling.stop")
    try:
        return readers.texts(rest.pop("stop_sequences"))
    except ValueError as error:
        raise InvalidRequest(f"stop_sequences: {error}", param="stop_sequences") from error


def _output_format(rest: dict[str, Json], report: Report) -> OutputFormat | None:
    """Under its old name, top level, where the new one says nothing."""
    config = rest.get("output_config")
    found = config.get("format") if isinstance(config, dict) else None
    old = found is None and isinstance(rest.get("output_format"), dict)
    if old:
        found = rest["output_format"]
    if not isinstance(found, dict) or found.get("type") != "json_schema" or not isinstance(found.get("schema"), dict):
        return None
    report.read("output_format" if old else "output_config.format", "output_format.json_schema")
    if old:
        del rest["output_format"]
        rest[OLD_FORMAT] = True
    elif config := {key: value for key, value in rest["output_config"].items() if key != "format"}:
        rest["output_config"] = config
    else:
        del rest["output_config"]
    more = {key: value for key, value in found.items() if key not in ("type", "schema")}
    return OutputFormat("json_schema", schema=found["schema"], extensions=left(more))


_TIERS = {"auto": "auto", "standard_only": "default"}


def _service_tier(rest: dict[str, Json], report: Report) -> str | None:
    found = rest.get("service_tier")
    if isinstance(found, str) and found in _TIERS:
        report.read("service_tier", "service_tier")
        return _TIERS[rest.pop("service_tier")]
    if rest.get("speed") == "fast" and "service_tier" not in rest:
        report.read("speed", "service_tier")
        return str(rest.pop("speed"))
    return None


def _note_headers(rest: dict[str, Json], headers: Mapping[str, str]) -> None:
    if betas := headers.get("anthropic-beta"):
        rest[BETAS] = betas
    if version := headers.get("anthropic-version"):
        rest[VERSION] = version
