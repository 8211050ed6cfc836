"""What we sealed opens for the same tenant, unchanged; nothing else opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.envelope import Envelope, Sealer, from_base64, in_base64, is_envelope
from aiproxy.neutral.carried import OpaqueState
from aiproxy.secrets import Secret

SEALER = Sealer(Secret("k" * 32), "tenant-a")

envelopes = st.builds(
    Envelope,
    st.builds(
        OpaqueState, st.text(), st.sampled_from(["thinking_signature", "compaction"]), st.text(), st.none() | st.text()
    ),
    st.lists(st.tuples(st.integers(0, 9), st.text()), max_size=2).map(tuple),
    st.none() | st.text(),
)


@given(envelopes)
def test_what_was_sealed_opens(envelope: Envelope) -> None:
    sealed = SEALER.seal(envelope)
    assert is_envelope(sealed)
    assert SEALER.open(sealed) == envelope
    assert SEALER.open(from_base64(in_base64(sealed))) == envelope


@given(envelopes, st.data())
def test_one_changed_character_and_it_stays_shut(envelope: Envelope, data: st.DataObject) -> None:
    sealed = SEALER.seal(envelope)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters().filter(lambda character: character != sealed[at]))
    assert SEALER.open(sealed[:at] + other + sealed[at + 1 :]) is None


@given(st.text())
def test_junk_stays_shut(text: str) -> None:
    assert SEALER.open(text) is None
    assert SEALER.open(f"aipx1.{text}") is None


@pytest.mark.parametrize("other", [Sealer(Secret("k" * 32), "tenant-b"), Sealer(Secret("j" * 32), "tenant-a")])
def test_another_tenant_or_key_does_not_open_it(other: Sealer) -> None:
    assert other.open(SEALER.seal(Envelope(OpaqueState("anthropic", "thinking_signature", "sig")))) is None


@pytest.mark.parametrize("slot", ["CsQC+native/Base64==", "not base64 at all!", ""])
def test_a_native_value_in_a_base64_slot_is_itself(slot: str) -> None:
    assert from_base64(slot) == slot
