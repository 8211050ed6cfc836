"""Tools and how free the model is to call them: `tools` and `toolConfig.functionCallingConfig`.

Source: Gemini API, function calling, and its reference of Tool and FunctionCallingConfig."""

from collections.abc import Iterator, Mapping, Sequence

from aiproxy.codecs.fields import carried, restore
from aiproxy.codecs.gemini.names import NAME
from aiproxy.codecs.gemini.reading import objects, text
from aiproxy.codecs.schema import lower_types
from aiproxy.neutral.carried import Json
from aiproxy.neutral.tools import FunctionTool, HostedTool, ToolChoice, ToolDefinition, WebSearchConfig

DECLARATIONS = "functionDeclarations"

_KINDS: Mapping[str, str] = {
    "googleSearch": "web_search",
    "googleSearchRetrieval": "web_search",
    "codeExecution": "code_execution",
    "urlContext": "url_context",
    "computerUse": "computer_use",
    "fileSearch": "file_search",
    "googleMaps": "maps",
    "mcpServers": "mcp",
}


def decode_tools(tools: Json) -> tuple[ToolDefinition, ...]:
    """In order. Which tools stood in one object together is not said: it means nothing."""
    return tuple(found for tool in objects(tools, "tools") for found in _decode_tool(tool))


def _decode_tool(tool: Mapping[str, Json]) -> Iterator[ToolDefinition]:
    for key, value in tool.items():
        if value is None:
            continue
        if key == DECLARATIONS:
            yield from (_decode_declaration(found) for found in objects(value, f"tools[].{key}"))
        else:
            kind = _KINDS.get(key, key)
            yield HostedTool(kind, NAME, {key: value}, web_search=WebSearchConfig() if kind == "web_search" else None)


def _decode_declaration(found: Mapping[str, Json]) -> FunctionTool:
    known = ["name"]
    description = found.get("description")
    if isinstance(description, str):
        known.append("description")
    schema = next((name for name in ("parametersJsonSchema", "parameters") if isinstance(found.get(name), dict)), None)
    if schema:
        known.append(schema)
    return FunctionTool(
        text(found, "name", DECLARATIONS),
        description if isinstance(description, str) else None,
        lower_types(found[schema]) if schema else None,
        extensions=carried(NAME, found, known),
    )


def plain_tools(tools: Sequence[ToolDefinition]) -> list[Json]:
    """What a Gemini client would have written: the functions in one object, each tool of Google's in its own."""
    found: list[Json] = []
    functions = [plain_declaration(tool) for tool in tools if isinstance(tool, FunctionTool)]
    if functions:
        found.append({DECLARATIONS: functions})
    return [*found, *(dict(tool.config) for tool in tools if isinstance(tool, HostedTool) and tool.protocol == NAME)]


def plain_declaration(tool: FunctionTool) -> dict[str, Json]:
    found: dict[str, Json] = {"name": tool.name}
    if tool.description is not None:
        found["description"] = tool.description
    if tool.parameters is not None:
        found["parametersJsonSchema"] = dict(tool.parameters)
    restore(tool.extensions, NAME, found)
    return found


def decode_choice(config: Mapping[str, Json]) -> ToolChoice:
    """VALIDATED is auto: the model may call, and what it calls obeys the schema."""
    mode, names = config.get("mode"), config.get("allowedFunctionNames") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("`allowedFunctionNames` must be a list of strings")
    if mode is not None and not isinstance(mode, str):
        raise ValueError("`mode` must be a string")
    match (mode or "").upper():
        case "ANY":
            return ToolChoice("named" if len(names) == 1 else "required", tuple(names))
        case "NONE":
            return ToolChoice("none", tuple(names))
        case "AUTO" | "VALIDATED":
            return ToolChoice("auto", tuple(names))
        case _:
            return ToolChoice(names=tuple(names))


def plain_choice(choice: ToolChoice) -> dict[str, Json]:
    found: dict[str, Json] = {}
    if choice.mode is not None:
        found["mode"] = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}[choice.mode]
    if choice.names:
        found["allowedFunctionNames"] = list(choice.names)
    return found
