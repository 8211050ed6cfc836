"""A client's `/api/chat` or `/api/generate` request → neutral."""

from collections.abc import Mapping

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.ollama.notes import BARE_STOP, FLAT, OPERATION, QUIET, STREAM_ABSENT
from aiproxy.codecs.ollama.read_messages import read_images, read_messages
from aiproxy.codecs.ollama.reading import load
from aiproxy.codecs.ollama.table import QUALITY, TABLE
from aiproxy.codecs.ollama.thinking import read_think
from aiproxy.codecs.ollama.tools import read_tools
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import GenerateRequest, OutputFormat, SamplingParams, Turn

RANDOM_SEED = -1
"""Ollama's own default, which clients send out of habit."""


def decode_request(incoming: Incoming, sealer: Sealer, report: Report) -> GenerateRequest:  # noqa: ARG001
    """Nothing on this wire holds a sealed envelope."""
    body, quiet = _without_quiet(_read(incoming.body))
    reading = TABLE.read(body, report)
    rest = reading.rest
    operation = "generate" if incoming.operation == "generate" else "chat"
    if operation == "generate":
        turns = _generate_turns(rest, report)
    else:
        turns = read_messages(rest.pop("messages"), report) if rest.get("messages") else ()
    tools = read_tools(rest.pop("tools"), report) if rest.get("tools") else ()
    reasoning = read_think(rest.get("think"), report)
    if rest.get("think") is not None:
        del rest["think"]
    output_format = _output_format(rest, report)
    flat = _flatten(rest)
    extensions = TABLE.extensions(rest, report)
    notes: dict[str, Json] = {
        OPERATION: operation if operation == "generate" else None,
        STREAM_ABSENT: None if "stream" in reading.values else "absent",
        BARE_STOP: isinstance(_options(body).get("stop"), str) or None,
        QUIET: quiet or None,
        FLAT: flat or None,
    }
    if said := {name: note for name, note in notes.items() if note is not None}:
        extensions["ollama"] = {**extensions.get("ollama", {}), **said}
    return GenerateRequest(
        model=reading.values["model"],
        turns=turns,
        stream=reading.values.get("stream", True),
        tools=tools,
        sampling=SamplingParams(**reading.group("sampling")),
        reasoning=reasoning,
        output_format=output_format,
        extensions=extensions,
    )


def _read(body: bytes) -> dict[str, Json]:
    if not body.strip():
        raise InvalidRequest("missing request body")
    try:
        found = load(body)
    except ValueError as error:
        raise InvalidRequest(f"The request body is not valid JSON: {error}.", code="invalid_json") from error
    if not isinstance(found, dict):
        raise InvalidRequest("The request body must be a JSON object.", code="invalid_json")
    if not found.get("model"):
        raise InvalidRequest("model is required", param="model")
    if not isinstance(found.get("options"), dict | None):
        raise InvalidRequest("options must be an object.", param="options")
    return found


def _without_quiet(body: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """The body without fields that say nothing, and those: empty texts, a random seed, as many tokens as it takes."""
    names = ("format", "prompt", "suffix", "system", "template")
    quiet = {name: body[name] for name in names if body.get(name) == ""}
    if body.get("raw") is False:
        quiet["raw"] = False
    options = _options(body)
    silent = {name: options[name] for name in ("num_predict", "seed", "stop") if _says_nothing(name, options.get(name))}
    kept = {name: value for name, value in body.items() if name not in quiet}
    if silent:
        quiet["options"] = silent
        kept["options"] = {name: value for name, value in options.items() if name not in silent}
    return kept, quiet


def _says_nothing(name: str, value: Json) -> bool:
    match name:
        case "num_predict":
            return isinstance(value, int) and value < 0
        case "seed":
            return isinstance(value, int) and value == RANDOM_SEED
        case _:
            return isinstance(value, str) and not value


def _options(body: Mapping[str, Json]) -> Mapping[str, Json]:
    return body.get("options") or {}


def _generate_turns(rest: dict[str, Json], report: Report) -> tuple[Turn, ...]:
    """() when there is no prompt, whatever else came: that asks to load the model."""
    for name in ("prompt", "system"):
        if not isinstance(rest.get(name), str | None):
            raise InvalidRequest(f"{name} must be a string.", param=name)
    if not rest.get("prompt"):
        return ()
    turns = []
    if rest.get("system"):
        report.read("system", "turn.system")
        turns.append(Turn("system", (TextPart(rest.pop("system")),)))
    report.read("prompt", "turn.user")
    prompt = TextPart(rest.pop("prompt"))
    images = read_images(rest.pop("images"), "images") if rest.get("images") else ()
    if images:
        report.read("images", "part.image.inline")
    return (*turns, Turn("user", (prompt, *images)))


def _output_format(rest: dict[str, Json], report: Report) -> OutputFormat | None:
    match rest.get("format"):
        case None:
            return None
        case "json":
            report.read("format", "output_format.json_object")
            found = OutputFormat("json_object")
        case dict(schema):
            report.read("format", "output_format.json_schema")
            found = OutputFormat("json_schema", schema=schema)
        case other:
            raise InvalidRequest(f'invalid format: {other!r}; expected "json" or a JSON schema', param="format")
    del rest["format"]
    return found


def _flatten(rest: dict[str, Json]) -> list[str]:
    """Gives options that shape the answer a name of their own, so that another upstream's loss of them is told."""
    options = rest.get("options") or {}
    flat = [name for name in QUALITY if options.get(name) is not None and f"options.{name}" not in rest]
    if flat:
        rest["options"] = {name: value for name, value in options.items() if name not in flat}
        rest.update({f"options.{name}": options[name] for name in flat})
    return flat
