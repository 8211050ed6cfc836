"""Opaque state in and out of a protocol's slots: native where the slot is the vendor's own, in an envelope elsewhere."""

from collections.abc import Iterable

from aiproxy.codecs.envelope import Envelope, Sealer, is_envelope
from aiproxy.neutral.carried import OpaqueKind, OpaqueState


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


def returnable(
    states: Iterable[OpaqueState], vendor: str, model: str | None = None, scope: str | None = None
) -> tuple[OpaqueState, ...]:
    """The states that may go to this upstream: made by its vendor, and for this model and scope where the state names one."""
    return tuple(
        state
        for state in states
        if state.vendor == vendor
        and (state.model is None or model is None or state.model == model)
        and (state.scope is None or scope is None or state.scope == scope)
    )
