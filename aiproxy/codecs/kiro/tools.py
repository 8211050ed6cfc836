"""Tools in Kiro's words, and back: made from the request alone, by encoder and decoder alike."""

from collections.abc import Iterator
from functools import cached_property

from aiproxy.codecs.freeform import as_function, freeform_names, unwrap
from aiproxy.codecs.kiro.table import TABLE
from aiproxy.codecs.report import Report
from aiproxy.codecs.schema import convert, unwrapped
from aiproxy.codecs.tool_choice import hosted_feature, only_callable, report_lost
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import ToolCallPart
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool

MOST_DESCRIPTION = 9216
"""Bytes of a tool's description: the service refuses longer ones from about 10,000 on."""

CUT = "..."

NO_ARGUMENTS: Json = {"type": "object", "properties": {}}


class KiroTools:
    def __init__(self, request: GenerateRequest) -> None:
        self._request = request
        self.names = ToolNames.of(request, "openai")

    def written(self, report: Report) -> list[Json]:
        """Those that may be called, and those that the history calls: the service wants all of them declared."""
        found = {specified["name"]: specified for specified in self._callable(report)}
        for turn in self._request.turns:
            for part in turn.parts:
                if isinstance(part, ToolCallPart):
                    name = self.names.safe(part.name, part.namespace)
                    found.setdefault(name, _specification(name, name, NO_ARGUMENTS))
        return [{"toolSpecification": specified} for specified in found.values()]

    def called(self, call_id: str, written_name: str, arguments_text: str, *, complete: bool) -> ToolCallPart:
        """A call of the model, as the client knows the tool."""
        name, namespace = self.names.original(written_name)
        if (name, namespace) in self._freeform:
            return ToolCallPart(call_id, name, unwrap(arguments_text), namespace, "freeform", complete)
        if (name, namespace) in self._wrapped:
            arguments_text = unwrapped(arguments_text)
        return ToolCallPart(call_id, name, arguments_text, namespace, complete=complete)

    def is_changed(self, written_name: str) -> bool:
        """Whether the arguments say something else to the client than they do here: then they can't pass in pieces."""
        return self.names.original(written_name) in self._freeform | self._wrapped

    def _callable(self, report: Report) -> Iterator[dict[str, Json]]:
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

    def _function(self, tool: FunctionTool, report: Report) -> dict[str, Json]:
        for feature, said in (("namespace", tool.namespace), ("strict", tool.strict), ("defer", tool.defer)):
            if said:
                TABLE.report(f"tool.function.{feature}", report)
        name = self.names.safe(tool.name, tool.namespace)
        description = tool.description or name
        if len(description.encode("utf-8", "surrogatepass")) > MOST_DESCRIPTION:
            report.clamp("tool.function")
            room = MOST_DESCRIPTION - len(CUT)
            description = description.encode("utf-8", "ignore")[:room].decode("utf-8", "ignore") + CUT
        return _specification(name, description, convert(tool.parameters, "openai").schema or NO_ARGUMENTS)

    @cached_property
    def _freeform(self) -> frozenset[tuple[str, str | None]]:
        return freeform_names(self._request)

    @cached_property
    def _wrapped(self) -> frozenset[tuple[str, str | None]]:
        """Tools whose arguments aren't an object."""
        return frozenset(
            (tool.name, tool.namespace)
            for tool in self._request.tools
            if isinstance(tool, FunctionTool) and convert(tool.parameters, "openai").wrapped
        )


def _specification(name: str, description: str, schema: Json) -> dict[str, Json]:
    return {"name": name, "description": description, "inputSchema": {"json": schema}}
