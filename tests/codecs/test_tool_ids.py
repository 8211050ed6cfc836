"""Tool ids fit their target, the same way every time."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.tool_ids import IdRule, distinct, fit

RULES: tuple[IdRule, ...] = get_args(IdRule)


@given(st.text(), st.sampled_from(RULES))
def test_a_fitted_id_fits_again_unchanged(call_id: str, rule: IdRule) -> None:
    once = fit(call_id, rule)
    assert fit(once, rule) == once


@given(st.text())
def test_fitted_ids_obey_their_target(call_id: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+", fit(call_id, "anthropic"))
    assert re.fullmatch(r"[A-Za-z0-9]{9}", fit(call_id, "mistral"))
    assert 1 <= len(fit(call_id, "openai-chat")) <= 40
    assert 1 <= len(fit(call_id, "openai-responses")) <= 64


@pytest.mark.parametrize(
    ("call_id", "rule"),
    [
        ("toolu_01A", "anthropic"),
        ("call_abc", "openai-chat"),
        ("a" * 64, "openai-responses"),
        ("", "any"),
        ("Ab3dE6gH9", "mistral"),
    ],
)
def test_legal_ids_stay(call_id: str, rule: IdRule) -> None:
    assert fit(call_id, rule) == call_id


def test_ids_that_differ_stay_different() -> None:
    assert fit("a:1", "anthropic") != fit("a:2", "anthropic")


def test_ids_seen_before_are_counted() -> None:
    taken: dict[str, int] = {}
    assert [distinct(name, taken) for name in ("a", "a", "a_2", "a", "b")] == ["a", "a_2", "a_2_2", "a_3", "b"]
