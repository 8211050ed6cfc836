"""A Messages request from a client → neutral."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from aiproxy.codecs import readers
from aiproxy.codecs.anthropic_messages.read_blocks import (
    Malformed,
    ReadState,
    left,
    read_blocks,
    taken,
    with_call_states,
)
from aiproxy.codecs.anthropic_messages.table import NAME, TABLE
from aiproxy.codecs.anthropic_messages.thinking import take_reasoning
from aiproxy.codecs.anthropic_messages.tools import read_choice, read_tool
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.opaque import read_slot
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, TextSource, UrlSource
from aiproxy.neutral.parts import (
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from aiproxy.neutral.request import GenerateRequest, Identity, OutputFormat, Role, SamplingParams, Turn
from aiproxy.neutral.tools import FunctionTool, ToolChoice, ToolDefinition

TOP = "~top"
"""The note on the turn that was the body's `system`, not one of its messages."""
JOINED = "~joined"
"""The note on a turn that was one message with the turn before it: tool results and what the user said beside them."""
OLD_FORMAT = "~output_format"
"""The note that the schema of the output came under its old name."""
BETAS, VERSION = "~betas", "~version"
"""Notes that hold the client's `anthropic-beta` and `anthropic-version` headers: they say how the body is meant."""

COUNT = "count_tokens"


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
    _tell(turns, tools, report)
    stops = _stops(rest)
    reasoning = take_reasoning(rest)
    for name in ("mode", "effort", "budget_tokens", "visibility"):
        if getattr(reasoning, name) not in (None, "default"):
            report.read("output_config.effort" if name == "effort" else "thinking", f"reasoning.{name}")
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


def _stops(rest: dict[str, Json]) -> tuple[str, ...]:
    if not rest.get("stop_sequences"):
        return ()
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


def _tell(turns: tuple[Turn, ...], tools: tuple[ToolDefinition, ...], report: Report) -> None:
    """The report: which of the client's fields became which features."""
    first_spoken = next((place for place, turn in enumerate(turns) if turn.role != "system"), len(turns))
    for place, turn in enumerate(turns):
        if turn.role == "system":
            report.read("system" if place < first_spoken else "messages[].role: system", _SYSTEM[place > first_spoken])
        for part in turn.parts:
            _tell_part(part, report)
            for inner in part.content if isinstance(part, ToolResultPart) else ():
                if not isinstance(inner, TextPart):
                    report.read("messages[].content[].content[]", "part.tool_result.media")
    for tool in tools:
        if isinstance(tool, FunctionTool):
            report.read("tools[]", "tool.function")
            if tool.strict is not None:
                report.read("tools[].strict", "tool.function.strict")
            if tool.defer is not None:
                report.read("tools[].defer_loading", "tool.function.defer")
        else:
            feature = f"tool.{getattr(tool, 'kind', '')}"
            report.read("tools[].type", feature if feature in _HOSTED_FEATURES else "tool.hosted")


_SYSTEM = ("turn.system", "turn.system_midway")
_HOSTED_FEATURES = ("tool.web_search", "tool.code_execution")


def _tell_part(part: Part, report: Report) -> None:
    if part.cache is not None:
        report.read("cache_control", "part.cache")
    match part:
        case TextPart():
            if part.citations:
                report.read("messages[].content[].citations", "part.citations")
        case ImagePart(source=source):
            report.read("messages[].content[].source", f"part.image.{_source_word(source)}")
        case DocumentPart(source=source):
            report.read("messages[].content[].source", f"part.document.{_source_word(source)}")
            if part.title or part.context or part.citations_enabled:
                report.read("messages[].content[].title", "part.document.citations")
        case ReasoningPart():
            report.read("messages[].content[].thinking", "part.reasoning")
        case HostedToolCallPart() | HostedToolResultPart():
            report.read("messages[].content[].type: server_tool_use", "part.hosted_tool")
        case ToolResultPart(is_error=True):
            report.read("messages[].content[].is_error", "part.tool_result.is_error")
        case _:
            pass


def _source_word(source: Source) -> str:
    match source:
        case UrlSource():
            return "url"
        case InlineSource():
            return "inline"
        case FileIdSource():
            return "file"
        case TextSource():
            return "text"
