"""Turns that came by this protocol, as the items they were."""

from collections.abc import Iterable
from itertools import groupby
from typing import assert_never

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.opaque import returnable
from aiproxy.codecs.openai_responses.items import CONTENT, ITEM, LOST, is_content
from aiproxy.codecs.openai_responses.reading import note, written
from aiproxy.codecs.openai_responses.table import VENDOR
from aiproxy.codecs.openai_responses.write import (
    first_data,
    write_call,
    write_compaction,
    write_content,
    write_reasoning,
    write_result,
)
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.parts import (
    AudioPart,
    CompactionPart,
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    RawPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)
from aiproxy.neutral.request import Turn


def write_own_history(turns: Iterable[Turn], exchange: Exchange) -> list[Json]:
    return [item for turn in turns for item in _items(turn, exchange)]


def own_states(part: Part, exchange: Exchange) -> tuple[OpaqueState, ...]:
    """The part's opaque state that this upstream made itself."""
    return returnable(part.opaque, exchange.capabilities.vendor or VENDOR, exchange.request.model)


def _items(turn: Turn, exchange: Exchange) -> list[dict[str, Json]]:
    if not turn.parts:
        return [_message(turn, ())]
    items: list[dict[str, Json]] = []
    lost = False
    for (is_message, _), group in groupby(
        turn.parts, key=lambda part: (is_content(part), is_content(part) and part.id)
    ):
        parts = tuple(group)
        if is_message:
            items.append(_message(turn, parts))
            continue
        for part in parts:
            item = _item(part, exchange)
            lost = lost or item is None
            items += [item] if item is not None else []
    if lost:  # an item whose thought is missing would be looked for by its id, and not be found
        for item in items:
            item.pop("id", None)
    return items


def _message(turn: Turn, parts: tuple[Part, ...]) -> dict[str, Json]:
    usual = "output_text" if turn.role == "assistant" else "input_text"
    content: Json = write_content(parts, usual)
    if note(turn.extensions, CONTENT) == "string" and all(isinstance(part, TextPart) for part in parts):
        content = "".join(part.text for part in parts if isinstance(part, TextPart))
    built: dict[str, Json] = {"type": "message", "role": turn.role, "content": content}
    answered = note(parts[0].extensions, ITEM) if parts else None
    if answered is not None:
        identified = {"id": parts[0].id} if parts[0].id is not None else {}
        return {**built, **answered, **identified}
    if turn.phase is not None:
        built["phase"] = turn.phase
    return written(built, turn.extensions)


def _item(part: Part, exchange: Exchange) -> dict[str, Json] | None:
    """None for thought that can't be given back to this upstream."""
    match part:
        case ReasoningPart():
            states = own_states(part, exchange)
            if (part.opaque and not states) or note(part.extensions, LOST):
                return None
            return write_reasoning(part, first_data(states))
        case ToolCallPart():
            return write_call(part)
        case ToolResultPart():
            return write_result(part)
        case CompactionPart():
            return write_compaction(part, first_data(own_states(part, exchange)) or "")
        case HostedToolCallPart(payload=payload) | HostedToolResultPart(payload=payload) | RawPart(json=payload):
            return dict(payload) if isinstance(payload, dict) else None
        case TextPart() | RefusalPart() | ImagePart() | AudioPart() | VideoPart() | DocumentPart():
            raise AssertionError("content, not an item")
        case _:
            assert_never(part)
