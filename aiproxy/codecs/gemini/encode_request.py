"""A neutral request for a Gemini upstream.

A request that a Gemini client made goes out as it came. Any other is put in the order Gemini wants: instructions first, calls
and their results in one content each, a user first."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from aiproxy.codecs import roles
from aiproxy.codecs.codec import Exchange, Outgoing
from aiproxy.codecs.fields import restore
from aiproxy.codecs.gemini.decode_request import (
    CHOICE,
    EMPTY,
    FORMAT,
    MODALITIES,
    MODEL,
    ROLE,
    SINGLE,
    THINKING,
    TOOLS,
    wire_role,
)
from aiproxy.codecs.gemini.encode_tools import encode_choice, encode_tools
from aiproxy.codecs.gemini.names import NAME, VENDOR
from aiproxy.codecs.gemini.native_parts import encode_part, own
from aiproxy.codecs.gemini.output import decode_format, encode_format, plain_format
from aiproxy.codecs.gemini.parts import SIGNATURE
from aiproxy.codecs.gemini.request_parts import PartWriter
from aiproxy.codecs.gemini.table import TABLE
from aiproxy.codecs.gemini.thinking import (
    decode_thinking,
    encode_thinking,
    is_third_generation,
    plain_thinking,
    takes_levels,
)
from aiproxy.codecs.gemini.tools import decode_choice, decode_tools, plain_choice, plain_tools
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.opaque import returnable
from aiproxy.codecs.pairing import paired
from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import Part, ToolCallPart
from aiproxy.neutral.request import Turn

BYPASS = "skip_thought_signature_validator"
"""What Google documents as the signature of a call that never had one: for the first call of a step, and no other."""

MOST_STOPS = 5
"""Gemini refuses more."""

_SEED_RANGE = 2**31
_HOTTEST = 2.0

T = TypeVar("T")


def encode_request(exchange: Exchange) -> Outgoing:
    return Outgoing(dump(request_object(exchange)))


def request_object(exchange: Exchange) -> dict[str, Json]:
    """The body, before it is bytes: an envelope puts it into another one."""
    request = exchange.request
    body: dict[str, Json] = {}
    TABLE.write(request, body, exchange.capabilities, exchange.report)
    if exchange.source == NAME:
        _as_it_came(exchange, body)
    else:
        _fitted(exchange, body)
    restore(request.extensions, NAME, body)
    return body


def _as_it_came(exchange: Exchange, body: dict[str, Json]) -> None:
    request = exchange.request
    notes = own(request.extensions)
    config: dict[str, Json] = body.setdefault("generationConfig", {})
    thinking = _noted(notes.get(THINKING), lambda came: decode_thinking(came)[0], request.reasoning)
    config |= {"thinkingConfig": found} if (found := thinking or plain_thinking(request.reasoning)) else {}
    if request.output_format:
        config |= _noted(notes.get(FORMAT), decode_format, request.output_format) or plain_format(request.output_format)
    if request.modalities:
        config["responseModalities"] = notes.get(MODALITIES) or [item.upper() for item in request.modalities]
    if request.audio_output:
        config["speechConfig"] = request.audio_output.voice
    if not config:
        del body["generationConfig"]
    body.update({name: {} for name in notes.get(EMPTY, ()) if name not in body})
    if request.tools or TOOLS in notes:
        body["tools"] = _noted(notes.get(TOOLS), decode_tools, request.tools) or plain_tools(request.tools)
    if choice := _noted(notes.get(CHOICE), decode_choice, request.tool_choice) or plain_choice(request.tool_choice):
        body["toolConfig"] = {"functionCallingConfig": choice}
    if MODEL in notes:
        body["model"] = f"{notes[MODEL]}{request.model}"
    leading, turns = roles.split_leading(request.turns)
    if leading:
        body["systemInstruction"] = _system(leading, exchange)
    if contents := [_content(turn, exchange) for turn in roles.reminded(turns, exchange.report)]:
        body["contents"] = contents[0] if SINGLE in notes and len(contents) == 1 else contents


def _noted(came: Json, read: Callable[[Json], T | None], value: T) -> Json:
    """The note, as long as it still says what the request does."""
    return came if came is not None and read(came) == value else None


def _system(leading: Sequence[Turn], exchange: Exchange) -> dict[str, Json]:
    first, *others = (_content(turn, exchange) for turn in leading)
    for other in others:
        first["parts"] = [*first.get("parts", ()), *other.get("parts", ())]
    return {key: value for key, value in first.items() if key != "role" or "role" in own(leading[0].extensions)}


def _content(turn: Turn, exchange: Exchange) -> dict[str, Json]:
    notes = own(turn.extensions)
    found: dict[str, Json] = {}
    parts = [item for item in (_native_part(part, exchange) for part in turn.parts) if item is not None]
    if parts:
        found["parts"] = parts[0] if SINGLE in notes and len(parts) == 1 else parts
    if turn.role in ("system", "developer"):
        found |= {"role": notes["role"]} if "role" in notes else {}
    else:
        said = notes.get(ROLE, [wire_role(turn.role)])
        found |= {"role": said[0]} if said else {}
    restore(turn.extensions, NAME, found)
    return found


def _native_part(part: Part, exchange: Exchange) -> dict[str, Json] | None:
    found = encode_part(part)
    if found is None or not part.opaque:
        return found
    states = returnable(part.opaque, VENDOR, exchange.request.model)
    if states:
        found[SIGNATURE] = states[-1].data
    elif isinstance(part, ToolCallPart) and is_third_generation(exchange.request.model):
        found[SIGNATURE] = BYPASS  # another vendor's state stood here
    return found


def _fitted(exchange: Exchange, body: dict[str, Json]) -> None:
    request, can, report = exchange.request, exchange.capabilities, exchange.report
    if request.state.background:
        report.refuse("state.background")
    config: dict[str, Json] = body.setdefault("generationConfig", {})
    _limit(config, exchange)
    if thinking := encode_thinking(request.reasoning, request.model, can, report):
        config["thinkingConfig"] = thinking
    if request.output_format:
        config |= encode_format(request.output_format, can, report)
    if set(request.modalities) - {"text"}:
        TABLE.report("modalities", report)
    if request.audio_output:
        TABLE.report("audio_output", report)
    if not config:
        del body["generationConfig"]
    writer = PartWriter(exchange)
    if tools := encode_tools(exchange, writer.names):
        body["tools"] = tools
        if choice := encode_choice(exchange, writer.names, tools):
            body["toolConfig"] = choice
    _converse(exchange, writer, body)


def _limit(config: dict[str, Json], exchange: Exchange) -> None:
    """Scalars within what the model takes."""
    can, report = exchange.capabilities, exchange.report
    hottest = can.temperature_max or _HOTTEST
    for name, feature, most in (
        ("temperature", "sampling.temperature", hottest),
        ("maxOutputTokens", "sampling.max_output_tokens", can.max_output_tokens),
    ):
        if most is not None and config.get(name, 0) > most:
            config[name] = most
            report.clamp(feature)
    if "seed" in config:
        config["seed"] %= _SEED_RANGE
    most_stops = MOST_STOPS if can.stop_limit is None else can.stop_limit
    if len(config.get("stopSequences", ())) > most_stops:
        report.emulate("sampling.stop")
        config["stopSequences"] = config["stopSequences"][:most_stops]
        if not config["stopSequences"]:
            del config["stopSequences"]


def _converse(exchange: Exchange, writer: PartWriter, body: dict[str, Json]) -> None:
    request, report = exchange.request, exchange.report
    leading, turns = roles.split_leading(paired(request.turns, report))
    parts = [found for turn in leading for part in turn.parts for found in writer.write(part)]
    if parts:
        body["systemInstruction"] = {"parts": parts}
    turns = roles.reminded(turns, report)
    if roles.ends_with_assistant(turns) and exchange.capabilities.prefill is False:
        report.refuse("turn.prefill")
    current = _current_step(turns)
    contents: list[dict[str, Json]] = []
    kinds: list[str] = []
    for place, turn in enumerate(turns):
        _report_turn(turn, exchange)
        written = writer.write_turn(turn)
        if not written:
            continue
        if place >= current:
            _sign(written, exchange)
        kind = "tool" if turn.role == "tool" else wire_role(turn.role)
        if kinds and kinds[-1] == kind:
            contents[-1]["parts"] += written
        else:
            kinds.append(kind)
            contents.append({"role": wire_role(turn.role), "parts": written})
    if not contents or contents[0]["role"] == "model":
        report.emulate("turn.user")
        contents.insert(0, {"role": "user", "parts": [{"text": " "}]})
    body["contents"] = contents


def _current_step(turns: Sequence[Turn]) -> int:
    """The place after the last thing a user said: Gemini 3 wants the signatures of calls since then."""
    return max((place for place, turn in enumerate(turns) if turn.role == "user"), default=-1) + 1


def _sign(parts: Sequence[dict[str, Json]], exchange: Exchange) -> None:
    """The first call of a step must be signed: by the model, or by the word that says it can't be."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None and SIGNATURE not in first and takes_levels(exchange.request.model, exchange.capabilities):
        first[SIGNATURE] = BYPASS


def _report_turn(turn: Turn, exchange: Exchange) -> None:
    if turn.name:
        TABLE.report("turn.name", exchange.report)
    if turn.phase:
        TABLE.report("turn.phase", exchange.report)


def counted(body: Mapping[str, Json], model: str) -> dict[str, Json]:
    """The body of countTokens: it takes bare contents, or a whole request that names its model."""
    if body.keys() <= {"contents"}:
        return dict(body)
    named = model if "/" in model else f"models/{model}"
    return {"generateContentRequest": {**body, "model": named}}
