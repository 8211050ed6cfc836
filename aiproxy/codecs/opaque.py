"""Opaque state in and out of a protocol's slots: native where the slot is the vendor's own, in an envelope elsewhere."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from aiproxy.codecs.envelope import Envelope, Sealer, is_envelope
from aiproxy.neutral.carried import OpaqueKind, OpaqueState
from aiproxy.neutral.parts import CompactionPart, Part, ReasoningPart
from aiproxy.neutral.request import Turn

NOBODY = ""
"""The vendor of state that nobody takes back. That there was some still matters: Gemini wants a word in its place."""


def read_slot(sealer: Sealer, value: str, vendor: str, kind: OpaqueKind, item_id: str | None = None) -> Envelope | None:
    """What a client sent back in a slot that is native to `vendor`. None for nothing, and for an envelope that isn't ours to open.

    Which model a native value belongs to is not known; an envelope says."""
    if is_envelope(value):
        return sealer.open(value)
    return Envelope(OpaqueState(vendor, kind, value, item_id)) if value else None


def slot_value(
    sealer: Sealer,
    state: OpaqueState,
    vendor: str,
    *,
    calls: tuple[tuple[int, str], ...] = (),
    text: str | None = None,
) -> str:
    """What to put in a slot that is native to `vendor`: its own state as it is, another's sealed."""
    if state.vendor == vendor and not calls:
        return state.data
    return sealer.seal(Envelope(state, calls, text))


def returnable(states: Iterable[OpaqueState], vendor: str, model: str | None = None) -> tuple[OpaqueState, ...]:
    """The states that may go to this upstream: made by its vendor, and for this model where the state names one."""
    return tuple(
        state
        for state in states
        if state.vendor == vendor and (state.model is None or model is None or state.model == model)
    )


def within(scope: str, part: Part) -> Part:
    """The part, with its state good in this scope only."""
    return replace(part, opaque=tuple(replace(s, scope=scope) for s in part.opaque)) if part.opaque else part


def latest_scope(turns: Iterable[Turn]) -> str | None:
    """Where the latest state of a history was made, as far as it says."""
    scopes = [state.scope for turn in turns for part in turn.parts for state in part.opaque if state.scope]
    return scopes[-1] if scopes else None


def without_strangers(turns: tuple[Turn, ...], scope: str | None) -> tuple[Turn, ...]:
    """The history without the state of other scopes, and without the thoughts that nobody could read without it; the same
    object where there is none."""
    if not any(_strange(part, scope) for turn in turns for part in turn.parts):
        return turns
    kept = (replace(turn, parts=tuple(_kept(turn.parts, scope))) for turn in turns)
    return tuple(turn for turn in kept if turn.parts)


def without_state(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The history with no opaque state that anybody takes back: without the thinking that has some, and without the upstream's
    names for what stood beside it. Compacted history stays: without its state it would be nothing."""
    kept = (replace(turn, parts=tuple(_plain(turn.parts))) for turn in turns)
    return tuple(turn for turn in kept if turn.parts)


def _plain(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, CompactionPart):
            yield part
        elif not (isinstance(part, ReasoningPart) and (part.opaque or part.redacted)):
            yield replace(part, opaque=tuple(replace(state, vendor=NOBODY) for state in part.opaque), id=None)


def _kept(parts: Iterable[Part], scope: str | None) -> Iterator[Part]:
    for part in parts:
        if not _strange(part, scope):
            yield part
        elif not isinstance(part, ReasoningPart):
            yield replace(part, opaque=tuple(state for state in part.opaque if state.scope in (None, scope)))


def _strange(part: Part, scope: str | None) -> bool:
    return any(state.scope not in (None, scope) for state in part.opaque)
