"""Which tools a request makes the demo call, and with what arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from aiproxy.providers.demo.reading import flag, invalid, mapping, mappings
from aiproxy.providers.demo.script import Script

DEEPEST_SCHEMA = 16
"""Levels of an example value: a schema may refer to itself."""


@dataclass(frozen=True, slots=True)
class Tool:
    """An offered tool. `schema` is None for a custom tool, whose input is free text."""

    name: str
    schema: Mapping[str, Any] | None


def chosen(body: Mapping[str, Any], script: Script, heard: str, *, answered: bool) -> Sequence[Tool]:
    """The tools to call now: those `tool_choice` forces, else the script's, else those whose name was heard.

    `answered` says that the last message is a tool's result: then only force makes another call, or it would never end."""
    tools = [_tool(tool) for tool in mappings(body, "tools")]
    forced: Sequence[Tool] = []
    match body.get("tool_choice"):
        case None | "auto":
            pass
        case "none":
            return []
        case "required" if tools:
            forced = tools[:1]
        case {"type": "function" | "custom"} as choice:
            forced = [_named(tools, _tool(choice).name)]
        case {"type": "allowed_tools", "allowed_tools": dict() as allowed}:
            tools = [_named(tools, _tool(tool).name) for tool in mappings(allowed, "tools")]
            forced = tools[:1] if allowed.get("mode") == "required" else []
        case _:
            raise invalid("tool_choice", "`tool_choice` must be none, auto, required, or name an offered tool.")
    if forced or answered:
        return forced
    if script.tool:
        return tools[:1]
    named = [tool for tool in tools if tool.name in heard]
    return named if body.get("parallel_tool_calls") is None or flag(body, "parallel_tool_calls") else named[:1]


def _tool(described: Mapping[str, Any]) -> Tool:
    kind = described.get("type")
    if kind not in ("function", "custom"):
        raise invalid("tools", "A tool's `type` must be function or custom.")
    words = mapping(described, kind)
    name = words.get("name")
    if not isinstance(name, str) or not name:
        raise invalid("tools", f"A {kind} tool needs a name.")
    return Tool(name, mapping(words, "parameters") if kind == "function" else None)


def _named(tools: Sequence[Tool], name: str) -> Tool:
    for tool in tools:
        if tool.name == name:
            return tool
    raise invalid("tool_choice", f"`tool_choice` names {name!r}, which `tools` doesn't offer.")


def arguments(tool: Tool, heard: str) -> str:
    """What the tool is called with: an example of its schema, or the text that was heard."""
    return heard if tool.schema is None else example_text(tool.schema)


def example_text(schema: Mapping[str, Any]) -> str:
    return orjson.dumps(_example(schema, schema, "demo", 0)).decode()


def _example(schema: Any, root: Mapping[str, Any], name: str, depth: int) -> Any:
    """A value with the schema's required properties only. Unknown words of the schema are passed over."""
    if not isinstance(schema, dict) or depth > DEEPEST_SCHEMA:
        return None
    match schema:
        case {"const": value}:
            return value
        case {"enum": [value, *_]}:
            return value
        case {"default": value}:
            return value
        case {"$ref": str() as reference}:
            return _example(_referred(root, reference), root, name, depth + 1)
        case {"anyOf": [first, *_]} | {"oneOf": [first, *_]} | {"allOf": [first, *_]}:
            return _example(first, root, name, depth + 1)
    kinds = schema.get("type")
    kind = kinds[0] if isinstance(kinds, list) and kinds else kinds
    match kind:
        case "string":
            return name
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
        case "array":
            return [_example(schema.get("items"), root, name, depth + 1)] if "items" in schema else []
        case _:
            return _example_object(schema, root, depth)


def _example_object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, dict) or not isinstance(required, list):
        return {}
    names = [name for name in required if isinstance(name, str) and name in properties]
    return {name: _example(properties[name], root, name, depth + 1) for name in names}


def _referred(root: Mapping[str, Any], reference: str) -> Any:
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            found = found.get(step) if isinstance(found, dict) else None
    return found
