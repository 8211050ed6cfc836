"""Which tools to offer, for targets whose `tool_choice` can't say all that neutral's can."""

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


def only_callable(request: GenerateRequest) -> tuple[ToolDefinition, ...]:
    """The tools that may be called at all: for targets without any `tool_choice` (Ollama)."""
    choice = request.tool_choice
    if choice.mode == "none":
        return ()
    if not choice.names:
        return request.tools
    return tuple(tool for tool in request.tools if is_offered(tool, choice.names))
