"""Tools, the choice among them and the output format of a foreign request, fitted to what the upstream's model takes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from aiproxy.codecs import roles
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.freeform import as_function
from aiproxy.codecs.openai_chat.table import TABLE
from aiproxy.codecs.report import Report
from aiproxy.codecs.schema import convert
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import OutputFormat, Turn
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolChoice, ToolDefinition


def fitted_tool(tool: ToolDefinition, names: ToolNames, can: Capabilities, report: Report) -> ToolDefinition:
    if isinstance(tool, FreeformTool) and can.freeform_tools is False:
        report.emulate("tool.freeform")
        tool = as_function(tool)
    match tool:
        case HostedTool():
            return tool
        case FreeformTool(name=name, namespace=namespace):
            return replace(tool, name=names.safe(name, namespace), namespace=None)
        case FunctionTool(name=name, namespace=namespace, strict=strict):
            if namespace is not None:
                TABLE.report("tool.function.namespace", report)
            found = convert(tool.parameters, "openai-strict" if strict else "openai")
            if strict and not found.exact:
                report.drop("tool.function.strict")
                strict, found = False, convert(tool.parameters, "openai")
            return replace(
                tool, name=names.safe(name, namespace), namespace=None, parameters=found.schema, strict=strict
            )
        case _:
            assert_never(tool)


def fitted_choice(
    choice: ToolChoice, tools: Sequence[ToolDefinition], names: ToolNames, can: Capabilities, report: Report
) -> ToolChoice:
    if choice.hosted_kind is not None:
        TABLE.report("tool_choice.hosted", report)
        choice = replace(choice, hosted_kind=None, mode="auto", names=())
    given = {original[0]: name for name in (_name(tool) for tool in tools) if (original := names.original(name))}
    mode = choice.mode
    if mode is not None and mode not in can.tool_choices:
        report.drop(f"tool_choice.{mode}")
        mode = None
    listed = tuple(given.get(name, name) for name in choice.names)
    if mode == "named" or "allowed" in can.tool_choices:
        return replace(choice, mode=mode, names=listed if mode else (), allow_parallel=_parallel(choice, can, report))
    return replace(choice, mode=mode, names=(), allow_parallel=_parallel(choice, can, report))


def _name(tool: ToolDefinition) -> str:
    return tool.kind if isinstance(tool, HostedTool) else tool.name


def _parallel(choice: ToolChoice, can: Capabilities, report: Report) -> bool | None:
    if choice.allow_parallel is not None and not can.parallel_tools:
        report.drop("tool_choice.allow_parallel")
        return None
    return choice.allow_parallel


def fitted_format(form: OutputFormat | None, can: Capabilities, report: Report) -> OutputFormat | None:
    if form is None or form.kind == "text":
        return None
    if form.kind == "json_schema" and can.json_schema is False:
        report.emulate("output_format.json_schema")
        return OutputFormat("json_object") if can.json_object is not False else None
    if form.kind == "json_object":
        if can.json_object is False:
            report.emulate("output_format.json_object")
            return None
        return form
    found = convert(form.schema, "openai-strict" if form.strict else "openai", tool=False)
    strict = form.strict
    if strict and not found.exact:
        report.clamp("output_format.json_schema")
        strict, found = False, convert(form.schema, "openai", tool=False)
    return replace(form, name=form.name or "answer", schema=found.schema or {"type": "object"}, strict=strict)


def with_schema(turns: tuple[Turn, ...], form: OutputFormat | None, can: Capabilities) -> tuple[Turn, ...]:
    """A model that can't be held to a schema is told it."""
    if form is None or form.kind == "text":
        return turns
    told = ""
    if form.kind == "json_schema" and can.json_schema is False:
        schema = _schema_text(form)
        told = f"Answer with JSON that matches this JSON Schema, and with nothing else:\n{schema}"
    elif form.kind == "json_object" and can.json_object is False:
        told = "Answer with one JSON object, and with nothing else."
    if not told:
        return turns
    leading, rest = roles.split_leading(turns)
    return (*leading, Turn("system", (TextPart(told),)), *rest)


def _schema_text(form: OutputFormat) -> str:
    return json.dumps(form.schema or {}, ensure_ascii=False)
