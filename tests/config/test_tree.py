"""YAML text to nodes: the core schema's scalars, places through anchors and merges, and what is refused."""

import pytest

from aiproxy.config.problems import Place
from aiproxy.config.tree import DEEPEST, Entries, Form, Items, Node, Scalar, Unparsable, core, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("8317", 8317),
        ("-1", -1),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        (".inf", float("inf")),
        ("1:30", "1:30"),
        ("2026-11-21", "2026-11-21"),
        ("9" * 5000, "9" * 5000),
        ("٣", "٣"),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    read = core(text)
    assert read == value
    assert type(read) is type(value)


def at(node: Node, *steps: str | int) -> Node:
    for step in steps:
        if isinstance(step, int):
            assert isinstance(node, Items)
            node = node.values[step]
        else:
            assert isinstance(node, Entries)
            found = node.get(step)
            assert found is not None
            node = found
    return node


def test_every_node_knows_its_place() -> None:
    root, problems = parse("port: 1\ntls:\n  cert: x\napi-keys: [a, 'b']\n", "f.yaml")
    assert not problems
    assert at(root, "port").place == Place("f.yaml", 1, 7)
    assert at(root, "tls", "cert").place == Place("f.yaml", 3, 9)
    assert at(root, "api-keys", 1).place == Place("f.yaml", 4, 15)
    assert at(root, "api-keys", 1) == Scalar("b", Form.QUOTED, Place("f.yaml", 4, 15))


def test_aliases_and_merges_keep_the_place_of_the_anchor_and_lose_to_own_keys() -> None:
    text = "x-base: &base {a: 1, b: 2}\none: *base\ntwo:\n  <<: *base\n  b: 3\nthree: {<<: [*base, {c: 4}]}\n"
    root, problems = parse(text, "f")
    assert not problems
    assert at(root, "one", "a").place == Place("f", 1, 19)
    assert at(root, "two", "a").place == Place("f", 1, 19)
    assert at(root, "two", "b").place == Place("f", 5, 6)
    assert at(root, "three", "c").place.line == 6


def test_a_tagged_string_is_text() -> None:
    root, problems = parse("api-key: !!str 123", "f")
    assert not problems
    assert at(root, "api-key") == Scalar("123", Form.QUOTED, Place("f", 1, 10))


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1),
        ("a: 1\n'a': 3\n", "duplicate-key", 2, 1),
        ("a: *nowhere\n", "yaml-alias", 1, 4),
        ("a: &a [*a]\n", "yaml-alias", 1, 8),
        ("a: !env NAME\n", "yaml-tag", 1, 4),
        ("a: 1\n---\nb: 2\n", "yaml-syntax", 2, 1),
        ("[a]: 1\n", "wrong-type", 1, 1),
        ("a: {<<: 5}\n", "wrong-type", 1, 9),
    ],
)
def test_what_is_wrong_without_stopping_the_reading(text: str, code: str, line: int, column: int) -> None:
    _, problems = parse(text, "f")
    assert [(p.code, p.line, p.column) for p in problems] == [(code, line, column)]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: [1,\n", "yaml-syntax", 2, 1),
        ("a:\n\tb: 1\n", "yaml-syntax", 2, 1),
        ("a: b: c\n", "yaml-syntax", 1, 5),
        ("a: 'x\n", "yaml-syntax", 1, 4),
        ("a: 1\nb: \x01\n", "yaml-syntax", 2, 4),
        ('a: 1\nb: "\\UFFFFFFFF"', "yaml-syntax", 2, 5),
        ("keys: [${A}]\n", "yaml-syntax", 1, 9),
        ("[" * (DEEPEST + 1), "yaml-depth", 1, DEEPEST + 1),
    ],
)
def test_what_is_no_yaml(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(Unparsable) as caught:
        parse(text, "f")
    problem = caught.value.problem
    assert (problem.code, problem.line, problem.column) == (code, line, column)


def test_the_caret_points_into_a_line_without_its_words() -> None:
    with pytest.raises(Unparsable) as caught:
        parse("port: 1\napi-keys: sk-canary: [x\n", "f")
    problem = caught.value.problem
    line, caret = problem.excerpt
    assert line == "     2 | api-keys: ·········: [·"
    assert caret.index("^") == line.index(": [")
    assert len(caret) - len("     2 | ") == problem.column


def test_a_pile_of_aliases_stays_small() -> None:
    levels = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30))
    _, problems = parse(f"a0: &a0 [x]\n{levels}\n", "f")
    assert not problems
