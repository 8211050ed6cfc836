"""Opaque state that a client lost, back where it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.replay import has_state, keys, missing, pack, recalled, unpack
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import Turn

SIGNED = OpaqueState("anthropic", "thinking_signature", "signed", item_id="rs_1", model="m", scope="s")
THOUGHT = ReasoningPart("because", ("in short",), id="rs_1", opaque=(SIGNED,))
AGAIN = ReasoningPart("and then", opaque=(SIGNED,))
CALL = ToolCallPart("call_1", "f", '{"b": 1, "a": [2.0]}', opaque=(SIGNED,))
BARE = ToolCallPart("call_1", "f", '{"b": 1, "a": [2.0]}')
SAID = TextPart("hi")


def turn(*parts: Part) -> Turn:
    return Turn("assistant", parts)


def after(answer: tuple[Part, ...], *history: Turn) -> tuple[Turn, ...]:
    """The history, with this answer in memory."""
    memory = {key: unpack(pack(answer)) for key in keys(answer)}
    return recalled(history, memory.get)


@pytest.mark.parametrize(
    ("answer", "came_back", "restored"),
    [
        ((THOUGHT, CALL), (BARE,), (THOUGHT, CALL)),
        ((THOUGHT, SAID), (SAID,), (THOUGHT, SAID)),
        # Between text and call.
        ((SAID, THOUGHT, CALL), (SAID, BARE), (SAID, THOUGHT, CALL)),
        ((THOUGHT, SAID, AGAIN, CALL), (SAID, BARE), (THOUGHT, SAID, AGAIN, CALL)),
        # The client's own rendering of the thought gives way.
        ((THOUGHT, CALL), (ReasoningPart("because"), BARE), (THOUGHT, CALL)),
        # Ids lost, arguments read and written again.
        ((THOUGHT, CALL), (ToolCallPart("", "f", '{"a":[2],"b":1}'),), (THOUGHT, ToolCallPart("", "f", '{"a":[2],"b":1}', opaque=(SIGNED,)))),
        # Texts that the client joined.
        ((TextPart("h"), THOUGHT, TextPart("i"), CALL), (SAID, BARE), (THOUGHT, SAID, CALL)),
    ],
)  # fmt: skip
def test_state_comes_back_to_its_place(
    answer: tuple[Part, ...], came_back: tuple[Part, ...], restored: tuple[Part, ...]
) -> None:
    assert after(answer, Turn("user", (SAID,)), turn(*came_back)) == (Turn("user", (SAID,)), turn(*restored))


@pytest.mark.parametrize(
    "history",
    [
        turn(THOUGHT, BARE),  # brought its own
        turn(TextPart("something else")),
        turn(ToolCallPart("call_1", "g", "{}")),  # an id that a vendor gives to every first call
        turn(BARE, BARE),
        turn(),
        Turn("user", (SAID,)),
    ],
)
def test_other_turns_stay_as_they_are(history: Turn) -> None:
    assert after((THOUGHT, CALL), history) == (history,)


def test_what_has_no_state_is_neither_remembered_nor_looked_for() -> None:
    assert not has_state((ReasoningPart("thought"), BARE))
    assert has_state((THOUGHT,))
    assert missing(turn(THOUGHT, BARE)) == ()
    assert missing(turn(BARE)) == keys((BARE,))
    assert keys((THOUGHT,)) == ()


@given(st.lists(st.sampled_from((THOUGHT, AGAIN, SAID, CALL, TextPart("more"))), max_size=6))
def test_a_stripped_turn_is_restored_whole(parts: list[Part]) -> None:
    stripped = [BARE if part is CALL else part for part in parts if part is not THOUGHT and part is not AGAIN]
    (found,) = after(tuple(parts), turn(*stripped))
    assert found == (turn(*parts) if stripped else turn())
