"""A Gemini client's request as neutral.

What came in a form of its own (a schema with upper-case types, two tools in one object) is noted as it came, so that the same
request leaves for a Gemini upstream; the note counts as long as the neutral value it was read into is the same."""

import re
from collections.abc import Mapping
from dataclasses import replace

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.gemini.names import NAME, VENDOR, as_written, camel, camel_name
from aiproxy.codecs.gemini.output import FIELDS, decode_format, plain_format
from aiproxy.codecs.gemini.parts import decode_part
from aiproxy.codecs.gemini.reading import member, objects, parse, without
from aiproxy.codecs.gemini.reported import report_part
from aiproxy.codecs.gemini.table import TABLE
from aiproxy.codecs.gemini.thinking import decode_thinking, plain_thinking
from aiproxy.codecs.gemini.tools import decode_choice, decode_tools, plain_choice, plain_tools
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import Part, ReasoningPart, ToolResultPart
from aiproxy.neutral.request import (
    AudioOutput,
    GenerateRequest,
    Identity,
    OutputFormat,
    ReasoningConfig,
    Role,
    SamplingParams,
    Turn,
)
from aiproxy.neutral.tools import FunctionTool, HostedTool, ToolChoice, ToolDefinition

THINKING, FORMAT, TOOLS, CHOICE, MODALITIES = "~thinking", "~format", "~tools", "~choice", "~modalities"
"""Notes of the request: what was written there, where we would write it otherwise."""

EMPTY = "~empty"
"""The note of a request: its empty objects."""

ROLE, SINGLE, MODEL = "~role", "~single", "~model"
"""Notes of a turn: its role as a list of one or none; that its part came without a list. Of the request: the prefix of the
model's name in the body."""

_ROLES: Mapping[str | None, Role] = {None: "user", "user": "user", "function": "user", "model": "assistant"}

_NAMED = re.compile(r"`([^`]+)`")


def decode_request(incoming: Incoming, sealer: Sealer, report: Report) -> GenerateRequest:
    """For operation "count_tokens" the request may be wrapped in `generateContentRequest`."""
    try:
        found = parse(incoming.body)
    except ValueError as error:
        raise InvalidRequest(f"The request body is not valid JSON: {error}.", code="invalid_json") from error
    if not isinstance(found, dict):
        raise InvalidRequest("The request body must be a JSON object.", code="invalid_json")
    try:
        body = camel(found)
        if incoming.operation == "count_tokens" and isinstance(body.get("generateContentRequest"), dict):
            body = body["generateContentRequest"]
            found = next(inner for name, inner in found.items() if camel_name(name) == "generateContentRequest")
        report.spelt(lambda field: as_written(field, found))
        return _decode(body, incoming, sealer, report)
    except InvalidRequest as error:
        if error.param is not None:
            written = as_written(error.param, found)
            error.message, error.param = error.message.replace(f"`{error.param}`", f"`{written}`"), written
        raise
    except ValueError as error:
        name = _NAMED.search(str(error))
        raise InvalidRequest(f"{error}.", param=name[1] if name else None) from error
    except RecursionError as error:
        raise InvalidRequest("The request body nests too deep.") from error


def _decode(body: dict[str, Json], incoming: Incoming, sealer: Sealer, report: Report) -> GenerateRequest:
    reading = TABLE.read(body, report)
    rest = reading.rest
    model = _model(rest, incoming.model)
    config = _Config(rest, report)
    tools = _tools(rest, report)
    choice = _choice(rest, report)
    turns = _turns(rest, sealer, report)
    if empty := [name for name, value in rest.items() if value == {}]:
        # They say nothing, so nothing of them can be lost: google-genai configures nothing with an empty generationConfig.
        rest = {**without(rest, *empty), **{name: rest[name] for name in rest if name.startswith("~")}, EMPTY: empty}
    return GenerateRequest(
        model=model,
        turns=turns,
        stream=bool(incoming.stream),
        tools=tools,
        tool_choice=choice,
        sampling=SamplingParams(**reading.group("sampling")),
        reasoning=config.reasoning,
        output_format=config.output_format,
        modalities=config.modalities,
        audio_output=config.audio_output,
        identity=Identity(),
        service_tier=reading.values.get("service_tier"),
        extensions=TABLE.extensions(rest, report),
    )


def _model(rest: dict[str, Json], named: str | None) -> str:
    """The path names it; some clients do in the body too."""
    found = rest.get("model")
    if found is None:
        return named or ""
    if not isinstance(found, str):
        raise ValueError("`model` must be a string")
    del rest["model"]
    prefix, slash, name = found.rpartition("/")
    rest[MODEL] = prefix + slash
    return named or name


class _Config:
    """What `generationConfig` holds besides scalars; leaves in it what neutral has no word for."""

    def __init__(self, rest: dict[str, Json], report: Report) -> None:
        self.reasoning = ReasoningConfig()
        self.output_format: OutputFormat | None = None
        self.modalities: tuple[str, ...] = ()
        self.audio_output: AudioOutput | None = None
        self._rest = rest
        self._report = report
        if rest.get("generationConfig"):
            left = dict(member(rest, "generationConfig", "request"))
            self._thinking(left)
            self._format(left)
            self._modalities(left)
            if left:
                rest["generationConfig"] = left
            else:
                del rest["generationConfig"]

    def _thinking(self, config: dict[str, Json]) -> None:
        if not config.get("thinkingConfig"):
            return
        found = member(config, "thinkingConfig", "generationConfig")
        self.reasoning, left = decode_thinking(found)
        said = without(found, *left)
        for name, feature in (
            ("thinkingBudget", "reasoning.budget_tokens"),
            ("thinkingBudget", "reasoning.mode"),
            ("thinkingLevel", "reasoning.effort"),
            ("includeThoughts", "reasoning.visibility"),
        ):
            if name in said:
                self._report.read(f"generationConfig.thinkingConfig.{name}", feature)
        if said and plain_thinking(self.reasoning) != said:
            self._rest[THINKING] = said
        if said:
            _leave(config, "thinkingConfig", left)

    def _format(self, config: dict[str, Json]) -> None:
        self.output_format = decode_format(config)
        if self.output_format is None:
            return
        said = {name: config.pop(name) for name in FIELDS if config.get(name) is not None}
        if self.output_format.kind != "text":
            self._report.read(f"generationConfig.{list(said)[-1]}", f"output_format.{self.output_format.kind}")
        if plain_format(self.output_format) != said:
            self._rest[FORMAT] = said

    def _modalities(self, config: dict[str, Json]) -> None:
        if found := config.get("responseModalities"):
            if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
                raise ValueError("`generationConfig.responseModalities` must be a list of strings")
            self._report.read("generationConfig.responseModalities", "modalities")
            self.modalities = tuple(item.lower() for item in config.pop("responseModalities"))
            if [item.upper() for item in found] != found:
                self._rest[MODALITIES] = found
        if config.get("speechConfig"):
            self._report.read("generationConfig.speechConfig", "audio_output")
            self.audio_output = AudioOutput(voice=config.pop("speechConfig"))


def _leave(target: dict[str, Json], name: str, left: Mapping[str, Json]) -> None:
    if left:
        target[name] = left
    else:
        del target[name]


def _tools(rest: dict[str, Json], report: Report) -> tuple[ToolDefinition, ...]:
    if not rest.get("tools"):
        return ()
    came = rest.pop("tools")
    tools = decode_tools(came)
    for tool in tools:
        if isinstance(tool, FunctionTool):
            report.read("tools[].functionDeclarations", "tool.function")
        elif isinstance(tool, HostedTool):
            named = tool.kind if tool.kind in ("web_search", "code_execution") else "hosted"
            report.read(f"tools[].{next(iter(tool.config))}", f"tool.{named}")
    if plain_tools(tools) != came:
        rest[TOOLS] = came
    return tools


def _choice(rest: dict[str, Json], report: Report) -> ToolChoice:
    if not rest.get("toolConfig"):
        return ToolChoice()
    config = dict(member(rest, "toolConfig", "request"))
    if not config.get("functionCallingConfig"):
        return ToolChoice()
    found = member(config, "functionCallingConfig", "toolConfig")
    choice = decode_choice(found)
    said = {name: found[name] for name in ("mode", "allowedFunctionNames") if found.get(name)}
    if not said:
        return choice
    if choice.mode:
        report.read("toolConfig.functionCallingConfig.mode", f"tool_choice.{choice.mode}")
    if choice.names and choice.mode != "named":
        report.read("toolConfig.functionCallingConfig.allowedFunctionNames", "tool_choice.allowed")
    if plain_choice(choice) != said:
        rest[CHOICE] = said
    _leave(config, "functionCallingConfig", without(found, *said))
    _leave(rest, "toolConfig", config)
    return choice


def _turns(rest: dict[str, Json], sealer: Sealer, report: Report) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    if rest.get("systemInstruction") is not None:
        found = member(rest, "systemInstruction", "request")
        del rest["systemInstruction"]
        report.read("systemInstruction", "turn.system")
        parts, own = _parts(found, "systemInstruction", sealer, report)
        if "role" in found:
            own["role"] = found["role"]
        turns.append(Turn("system", parts, extensions={NAME: own} if own else {}))
    came = rest.get("contents")
    if came or isinstance(came, dict):
        del rest["contents"]
    if isinstance(came, dict):
        rest[SINGLE] = True
    for place, content in enumerate(objects(came, "contents")):
        turn = _turn(content, f"contents[{place}]", sealer, report)
        if turn.role == "assistant" and turns and turns[-1].role == "assistant":
            turn = replace(turn, continues=True)  # to Gemini neighbours are one turn; its SDK keeps one for each chunk
        turns.append(turn)
    return tuple(turns)


def _turn(content: Mapping[str, Json], where: str, sealer: Sealer, report: Report) -> Turn:
    said = content.get("role")
    if not (said is None or isinstance(said, str)) or said not in _ROLES:
        raise ValueError(f"`{where}.role` must be user or model")
    role = _ROLES[said]
    parts, own = _parts(content, where, sealer, report)
    if said != wire_role(role):
        own[ROLE] = [said] if "role" in content else []
    if parts and role == "user" and all(isinstance(part, ToolResultPart) for part in parts):
        role = "tool"
    return Turn(role, parts, extensions={NAME: own} if own else {})


def wire_role(role: Role) -> str:
    return "model" if role == "assistant" else "user"


def _parts(
    content: Mapping[str, Json], where: str, sealer: Sealer, report: Report
) -> tuple[tuple[Part, ...], dict[str, Json]]:
    """(the parts, what else the turn holds)."""
    own = without(content, "role", "parts")
    came = content.get("parts")
    if isinstance(came, dict):
        own[SINGLE] = True
    elif not came and "parts" in content:
        own["parts"] = came
    parts: list[Part] = []
    for place, item in enumerate(objects(came, f"{where}.parts")):
        try:
            part = decode_part(item, sealer)
        except ValueError as error:
            raise ValueError(
                str(error).replace("`", f"`{where}.parts[{place}].", 1).replace(".parts[].", ".", 1)
            ) from error
        if _has_foreign_state(part):
            while parts and isinstance(parts[-1], ReasoningPart) and not parts[-1].opaque:
                parts.pop()  # the pieces a stream brought of the thinking that this part now holds whole
        report_part(part, report)
        parts.append(part)
    return tuple(parts), own


def _has_foreign_state(part: Part) -> bool:
    return isinstance(part, ReasoningPart) and any(state.vendor != VENDOR for state in part.opaque)
