"""Opaque state for clients that don't bring it back: what to remember of an answer, by which keys, and how to put it back into
a history.

The memory itself (tenant, lifetime, size) is not here. Keys hold on to a turn, not to what came before it: clients edit
earlier history."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeAlias

import orjson

from aiproxy.codecs import arguments
from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import Turn


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text or a call stood among the thoughts, and its own state. `call` tells calls apart by name and arguments; ""
    is a text."""

    call: str
    opaque: tuple[OpaqueState, ...]


Remembered: TypeAlias = tuple[ReasoningPart | Place, ...]
"""An assistant's turn without what its client brings back anyway."""


def keys(parts: Iterable[Part]) -> tuple[str, ...]:
    """The keys of an assistant's turn, the best first: its calls' ids, then what it said and called. () when it did neither."""
    parts = tuple(parts)
    text = "".join(part.text for part in parts if isinstance(part, TextPart))
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    if not calls and not text:
        return ()
    digest = _digest(text, *map(_call, calls))
    return (*(f"call:{call.call_id}" for call in calls if call.call_id), f"turn:{digest}")


def has_state(parts: Iterable[Part]) -> bool:
    """Whether an answer carries state worth remembering, or a turn brought it back itself."""
    return any(part.opaque for part in parts)


def missing(turn: Turn) -> tuple[str, ...]:
    """By which keys the state of a turn is to be looked for, if it comes without any."""
    return keys(turn.parts) if turn.role == "assistant" and not has_state(turn.parts) else ()


def recalled(turns: Iterable[Turn], lookup: Callable[[str], Remembered | None]) -> tuple[Turn, ...]:
    """The history with remembered state put back into assistant turns that come without any. `lookup` gives what was
    remembered under a key."""
    return tuple(_recalled(turn, lookup) for turn in turns)


def _recalled(turn: Turn, lookup: Callable[[str], Remembered | None]) -> Turn:
    calls = [_call(part) for part in turn.parts if isinstance(part, ToolCallPart)]
    for key in missing(turn):
        remembered = lookup(key)
        if remembered and calls == [place.call for place in remembered if isinstance(place, Place) and place.call]:
            return replace(turn, parts=tuple(_with_state(turn.parts, remembered)))
    return turn


def _with_state(parts: Sequence[Part], remembered: Remembered) -> Iterator[Part]:
    """The thoughts where they stood; before all else, where the client has joined the texts between them. Its own rendering
    of them gives way."""
    own = [part for part in parts if not isinstance(part, ReasoningPart)]
    places = [place for place in remembered if isinstance(place, Place)]
    if [place.call for place in places] == [_call(part) if isinstance(part, ToolCallPart) else "" for part in own]:
        following = iter(own)
        for each in remembered:
            yield each if isinstance(each, ReasoningPart) else replace(next(following), opaque=each.opaque)
        return
    yield from (each for each in remembered if isinstance(each, ReasoningPart))
    states = iter([place.opaque for place in places if place.call])
    for part in own:
        yield replace(part, opaque=next(states)) if isinstance(part, ToolCallPart) else part


def pack(parts: Iterable[Part]) -> bytes:
    """What to remember of an answer."""
    return dump([packed for part in parts if (packed := _packed(part)) is not None])


def unpack(kept: bytes) -> Remembered:
    return tuple(map(_unpacked, orjson.loads(kept)))


def _packed(part: Part) -> Json:
    states = [[state.vendor, state.kind, state.data, state.item_id, state.model, state.scope] for state in part.opaque]
    match part:
        case ReasoningPart():
            return [states, part.text, part.summaries, part.redacted, part.id]
        case ToolCallPart():
            return [states, _call(part)]
        case TextPart():
            return [states, ""]
        case _:
            return None


def _unpacked(packed: Json) -> ReasoningPart | Place:
    states, *rest = packed
    opaque = tuple(OpaqueState(*state) for state in states)
    if len(rest) == 1:
        return Place(rest[0], opaque)
    text, summaries, redacted, part_id = rest
    return ReasoningPart(text, tuple(summaries), redacted, id=part_id, opaque=opaque)


def _call(part: ToolCallPart) -> str:
    """What is called with what: the same for arguments that were read and written again."""
    found, is_object = arguments.as_object(part.arguments_text)
    text = dump(_sorted(found)) if is_object else part.arguments_text.encode("utf-8", "surrogatepass")
    return _digest(part.name, text.decode("utf-8", "surrogatepass"))


def _sorted(value: Json) -> Json:
    match value:
        case dict():
            return {key: _sorted(value[key]) for key in sorted(value)}
        case list():
            return [_sorted(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _digest(*words: str) -> str:
    digest = sha256()
    for word in words:
        packed = word.encode("utf-8", "surrogatepass")
        digest.update(len(packed).to_bytes(8, "big") + packed)
    return digest.hexdigest()[:32]
