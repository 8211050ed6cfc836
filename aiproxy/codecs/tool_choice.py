"""Which tools to offer, for targets whose `tool_choice` can't say all that neutral's can."""

from aiproxy.codecs.fields import FieldTable
from aiproxy.codecs.report import Report
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolDefinition


def is_offered(tool: ToolDefinition, names: tuple[str, ...]) -> bool:
    match tool:
        case FunctionTool(name=name) | FreeformTool(name=name):
            return name in names
        case HostedTool(kind=kind):
            return kind in names


def allowed(request: GenerateRequest) -> tuple[ToolDefinition, ...]:
    """The tools within the allowed set: for targets that have none, filtering says the same (and costs their prompt cache)."""
    choice = request.tool_choice
    if choice.mode == "named" or not choice.names:
        return request.tools
    return tuple(tool for tool in request.tools if is_offered(tool, choice.names))


def report_lost(request: GenerateRequest, table: FieldTable, report: Report) -> None:
    """What a target without any `tool_choice` loses of it, by its own table."""
    choice = request.tool_choice
    if choice.mode is not None and choice.mode != "auto":
        table.report(f"tool_choice.{choice.mode}", report)
    if choice.hosted_kind is not None:
        table.report("tool_choice.hosted", report)
    if choice.names and choice.mode != "named":
        table.report("tool_choice.allowed", report)
    if choice.allow_parallel is False:
        table.report("tool_choice.allow_parallel", report)


def hosted_feature(kind: str) -> str:
    """What tables call a hosted tool."""
    return f"tool.{kind}" if kind in ("web_search", "code_execution") else "tool.hosted"


def only_callable(request: GenerateRequest) -> tuple[ToolDefinition, ...]:
    """The tools that may be called at all: for targets without any `tool_choice` (Ollama)."""
    choice = request.tool_choice
    if choice.mode == "none":
        return ()
    if not choice.names:
        return request.tools
    return tuple(tool for tool in request.tools if is_offered(tool, choice.names))
