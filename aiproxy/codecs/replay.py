"""Opaque state for clients that don't bring it back: what to remember an answer by, and how to put it back into a history.

The memory itself (tenant, lifetime, size) is not here. Keys hold on to a turn, not to what came before it: clients edit
earlier history."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256

from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import Turn


def keys(parts: Iterable[Part]) -> tuple[str, ...]:
    """The keys of an assistant's turn, the best first: its calls' ids, then what it said and called. () when it did neither."""
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    if not calls and not any(texts):
        return ()
    digest = sha256()
    for word in ("".join(texts), *(word for call in calls for word in (call.name, call.arguments_text))):
        digest.update(len(word).to_bytes(8, "big") + word.encode("utf-8", "surrogatepass"))
    return (*(f"call:{call.call_id}" for call in calls if call.call_id), f"turn:{digest.hexdigest()}")


def has_state(parts: Iterable[Part]) -> bool:
    """Whether a turn carries state worth remembering, or brought it back itself."""
    return any(part.opaque or isinstance(part, ReasoningPart) for part in parts)


def recalled(turns: Iterable[Turn], lookup: Callable[[str], tuple[Part, ...] | None]) -> tuple[Turn, ...]:
    """The history with remembered state put back into assistant turns that come without any.

    `lookup` gives the parts that were remembered under a key: reasoning parts go before the turn's own, the state of a call or
    text to the call or text at its place."""
    return tuple(_recalled(turn, lookup) if turn.role == "assistant" else turn for turn in turns)


def _recalled(turn: Turn, lookup: Callable[[str], tuple[Part, ...] | None]) -> Turn:
    if has_state(turn.parts):
        return turn
    for key in keys(turn.parts):
        if remembered := lookup(key):
            return replace(turn, parts=_with_state(turn.parts, remembered))
    return turn


def _with_state(parts: tuple[Part, ...], remembered: tuple[Part, ...]) -> tuple[Part, ...]:
    reasoning = [part for part in remembered if isinstance(part, ReasoningPart)]
    others = [part for part in remembered if not isinstance(part, ReasoningPart)]
    done: list[Part] = []
    for part in parts:
        same = next((other for other in others if type(other) is type(part) and _same(part, other)), None)
        done.append(replace(part, opaque=same.opaque) if same else part)
    return (*reasoning, *done)


def _same(part: Part, other: Part) -> bool:
    match part, other:
        case ToolCallPart(call_id=one), ToolCallPart(call_id=two):
            return one == two
        case TextPart(text=one), TextPart(text=two):
            return one == two
        case _:
            return False
