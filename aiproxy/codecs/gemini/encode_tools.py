"""Foreign tools and tool choice for a Gemini upstream."""

from collections.abc import Mapping, Sequence

from aiproxy.codecs import freeform
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.gemini.schemas import converted
from aiproxy.codecs.gemini.table import TABLE
from aiproxy.codecs.gemini.thinking import is_third_generation
from aiproxy.codecs.gemini.tools import DECLARATIONS
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Json
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolDefinition

_HOSTED: Mapping[str, str] = {
    "web_search": "googleSearch",
    "code_execution": "codeExecution",
    "url_context": "urlContext",
    "maps": "googleMaps",
}


def encode_tools(exchange: Exchange, names: ToolNames) -> list[dict[str, Json]]:
    request, can, report = exchange.request, exchange.capabilities, exchange.report
    allowed = _allowed(exchange)
    functions = [
        _declaration(tool, names, exchange)
        for tool in request.tools
        if not isinstance(tool, HostedTool) and (allowed is None or tool.name in allowed)
    ]
    found: list[dict[str, Json]] = [{DECLARATIONS: functions}] if functions else []
    for tool in request.tools:
        if not isinstance(tool, HostedTool) or request.tool_choice.mode == "none":
            continue
        feature = f"tool.{tool.kind}" if tool.kind in ("web_search", "code_execution") else "tool.hosted"
        known = tool.kind in _HOSTED and (can.hosted_tools is None or tool.kind in can.hosted_tools)
        forced = request.tool_choice.hosted_kind == tool.kind
        if not known or (functions and not is_third_generation(request.model)):
            if forced:
                report.refuse("tool_choice.hosted")
            report.drop(feature)  # before Gemini 3 functions and Google's tools exclude each other
            continue
        if forced:
            TABLE.report("tool_choice.hosted", report)
        if tool.web_search and (tool.web_search.allowed_domains or tool.web_search.blocked_domains):
            report.drop(feature)
        if {_HOSTED[tool.kind]: {}} not in found:
            found.append({_HOSTED[tool.kind]: {}})
    return found


def encode_choice(exchange: Exchange, names: ToolNames, tools: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """`toolConfig`. The allowed set of `auto` is not here: the other tools were left out."""
    choice, can, report = exchange.request.tool_choice, exchange.capabilities, exchange.report
    found: dict[str, Json] = {}
    if len(tools) > 1 and DECLARATIONS in tools[0]:
        found["includeServerSideToolInvocations"] = True
    if choice.allow_parallel is False:
        TABLE.report("tool_choice.allow_parallel", report)
    if choice.mode is None or choice.hosted_kind or DECLARATIONS not in tools[0]:
        return found
    if choice.mode not in can.tool_choices:
        report.drop(f"tool_choice.{choice.mode}")
        return found
    calling: dict[str, Json] = {"mode": {"auto": "AUTO", "none": "NONE"}.get(choice.mode, "ANY")}
    if choice.names and calling["mode"] == "ANY":
        calling["allowedFunctionNames"] = [
            names.safe(*_tool_named(name, exchange.request.tools)) for name in choice.names
        ]
    return {"functionCallingConfig": calling, **found}


def _allowed(exchange: Exchange) -> frozenset[str] | None:
    choice = exchange.request.tool_choice
    return frozenset(choice.names) if choice.mode == "auto" and choice.names else None


def _tool_named(name: str, tools: Sequence[ToolDefinition]) -> tuple[str, str | None]:
    namespaces = (tool.namespace for tool in tools if not isinstance(tool, HostedTool) and tool.name == name)
    return name, next(namespaces, None)


def _declaration(tool: FunctionTool | FreeformTool, names: ToolNames, exchange: Exchange) -> dict[str, Json]:
    can, report = exchange.capabilities, exchange.report
    if isinstance(tool, FreeformTool):
        TABLE.report("tool.freeform", report)
        tool = freeform.as_function(tool)
    if tool.strict:
        TABLE.report("tool.function.strict", report)
    if tool.defer:
        TABLE.report("tool.function.defer", report)
    found: dict[str, Json] = {"name": names.safe(tool.name, tool.namespace)}
    if tool.description:
        found["description"] = tool.description
    schema = converted(tool, can).schema
    if schema is not None:
        found["parameters" if can.json_schema_tools is False else "parametersJsonSchema"] = schema
    return found
