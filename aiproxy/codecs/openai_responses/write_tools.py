"""`tools`, `tool_choice` and `text.format` of a request, written."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from aiproxy.codecs import freeform, schema
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.openai_responses.read_tools import CHOICE, FROM_INPUT, WITHIN
from aiproxy.codecs.openai_responses.reading import note, written
from aiproxy.codecs.report import Report
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Json
from aiproxy.neutral.request import GenerateRequest, OutputFormat
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolChoice, ToolDefinition, WebSearchConfig

_HOSTED_TYPES: Final[Mapping[str, str]] = {
    "web_search": "web_search_preview",
    "code_execution": "code_interpreter",
}
"""Neutral kind → the type in `tool_choice`, where they differ."""

_ILLEGAL_NAME = re.compile(r"[^A-Za-z0-9_-]")

LONGEST_FORMAT_NAME: Final = 64
"""Characters of `text.format.name`."""


def own_tools(tools: Iterable[ToolDefinition]) -> list[Json]:
    """The tools as they came, namespaces put together again."""
    done: list[Json] = []
    open_at: int | None = None
    for tool in tools:
        if note(tool.extensions, FROM_INPUT):
            continue
        within = note(tool.extensions, WITHIN)
        if within is None:
            open_at = None
            done.append(_own_tool(tool))
            continue
        if within["at"] != open_at:
            open_at = within["at"]
            head = within.get("head", {"type": "namespace", "name": getattr(tool, "namespace", "")})
            done.append({**head, "tools": []})
        done[-1]["tools"].append(_own_tool(tool))
    return done


def own_choice(choice: ToolChoice) -> Json:
    noted = note(choice.extensions, CHOICE)
    return choice.mode if noted is None else noted


def own_format(output_format: OutputFormat) -> dict[str, Json]:
    return written(_format(output_format, output_format.schema, output_format.strict), output_format.extensions)


def foreign_tools(request: GenerateRequest, can: Capabilities, names: ToolNames, report: Report) -> list[Json]:
    """Another protocol's tools. `strict` is always said: this API takes silence for yes."""
    done: list[Json] = []
    for tool in request.tools:
        match tool:
            case FreeformTool() if can.freeform_tools is False:
                report.emulate("tool.freeform")
                done.append(_function(freeform.as_function(tool), names, report))
            case FreeformTool():
                done.append({**_own_tool(tool), "name": names.safe(tool.name, tool.namespace)})
            case FunctionTool():
                done.append(_function(tool, names, report))
            case HostedTool():
                if (hosted := _hosted(tool, can)) is not None:
                    done.append(hosted)
                elif request.tool_choice.hosted_kind == tool.kind:
                    report.refuse(_feature(tool))
                else:
                    report.drop(_feature(tool))
    return done


def foreign_choice(request: GenerateRequest, names: ToolNames) -> Json:
    choice = request.tool_choice
    if choice.hosted_kind is not None:
        return {"type": _HOSTED_TYPES.get(choice.hosted_kind, choice.hosted_kind)}
    if choice.mode == "named":
        if not choice.names:
            return "required"
        return _named(request, choice.names[0], names)
    if choice.names and choice.mode in ("auto", "required"):
        return {
            "type": "allowed_tools",
            "mode": choice.mode,
            "tools": [_named(request, name, names) for name in choice.names],
        }
    return choice.mode


def foreign_format(output_format: OutputFormat, report: Report) -> dict[str, Json]:
    if output_format.kind != "json_schema":
        return {"type": output_format.kind}
    wanted = output_format.strict is not False
    strict = schema.convert(output_format.schema, "openai-strict", tool=False) if wanted else None
    if strict is not None and strict.exact:
        return _named_format(output_format, strict.schema, True)
    if output_format.strict:
        report.rename("output_format.json_schema")
    return _named_format(output_format, schema.convert(output_format.schema, "openai", tool=False).schema, False)


def wrapped_tools(request: GenerateRequest) -> frozenset[str]:
    """The names of tools whose arguments come wrapped, since their schema's root isn't an object."""
    return frozenset(
        tool.name
        for tool in request.tools
        if isinstance(tool, FunctionTool) and tool.parameters and schema.convert(tool.parameters, "openai").wrapped
    )


def is_wrapped(output_format: OutputFormat | None) -> bool:
    """Whether the answer comes wrapped, since the root of its schema isn't an object."""
    if output_format is None or output_format.kind != "json_schema":
        return False
    return schema.convert(output_format.schema, "openai", tool=False).wrapped


def _own_tool(tool: ToolDefinition) -> dict[str, Json]:
    match tool:
        case FunctionTool():
            built: dict[str, Json] = {"type": "function", "name": tool.name}
            said = {
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": tool.strict,
                "defer_loading": tool.defer,
            }
        case FreeformTool():
            built = {"type": "custom", "name": tool.name}
            grammar = tool.grammar
            said = {
                "description": tool.description,
                "format": {"type": "grammar", "syntax": grammar.syntax, "definition": grammar.definition}
                if grammar
                else None,
            }
        case HostedTool():
            return dict(tool.config)
    return written(built | {key: value for key, value in said.items() if value is not None}, tool.extensions)


def _function(tool: FunctionTool, names: ToolNames, report: Report) -> dict[str, Json]:
    strict = False
    found = schema.convert(tool.parameters, "openai")
    if tool.strict:
        exact = schema.convert(tool.parameters, "openai-strict")
        if exact.exact:
            found, strict = exact, True
        else:
            report.drop("tool.function.strict")
    built: dict[str, Json] = {"type": "function", "name": names.safe(tool.name, tool.namespace)}
    if tool.description is not None:
        built["description"] = tool.description
    built |= {"parameters": found.schema or {"type": "object", "properties": {}}, "strict": strict}
    if tool.defer:
        report.ignore("tool.function.defer")
    return built


def _hosted(tool: HostedTool, can: Capabilities) -> dict[str, Json] | None:
    if can.hosted_tools is not None and tool.kind not in can.hosted_tools:
        return None
    match tool.kind:
        case "web_search":
            return {"type": "web_search", **_web_search(tool.web_search or WebSearchConfig())}
        case "code_execution":
            return {"type": "code_interpreter", "container": {"type": "auto"}}
        case _:
            return None


def _web_search(config: WebSearchConfig) -> dict[str, Json]:
    built: dict[str, Json] = {}
    domains = {"allowed_domains": config.allowed_domains, "blocked_domains": config.blocked_domains}
    if filters := {key: list(value) for key, value in domains.items() if value}:
        built["filters"] = filters
    if config.location:
        built["user_location"] = {"type": "approximate", **config.location}
    if config.context_size:
        built["search_context_size"] = config.context_size
    return built


def _feature(tool: HostedTool) -> str:
    return f"tool.{tool.kind}" if tool.kind in ("web_search", "code_execution") else "tool.hosted"


def _named(request: GenerateRequest, name: str, names: ToolNames) -> dict[str, Json]:
    freeform_names = {tool.name for tool in request.tools if isinstance(tool, FreeformTool)}
    return {"type": "custom" if name in freeform_names else "function", "name": names.safe(name)}


def _named_format(output_format: OutputFormat, found: Mapping[str, Json] | None, strict: bool) -> dict[str, Json]:
    built = _format(output_format, found or {"type": "object", "properties": {}}, strict)
    built["name"] = _ILLEGAL_NAME.sub("_", built.get("name") or "output")[:LONGEST_FORMAT_NAME]
    return built


def _format(output_format: OutputFormat, found: Mapping[str, Json] | None, strict: bool | None) -> dict[str, Json]:
    said = {
        "name": output_format.name,
        "schema": found,
        "strict": strict,
        "description": output_format.description,
    }
    return {"type": output_format.kind, **{key: value for key, value in said.items() if value is not None}}
