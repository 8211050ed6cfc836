"""A whole answer of an upstream, read: what the stream decoder says at the end of a stream, said at once."""

from dataclasses import replace
from typing import Any, Final

from aiproxy.codecs import freeform, schema
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Envelope
from aiproxy.codecs.json_bytes import load_object
from aiproxy.codecs.openai_responses.errors import hidden
from aiproxy.codecs.openai_responses.items import read_output
from aiproxy.codecs.openai_responses.reading import Malformed, Taking
from aiproxy.codecs.openai_responses.table import NAME, VENDOR
from aiproxy.codecs.openai_responses.usage import read_usage, write_usage
from aiproxy.codecs.openai_responses.write_tools import is_wrapped, wrapped_tools
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Extensions, Json, OpaqueKind, OpaqueState
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.parts import CompactionPart, Part, RefusalPart, TextPart, ToolCallPart
from aiproxy.neutral.response import Candidate, FinishReason, GenerateResponse
from aiproxy.neutral.usage import Usage

UNFINISHED: Final = ("queued", "in_progress")

_INCOMPLETE: Final[dict[str, FinishReason]] = {"max_output_tokens": "length", "content_filter": "content_filter"}


def decode_response(body: bytes, exchange: Exchange) -> GenerateResponse:
    found = load_object(body)
    if found.get("error") is not None or found.get("status") == "failed":
        raise hidden(found, body)
    output = found.get("output")
    if not isinstance(output, list):
        raise UpstreamFailed("The upstream sent a response without its output.")
    reader = ItemReader(exchange)
    parts = tuple(part for item in output for part in reader.read(item))
    response_id, model, created = head(found, exchange)
    usage, tier, extensions = tail(found)
    finish, detail = finish_of(found, parts)
    candidate = Candidate(0, parts, finish, detail)
    return GenerateResponse(response_id, model, created, (candidate,), usage, tier, extensions)


class ItemReader:
    """Reads output items as the client who asked shall know them: its tools' names, its own forms of arguments and answer."""

    def __init__(self, exchange: Exchange) -> None:
        self._vendor = exchange.capabilities.vendor or VENDOR
        request = exchange.request
        self._foreign = exchange.source != NAME
        self._names = ToolNames.of(request, "openai", flatten=False) if self._foreign else None
        emulated = self._foreign and exchange.capabilities.freeform_tools is False
        self._freeform = {name for name, _ in freeform.freeform_names(request)} if emulated else frozenset[str]()
        self._wrapped = wrapped_tools(request) if self._foreign else frozenset()
        self.wraps_text = self._foreign and is_wrapped(request.output_format)

    def read(self, item: Json) -> tuple[Part, ...]:
        try:
            return tuple(map(self._known, read_output(item, self._state)))
        except Malformed as error:
            raise UpstreamFailed(f"The upstream sent an output item that can't be read: {error}.") from error

    def name(self, name: str) -> str:
        return self._names.original(name)[0] if self._names else name

    def reshapes(self, name: str) -> bool:
        """Whether the arguments of this tool (the client's name) can only be shown when they are complete."""
        return name in self._freeform or name in self._wrapped

    def is_freeform(self, name: str) -> bool:
        return name in self._freeform

    def _state(self, value: str, kind: OpaqueKind, item_id: str | None) -> Envelope:
        return Envelope(OpaqueState(self._vendor, kind, value, item_id))

    def _known(self, part: Part) -> Part:
        match part:
            case ToolCallPart() if self._foreign:
                name = self.name(part.name)
                part = replace(part, name=name)
                if name in self._freeform and part.arguments_kind == "json":
                    text = freeform.unwrap(part.arguments_text)
                    return replace(part, arguments_text=text, arguments_kind="freeform")
                if name in self._wrapped:
                    return replace(part, arguments_text=schema.unwrapped(part.arguments_text))
                return part
            case TextPart(text=text) if self.wraps_text:
                return replace(part, text=schema.unwrapped(text))
            case _:
                return part


def head(found: dict[str, Any], exchange: Exchange) -> tuple[str, str, int]:
    """(id, model, created) of a response."""
    response_id, model, created = found.get("id"), found.get("model"), found.get("created_at")
    return (
        response_id if isinstance(response_id, str) and response_id else exchange.fresh_id("resp_"),
        model if isinstance(model, str) else exchange.request.model,
        int(created) if isinstance(created, int | float) and 0 <= created < 2**53 else 0,
    )


def tail(found: dict[str, Any]) -> tuple[Usage | None, str | None, Extensions]:
    """(usage, service tier, what else a response says)."""
    taking = Taking(found)
    usage = read_usage(taking.rest.get("usage"))
    if usage is not None:
        if write_usage(usage) == taking.rest["usage"]:
            del taking.rest["usage"]
        else:
            taking.keep("usage")
    tier = taking.maybe("service_tier", str)
    taking.maybe("id", str)
    if isinstance(taking.rest.get("created_at"), int):
        taking.maybe("created_at", int)
    elif "created_at" in taking.rest:
        taking.keep("created_at")
    taking.maybe("model", str)
    taking.rest.pop("output", None)
    return usage, tier, taking.extensions()


def finish_of(found: dict[str, Any], parts: tuple[Part, ...]) -> tuple[FinishReason, str | None]:
    """(why the answer ended, the vendor's own word where it is finer)."""
    status = found.get("status")
    if status == "cancelled":
        return "cancelled", None
    if status in UNFINISHED:
        return "pause", status
    if status == "incomplete":
        details = found.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        if isinstance(reason, str) and reason not in _INCOMPLETE:
            return "length", reason
        return _INCOMPLETE.get(reason or "", "length"), None
    if any(isinstance(part, ToolCallPart) for part in parts):
        return "tool_calls", None
    if any(isinstance(part, RefusalPart) for part in parts):
        return "refusal", None
    if parts and all(isinstance(part, CompactionPart) for part in parts):
        return "compaction", None
    return "stop", None
