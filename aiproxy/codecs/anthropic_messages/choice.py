"""The choice among tools, both ways."""

from collections.abc import Iterable

from aiproxy.codecs.anthropic_messages.read_blocks import Malformed, left, taken
from aiproxy.codecs.anthropic_messages.table import NAME
from aiproxy.codecs.anthropic_messages.tools import HOSTED, ForeignTools
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.fields import restore
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolChoice, ToolDefinition

_MODES = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}
_TYPES = {mode: kind for kind, mode in _MODES.items()}


def read_choice(found: Json, tools: Iterable[ToolDefinition]) -> ToolChoice:
    if not isinstance(found, dict):
        raise Malformed("tool_choice", "must be an object")
    rest = taken(found)
    mode = _MODES.get(str(rest.pop("type", None)))
    if mode is None:
        raise Malformed("tool_choice.type", "must be auto, any, tool or none")
    names: tuple[str, ...] = ()
    hosted = None
    if mode == "named":
        name = rest.pop("name", None)
        if not isinstance(name, str):
            raise Malformed("tool_choice.name", "must be a string")
        names = (name,)
        vendor_run = (tool for tool in tools if isinstance(tool, HostedTool))
        hosted = next((tool.kind for tool in vendor_run if tool.config.get("name") == name), None)
    single = rest.get("disable_parallel_tool_use")
    if isinstance(single, bool):
        del rest["disable_parallel_tool_use"]
    parallel = not single if isinstance(single, bool) else None
    return ToolChoice(mode, names, hosted, parallel, extensions=left(rest))  # type: ignore[arg-type]


def write_choice(choice: ToolChoice) -> dict[str, Json] | None:
    """A choice that came in this protocol, as it came."""
    if choice.mode is None:
        return None
    body: dict[str, Json] = {"type": _TYPES[choice.mode]}
    if choice.mode == "named":
        body["name"] = choice.names[0]
    if choice.allow_parallel is not None:
        body["disable_parallel_tool_use"] = not choice.allow_parallel
    restore(choice.extensions, NAME, body)
    return body


def write_foreign_choice(
    choice: ToolChoice, tools: ForeignTools, request: GenerateRequest, can: Capabilities, report: Report
) -> dict[str, Json] | None:
    body = _chosen(choice, tools, request)
    if body["type"] in ("any", "tool") and not can.tool_choices & {"required", "named"}:
        report.drop("tool_choice.required" if body["type"] == "any" else "tool_choice.named")
        body = {"type": "auto"}
    if choice.allow_parallel is False and body["type"] != "none":
        body["disable_parallel_tool_use"] = True
    elif choice.mode is None:
        return None
    return body


def _chosen(choice: ToolChoice, tools: ForeignTools, request: GenerateRequest) -> dict[str, Json]:
    if choice.hosted_kind and choice.hosted_kind in HOSTED:
        return {"type": "tool", "name": HOSTED[choice.hosted_kind]["name"]}
    if choice.mode == "named" and choice.names:
        spaces = {tool.name: tool.namespace for tool in request.tools if isinstance(tool, FunctionTool | FreeformTool)}
        name = choice.names[0]
        return {"type": "tool", "name": tools.names.safe(name, spaces.get(name))}
    return {"type": _TYPES.get(choice.mode or "auto", "auto")}
