"""What one image of a supervisor leaves to the next, as text in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.succession import VARIABLE, LeftSlot, LeftWorker, Succession, decoded, has_workers, take

NUMBERS = st.integers(0, 2**31)
WORKERS = st.builds(LeftWorker, NUMBERS, NUMBERS, st.floats(0, 1e9))
SLOTS = st.builds(LeftSlot, NUMBERS, st.floats(0, 30), st.none() | WORKERS, st.lists(WORKERS, max_size=3).map(tuple))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LEFT = st.builds(
    Succession, NUMBERS, st.none() | NUMBERS, TEXT, TEXT, TEXT, st.lists(SLOTS, max_size=4).map(tuple), st.booleans()
)


@given(LEFT)
def test_what_is_left_is_what_is_read(left: Succession) -> None:
    assert decoded(left.encoded()) == left


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"slots": []}', '{"slots": [{"number": 1}]}', '{"slots": 1}', '{"slots": [], "more": 1}'],
)
def test_what_another_version_left_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="of another version"):
        decoded(text)


def test_it_is_taken_once_and_a_rehearsal_has_no_workers() -> None:
    left = Succession(3, None, "d", "k", "", (), rehearsal=True)
    environ = {VARIABLE: left.encoded(), "PATH": "p"}
    assert not has_workers(environ)
    assert take(environ) == left
    assert (environ, take(environ)) == ({"PATH": "p"}, None)
    assert has_workers({VARIABLE: Succession(3, None, "d", "k", "", ()).encoded()})
    assert not has_workers({VARIABLE: "of another version"})
    assert not has_workers({})
    assert "secret" not in repr(Succession(3, None, "d", "secret", "", ()))
