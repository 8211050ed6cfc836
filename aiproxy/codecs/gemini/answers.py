"""What whole answers and streamed pieces of them have in common on the way in.

Raises `ValueError` for what isn't an answer; the decoders make it `UpstreamFailed`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from aiproxy.codecs import freeform
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.failures import error_of
from aiproxy.codecs.gemini.finish import OMITTED, decode_finish, encode_finish
from aiproxy.codecs.gemini.names import NAME
from aiproxy.codecs.gemini.parts import decode_part
from aiproxy.codecs.gemini.reading import without
from aiproxy.codecs.gemini.schemas import wrapped_tools
from aiproxy.codecs.gemini.usage import decode_usage, encode_usage
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.schema import unwrapped
from aiproxy.codecs.tool_ids import distinct
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.parts import (
    HostedToolCallPart,
    HostedToolResultPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from aiproxy.neutral.response import FinishReason
from aiproxy.neutral.usage import Usage

NO_ID = "~noId"
"""The note of a call the upstream gave no id: ours doesn't leave for a Gemini client."""

FINISH = "~finish"
"""The note of a candidate: the vendor's word where it can't be told from ours."""

BLOCKED = "~blocked"
"""The note of a candidate that stands for none, since the prompt was blocked."""

USAGE = "~usage"
"""The note of an answer: the vendor's counts, which say more than ours."""

HEAD = ("candidates", "usageMetadata", "modelVersion", "responseId")


class AnswerReader:
    """The parts of one answer. Tools get back the names, and the kind of arguments, that the request knows them by."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._native = exchange.source == NAME
        self._taken: dict[str, int] = {}
        self._calls = 0

    @cached_property
    def _names(self) -> ToolNames:
        return ToolNames.of(self._exchange.request, "gemini")

    @cached_property
    def _freeform(self) -> frozenset[tuple[str, str | None]]:
        return freeform.freeform_names(self._exchange.request)

    @cached_property
    def _wrapped(self) -> frozenset[tuple[str, str | None]]:
        return wrapped_tools(self._exchange.request, self._exchange.capabilities)

    def read(self, found: Mapping[str, Json]) -> Part:
        part = decode_part(found, self._exchange.sealer)
        if part.opaque:
            part = replace(part, opaque=tuple(replace(s, model=self._exchange.request.model) for s in part.opaque))
        if isinstance(part, ToolCallPart):
            return self._call(part)
        return part if self._native else _in_words(part)

    def _call(self, part: ToolCallPart) -> ToolCallPart:
        self._calls += 1
        extensions = part.extensions
        if not part.call_id and self._native:
            extensions = {NAME: {**extensions.get(NAME, {}), NO_ID: True}}
        call_id = part.call_id or self._exchange.fresh_id("call_", self._calls)
        if self._native:
            return replace(part, call_id=call_id, extensions=extensions)
        part = replace(part, call_id=distinct(call_id, self._taken))
        name, namespace = self._names.original(part.name)
        said = part.arguments_text or "{}"
        if (name, namespace) in self._freeform:
            said = freeform.unwrap(said)
            return replace(part, name=name, namespace=namespace, arguments_text=said, arguments_kind="freeform")
        if (name, namespace) in self._wrapped:
            said = unwrapped(said)
        return replace(part, name=name, namespace=namespace, arguments_text=said)


def _in_words(part: Part) -> Part:
    """Code that Google ran, and what it gave, as text: no other protocol has a part for them."""
    match part:
        case HostedToolCallPart(payload={"code": str(code)}):
            said = f"\n```python\n{code}\n```\n"
        case HostedToolResultPart(payload={"outcome": _, "output": str(output)}):
            said = f"\n```\n{output}\n```\n"
        case _:
            return part
    return TextPart(said, opaque=part.opaque)


def hidden_error(found: Mapping[str, Json]) -> GatewayError | None:
    """The error that stands where an answer was due."""
    return error_of(200, {}, dump({"error": found["error"]})) if found.get("error") is not None else None


def created(found: Mapping[str, Json]) -> int:
    """Seconds of `createTime`, 0 when it isn't said."""
    said = found.get("createTime")
    try:
        return int(datetime.fromisoformat(said).timestamp()) if isinstance(said, str) else 0
    except (ValueError, OverflowError):
        return 0


def head(found: Mapping[str, Json], exchange: Exchange) -> tuple[str, str]:
    """(id, model) of an answer."""
    said, model = found.get("responseId"), found.get("modelVersion")
    return (
        said if isinstance(said, str) and said else exchange.fresh_id(""),
        model if isinstance(model, str) and model else exchange.request.model,
    )


def block_reason(found: Mapping[str, Json]) -> str | None:
    """Why the prompt was refused, where it was."""
    feedback = found.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    return reason if isinstance(reason, str) else None


def candidate_index(candidate: Mapping[str, Json]) -> int:
    index = candidate.get("index", 0)
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise ValueError("`candidates[].index` must be a number")
    return index


def content_of(candidate: Mapping[str, Json]) -> tuple[list[Mapping[str, Json]], dict[str, Json]]:
    """(the parts, what else the content holds). No content and no parts are usual: an answer cut short, a last piece."""
    content = candidate.get("content")
    if content is None:
        return [], {}
    if not isinstance(content, dict):
        raise ValueError("`candidates[].content` must be an object")
    parts = content.get("parts")
    if not parts:
        return [], dict(content)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise ValueError("`candidates[].content.parts` must be a list of objects")
    rest = without(content, "parts")
    if rest.get("role") == "model":
        del rest["role"]
    return parts, rest


def finish_of(
    word: Json, parts: Sequence[Part], usage: Mapping[str, Json]
) -> tuple[FinishReason, str | None, dict[str, Json]] | None:
    """(reason, detail, notes), None for an answer that broke off.

    Google sometimes gives no reason for an answer that is thoughts only; it is whole when the counts add up."""
    if not isinstance(word, str):
        return ("stop", OMITTED, {}) if _is_thoughts_only(parts, usage) else None
    finish, detail = decode_finish(word, parts)
    is_ours = finish != "error" and encode_finish(finish, detail) == word
    return finish, detail, {} if is_ours else {FINISH: word}


def _is_thoughts_only(parts: Sequence[Part], usage: Mapping[str, Json]) -> bool:
    if not parts or not all(isinstance(part, ReasoningPart) for part in parts) or usage.get("candidatesTokenCount"):
        return False
    counts = [usage.get(name, 0) for name in ("promptTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")]
    return all(isinstance(count, int) for count in counts) and usage.get("totalTokenCount") == sum(counts)


def usage_of(found: Mapping[str, Json]) -> tuple[Usage | None, dict[str, Json]]:
    """(the counts, the notes)."""
    usage = decode_usage(found)
    said = encode_usage(usage) if usage else {}
    return usage, {USAGE: dict(found)} if said != found else {}


def extensions_of(own: Mapping[str, Json]) -> Extensions:
    return {NAME: own} if own else {}
