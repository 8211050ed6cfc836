"""Neutral → a request for an upstream: `/api/chat`, except for what came by Ollama's own `/api/generate`."""

from aiproxy.codecs.codec import Exchange, Outgoing
from aiproxy.codecs.fields import restore
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.ollama.notes import BARE_STOP, FLAT, OPERATION, QUIET, STREAM_ABSENT, note
from aiproxy.codecs.ollama.table import NAME, TABLE
from aiproxy.codecs.ollama.thinking import fitted_think, think_as_it_came
from aiproxy.codecs.ollama.tools import ForeignTools, write_tool
from aiproxy.codecs.ollama.write_messages import foreign_messages, message_as_it_came
from aiproxy.codecs.pairing import paired
from aiproxy.neutral.carried import Json
from aiproxy.neutral.request import GenerateRequest, OutputFormat


def encode_request(exchange: Exchange) -> Outgoing:
    request = exchange.request
    body: dict[str, Json] = {}
    TABLE.write(request, body, exchange.capabilities, exchange.report, foreign=exchange.source != NAME)
    if exchange.source == NAME:
        _write_as_it_came(request, body)
    else:
        _write_fitted(exchange, body)
    _restore(request, body)
    return Outgoing(dump(body))


def is_generate(request: GenerateRequest) -> bool:
    """Whether it came to `/api/generate`, and so goes and is answered."""
    operation: str | None = note(request.extensions, OPERATION)
    return operation == "generate"


def _write_as_it_came(request: GenerateRequest, body: dict[str, Json]) -> None:
    riding = request.extensions.get(NAME, {})
    if not request.stream or note(request.extensions, STREAM_ABSENT) is None:
        body["stream"] = request.stream
    else:
        del body["stream"]
    if BARE_STOP in riding and request.sampling.stop:
        body["options"]["stop"] = request.sampling.stop[0]
    messages = [message_as_it_came(turn) for turn in request.turns]
    if is_generate(request):
        _write_prompt(messages, body)
    elif messages:
        body["messages"] = messages
    if request.tools:
        body["tools"] = [write_tool(tool) for tool in request.tools]
    if request.output_format is not None:
        body["format"] = _format(request.output_format)
    think = think_as_it_came(request.reasoning)
    if think is not None:
        body["think"] = think
    restore({NAME: riding.get(QUIET, {})}, NAME, body)


def _write_prompt(messages: list[dict[str, Json]], body: dict[str, Json]) -> None:
    for message in messages:
        key = "system" if message["role"] == "system" else "prompt"
        body[key] = body.get(key, "") + message.get("content", "")
        if "images" in message:
            body["images"] = message["images"]


def _write_fitted(exchange: Exchange, body: dict[str, Json]) -> None:
    request, can, report = exchange.request, exchange.capabilities, exchange.report
    present = {
        "sampling.n": (request.sampling.n or 1) > 1,
        "state.background": bool(request.state.background),
        "modalities": bool(set(request.modalities) - {"text"}),
        "audio_output": request.audio_output is not None,
        "reasoning.visibility": request.reasoning.visibility in ("hidden", "summary"),
        "reasoning.summary_style": request.reasoning.summary_style is not None,
    }
    for feature, asked in present.items():
        if asked:
            TABLE.report(feature, report)
    body["stream"] = request.stream
    tools = ForeignTools(request)
    body["messages"] = list(foreign_messages(paired(request.turns, report), tools, report))
    if request.tools and not can.tools:
        report.refuse("tool.function", "The chosen model takes no tools: leave them out.")
    elif written := list(tools.written(report)):
        body["tools"] = written
    if request.output_format is not None and request.output_format.kind != "text":
        body["format"] = _format(request.output_format)
    think = fitted_think(request.reasoning, can, report)
    if think is not None:
        body["think"] = think


def _restore(request: GenerateRequest, body: dict[str, Json]) -> None:
    riding = dict(request.extensions.get(NAME, {}))
    for name in riding.get(FLAT, ()):
        body.setdefault("options", {})[name] = riding.pop(f"options.{name}")
    restore({NAME: riding}, NAME, body)


def _format(wanted: OutputFormat) -> Json:
    return "json" if wanted.schema is None else wanted.schema
