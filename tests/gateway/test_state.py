"""Whose state comes back to whom."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.config.schema import Remembered, Settings
from aiproxy.gateway.state import State
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.parts import ReasoningPart, TextPart
from aiproxy.neutral.request import Turn
from tests.memory.test_bounded import at_once

SIGNED = ReasoningPart("because", opaque=(OpaqueState("anthropic", "thinking_signature", "signed"),))
ANSWER = (SIGNED, TextPart("hi"))
STRIPPED = Turn("assistant", (TextPart("hi"),))
WHOLE = Turn("assistant", ANSWER)


def remembering(settings: Settings = Settings()) -> State:  # noqa: B008 - frozen
    state = State(settings, lambda: 0.0)
    state.rememberer("team-a", "anthropic")(ANSWER)
    return state


@pytest.mark.parametrize(
    ("tenant", "vendor", "found"),
    [
        ("team-a", "anthropic", WHOLE),
        ("team-a", "google", STRIPPED),
        ("team-b", "anthropic", STRIPPED),
    ],
)
def test_a_vendor_gets_what_it_told_this_client(tenant: str, vendor: str, found: Turn) -> None:
    assert at_once(remembering().recalled(tenant, vendor, (STRIPPED,))) == (found,)


@given(st.text(), st.text())
def test_names_of_vendors_and_tenants_are_never_mixed_up(tenant: str, vendor: str) -> None:
    found = at_once(remembering().recalled(tenant, vendor, (STRIPPED,)))
    assert (found == (WHOLE,)) == ((tenant, vendor) == ("team-a", "anthropic"))


def test_new_limits_count_for_what_is_there() -> None:
    state = remembering()
    state.limit(replace(Settings(), replay_store=Remembered(entries=0)))
    assert at_once(state.recalled("team-a", "anthropic", (STRIPPED,))) == (STRIPPED,)
    assert at_once(remembering(Settings(replay_store=Remembered(size_mb=0))).replays.forget("team-a", "x")) is False


def test_an_answer_without_state_leaves_nothing_behind() -> None:
    state = State(Settings(), lambda: 0.0)
    state.rememberer("team-a", "anthropic")((ReasoningPart("because"), TextPart("hi")))
    assert state.replays.entries == 0
