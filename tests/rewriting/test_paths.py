"""Paths into JSON, as tables: what they find, set and take out; which are none."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.rewriting.paths import parse_path, put, remove, same, values

BODY: dict[str, Any] = {
    "model": "m",
    "stop": ["a", "b"],
    "a": {"b": {"c": 1}, "0": "zero", "x.y": 2, "n": None},
    "tools": [{"type": "web", "size": 3}, {"type": "fn", "name": "f"}, {"type": "web", "size": 9}],
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("model", ["m"]),
        ("a.b.c", [1]),
        ("a.b", [{"c": 1}]),
        ("a.n", [None]),
        ("a.0", ["zero"]),
        (r"a.x\.y", [2]),
        ("stop.1", ["b"]),
        ("stop.2", []),
        ("stop.-1", []),
        ("stop.a", []),
        ("stop.#", ["a", "b"]),
        ("model.x", []),
        ("nothing.at.all", []),
        ("tools.#.type", ["web", "fn", "web"]),
        ('tools.#(type=="web").size', [3]),
        ('tools.#(type=="web")#.size', [3, 9]),
        ('tools.#(type!="web").name', ["f"]),
        ("tools.#(size>3).size", [9]),
        ("tools.#(size>=3)#.size", [3, 9]),
        ("tools.#(size<9).type", ["web"]),
        ("tools.#(size<=3)#.size", [3]),
        ('tools.#(type%"w*").size', [3]),
        ('tools.#(type!%"w*").name', ["f"]),
        ('tools.#(type == "fn").name', ["f"]),
        ('stop.#(=="b")', ["b"]),
        ('tools.#(name=="a)b.c")', []),
        ("a.#.b", []),
        ("tools.#(type>1)", []),
    ],
)
def test_what_a_path_finds(path: str, expected: list[Any]) -> None:
    assert values(BODY, parse_path(path)) == expected


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ({}, "a", 1, {"a": 1}),
        ({}, "a.b.c", 1, {"a": {"b": {"c": 1}}}),
        ({}, "a.0.b", 1, {"a": [{"b": 1}]}),
        ({}, "a.2", 1, {"a": [None, None, 1]}),
        ({}, "a.-1", 1, {"a": [1]}),
        ({"a": [1]}, "a.-1", 2, {"a": [1, 2]}),
        ({"a": [1]}, "a.-1.b", 2, {"a": [1, {"b": 2}]}),
        ({"a": [1, 2]}, "a.0", 9, {"a": [9, 2]}),
        ({"a": {}}, "a.0", 1, {"a": {"0": 1}}),
        ({"a": "text"}, "a.b", 1, {"a": {"b": 1}}),
        ({"a": None}, "a.b", 1, {"a": {"b": 1}}),
        ({"a": [{}, {}]}, "a.#.b", 1, {"a": [{"b": 1}, {"b": 1}]}),
        ({"a": [{"t": "x"}, {"t": "y"}]}, 'a.#(t=="y").b', 1, {"a": [{"t": "x"}, {"t": "y", "b": 1}]}),
        ({"a": [{"t": "x"}, {"t": "x"}]}, 'a.#(t=="x")', 1, {"a": [1, {"t": "x"}]}),
        ({"a": [{"t": "x"}, {"t": "x"}]}, 'a.#(t=="x")#', 1, {"a": [1, 1]}),
        ({"a": [0]}, "a.b", 1, {"a": [0]}),
        ({"a": {"b": 1}}, "a.#.c", 1, {"a": {"b": 1}}),
        ({}, "a.#.b", 1, {}),
        ({r"x": 0}, r"a\.b", 1, {"x": 0, "a.b": 1}),
    ],
)
def test_what_a_path_sets(before: Any, path: str, value: Any, after: Any) -> None:
    body = deepcopy(before)
    assert put(body, parse_path(path), value) is (before != after)
    assert body == after


def test_setting_what_stands_there_changes_nothing_and_true_is_not_one() -> None:
    body = {"a": {"b": 1, "c": [True]}}
    assert put(body, parse_path("a"), {"c": [True], "b": 1.0}) is False
    assert put(body, parse_path("a.c.0"), 1) is True


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        ("model", [("model",)]),
        ("stop.0", [("stop", 0)]),
        ("a.b.c", [("a", "b", "c")]),
        ("tools.#.type", [("tools", 0, "type"), ("tools", 1, "type"), ("tools", 2, "type")]),
        ('tools.#(type=="web")#', [("tools", 2), ("tools", 0)]),
        ('tools.#(type=="web")', [("tools", 0)]),
        ("stop.#", [("stop", 1), ("stop", 0)]),
        ("stop.-1", []),
        ("stop.7", []),
        ("nothing.here", []),
    ],
)
def test_what_a_path_takes_out(path: str, gone: list[tuple[str | int, ...]]) -> None:
    body, expected = deepcopy(BODY), deepcopy(BODY)
    for *outer, last in gone:
        inner: Any = expected
        for key in outer:
            inner = inner[key]
        del inner[last]
    assert remove(body, parse_path(path)) is bool(gone)
    assert body == expected


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("", "is empty"),
        ("a..b", "empty step"),
        (".a", "empty step"),
        ("a.", "ends in a dot"),
        ("a.*", "wildcard"),
        ("a.b?", "wildcard"),
        ("a|b", "wildcard"),
        ("@this", "modifier"),
        ("a.#(b)", "compares in brackets without"),
        ("a.#(b==c)", "not JSON"),
        ("a.#(b%1)", "glob that is not text"),
        ("a.#(b>null)", "neither a number nor text"),
        ("a.#(b<=true)", "neither a number nor text"),
        ('a.#(b=="c"', "brackets that don't close"),
        ('a.#(b=="c")x', "brackets that don't close"),
        ("a.10001", "beyond 10000"),
        ("a.99999999999999999999", "beyond 10000"),
        (".".join("a" * 33), "more than 32"),
    ],
)
def test_what_is_no_path(path: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_path(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab.#0", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.#0", max_size=2), inner, max_size=3),
    max_leaves=12,
)
paths = st.lists(
    st.sampled_from(["a", "b", "0", "1", "#", '#(a=="b")', "#(a!=0)#", r"a\.b"]), min_size=1, max_size=4
).map(".".join)


@given(st.dictionaries(st.sampled_from("ab"), json_values), paths, json_values)
def test_what_was_set_is_found_and_setting_it_again_changes_nothing(body: Any, path: str, value: Any) -> None:
    parsed = parse_path(path)
    before = deepcopy(body)
    assert put(body, parsed, value) is not same(body, before)
    if not any(step.startswith("#") for step in path.split(".")) and values(body, parsed):
        assert all(same(found, value) for found in values(body, parsed))
        assert put(body, parsed, value) is False


@given(st.dictionaries(st.sampled_from("ab"), json_values), paths)
def test_what_was_taken_out_is_gone(body: Any, path: str) -> None:
    before = deepcopy(body)
    assert remove(body, parse_path(path)) is not same(body, before)


@given(st.text(max_size=30) | st.text('a.#()=<"1', max_size=12))
def test_any_text_is_a_path_or_says_why_not(text: str) -> None:
    with suppress(ValueError):
        values(BODY, parse_path(text))
