"""Edits of a text: what is meant is there afterwards, and no other line has changed."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from aiproxy.config.edit import edited, moved, without
from aiproxy.config.reference import example, uncommented
from aiproxy.config.spans import Spans
from aiproxy.config.steps import NotEdited, shown, steps_of
from aiproxy.config.tree import Unparsable
from tests.config.test_properties import scraps

CONFIGS = Path(__file__).parents[2] / "configs"

MESSY = """\
# What was written by hand.
host: 127.0.0.1   # where
api-keys:
  - one-key-which-is-long
  - {name: b, key: 'two-key-which-is-long', models: [a, b,]}  # b
  # about c
  - name: c
    key: "ccc"   # k

    limits:

      concurrent: 3
openai-api-key:
- sk-x
-   name: far
    api-key: y
tls: {enable: false,
      cert: a}   # two lines
timeouts:   # seconds
  idle: 3   # s
  # last
logging:
system-prompt:
  text: |
    Be brief.

    # no comment
  mode: append
# The end.
"""

TEXTS = {
    "messy": MESSY,
    "messy in Windows": MESSY.replace("\n", "\r\n"),
    "messy without an end": MESSY.rstrip("\n"),
    "full": example(),
    "every setting in use": uncommented(example()),
    "minimal": (CONFIGS / "minimal.yaml").read_text(),
    "with a mark": "\ufeff---\nport: 1\n",
}


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text.removeprefix("\ufeff"))


def paths(data: Any, at: str = "") -> Iterator[str]:
    if at:
        yield at
    if isinstance(data, dict):
        for key, value in data.items():
            yield from paths(value, shown((*(steps_of(at) if at else ()), str(key))))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from paths(value, f"{at}[{number}]")


def at(data: Any, path: str) -> Any:
    for step in steps_of(path):
        data = data[step]
    return data


def reach(text: str, path: str) -> tuple[int, int]:
    """The lines from a value's key to its end."""
    spans = Spans(text)
    span, begins = spans.read(), 0
    for step in steps_of(path):
        place = step if isinstance(step, int) else span.place_of(step)
        assert place is not None
        begins = (span.keys or span.values)[place].start
        span = span.values[place]
    return text.count("\n", 0, begins), text.count("\n", 0, span.end)


def lines(text: str) -> list[str]:
    return text.splitlines()


def kept(old: list[str], new: list[str]) -> tuple[int, int]:
    """How many lines are the same at the beginning and at the end."""
    first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    rest = min(len(old), len(new)) - first
    last = next((i for i in range(rest) if old[-1 - i] != new[-1 - i]), rest)
    return first, last


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("host", "", ["host: 127.0.0.1   # where"], ['host: ""   # where']),
        ("port", 80, [], ["port: 80"]),
        ("timeouts.connect", 1.5, [], ["  connect: 1.5"]),
        ("tls.cert", "/a b", ["      cert: a}   # two lines"], ['      cert: "/a b"}   # two lines']),
        ("tls.key", "k", ["      cert: a}   # two lines"], ["      cert: a, key: k}   # two lines"]),
        ("api-keys[0].name", "me", ["  - one-key-which-is-long"], ["  - {key: one-key-which-is-long, name: me}"]),
        ("api-keys[0]", "${K}", ["  - one-key-which-is-long"], ['  - "${K}"']),
        ("api-keys[2].key", "n", ['    key: "ccc"   # k'], ['    key: "n"   # k']),
        ("api-keys[3]", {"key": "k", "models": ["a*"]}, [], ['  - {key: k, models: ["a*"]}']),
        ("openai-api-key[2].base-url", "http://h/v1", [], ["- {base-url: http://h/v1}"]),
        ('prices["gpt-5*"].input', 3, [], ["prices:", '  "gpt-5*":', "    input: 3"]),
        ("logging", {"level": "warn"}, ["logging:"], ["logging: {level: warn}"]),
        ("logging.level", "warn", [], ["  level: warn"]),
        ("system-prompt.text", "x", ["  text: |", "    Be brief.", "", "    # no comment"], ["  text: x"]),
        ("timeouts", 3, ["timeouts:   # seconds", "  idle: 3   # s"], ["timeouts: 3   # seconds"]),
    ],
)
def test_setting(path: str, value: Any, old: list[str], new: list[str]) -> None:
    changed = edited(MESSY, path, value)
    first, last = kept(lines(MESSY), lines(changed))
    assert lines(MESSY)[first : len(lines(MESSY)) - last] == old
    assert lines(changed)[first : len(lines(changed)) - last] == new


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("host", ["host: 127.0.0.1   # where"], []),
        ("api-keys[0]", ["  - one-key-which-is-long"], []),
        ("api-keys[2].name", ["  - name: c", '    key: "ccc"   # k'], ['  - key: "ccc"   # k']),
        ("api-keys[2].limits", ["    limits:", "", "      concurrent: 3"], []),
        ("tls.enable", ["tls: {enable: false,", "      cert: a}   # two lines"], ["tls: {cert: a}   # two lines"]),
        ("tls.cert", ["tls: {enable: false,", "      cert: a}   # two lines"], ["tls: {enable: false}   # two lines"]),
        ("timeouts.idle", ["  idle: 3   # s"], []),
        ("system-prompt.text", ["  text: |", "    Be brief.", "", "    # no comment"], []),
    ],
)
def test_taking_out(path: str, old: list[str], new: list[str]) -> None:
    changed = without(MESSY, path)
    first, last = kept(lines(MESSY), lines(changed))
    assert lines(MESSY)[first : len(lines(MESSY)) - last] == old
    assert lines(changed)[first : len(lines(changed)) - last] == new


ANCHORED = "x-a: &a {api-key: k, weight: 1}\nopenai-api-key:\n  - *a\n  - {<<: *a, name: n}\n"


@pytest.mark.parametrize(
    ("path", "to", "old", "new"),
    [
        (
            "api-keys[0]",
            1,
            ["  - one-key-which-is-long", "  - {name: b, key: 'two-key-which-is-long', models: [a, b,]}  # b"],
            ["  - {name: b, key: 'two-key-which-is-long', models: [a, b,]}  # b", "  - one-key-which-is-long"],
        ),
        (
            "openai-api-key[1]",
            0,
            ["- sk-x", "-   name: far", "    api-key: y"],
            ["-   name: far", "    api-key: y", "- sk-x"],
        ),
        ("api-keys[1].models[1]", 0, ["[a, b,]"], ["[b, a,]"]),
        ("api-keys[1]", 1, [], []),
    ],
)
@pytest.mark.parametrize("name", ["messy", "messy in Windows", "messy without an end"])
def test_moving(name: str, path: str, to: int, old: list[str], new: list[str]) -> None:
    text = TEXTS[name]
    line = "\r\n" if "\r\n" in text else "\n"
    before, after = line.join(old), line.join(new)
    assert before in text
    assert moved(text, path, to) == text.replace(before, after, 1)


def test_an_entry_takes_what_is_said_above_it_along() -> None:
    changed = moved(MESSY, "api-keys[2]", 0)
    assert changed.index("# about c") < changed.index("name: c") < changed.index("one-key")
    assert sorted(changed.splitlines()) == sorted(MESSY.splitlines())
    assert moved("- a\n- b", "[1]", 0) == "- b\n- a"
    for path, to in (("api-keys[3]", 0), ("api-keys[0]", 3), ("api-keys[0]", -1), ("tls.cert", 0), ("nowhere[0]", 0)):
        with pytest.raises(NotEdited):
            moved(MESSY, path, to)


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        (ANCHORED, "openai-api-key[0].weight", "edit it where its anchor stands"),
        (ANCHORED, "x-a.weight", "anchor that is used elsewhere"),
        (ANCHORED, "x-a", "anchor that is used elsewhere"),
        (MESSY, "host.x", "nothing lies under a plain value"),
        (MESSY, "api-keys[5]", "here there are 3, from 0, 3 to add one"),
        (MESSY, "api-keys.first", "named by its number"),
        (MESSY, "", "a path is written"),
        (MESSY, ".host", "a path is written"),
        (MESSY, "api-keys[x]", "a path is written"),
        ("a: 1\na: 2\n", "a", "duplicate key"),
    ],
)
def test_what_is_not_edited(text: str, path: str, words: str) -> None:
    with pytest.raises(NotEdited) as no:
        edited(text, path, 1)
    assert words in str(no.value)


def test_what_is_merged_is_set_beside_it_and_not_taken_out() -> None:
    assert edited(ANCHORED, "openai-api-key[1].weight", 2).endswith("{<<: *a, name: n, weight: 2}\n")
    with pytest.raises(NotEdited, match="is not set in this file"):
        without(ANCHORED, "openai-api-key[1].weight")


def test_an_empty_file_grows() -> None:
    assert edited("", "tls.enable", True) == "tls:\n  enable: true\n"
    assert edited("# c", "api-keys[0]", "k") == "# c\napi-keys:\n  - k\n"


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False),
    st.sampled_from(["", "a", "yes", "1", "#", "a: b", "${A}", "- x", "'", '"', "é", "\x85", "a\nb", "*a", "http://h:1/v1"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)  # fmt: skip
values = st.one_of(
    scalars, st.lists(scalars, max_size=2), st.dictionaries(st.text("abc*.", max_size=3), scalars, max_size=2)
)


@given(st.sampled_from(sorted(TEXTS)), st.data(), values)
@settings(max_examples=60, deadline=None)
def test_any_value_anywhere(name: str, data: st.DataObject, value: Any) -> None:
    """What stood there is gone, what is meant is there, nothing else has changed: in its data, its comments, its lines."""
    text = TEXTS[name]
    before = read(text)
    path = data.draw(st.sampled_from(sorted(paths(before))))
    changed = edited(text, path, value)
    after = read(changed)
    assert at(after, path) == value or (value in ({}, []) and not at(after, path))
    assert read(without(changed, path)) == read(without(text, path))
    first, last = kept(lines(text), lines(changed))
    touched = lines(text)[first : len(lines(text)) - last]
    assert len(lines(changed)) - first - last <= 1
    begins, ends = reach(text.removeprefix("\ufeff"), path)
    assert not touched or begins <= first <= first + len(touched) - 1 <= ends


@given(st.sampled_from(sorted(TEXTS)), st.sampled_from(["new", "tls.new", "timeouts.new", "routing.a.b"]), values)
@settings(max_examples=40, deadline=None)
def test_a_new_key_adds_lines_and_leaves_with_them(name: str, path: str, value: Any) -> None:
    text = TEXTS[name]
    changed = edited(text, path, value)
    old, new = lines(text), lines(changed)
    rest = iter(new)
    assert all(line in rest for line in old) or (name.startswith("messy") and path == "tls.new")
    if path == "new":
        assert without(changed, path).rstrip("\r\n") == text.rstrip("\r\n")


@given(scraps, st.sampled_from(["a", "host", "a.b", "tls.enable", "api-keys[0].name", "a[0]"]), scalars)
@settings(max_examples=300, deadline=None)
def test_whatever_the_text_the_edit_is_right_or_refused(text: str, path: str, value: Any) -> None:
    for edit in (lambda: edited(text, path, value), lambda: without(text, path)):
        with suppress(NotEdited, Unparsable):
            edit()
