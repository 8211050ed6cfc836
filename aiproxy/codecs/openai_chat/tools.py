"""Tools and how free the model is to call them, both ways; `functions` and `function_call` are the legacy words for both.

Source: OpenAI API reference, chat; `any` by Mistral."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from aiproxy.codecs import freeform
from aiproxy.codecs.openai_chat.notes import FIELD, LEGACY, RAW, note, noted, rest_of, whole
from aiproxy.codecs.openai_chat.parts import cache_hint
from aiproxy.codecs.openai_chat.table import NAME, TABLE
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import CacheHint
from aiproxy.neutral.tools import (
    FreeformTool,
    FunctionTool,
    Grammar,
    HostedTool,
    ToolChoice,
    ToolDefinition,
    WebSearchConfig,
)

WEB_SEARCH = "web_search"

_MODES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}

_FUNCTION: Mapping[str, type] = {"name": str, "description": str, "parameters": dict, "strict": bool}

_HOSTED_KINDS = {"web_search_preview": WEB_SEARCH, "web_search": WEB_SEARCH, "code_interpreter": "code_execution"}


def decode_tools(rest: dict[str, Json], report: Report) -> tuple[ToolDefinition, ...]:
    """Takes `tools`, `functions` and `web_search_options` out of the rest of a body."""
    tools: list[ToolDefinition] = []
    for field in ("tools", "functions"):
        if listed := rest.get(field):
            if not isinstance(listed, list):
                raise InvalidRequest(f"`{field}` must be a list.", param=field)
            del rest[field]
            for place, found in enumerate(listed):
                where = f"{field}[{place}]"
                tools.append(_tool(found, where, report) if field == "tools" else _legacy(found, where, report))
    options = rest.get("web_search_options")
    if isinstance(options, dict):
        del rest["web_search_options"]
        report.read("web_search_options", "tool.web_search")
        extensions = noted({}, field="web_search_options")
        tools.append(HostedTool(WEB_SEARCH, NAME, options, _web_search(options), extensions=extensions))
    return tuple(tools)


def encode_tool(tool: ToolDefinition, report: Report) -> dict[str, Json] | None:
    """The tool as it stands; None for one that isn't offered in `tools`."""
    match tool:
        case FunctionTool(name=name, description=description, parameters=parameters, strict=strict):
            said = {"description": description, "parameters": parameters, "strict": strict}
            function = {"name": name} | {key: value for key, value in said.items() if value is not None}
            if note(tool.extensions, LEGACY):
                return whole(tool.extensions, function)
            return whole(tool.extensions, {"type": "function", "function": function})
        case FreeformTool(name=name, description=description, grammar=grammar):
            custom: dict[str, Json] = {"name": name}
            if description is not None:
                custom["description"] = description
            if grammar:
                inner = {"syntax": grammar.syntax, "definition": grammar.definition}
                custom["format"] = {"type": "grammar", "grammar": inner}
            return whole(tool.extensions, {"type": "custom", "custom": custom})
        case HostedTool(protocol=protocol, config=config, kind=kind):
            if protocol == NAME:
                return None if note(tool.extensions, FIELD) else dict(config)
            if kind != WEB_SEARCH:
                TABLE.report("tool.code_execution" if kind == "code_execution" else "tool.hosted", report)
            return None
        case _:
            assert_never(tool)


def web_search_options(tools: Sequence[ToolDefinition]) -> dict[str, Json] | None:
    """The field that turns web search on: as it came, or what it takes of another protocol's tool."""
    for tool in tools:
        if isinstance(tool, HostedTool) and tool.kind == WEB_SEARCH:
            if tool.protocol == NAME and note(tool.extensions, FIELD):
                return dict(tool.config)
            if tool.protocol != NAME:
                config = tool.web_search or WebSearchConfig()
                found: dict[str, Json] = {}
                if config.context_size:
                    found["search_context_size"] = config.context_size
                if config.location:
                    found["user_location"] = {"type": "approximate", "approximate": dict(config.location)}
                return found
    return None


def decode_choice(rest: dict[str, Json], report: Report) -> ToolChoice:
    """Takes `tool_choice`, `function_call` and `parallel_tool_calls` out of the rest; what it can't read stays there."""
    choice: ToolChoice | None = None
    for field in ("tool_choice", "function_call"):
        if choice is None and (found := _choice(rest.get(field))):
            choice = replace(found, extensions=noted(found.extensions, legacy=field == "function_call"))
            named = choice.names and choice.mode != "named"
            report.read(field, f"tool_choice.{'allowed' if named else choice.mode}")
            del rest[field]
    choice = choice or ToolChoice()
    parallel = rest.get("parallel_tool_calls")
    if isinstance(parallel, bool):
        del rest["parallel_tool_calls"]
        report.read("parallel_tool_calls", "tool_choice.allow_parallel")
        choice = replace(choice, allow_parallel=parallel)
    return choice


def encode_choice(choice: ToolChoice, tools: Sequence[ToolDefinition]) -> Json:
    """None: nothing to say. A tool's type is its definition's."""
    if (raw := note(choice.extensions, RAW)) is not None:
        return raw
    if choice.mode is None:
        return None
    types = {tool.name: "custom" for tool in tools if isinstance(tool, FreeformTool)}
    if choice.mode == "named":
        if note(choice.extensions, LEGACY):
            return {"name": choice.names[0]}
        return _named(choice.names[0], types)
    if choice.names:
        listed = [_named(name, types) for name in choice.names]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": listed}}
    return choice.mode


def _named(name: str, types: Mapping[str, str]) -> dict[str, Json]:
    kind = types.get(name, "function")
    return {"type": kind, kind: {"name": name}}


def _tool(found: Any, where: str, report: Report) -> ToolDefinition:
    if not isinstance(found, dict):
        raise InvalidRequest(f"`{where}` must be an object.", param=where)
    match found:
        case {"type": "function", "function": {"name": str()} as function}:
            report.read("tools[].function", "tool.function")
            if function.get("strict") is True:
                report.read("tools[].function.strict", "tool.function.strict")
            tool = _function(function, cache_hint(found))
            return replace(tool, extensions=rest_of(found, ("type",), function=_known(function)))
        case {"type": "custom", "custom": {"name": str()} as custom}:
            report.read("tools[].custom", "tool.freeform")
            return _freeform(found, custom)
        case {"function": {"name": str()} as function, **others} if "type" not in others:
            return replace(_function(function, cache_hint(found)), extensions=noted({}, raw=found))
        case {"type": str(kind)} if kind not in ("function", "custom"):
            neutral = _HOSTED_KINDS.get(kind, kind)
            report.read(f"tools[].{kind}", "tool.web_search" if neutral == WEB_SEARCH else "tool.hosted")
            return HostedTool(neutral, NAME, found, _web_search(found) if neutral == WEB_SEARCH else None)
        case _:
            raise InvalidRequest(f"`{where}` must have a `type` and, under it, a `name`.", param=where)


def _function(function: Mapping[str, Json], cache: CacheHint | None = None) -> FunctionTool:
    said = {name: function[name] for name in _known(function)}
    return FunctionTool(**said, cache=cache)


def _known(function: Mapping[str, Json]) -> tuple[str, ...]:
    """The fields of a function that neutral has a word for; what isn't of the right type rides along."""
    return tuple(name for name, kind in _FUNCTION.items() if isinstance(function.get(name), kind))


def _legacy(found: Any, where: str, report: Report) -> FunctionTool:
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise InvalidRequest(f"`{where}` must be an object with a `name`.", param=where)
    report.read("functions", "tool.function")
    return replace(_function(found), extensions=noted(rest_of(found, _known(found)), legacy=True))


def _freeform(found: dict[str, Json], custom: dict[str, Json]) -> FreeformTool:
    description, form = custom.get("description"), custom.get("format")
    grammar = None
    match form:
        case {"type": "grammar", "grammar": {"syntax": str(syntax), "definition": str(definition)}}:
            grammar = Grammar(syntax, definition)
    description = description if isinstance(description, str) else None
    tool = FreeformTool(custom["name"], description, grammar, cache=cache_hint(found))
    tool = replace(tool, extensions=rest_of(found, ("type",), custom=("name", "description", "format")))
    if encode_tool(tool, Report()) != found:
        tool = replace(tool, extensions=noted({}, raw=found))
    return tool


def _choice(found: Json) -> ToolChoice | None:
    choice = None
    match found:
        case str(word) if word in _MODES:
            choice = ToolChoice(_MODES[word])  # type: ignore[arg-type]
            return choice if choice.mode == word else replace(choice, extensions=noted({}, raw=found))
        case {"name": str(name), **others} if not others:
            return ToolChoice("named", (name,))
        case {"type": "function", "function": {"name": str(name)}} | {"type": "custom", "custom": {"name": str(name)}}:
            choice = ToolChoice("named", (name,))
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list(tools)}}:
            names = tuple(name for tool in tools if (name := _name_in(tool)))
            choice = ToolChoice(mode, names)
    return choice and replace(choice, extensions=noted({}, raw=found))


def _name_in(tool: Any) -> str:
    match tool:
        case {"type": "function", "function": {"name": str(name)}} | {"type": "custom", "custom": {"name": str(name)}}:
            return name
        case {"type": str(kind)}:
            return _HOSTED_KINDS.get(kind, kind)
        case _:
            return ""


def _web_search(options: Mapping[str, Any]) -> WebSearchConfig:
    location = options.get("user_location")
    if isinstance(location, dict) and isinstance(location.get("approximate"), dict):
        location = location["approximate"]
    said = (
        {key: value for key, value in location.items() if isinstance(value, str)} if isinstance(location, dict) else {}
    )
    said.pop("type", None)
    size = options.get("search_context_size")
    return WebSearchConfig(location=said or None, context_size=size if isinstance(size, str) else None)


def without_freeform(tool: ToolDefinition) -> ToolDefinition:
    """For models that know functions only."""
    return freeform.as_function(tool) if isinstance(tool, FreeformTool) else tool
