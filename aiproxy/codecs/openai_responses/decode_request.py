"""A client's request, read: `input` becomes turns, everything else the table's rows or an extension.

Items the model made one after another are one assistant turn; a turn holds at most one message. Input items without a place in
neutral ride in the request's extensions with their position."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.envelope import Envelope, Sealer
from aiproxy.codecs.fields import Reading
from aiproxy.codecs.opaque import read_slot
from aiproxy.codecs.openai_responses.history import ITEM_KINDS, ITEMS, History
from aiproxy.codecs.openai_responses.met import tell
from aiproxy.codecs.openai_responses.read_tools import read_choice, read_format, read_tools
from aiproxy.codecs.openai_responses.reading import Malformed
from aiproxy.codecs.openai_responses.table import NAME, TABLE, VENDOR
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json, OpaqueKind
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import (
    CacheConfig,
    Effort,
    GenerateRequest,
    Identity,
    OutputFormat,
    ReasoningConfig,
    SamplingParams,
    StateRef,
    Turn,
)
from aiproxy.neutral.tools import ToolDefinition

INSTRUCTIONS: Final = "~instructions"
"""The note on the turn that came as `instructions`."""
OPERATION: Final = "~operation"
"""The note that the request came to another endpoint than the main one: "compact", "count_tokens"."""

LOGPROBS: Final = "message.output_text.logprobs"

_SUMMARIES = ("auto", "concise", "detailed")


def decode_request(incoming: Incoming, sealer: Sealer, report: Report) -> GenerateRequest:
    try:
        return _decode(incoming, sealer, report)
    except Malformed as error:
        raise InvalidRequest(f"`{error.where}`: {error.problem}.", param=error.where) from error


def _decode(incoming: Incoming, sealer: Sealer, report: Report) -> GenerateRequest:
    reading = TABLE.read(read_object(incoming.body), report)
    values, rest = dict(reading.values), dict(reading.rest)
    model = values.pop("model", None) or incoming.model
    if not model:
        raise InvalidRequest("`model`: name the model to use.", param="model")
    if incoming.operation:
        rest[OPERATION] = incoming.operation

    def read_state(value: str, kind: OpaqueKind, item_id: str | None) -> Envelope | None:
        return read_slot(sealer, value, VENDOR, kind, item_id)

    turns = _instructions(rest, report)
    history = History(read_state)
    history.read(rest, report)
    turns += history.turns()
    if history.aside:
        rest[ITEMS] = history.aside
    rest |= {f"{ITEM_KINDS}{kind}": f"input[{place}]" for kind, place in sorted(history.unique.items())}
    tools = _tools(rest, report) + history.tools
    tell(turns, tools, report)
    parallel = rest.pop("parallel_tool_calls") if isinstance(rest.get("parallel_tool_calls"), bool) else None
    choice = read_choice(rest.get("tool_choice"), parallel)
    if choice.mode:
        del rest["tool_choice"]
        report.read("tool_choice", f"tool_choice.{'hosted' if choice.hosted_kind else choice.mode}")
    if parallel is not None:
        report.read("parallel_tool_calls", "tool_choice.allow_parallel")
    output_format = _format(rest, report)
    return GenerateRequest(
        model=model,
        turns=tuple(turns),
        stream=bool(values.get("stream", False)),
        tools=tools,
        tool_choice=choice,
        sampling=_sampling(reading, rest),
        reasoning=_reasoning(rest, report),
        output_format=output_format,
        verbosity=values.get("verbosity"),
        state=StateRef(**reading.group("state"), conversation=_conversation(rest, report)),
        cache=CacheConfig(**reading.group("cache")),
        identity=_identity(reading, rest, report),
        service_tier=values.get("service_tier"),
        extensions=TABLE.extensions(rest, report),
    )


def _instructions(rest: dict[str, Json], report: Report) -> list[Turn]:
    found = rest.get("instructions")
    if found is None or found == "":
        return []
    if not isinstance(found, str):
        raise Malformed("instructions", "must be a string")
    del rest["instructions"]
    report.read("instructions", "turn.system")
    return [Turn("system", (TextPart(found),), extensions={NAME: {INSTRUCTIONS: True}})]


def _tools(rest: dict[str, Json], report: Report) -> tuple[ToolDefinition, ...]:
    if rest.get("tools") in (None, []):
        return ()
    report.read("tools", "tool.function")
    return read_tools(rest.pop("tools"))


def _format(rest: dict[str, Json], report: Report) -> OutputFormat | None:
    text = rest.get("text")
    found = read_format(text.get("format")) if isinstance(text, dict) else None
    if found is None:
        return None
    rest["text"] = {key: value for key, value in rest["text"].items() if key != "format"}
    if not rest["text"]:
        del rest["text"]
    if found.kind != "text":
        report.read("text.format", f"output_format.{found.kind}")
    return found


def _sampling(reading: Reading, rest: Mapping[str, Json]) -> SamplingParams:
    include = rest.get("include")
    wanted = isinstance(include, list) and LOGPROBS in include
    return SamplingParams(**reading.group("sampling"), logprobs=True if wanted else None)


def _reasoning(rest: dict[str, Json], report: Report) -> ReasoningConfig:
    """What neutral knows of it is taken; words it doesn't know stay, and go on to an upstream of this protocol."""
    found = rest.get("reasoning")
    if not isinstance(found, dict):
        return ReasoningConfig()
    left = dict(found)
    effort: Effort | None = None
    if left.get("effort") in get_args(Effort):
        effort = left.pop("effort")
        report.read("reasoning.effort", "reasoning.effort")
    style = left.pop("summary") if left.get("summary") in _SUMMARIES else None
    if style:
        report.read("reasoning.summary", "reasoning.visibility")
    if left:
        rest["reasoning"] = left
    elif found:
        del rest["reasoning"]
    return ReasoningConfig(effort=effort, visibility="summary" if style else None, summary_style=style)


def _conversation(rest: dict[str, Json], report: Report) -> str | None:
    found: Any = rest.get("conversation")
    match found:
        case str(conversation):
            pass
        case {"id": str(conversation), **others} if not others:
            rest["~conversation"] = "object"
        case _:
            return None
    del rest["conversation"]
    report.read("conversation", "state.conversation")
    return conversation


def _identity(reading: Reading, rest: dict[str, Json], report: Report) -> Identity:
    said: dict[str, Any] = dict(reading.group("identity"))
    for feature, wire in (("end_user", "user"), ("safety_id", "safety_identifier")):
        if isinstance(rest.get(wire), str):
            said[feature] = rest.pop(wire)
            report.read(wire, f"identity.{feature}")
    return Identity(**said)
