"""A client's Chat Completions request as neutral."""

from typing import Any, Literal

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.fields import Reading
from aiproxy.codecs.openai_chat import legacy_request
from aiproxy.codecs.openai_chat.messages import decode_message
from aiproxy.codecs.openai_chat.notes import rest_of
from aiproxy.codecs.openai_chat.switches import EFFORTS, read_switches
from aiproxy.codecs.openai_chat.table import TABLE
from aiproxy.codecs.openai_chat.tools import decode_choice, decode_tools
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.request import (
    AudioOutput,
    CacheConfig,
    GenerateRequest,
    Identity,
    OutputFormat,
    ReasoningConfig,
    SamplingParams,
    StateRef,
    Turn,
)


def decode_request(incoming: Incoming, sealer: Sealer, report: Report) -> GenerateRequest:
    body = read_object(incoming.body)
    notes: dict[str, Json] = {}
    legacy = incoming.operation == legacy_request.COMPLETIONS
    if legacy:
        body, notes = legacy_request.as_chat(body)
    aside = {}
    if body.get("reasoning_effort") not in (None, *EFFORTS):
        aside = {"reasoning_effort": body.pop("reasoning_effort")}  # a vendor's own word: it rides along
    reading = TABLE.read(body, report)
    if not reading.values.get("model"):
        raise InvalidRequest("`model` must be the name of a model.", param="model")
    if isinstance(body.get("stop"), str):
        notes["~stop"] = "text"
    rest = reading.rest | aside | notes
    turns = legacy_request.turns(rest, report) if legacy else _turns(rest, sealer, report)
    return _request(reading, rest, turns, report)


def _turns(rest: dict[str, Json], sealer: Sealer, report: Report) -> tuple[Turn, ...]:
    messages = rest.pop("messages", None)
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("`messages` must be a list of at least one message.", param="messages")
    return tuple(decode_message(found, i, sealer, report) for i, found in enumerate(messages))


def _request(reading: Reading, rest: dict[str, Json], turns: tuple[Turn, ...], report: Report) -> GenerateRequest:
    tools = decode_tools(rest, report)
    return GenerateRequest(
        reading.values["model"],
        turns,
        reading.values.get("stream", False),
        tools,
        decode_choice(rest, report),
        SamplingParams(**reading.group("sampling"), **_vendors_sampling(rest, report)),
        _reasoning(reading, rest, report),
        _output_format(rest, report),
        reading.values.get("verbosity"),
        _modalities(rest, report),
        _audio_output(rest, report),
        StateRef(**reading.group("state")),
        CacheConfig(**reading.group("cache")),
        Identity(**reading.group("identity")),
        reading.values.get("service_tier"),
        TABLE.extensions(rest, report),
    )


def _vendors_sampling(rest: dict[str, Json], report: Report) -> dict[str, Any]:
    """Fields OpenAI doesn't have and most others do. They ride along as they came, too."""
    found = {
        name: value
        for name in ("top_k", "min_p", "repetition_penalty")
        if isinstance(value := rest.get(name), int | float) and not isinstance(value, bool)
    }
    for name in found:
        report.read(name, f"sampling.{name}")
    return found


def _reasoning(reading: Reading, rest: dict[str, Json], report: Report) -> ReasoningConfig:
    said = reading.group("reasoning")
    found = read_switches(rest)
    if said:
        visibility = found.visibility if found else None
        mode: Literal["off", "default"] = "off" if said["effort"] == "none" else "default"
        return ReasoningConfig(mode, effort=said["effort"], visibility=visibility)
    if found is None:
        return ReasoningConfig()
    rest["~switches"] = True
    for name, value in (("effort", found.effort), ("budget_tokens", found.budget_tokens)):
        if value is not None:
            report.read("thinking", f"reasoning.{name}")
    return found


def _output_format(rest: dict[str, Json], report: Report) -> OutputFormat | None:
    found: Any = rest.get("response_format")
    match found:
        case {"type": "text" | "json_object" as kind}:
            form = OutputFormat(kind, extensions=rest_of(found, ("type",)))
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)} as inner}:
            known = [name for name in ("name", "description") if isinstance(inner.get(name), str)]
            known += ["strict"] if isinstance(inner.get("strict"), bool) else []
            said = {name: inner[name] for name in known}
            extensions = rest_of(found, ("type",), json_schema=("schema", *known))
            form = OutputFormat("json_schema", schema=schema, extensions=extensions, **said)
        case _:
            return None
    del rest["response_format"]
    if form.kind != "text":
        report.read("response_format", f"output_format.{form.kind}")
    return form


def _modalities(rest: dict[str, Json], report: Report) -> tuple[str, ...]:
    found = rest.get("modalities")
    if not isinstance(found, list) or not found or not all(isinstance(kind, str) for kind in found):
        return ()
    del rest["modalities"]
    report.read("modalities", "modalities")
    return tuple(found)


def _audio_output(rest: dict[str, Json], report: Report) -> AudioOutput | None:
    match rest.get("audio"):
        case {"format": str(form), "voice": voice, **others} if not others and voice is not None:
            del rest["audio"]
            report.read("audio", "audio_output")
            return AudioOutput(voice, form)
        case _:
            return None
