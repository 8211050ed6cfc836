"""Freeform (custom) tools for targets that know functions only: a function with one string argument, and back."""

import json

from aiproxy.codecs.arguments import as_object
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FreeformTool, FunctionTool

ARGUMENT = "input"


def as_function(tool: FreeformTool) -> FunctionTool:
    """The function that stands for it; the grammar is told in the description, since no schema can hold it."""
    told = [tool.description] if tool.description else []
    if tool.grammar:
        told.append(f"`{ARGUMENT}` must match this {tool.grammar.syntax} grammar:\n{tool.grammar.definition}")
    schema = {"type": "object", "properties": {ARGUMENT: {"type": "string"}}, "required": [ARGUMENT]}
    return FunctionTool(tool.name, "\n\n".join(told) or None, schema, namespace=tool.namespace, cache=tool.cache)


def wrap(text: str) -> str:
    """A freeform call's text as the arguments of that function."""
    return json.dumps({ARGUMENT: text}, ensure_ascii=False, separators=(",", ":"))


def unwrap(arguments_text: str) -> str:
    """The text the model meant, from the complete arguments of that function; the arguments themselves when it broke the form."""
    found = as_object(arguments_text)[0].get(ARGUMENT)
    return found if isinstance(found, str) else arguments_text


def freeform_names(request: GenerateRequest) -> frozenset[tuple[str, str | None]]:
    """(name, namespace) of the request's freeform tools: whose calls an answer must unwrap."""
    return frozenset((tool.name, tool.namespace) for tool in request.tools if isinstance(tool, FreeformTool))
