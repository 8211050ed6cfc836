"""A secret shows itself only when asked by name, and is scrubbed from any text."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.secrets import MASK, Scrubber, Secret, digest


def test_no_way_of_printing_shows_it() -> None:
    secret = Secret("sk-canary-123")
    shown = f"{secret} {secret!r} {secret!s} {[secret]} {secret:>40}"
    assert "canary" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_matches_only_itself() -> None:
    assert Secret("a" * 20).matches("a" * 20)
    assert not Secret("a" * 20).matches("a" * 19)
    assert Secret("x") == Secret("x")
    assert Secret("x") != "x"


@given(st.text(min_size=6), st.text(), st.text())
def test_nothing_of_it_survives_scrubbing(key: str, before: str, after: str) -> None:
    scrubbed = Scrubber([Secret(key)])(before + key + after)
    assert MASK in scrubbed
    assert scrubbed.replace(MASK, "").count(key) <= (before + after).count(key)


def test_a_secret_inside_another_leaves_no_rest() -> None:
    scrub = Scrubber([Secret("secret-1"), Secret("secret-1-and-more")])
    assert scrub("x secret-1-and-more y") == f"x {MASK} y"


def test_short_and_no_secrets_change_nothing() -> None:
    assert Scrubber([Secret("a")])("banana") == "banana"
    assert Scrubber()("banana") == "banana"


def test_a_digest_is_the_same_in_every_process_and_tells_parts_apart() -> None:
    assert digest("a", "b") == "59b271ae1bbcb1d31d41929817f4b16f"
    assert len({digest("a", "b"), digest("ab"), digest("a", "", "b"), digest("b", "a")}) == 4
