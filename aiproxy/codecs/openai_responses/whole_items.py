"""Output items that come whole, and the sealed values inside items."""

from dataclasses import replace

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Envelope, is_envelope
from aiproxy.codecs.opaque import slot_value
from aiproxy.codecs.openai_responses.compaction import seal_summary
from aiproxy.codecs.openai_responses.open_items import is_own
from aiproxy.codecs.openai_responses.table import NAME, VENDOR
from aiproxy.codecs.openai_responses.write import write_compaction
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import (
    AudioPart,
    CompactionPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    RawPart,
    ReasoningPart,
    VideoPart,
)


def whole_item(part: Part, place: int, exchange: Exchange) -> dict[str, Json] | None:
    """The item at this place of the output; None for what this protocol can't show."""
    match part:
        case RawPart(protocol=protocol, json=value) if protocol == NAME and isinstance(value, dict):
            return value
        case HostedToolCallPart(payload=payload) if is_own(part) and isinstance(payload, dict):
            return payload
        case HostedToolCallPart(kind="web_search", payload=payload):
            return _web_search(exchange.fresh_id("ws_", place), payload)
        case CompactionPart():
            identified = part if part.id is not None else replace(part, id=exchange.fresh_id("cmp_", place))
            return write_compaction(identified, _sealed(part, exchange))
        case ImagePart(source=InlineSource(media_type, data)):
            return {
                "type": "image_generation_call",
                "id": exchange.fresh_id("ig_", place),
                "status": "completed",
                "result": data,
                "output_format": media_type.removeprefix("image/"),
            }
        case _:
            return None


def tell_loss(part: Part, exchange: Exchange) -> None:
    """Of a part without an item."""
    match part:
        case HostedToolCallPart() | HostedToolResultPart():
            exchange.report.lose("part.hosted_tool")
        case AudioPart():
            exchange.report.lose("part.audio")
        case ImagePart():
            exchange.report.lose("part.image.url")
        case VideoPart():
            exchange.report.lose("part.video")
        case _:
            pass


def encrypted(part: ReasoningPart, exchange: Exchange) -> str | None:
    """What a reasoning item carries for the vendor that thought."""
    state = next(iter(part.opaque), None)
    return None if state is None else _slot(state, None if is_own(part) else part.text or None, exchange)


def _sealed(part: CompactionPart, exchange: Exchange) -> str:
    state = next(iter(part.opaque), None)
    return _slot(state, part.text, exchange) if state else seal_summary(exchange.sealer, part.text or "")


def _slot(state: OpaqueState, text: str | None, exchange: Exchange) -> str:
    """Another gateway's envelope is sealed once more: it would be taken for ours when it comes back."""
    if is_envelope(state.data):
        return exchange.sealer.seal(Envelope(state))
    return slot_value(exchange.sealer, state, VENDOR, text=text)


def _web_search(item_id: str, payload: Json) -> dict[str, Json]:
    """Another vendor's search, as far as it says what was searched for."""
    asked = payload.get("input") if isinstance(payload, dict) else None
    query = asked.get("query") if isinstance(asked, dict) else None
    action: dict[str, Json] = {"type": "search", "query": query if isinstance(query, str) else ""}
    return {"type": "web_search_call", "id": item_id, "status": "completed", "action": action}
