"""Neutral → a Messages request for an upstream."""

from collections.abc import Iterable, Iterator, Mapping

from aiproxy.codecs import schema
from aiproxy.codecs.anthropic_messages.choice import write_choice, write_foreign_choice
from aiproxy.codecs.anthropic_messages.conversation import ordered
from aiproxy.codecs.anthropic_messages.decode_request import (
    BETAS,
    JOINED,
    OLD_FORMAT,
    TOP,
    VERSION,
)
from aiproxy.codecs.anthropic_messages.table import NAME, TABLE
from aiproxy.codecs.anthropic_messages.thinking import write_reasoning
from aiproxy.codecs.anthropic_messages.tools import (
    ForeignTools,
    stand_ins,
    write_foreign_tools,
    write_tool,
)
from aiproxy.codecs.anthropic_messages.write_blocks import BlockWriter
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.codec import Exchange, Outgoing
from aiproxy.codecs.fields import restore
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.media import FileIdSource
from aiproxy.neutral.parts import DocumentPart, ImagePart, TextPart, ToolCallPart
from aiproxy.neutral.request import GenerateRequest, Turn

FILLER = "."
"""What the user says where the model would speak first, or no one: the API refuses empty text."""

MAX_TOKENS = 8192
"""Where neither the client nor anyone knows the model's limit: what every model since Claude 3.5 can write."""

CACHE_BREAKPOINTS = 4
"""The API's limit; the later ones cover more, so the last four are kept."""

ANSWER_TOOL = "json_output"
"""The tool a model without output formats is made to call when its answer must obey a schema."""

FILES_BETA = "files-api-2025-04-14"

WITH_SAMPLING = "2023-06-01"
"""The version of the API that still takes sampling parameters; 2026-10-21 refuses them."""

_JSON_ONLY = "Reply with one JSON object and nothing else: no code fence, no words before or after it."

_SAMPLING = ("temperature", "top_p", "top_k")


def encode_request(exchange: Exchange) -> Outgoing:
    return Outgoing(dump(body := request_body(exchange)), headers(exchange.request, body))


def request_body(exchange: Exchange) -> dict[str, Json]:
    request, can, report = exchange.request, exchange.capabilities, exchange.report
    body: dict[str, Json] = {}
    TABLE.write(request, body, can, report, foreign=exchange.source != NAME)
    if exchange.source == NAME:
        _write_as_it_came(request, body, BlockWriter(can, request.model, report, None))
    else:
        _refuse(request, report)
        _write_fitted(request, body, BlockWriter(can, request.model, report, ForeignTools.of(request)))
    _write_service_tier(request, body, report)
    write_reasoning(request, body, can, report, exchange.source)
    restore(request.extensions, NAME, body)
    return body


def answers_by_tool(request: GenerateRequest, can: Capabilities, source: str) -> bool:
    """Whether the schema of the answer is a tool's, since the model has no output formats."""
    wanted = request.output_format
    return source != NAME and wanted is not None and wanted.kind == "json_schema" and can.json_schema is False


def _write_as_it_came(request: GenerateRequest, body: dict[str, Json], writer: BlockWriter) -> None:
    messages: list[dict[str, Json]] = []
    for turn in request.turns:
        notes = dict(turn.extensions.get(NAME, {}))
        content = writer.content(turn.parts, notes)
        if notes.get(TOP):
            body["system"] = content
        elif notes.get(JOINED) and messages:
            messages[-1]["content"] += content
        else:
            message: dict[str, Json] = {"role": "user" if turn.role == "tool" else turn.role, "content": content}
            restore(turn.extensions, NAME, message)
            messages.append(message)
    body["messages"] = messages
    if request.tools:
        body["tools"] = [write_tool(tool) for tool in request.tools]
    if choice := write_choice(request.tool_choice):
        body["tool_choice"] = choice
    if request.sampling.stop:
        body["stop_sequences"] = list(request.sampling.stop)
    if (wanted := request.output_format) and wanted.schema is not None:
        found = {"type": "json_schema", "schema": wanted.schema, **wanted.extensions.get(NAME, {})}
        if OLD_FORMAT in request.extensions.get(NAME, {}):
            body["output_format"] = found
        else:
            body.setdefault("output_config", {})["format"] = found


def _write_fitted(request: GenerateRequest, body: dict[str, Json], writer: BlockWriter) -> None:
    can, report = writer.can, writer.report
    assert writer.tools is not None
    body.setdefault("max_tokens", can.max_output_tokens or MAX_TOKENS)
    instructions, turns = ordered(request.turns, can, report)
    system = writer.blocks(instructions)
    tools = write_foreign_tools(request, writer.tools, can, report) if can.tools else []
    if request.tools and not can.tools:
        report.refuse("tool.function", "The chosen model takes no tools: leave them out.")
    choice = write_foreign_choice(request.tool_choice, writer.tools, request, can, report) if tools else None
    calls = [part for turn in turns for part in turn.parts if isinstance(part, ToolCallPart)]
    if calls and not tools:
        tools, choice = stand_ins(calls, writer.tools), {"type": "none"}
    if (wanted := request.output_format) is not None:
        if wanted.kind == "json_object":
            TABLE.report("output_format.json_object", report)
            system.append({"type": "text", "text": _JSON_ONLY})
        elif wanted.kind == "json_schema":
            if can.json_schema is False:
                report.emulate("output_format.json_schema")
                choice = {"type": "any"} if tools else {"type": "tool", "name": ANSWER_TOOL}
                tools.append(_answer_tool(request))
            else:
                found = schema.convert(wanted.schema, "anthropic-format", tool=False)
                body.setdefault("output_config", {})["format"] = {"type": "json_schema", "schema": found.schema or {}}
    if system:
        body["system"] = system
    body["messages"] = _messages(turns, writer)
    if tools:
        body["tools"] = tools
    if choice:
        body["tool_choice"] = choice
    _write_stops(request, body, report)
    _keep_last_breakpoints(body)


def _messages(turns: Iterable[Turn], writer: BlockWriter) -> list[dict[str, Json]]:
    """A turn of nothing that can be said leaves its neighbours one message; the first one is the user's, whatever is left."""
    messages: list[dict[str, Json]] = []
    for turn in turns:
        content = writer.blocks(turn.parts)
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += content
        elif content:
            messages.append({"role": turn.role, "content": content})
    if not messages or messages[0]["role"] != "user":
        writer.report.emulate("turn.user")
        messages.insert(0, {"role": "user", "content": [{"type": "text", "text": FILLER}]})
    return messages


def _answer_tool(request: GenerateRequest) -> dict[str, Json]:
    wanted = request.output_format
    assert wanted is not None
    described = wanted.description or "Gives the answer to the user. Call it exactly once, with the whole answer."
    converted = schema.convert(wanted.schema, "anthropic-tool")
    return {"name": ANSWER_TOOL, "description": described, "input_schema": converted.schema}


def _write_stops(request: GenerateRequest, body: dict[str, Json], report: Report) -> None:
    stops = [stop for stop in request.sampling.stop if stop.strip()]
    if len(stops) < len(request.sampling.stop):
        report.drop("sampling.stop")
    if stops:
        body["stop_sequences"] = stops


def _refuse(request: GenerateRequest, report: Report) -> None:
    """What another protocol can ask for and this one can't do."""
    present = {
        "sampling.n": (request.sampling.n or 1) > 1,
        "sampling.logprobs": bool(request.sampling.logprobs),
        "state.background": bool(request.state.background),
        "modalities": bool(set(request.modalities) - {"text"}),
        "audio_output": request.audio_output is not None,
    }
    for feature, asked in present.items():
        if asked:
            TABLE.report(feature, report)


def _write_service_tier(request: GenerateRequest, body: dict[str, Json], report: Report) -> None:
    match request.service_tier:
        case None:
            pass
        case "auto" | "priority":
            body["service_tier"] = "auto"
        case "default":
            body["service_tier"] = "standard_only"
        case "fast":
            body["speed"] = "fast"
        case _:
            report.drop("service_tier")
    if request.identity.safety_id is not None and request.identity.end_user is None:
        body["metadata"] = {"user_id": request.identity.safety_id}


def _keep_last_breakpoints(body: dict[str, Json]) -> None:
    marked = [block for block in _blocks(body) if "cache_control" in block]
    for block in marked[:-CACHE_BREAKPOINTS]:
        del block["cache_control"]


def _blocks(body: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    """In the order the prompt is built: tools, system, messages."""
    yield from body.get("tools", ())
    yield from body.get("system", ())
    for message in body["messages"]:
        for block in message["content"]:
            yield block
            if isinstance(block.get("content"), list):
                yield from block["content"]


def headers(request: GenerateRequest, body: Mapping[str, Json]) -> dict[str, str]:
    notes = request.extensions.get(NAME, {})
    betas = [beta.strip() for beta in notes.get(BETAS, "").split(",") if beta.strip()]
    if FILES_BETA not in betas and _names_files(request):
        betas.append(FILES_BETA)
    version = (
        WITH_SAMPLING if any(body.get(name) is not None for name in _SAMPLING) else notes.get(VERSION, WITH_SAMPLING)
    )
    found = {"anthropic-version": version}
    return found | {"anthropic-beta": ",".join(betas)} if betas else found


def _names_files(request: GenerateRequest) -> bool:
    return any(
        isinstance(part, ImagePart | DocumentPart) and isinstance(part.source, FileIdSource)
        for turn in request.turns
        for part in turn.parts
        if not isinstance(part, TextPart)
    )
