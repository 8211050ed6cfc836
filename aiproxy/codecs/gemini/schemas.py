"""Schemas of foreign tools in the dialect the model takes, and which of them had to be wrapped in an object."""

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.schema import Converted, convert
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FunctionTool


def converted(tool: FunctionTool, can: Capabilities) -> Converted:
    """For `parametersJsonSchema`, or for `parameters` where the model knows Google's own Schema only."""
    return convert(tool.parameters, "gemini" if can.json_schema_tools is False else "gemini-json")


def wrapped_tools(request: GenerateRequest, can: Capabilities) -> frozenset[tuple[str, str | None]]:
    """(name, namespace) of the tools whose arguments aren't an object: they travel under one property."""
    return frozenset(
        (tool.name, tool.namespace)
        for tool in request.tools
        if isinstance(tool, FunctionTool)
        and tool.parameters
        and tool.parameters.get("type") != "object"
        and converted(tool, can).wrapped
    )
