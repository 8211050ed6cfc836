"""Payload rules: which apply, in which order, and that a body no rule changes stays the same bytes."""

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.config.payload import payload_rules
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.rewriting.payload import PayloadRules, Sending
from tests.config.reading import load

SENDING = Sending(
    ("gpt-real", "or/fast", "or/fast(high)"), "openai-chat", "anthropic", {"x-tier": "tenant-7-region-eu"}
)


def rules(text: str) -> PayloadRules:
    return payload_rules(load(f"payload:\n{text}").settings.payload)


def applied(text: str, body: Any, sending: Sending = SENDING) -> Any:
    return json.loads(rules(text).apply(json.dumps(body).encode(), sending))


OVERRIDE = "  override: [{models: [%s], params: {x: 1}}]"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("'gpt-*'", True),
        ("GPT-REAL", True),
        ("'*'", True),
        ("or/fast", True),
        ("'or/fast(high)'", True),
        ("other", False),
        ("other, gpt-real", True),
        ("{name: '*', protocol: openai}", True),
        ("{name: '*', protocol: responses}", False),
        ("{name: '*', protocol: codex}", False),
        ("{name: '*', from-protocol: claude}", True),
        ("{name: '*', from-protocol: openai}", False),
        ("{name: '*', headers: {X-Tier: 'tenant-*-region-*'}}", True),
        ("{name: '*', headers: {X-Tier: tenant}}", False),
        ("{name: '*', headers: {X-Other: a}}", False),
        ("{name: '*', match: [{a.b: 2}]}", True),
        ("{name: '*', match: [{a.b: 2, t: text}]}", True),
        ("{name: '*', match: [{a.b: 2}, {t: other}]}", False),
        ("{name: '*', match: [{a.b: '2'}]}", False),
        ("{name: '*', not-match: [{t: other}]}", True),
        ("{name: '*', not-match: [{t: other}, {t: text}]}", False),
        ("{name: '*', exist: [t, a.b]}", True),
        ("{name: '*', exist: [n]}", False),
        ("{name: '*', exist: ['l.#(k==\"v\")']}", True),
        ("{name: '*', not-exist: [n, missing]}", True),
        ("{name: '*', not-exist: [t]}", False),
        ("{name: gpt-real, protocol: openai, exist: [missing]}", False),
    ],
)
def test_when_a_rule_applies(condition: str, holds: bool) -> None:
    body = {"a": {"b": 2}, "t": "text", "n": None, "l": [{"k": "v"}]}
    assert applied(OVERRIDE % condition, body) == ({**body, "x": 1} if holds else body)


@pytest.mark.parametrize(
    ("text", "body", "after"),
    [
        ("  default: [{models: ['*'], params: {t: 1}}]", {}, {"t": 1}),
        ("  default: [{models: ['*'], params: {t: 1}}]", {"t": 0}, {"t": 0}),
        ("  default: [{models: ['*'], params: {t: 1}}]", {"t": None}, {"t": None}),
        ("  default: [{models: ['*'], params: {t: 1}}, {models: ['*'], params: {t: 2}}]", {}, {"t": 1}),
        (
            "  default: [{models: ['*'], params: {t: 1}}]\n  default-raw: [{models: ['*'], params: {t: '2'}}]",
            {},
            {"t": 1},
        ),
        ("  default-raw: [{models: ['*'], params: {f: '{\"a\": [1]}'}}]", {}, {"f": {"a": [1]}}),
        ("  default-raw: [{models: ['*'], params: {f: {a: [x]}}}]", {}, {"f": {"a": ["x"]}}),
        (
            "  override: [{models: ['*'], params: {a.b: high}}]",
            {"a": {"b": "low", "c": 1}},
            {"a": {"b": "high", "c": 1}},
        ),
        ("  override: [{models: ['*'], params: {t: 1}}, {models: ['*'], params: {t: 2}}]", {"t": 0}, {"t": 2}),
        (
            "  override: [{models: ['*'], params: {t: 1}}]\n  override-raw: [{models: ['*'], params: {t: 'true'}}]",
            {},
            {"t": True},
        ),
        ("  override: [{models: ['*'], params: {stop.-1: END}}]", {"stop": ["a"]}, {"stop": ["a", "END"]}),
        (
            "  override: [{models: ['*'], params: {t: null, u: [1, {v: 0.5}], w: '7'}}]",
            {},
            {"t": None, "u": [1, {"v": 0.5}], "w": "7"},
        ),
        (
            "  filter: [{models: ['*'], params: [a, b.c, l.0]}]",
            {"a": 1, "b": {"c": 1, "d": 2}, "l": [1, 2]},
            {"b": {"d": 2}, "l": [2]},
        ),
        ("  default: [{models: ['*'], params: {t: 1}}]\n  filter: [{models: ['*'], params: [t]}]", {}, {}),
        # Conditions see the body as it was.
        (
            "  override: [{models: ['*'], params: {t: 1}}, {models: [{name: '*', exist: [t]}], params: {u: 2}}]",
            {},
            {"t": 1},
        ),
    ],
)
def test_what_rules_do(text: str, body: Any, after: Any) -> None:
    assert applied(text, body) == after


@pytest.mark.parametrize(
    "text",
    [
        OVERRIDE % "other",
        OVERRIDE % "{name: '*', exist: [missing]}",
        "  override: [{models: ['*'], params: {model: m}}]",
        "  default: [{models: ['*'], params: {model: other}}]",
        "  filter: [{models: ['*'], params: [missing, model.x, odd.1]}]",
        "  filter: []",
    ],
)
def test_a_body_that_no_rule_changes_stays_byte_for_byte(text: str) -> None:
    body = b'{ "model":"m",\r\n "odd":[1.00], "n": 123456789012345678901234567890 }'
    assert rules(text).apply(body, SENDING) is body


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ({"request": {"a": 1}, "x": 0}, {"request": {"a": 1, "x": 1}, "x": 0}),
        ({"request": "odd"}, {"request": "odd"}),
        ({}, {}),
    ],
)
def test_paths_begin_inside_an_envelope(body: Any, after: Any) -> None:
    assert applied(OVERRIDE % "'*'", body, replace(SENDING, member="request")) == after


def test_what_nests_too_deep_is_refused_and_no_fault_of_ours() -> None:
    body = b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}"
    with pytest.raises(InvalidRequest, match="deep"):
        rules("  override: [{models: [{name: '*', not-match: [{a: 1}]}], params: {x: 1}}]").apply(body, SENDING)


def test_what_is_changed_keeps_its_long_numbers() -> None:
    body = b'{"n": 123456789012345678901234567890}'
    assert json.loads(rules(OVERRIDE % "'*'").apply(body, SENDING)) == {"n": 123456789012345678901234567890, "x": 1}


NAMES = st.sampled_from(["a", "b", "c"])
BODIES = st.dictionaries(NAMES, st.none() | st.integers(0, 3) | st.dictionaries(NAMES, st.integers(0, 3)))
PATHS = st.lists(NAMES, min_size=1, max_size=2).map(".".join)
VALUES = st.integers(0, 3) | st.just("text")


@given(
    BODIES,
    st.lists(st.dictionaries(PATHS, VALUES, min_size=1), max_size=2),
    st.lists(st.dictionaries(PATHS, VALUES, min_size=1), max_size=2),
    st.lists(PATHS, max_size=2),
)
def test_rules_without_conditions_on_the_body_do_the_same_twice_as_once(
    body: Any, defaults: list[Any], overrides: list[Any], filters: list[str]
) -> None:
    def listed(each: list[Any]) -> str:
        return json.dumps([{"models": ["*"], "params": params} for params in each if params])

    text = f"  default: {listed(defaults)}\n  override: {listed(overrides)}\n  filter: {listed([filters])}"
    made = rules(text)
    once = made.apply(orjson.dumps(body), SENDING)
    assert json.loads(made.apply(once, SENDING)) == json.loads(once)
