"""Parts of an answer for a Gemini client: in their own shape, with whatever state they have in the one slot there is."""

from collections.abc import Mapping

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import in_base64
from aiproxy.codecs.gemini.answers import BLOCKED, FINISH, NO_ID, USAGE
from aiproxy.codecs.gemini.finish import encode_finish
from aiproxy.codecs.gemini.names import VENDOR
from aiproxy.codecs.gemini.native_parts import encode_part, own, shown
from aiproxy.codecs.gemini.parts import SIGNATURE
from aiproxy.codecs.gemini.usage import decode_usage, encode_usage
from aiproxy.codecs.opaque import slot_value
from aiproxy.neutral.carried import Extensions, Json, OpaqueState
from aiproxy.neutral.parts import Part, ReasoningPart, ToolCallPart
from aiproxy.neutral.response import FinishReason
from aiproxy.neutral.usage import Usage


def answer_part(part: Part, exchange: Exchange) -> dict[str, Json] | None:
    """None for what this protocol can't show; the loss is reported."""
    found = encode_part(part)
    if found is None:
        exchange.report.lose("part.hosted_tool")
        return None
    if isinstance(part, ToolCallPart):
        call = found["functionCall"]
        call["args"] = call.get("args") or {}
        if NO_ID in own(part.extensions):
            call.pop("id", None)
    if part.opaque:
        found[SIGNATURE] = slot(part, exchange)
    return found


def slot(part: Part, exchange: Exchange, text: str | None = None) -> str:
    """Google's own state as it is, another vendor's sealed. `text` is told with it when the part's own text comes in pieces."""
    states = sorted(part.opaque, key=lambda state: state.vendor != VENDOR)
    state: OpaqueState = states[0]
    value = slot_value(exchange.sealer, state, VENDOR, text=text)
    return value if state.vendor == VENDOR else in_base64(value)


def state_part(part: ReasoningPart, exchange: Exchange) -> dict[str, Json]:
    """What ends a thought that was streamed: an empty one with its state, as Gemini ends them."""
    return {"text": "", "thought": True, SIGNATURE: slot(part, exchange, shown(part) or None)}


def finish_word(finish: FinishReason, detail: str | None, extensions: Extensions) -> str:
    found: str = own(extensions).get(FINISH) or encode_finish(finish, detail)
    return found


def is_failure(finish: FinishReason, extensions: Extensions) -> bool:
    """Another vendor's model failed: that is an error here, while Google's has a word for it."""
    return finish == "error" and FINISH not in own(extensions)


def is_blocked(extensions: Extensions) -> bool:
    return BLOCKED in own(extensions)


def counts(usage: Usage | None, extensions: Extensions) -> Mapping[str, Json]:
    """`usageMetadata`: as it came, as long as that is still what is said."""
    came = own(extensions).get(USAGE)
    if came is not None and decode_usage(came) == usage:
        return dict(came)
    return encode_usage(usage) if usage else {}
