"""Tool definitions, both ways, and what foreign ones are called here. Definitions have OpenAI's shape."""

from collections.abc import Iterator
from functools import cached_property

from aiproxy.codecs.fields import restore
from aiproxy.codecs.freeform import as_function, freeform_names, unwrap
from aiproxy.codecs.ollama.notes import TYPE, note, riding
from aiproxy.codecs.ollama.table import NAME, TABLE
from aiproxy.codecs.report import Report
from aiproxy.codecs.schema import convert, unwrapped
from aiproxy.codecs.tool_choice import hosted_feature, only_callable, report_lost
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import ToolCallPart
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolDefinition

_FUNCTION = ("name", "description", "parameters", "strict")


def read_tools(found: Json, report: Report) -> tuple[FunctionTool, ...]:
    if not isinstance(found, list):
        raise InvalidRequest("tools must be a list.", param="tools")
    return tuple(_read_tool(tool, f"tools[{place}]", report) for place, tool in enumerate(found))


def _read_tool(found: Json, where: str, report: Report) -> FunctionTool:
    function = found.get("function") if isinstance(found, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise InvalidRequest(f"{where} must be an object whose `function` has a name.", param=where)
    kinds = {"description": str, "parameters": dict, "strict": bool}
    for key, kind in kinds.items():
        if not isinstance(function.get(key), kind | None):
            raise InvalidRequest(f"{where}.function.{key} is of the wrong type.", param=f"{where}.function.{key}")
    report.read("tools", "tool.function")
    if function.get("strict"):
        report.read(f"{where}.function.strict", "tool.function.strict")
    known = [key for key in _FUNCTION if function.get(key) is not None]
    rest = {key: value for key, value in found.items() if key != "function" and (key, value) != ("type", "function")}
    if inner := {key: value for key, value in function.items() if key not in known}:
        rest["function"] = inner
    return FunctionTool(
        function["name"],
        function.get("description"),
        function.get("parameters"),
        function.get("strict"),
        extensions=riding(rest, (), {} if "type" in found else {TYPE: "absent"}),
    )


def write_tool(tool: ToolDefinition) -> dict[str, Json]:
    """As it came; there are only functions."""
    assert isinstance(tool, FunctionTool)
    function = {key: getattr(tool, key) for key in _FUNCTION if getattr(tool, key) is not None}
    written: dict[str, Json] = {"function": function}
    restore(tool.extensions, NAME, written)
    if note(tool.extensions, TYPE) is None:
        written.setdefault("type", "function")
    return written


class ForeignTools:
    """Another protocol's tools in Ollama's words, and back: made from the request alone, by encoder and decoder alike."""

    def __init__(self, request: GenerateRequest) -> None:
        self._request = request
        self.names = ToolNames.of(request, "any")

    def written(self, report: Report) -> Iterator[dict[str, Json]]:
        """Those that may be called: Ollama has no `tool_choice`. Reports what gets lost."""
        if not self._request.tools:
            return
        report_lost(self._request, TABLE, report)
        for tool in only_callable(self._request):
            match tool:
                case FunctionTool():
                    yield self._function(tool, report)
                case FreeformTool():
                    TABLE.report("tool.freeform", report)
                    yield self._function(as_function(tool), report)
                case HostedTool(kind=kind):
                    TABLE.report(hosted_feature(kind), report)

    def called(self, call_id: str, written_name: str, arguments_text: str) -> ToolCallPart:
        """A call of the model, as the client knows the tool."""
        name, namespace = self.names.original(written_name)
        if (name, namespace) in self._freeform:
            return ToolCallPart(call_id, name, unwrap(arguments_text), namespace, "freeform")
        if (name, namespace) in self._wrapped:
            arguments_text = unwrapped(arguments_text)
        return ToolCallPart(call_id, name, arguments_text, namespace)

    def _function(self, tool: FunctionTool, report: Report) -> dict[str, Json]:
        if tool.namespace is not None:
            TABLE.report("tool.function.namespace", report)
        if tool.strict:
            TABLE.report("tool.function.strict", report)
        if tool.defer:
            TABLE.report("tool.function.defer", report)
        function: dict[str, Json] = {"name": self.names.safe(tool.name, tool.namespace)}
        if tool.description is not None:
            function["description"] = tool.description
        function["parameters"] = convert(tool.parameters, "openai").schema
        return {"type": "function", "function": function}

    @cached_property
    def _freeform(self) -> frozenset[tuple[str, str | None]]:
        return freeform_names(self._request)

    @cached_property
    def _wrapped(self) -> frozenset[tuple[str, str | None]]:
        """Tools whose arguments aren't an object, which Ollama wants."""
        return frozenset(
            (tool.name, tool.namespace)
            for tool in self._request.tools
            if isinstance(tool, FunctionTool) and convert(tool.parameters, "openai").wrapped
        )
