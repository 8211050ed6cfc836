"""Neutral as a Chat Completions request: exactly as it came where it came in this protocol, fitted to the upstream elsewhere."""

from aiproxy.codecs.codec import Exchange, Outgoing
from aiproxy.codecs.fields import restore
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_chat import foreign, legacy_request
from aiproxy.codecs.openai_chat.exact import exact_message
from aiproxy.codecs.openai_chat.notes import LEGACY, note
from aiproxy.codecs.openai_chat.table import NAME, TABLE
from aiproxy.codecs.openai_chat.tools import encode_choice, encode_tool, web_search_options
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.request import GenerateRequest, OutputFormat


def encode_request(exchange: Exchange) -> Outgoing:
    return Outgoing(dump(_exact(exchange) if exchange.source == NAME else _foreign(exchange)))


def _exact(exchange: Exchange) -> dict[str, Json]:
    request = exchange.request
    body: dict[str, Json] = {}
    TABLE.write(request, body, exchange.capabilities, Report(), foreign=False)
    if note(request.extensions, "~stop"):
        body["stop"] = request.sampling.stop[0]
    if note(request.extensions, "~switches"):
        body.pop("reasoning_effort", None)
    if legacy_request.is_legacy(request):
        legacy_request.write(request, body)
    else:
        body["messages"] = [exact_message(turn, exchange) for turn in request.turns]
    for legacy, field in ((False, "tools"), (True, "functions")):
        tools = [tool for tool in request.tools if bool(note(tool.extensions, LEGACY)) is legacy]
        if written := [found for tool in tools if (found := encode_tool(tool, Report())) is not None]:
            body[field] = written
    _write_choice(request, body, "function_call" if note(request.tool_choice.extensions, LEGACY) else "tool_choice")
    _write_shapes(request, body)
    restore(request.extensions, NAME, body)
    return body


def _foreign(exchange: Exchange) -> dict[str, Json]:
    fitted = foreign.fitted(exchange)
    request, report, can = fitted.request, exchange.report, exchange.capabilities
    body: dict[str, Json] = {}
    TABLE.write(request, body, can, report)
    foreign.settle_fields(request, body, can, report)
    body["messages"] = foreign.messages(fitted, exchange)
    if not body["messages"]:
        raise InvalidRequest("The request says nothing: it needs at least one turn with content.")
    if written := [found for tool in request.tools if (found := encode_tool(tool, report)) is not None]:
        body["tools"] = written
        _write_choice(request, body, "tool_choice")
    _write_shapes(request, body)
    if request.stream:
        body["stream_options"] = {"include_usage": True}
    return body


def _write_choice(request: GenerateRequest, body: dict[str, Json], field: str) -> None:
    choice = encode_choice(request.tool_choice, request.tools)
    if choice is not None:
        body[field] = choice
    if request.tool_choice.allow_parallel is not None:
        body["parallel_tool_calls"] = request.tool_choice.allow_parallel


def _write_shapes(request: GenerateRequest, body: dict[str, Json]) -> None:
    if request.output_format:
        body["response_format"] = output_format(request.output_format)
    if (options := web_search_options(request.tools)) is not None:
        body["web_search_options"] = options
    if request.modalities:
        body["modalities"] = list(request.modalities)
    if request.audio_output:
        body["audio"] = {"format": request.audio_output.format, "voice": request.audio_output.voice}


def output_format(form: OutputFormat) -> dict[str, Json]:
    found: dict[str, Json] = {"type": form.kind}
    if form.kind == "json_schema":
        said = {"name": form.name, "description": form.description, "schema": form.schema, "strict": form.strict}
        found["json_schema"] = {key: value for key, value in said.items() if value is not None}
    restore(form.extensions, NAME, found)
    return found
