"""`tools`, `tool_choice` and `text.format` of a request, read."""

from collections.abc import Mapping
from typing import Final

from aiproxy.codecs.openai_responses.reading import Malformed, Taking
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.request import OutputFormat
from aiproxy.neutral.tools import (
    FreeformTool,
    FunctionTool,
    Grammar,
    HostedTool,
    ToolChoice,
    ToolDefinition,
    WebSearchConfig,
)

WITHIN: Final = "~within"
"""The note on a namespaced tool: the place of its namespace among the tools, and for the first one what else that says."""
FROM_INPUT: Final = "~from_input"
"""The note on a tool that came in an `additional_tools` item: it goes back with that item."""
CHOICE: Final = "~choice"
"""The note that holds a tool choice that is more than one word."""

_KINDS: Final[Mapping[str, str]] = {
    "web_search_2025_08_26": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
    "code_interpreter": "code_execution",
    "computer_use_preview": "computer",
}
"""A tool's type → neutral kind, where they differ."""


def read_tools(tools: Json) -> tuple[ToolDefinition, ...]:
    """Raises `Malformed`."""
    if not isinstance(tools, list):
        raise Malformed("tools", "must be a list")
    read: list[ToolDefinition] = []
    for place, tool in enumerate(tools):
        try:
            read += _namespace(tool, place) if _is_namespace(tool) else [_tool(tool, None, {})]
        except Malformed as error:
            raise error.inside(f"tools[{place}]") from error
    return tuple(read)


def hosted_kind(kind: str) -> str:
    return _KINDS.get(kind, kind)


def read_choice(choice: Json, allow_parallel: bool | None) -> ToolChoice:
    """Raises `Malformed`."""
    noted: Extensions = {NAME: {CHOICE: choice}}
    match choice:
        case None:
            return ToolChoice(allow_parallel=allow_parallel)
        case "auto" | "none" | "required":
            return ToolChoice(choice, allow_parallel=allow_parallel)
        case {"type": "function" | "custom", "name": str(name)}:
            return ToolChoice("named", (name,), None, allow_parallel, noted)
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": [*tools]}:
            allowed = tuple(filter(None, map(_chosen, tools)))
            return ToolChoice(mode, allowed, None, allow_parallel, noted)
        case {"type": str(kind)} if kind not in ("function", "custom", "allowed_tools"):
            return ToolChoice("required", (), hosted_kind(kind), allow_parallel, noted)
        case _:
            raise Malformed("tool_choice", "must be auto, none, required, or an object that names a tool")


def read_format(found: Json) -> OutputFormat | None:
    """None for a format this codec doesn't know; it stays where it is."""
    if not isinstance(found, dict) or found.get("type") not in ("text", "json_object", "json_schema"):
        return None
    taking = Taking(found)
    match taking.text("type"):
        case "json_object":
            return OutputFormat("json_object", extensions=taking.extensions())
        case "json_schema":
            return OutputFormat(
                "json_schema",
                taking.maybe("name", str),
                taking.maybe("schema", dict),
                taking.maybe("strict", bool),
                taking.maybe("description", str),
                taking.extensions(),
            )
        case _:
            return OutputFormat("text", extensions=taking.extensions())


def _is_namespace(tool: Json) -> bool:
    """One with tools inside; an empty one can only be carried."""
    return isinstance(tool, dict) and tool.get("type") == "namespace" and bool(tool.get("tools"))


def _namespace(tool: dict[str, Json], place: int) -> list[ToolDefinition]:
    name, tools = tool.get("name"), tool["tools"]
    if not isinstance(name, str) or not isinstance(tools, list):
        raise Malformed("name" if isinstance(tools, list) else "tools", "a namespace needs a name and a list of tools")
    head = {key: value for key, value in tool.items() if key != "tools"}
    read: list[ToolDefinition] = []
    for inner_place, inner in enumerate(tools):
        note: dict[str, Json] = {WITHIN: {"at": place} if inner_place else {"at": place, "head": head}}
        try:
            read.append(_tool(inner, name, note))
        except Malformed as error:
            raise error.inside(f"tools[{inner_place}]") from error
    return read


def _tool(tool: Json, namespace: str | None, notes: Mapping[str, Json]) -> ToolDefinition:
    found = Taking(tool)
    kind = found.text("type")
    match kind:
        case "function":
            return FunctionTool(
                found.text("name"),
                found.maybe("description", str),
                found.maybe("parameters", dict),
                found.maybe("strict", bool),
                namespace,
                found.maybe("defer_loading", bool),
                extensions=found.extensions(notes),
            )
        case "custom":
            name, description = found.text("name"), found.maybe("description", str)
            return FreeformTool(name, description, _grammar(found), namespace, extensions=found.extensions(notes))
        case _:
            extensions: Extensions = {NAME: notes} if notes else {}
            if hosted_kind(kind) == "web_search":
                return HostedTool("web_search", NAME, tool, _web_search(tool), extensions=extensions)
            return HostedTool(hosted_kind(kind), NAME, tool, extensions=extensions)


def _grammar(found: Taking) -> Grammar | None:
    match found.rest.get("format"):
        case {"type": "grammar", "syntax": str(syntax), "definition": str(definition), **others}:
            if others:
                found.keep("format")
            else:
                del found.rest["format"]
            return Grammar(syntax, definition)
        case {"type": "text"}:
            found.keep("format")
    return None


def _web_search(tool: Mapping[str, Json]) -> WebSearchConfig:
    filters = tool.get("filters")
    domains = (filters if isinstance(filters, dict) else {}).get("allowed_domains")
    blocked = (filters if isinstance(filters, dict) else {}).get("blocked_domains")
    location, size = tool.get("user_location"), tool.get("search_context_size")
    return WebSearchConfig(
        _strings(domains),
        _strings(blocked),
        location={key: value for key, value in location.items() if isinstance(value, str) and key != "type"}
        if isinstance(location, dict)
        else None,
        context_size=size if isinstance(size, str) else None,
    )


def _strings(found: Json) -> tuple[str, ...]:
    return tuple(entry for entry in found if isinstance(entry, str)) if isinstance(found, list) else ()


def _chosen(tool: Json) -> str | None:
    match tool:
        case {"type": "function" | "custom", "name": str(name)}:
            return name
        case {"type": str(kind)}:
            return hosted_kind(kind)
        case _:
            return None
