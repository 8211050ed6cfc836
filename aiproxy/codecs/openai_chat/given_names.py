"""What a tool call of an upstream is to the client: its own name for the tool, and the form its arguments have there.

The request says it all, so the encoder of the request and the decoder of the answer each make this for themselves."""

from dataclasses import dataclass

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.freeform import freeform_names, unwrap
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.codecs.schema import convert, unwrapped
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.tools import FunctionTool


@dataclass(frozen=True, slots=True)
class GivenNames:
    """`names` None: the request came in this protocol, names went out as they were. `freeform` and `wrapped` are tools that
    were sent as functions with one argument, by their own names."""

    names: ToolNames | None = None
    freeform: frozenset[tuple[str, str | None]] = frozenset()
    wrapped: frozenset[tuple[str, str | None]] = frozenset()
    wrapped_output: bool = False

    @classmethod
    def of(cls, exchange: Exchange) -> "GivenNames":
        request = exchange.request
        if exchange.source == NAME:
            return cls()
        form = request.output_format
        return cls(
            ToolNames.of(request, "openai"),
            freeform_names(request) if exchange.capabilities.freeform_tools is False else frozenset(),
            frozenset(
                (tool.name, tool.namespace)
                for tool in request.tools
                if isinstance(tool, FunctionTool)
                and _needs_wrapping(tool)
                and convert(tool.parameters, "openai").wrapped
            ),
            form is not None
            and form.schema is not None
            and form.schema.get("type") != "object"
            and convert(form.schema, "openai", tool=False).wrapped,
        )

    def original(self, name: str) -> tuple[str, str | None]:
        return self.names.original(name) if self.names else (name, None)

    def rewrites(self, name: tuple[str, str | None]) -> bool:
        """Whether its arguments can only be told to the client when they are complete."""
        return name in self.freeform or name in self.wrapped

    def arguments(self, name: tuple[str, str | None], text: str) -> str:
        if name in self.freeform:
            return unwrap(text)
        return unwrapped(text) if name in self.wrapped else text


def _needs_wrapping(tool: FunctionTool) -> bool:
    return tool.parameters is not None and tool.parameters.get("type") != "object"
