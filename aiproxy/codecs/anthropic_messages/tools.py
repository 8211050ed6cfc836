"""Tools, both ways, and what an answer's calls must be turned back into."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiproxy.codecs import freeform, schema, tool_choice
from aiproxy.codecs.anthropic_messages.read_blocks import Malformed, left, taken
from aiproxy.codecs.anthropic_messages.table import NAME, TABLE
from aiproxy.codecs.arguments import is_complete
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.fields import restore
from aiproxy.codecs.report import Report
from aiproxy.codecs.tool_names import Name, ToolNames
from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import CacheHint, ToolCallPart
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import (
    FreeformTool,
    FunctionTool,
    HostedTool,
    ToolDefinition,
    WebSearchConfig,
)

_TYPE = "~type"
"""The note that a tool said it is a custom one, which it needn't."""

_KINDS = (
    "web_search",
    "web_fetch",
    "code_execution",
    "tool_search",
    "bash",
    "text_editor",
    "memory",
    "computer",
    "browser",
    "mcp",
)
"""Kinds of vendor-made tools, by the start of their type."""

HOSTED: Final[Mapping[str, Mapping[str, str]]] = {
    "web_search": {"type": "web_search_20250305", "name": "web_search"},
    "code_execution": {"type": "code_execution_20250825", "name": "code_execution"},
}
"""What another vendor's tool of that kind becomes: the oldest version that every model with the tool takes."""


@dataclass(frozen=True, slots=True)
class ForeignTools:
    """What was done to another protocol's tools, so that the calls in an answer can be given back as they were asked for."""

    names: ToolNames
    freeform: frozenset[Name]
    wrapped: frozenset[Name]
    """Tools whose schema isn't an object's: their arguments travel under one property."""

    @classmethod
    def of(cls, request: GenerateRequest) -> "ForeignTools":
        functions = [tool for tool in request.tools if isinstance(tool, FunctionTool)]
        wrapped = frozenset((tool.name, tool.namespace) for tool in functions if _is_wrapped(tool))
        return cls(ToolNames.of(request, "openai"), freeform.freeform_names(request), wrapped)

    def buffers(self, name: str) -> bool:
        """Whether the arguments of this tool (by its name here) can be told only when they are complete."""
        found = self.names.original(name)
        return found in self.freeform or found in self.wrapped

    def opened(self, call: ToolCallPart) -> ToolCallPart:
        """A call as the client knows it, while its arguments are still to come."""
        name, namespace = self.names.original(call.name)
        is_freeform = (name, namespace) in self.freeform
        return replace(call, name=name, namespace=namespace, arguments_kind="freeform" if is_freeform else "json")

    def closed(self, call: ToolCallPart) -> ToolCallPart:
        found = self.opened(call)
        text = found.arguments_text
        if found.arguments_kind == "freeform":
            text = freeform.unwrap(text)
        elif (found.name, found.namespace) in self.wrapped and is_complete(text):
            text = schema.unwrapped(text)
        return replace(found, arguments_text=text)


def _is_wrapped(tool: FunctionTool) -> bool:
    parameters = tool.parameters
    if not parameters or parameters.get("type") == "object":
        return False
    return schema.convert(parameters, "anthropic-tool").wrapped


def read_tool(found: Json) -> ToolDefinition:
    if not isinstance(found, dict):
        raise Malformed("type", "every tool must be an object")
    rest = taken(found)
    kind = rest.get("type")
    if isinstance(kind, str) and kind != "custom":
        name = next((known for known in _KINDS if kind.startswith(known)), kind)
        return HostedTool(name, NAME, found, web_search=_web_search(found) if name == "web_search" else None)
    if "type" in rest:
        rest[_TYPE] = rest.pop("type")
    if not isinstance(rest.get("name"), str):
        raise Malformed("name", "must be a string")
    parameters = rest.get("input_schema")
    if parameters is not None and not isinstance(parameters, dict):
        raise Malformed("input_schema", "must be an object")
    values = {
        field: rest.pop(wire)
        for wire, field, expected in (
            ("name", "name", str),
            ("description", "description", str),
            ("input_schema", "parameters", dict),
            ("strict", "strict", bool),
            ("defer_loading", "defer", bool),
        )
        if isinstance(rest.get(wire), expected)
    }
    cache = rest.get("cache_control")
    hint = None
    if isinstance(cache, dict) and cache.keys() <= {"type", "ttl"} and cache.get("type") == "ephemeral":
        ttl = cache.get("ttl", "5m")
        if isinstance(ttl, str):
            hint = CacheHint(cache.get("ttl"))
            del rest["cache_control"]
    return FunctionTool(**values, cache=hint, extensions=left(rest))


def write_tool(tool: ToolDefinition) -> dict[str, Json]:
    """A tool that came in this protocol, as it came."""
    if not isinstance(tool, FunctionTool):
        assert isinstance(tool, HostedTool)
        return dict(tool.config)
    body: dict[str, Json] = {"name": tool.name}
    optional = {
        "description": tool.description,
        "input_schema": tool.parameters,
        "strict": tool.strict,
        "defer_loading": tool.defer,
        "cache_control": cache_control(tool.cache),
    }
    body |= {key: value for key, value in optional.items() if value is not None}
    notes = tool.extensions.get(NAME, {})
    if _TYPE in notes:
        body["type"] = notes[_TYPE]
    restore(tool.extensions, NAME, body)
    return body


def write_foreign_tools(
    request: GenerateRequest, tools: ForeignTools, can: Capabilities, report: Report
) -> list[dict[str, Json]]:
    offered = tool_choice.allowed(request)
    if len(offered) < len(request.tools):
        TABLE.report("tool_choice.allowed", report)
    written = []
    for tool in offered:
        match tool:
            case HostedTool():
                body = _hosted(tool, request, can, report)
            case FunctionTool() | FreeformTool():
                body = _function(tool, tools, can, report)
        if body is not None:
            if tool.cache:
                body["cache_control"] = cache_control(tool.cache)
            written.append(body)
    return written


def _function(
    tool: FunctionTool | FreeformTool, tools: ForeignTools, can: Capabilities, report: Report
) -> dict[str, Json]:
    if isinstance(tool, FreeformTool):
        TABLE.report("tool.freeform", report)
        tool = freeform.as_function(tool)
    if tool.namespace:
        TABLE.report("tool.function.namespace", report)
    strict = bool(tool.strict) and can.json_schema is True
    if tool.strict and not strict:
        report.drop("tool.function.strict")
    converted = schema.convert(tool.parameters, "anthropic-format" if strict else "anthropic-tool")
    body: dict[str, Json] = {"name": tools.names.safe(tool.name, tool.namespace)}
    if tool.description:
        body["description"] = tool.description
    body["input_schema"] = converted.schema or {"type": "object", "properties": {}}
    if strict:
        body["strict"] = True
    if tool.defer:
        report.drop("tool.function.defer")
    return body


def _hosted(tool: HostedTool, request: GenerateRequest, can: Capabilities, report: Report) -> dict[str, Json] | None:
    if tool.protocol == NAME:
        return dict(tool.config)
    known = can.hosted_tools is None or tool.kind in can.hosted_tools
    if tool.kind not in HOSTED or not known:
        if request.tool_choice.hosted_kind == tool.kind:
            report.refuse("tool.hosted")
        report.drop("tool.hosted")
        return None
    body: dict[str, Json] = dict(HOSTED[tool.kind])
    if tool.web_search:
        search = tool.web_search
        if search.max_uses is not None:
            body["max_uses"] = search.max_uses
        if search.allowed_domains:
            body["allowed_domains"] = list(search.allowed_domains)
        elif search.blocked_domains:
            body["blocked_domains"] = list(search.blocked_domains)
        if search.location:
            body["user_location"] = {"type": "approximate", **search.location}
    return body


def stand_ins(calls: Iterable[ToolCallPart], tools: ForeignTools) -> list[dict[str, Json]]:
    """Definitions of the tools a history calls: the API wants them although none may be called any more."""
    names = dict.fromkeys(tools.names.safe(call.name, call.namespace) for call in calls)
    return [{"name": name, "input_schema": {"type": "object", "properties": {}}} for name in names]


def cache_control(hint: CacheHint | None) -> dict[str, Json] | None:
    if hint is None:
        return None
    return {"type": "ephemeral"} if hint.ttl is None else {"type": "ephemeral", "ttl": hint.ttl}


def _web_search(found: Mapping[str, Json]) -> WebSearchConfig:
    allowed, blocked, uses = found.get("allowed_domains"), found.get("blocked_domains"), found.get("max_uses")
    location = found.get("user_location")
    told = {key: value for key, value in location.items() if key != "type"} if isinstance(location, dict) else None
    return WebSearchConfig(
        allowed_domains=_texts(allowed),
        blocked_domains=_texts(blocked),
        max_uses=uses if isinstance(uses, int) else None,
        location={key: value for key, value in told.items() if isinstance(value, str)} if told else None,
    )


def _texts(found: Json) -> tuple[str, ...]:
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()
