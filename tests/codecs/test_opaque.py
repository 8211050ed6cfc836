"""Opaque state comes back to its vendor and to no one else."""

import pytest

from aiproxy.codecs.envelope import Envelope, Sealer, is_envelope
from aiproxy.codecs.opaque import latest_scope, read_slot, returnable, slot_value, within, without_strangers
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import Turn
from aiproxy.secrets import Secret

SEALER = Sealer(Secret("k" * 32), "t")
OWN = OpaqueState("anthropic", "thinking_signature", "sig")
FOREIGN = OpaqueState("google", "thought_signature", "tsig", model="gemini-3")


def test_a_slot_holds_its_vendors_state_as_it_is() -> None:
    assert slot_value(SEALER, OWN, "anthropic") == "sig"
    assert read_slot(SEALER, "sig", "anthropic", "thinking_signature") == Envelope(OWN)


def test_a_slot_holds_another_vendors_state_sealed() -> None:
    slot = slot_value(SEALER, FOREIGN, "anthropic", calls=((0, "s"),), text="why")
    assert is_envelope(slot)
    assert read_slot(SEALER, slot, "anthropic", "thinking_signature") == Envelope(FOREIGN, ((0, "s"),), "why")


@pytest.mark.parametrize("value", ["", "aipx1.forged.00000000000000000000000000000000"])
def test_nothing_and_forgeries_are_nothing(value: str) -> None:
    assert read_slot(SEALER, value, "anthropic", "thinking_signature") is None


@pytest.mark.parametrize(
    ("vendor", "model", "returned"),
    [
        ("anthropic", "any", (OWN,)),
        ("google", "gemini-3", (FOREIGN,)),
        ("google", "gemini-2.5", ()),
        ("google", None, (FOREIGN,)),
        ("openai", "any", ()),
    ],
)
def test_who_gets_what(vendor: str, model: str | None, returned: tuple[OpaqueState, ...]) -> None:
    assert returnable((OWN, FOREIGN), vendor, model) == returned


HERE = within("here", ReasoningPart("mine", opaque=(OWN,)))
THERE = within("there", ReasoningPart("theirs", opaque=(OWN,)))
SIGNED_CALL = within("there", ToolCallPart("c", "f", "{}", opaque=(FOREIGN,)))
TEXT = TextPart("hi")


@pytest.mark.parametrize(
    ("parts", "scope", "kept"),
    [
        ((TEXT, HERE), "here", (TEXT, HERE)),
        ((TEXT, THERE), "here", (TEXT,)),
        ((TEXT, THERE), None, (TEXT,)),
        (
            (TEXT, ReasoningPart("nobody says", opaque=(OWN,))),
            "here",
            (TEXT, ReasoningPart("nobody says", opaque=(OWN,))),
        ),
        ((SIGNED_CALL,), "here", (ToolCallPart("c", "f", "{}"),)),
    ],
)
def test_what_another_account_made_stays_there(
    parts: tuple[Part, ...], scope: str | None, kept: tuple[Part, ...]
) -> None:
    turns = without_strangers((Turn("assistant", parts),), scope)
    assert turns == (Turn("assistant", kept),)


def test_a_turn_of_nothing_else_goes_with_it() -> None:
    assert without_strangers((Turn("assistant", (THERE,)), Turn("user", (TEXT,))), "here") == (Turn("user", (TEXT,)),)


def test_the_latest_state_says_where_it_was_made() -> None:
    assert latest_scope((Turn("assistant", (HERE,)), Turn("assistant", (THERE, TEXT)))) == "there"
    assert latest_scope((Turn("user", (TEXT,)),)) is None
