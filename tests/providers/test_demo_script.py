"""The grammar of a model's name, as a table."""

import re
from typing import Any

import pytest

from aiproxy.config.schema import Demo
from aiproxy.neutral.errors import InvalidRequest, NotFound
from aiproxy.providers.demo import script as grammar
from aiproxy.providers.demo.script import OPTIONS, Kind, Script, is_demo, read_script
from aiproxy.providers.demo.words import say, tokens

DEMO = Demo(latency=0.5, tokens_per_second=20)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("demo", {"kind": Kind.STORY}),
        ("demo-story", {"kind": Kind.STORY}),
        ("demo-echo", {"kind": Kind.ECHO}),
        ("demo-embed", {"kind": Kind.EMBED}),
        ("demo@latency=2.5@tps=0", {"kind": Kind.STORY, "latency": 2.5, "tps": 0}),
        ("demo-echo@words=5@tool", {"kind": Kind.ECHO, "words": 5, "tool": True}),
        ("demo-echo@status=429@retry-after=7", {"kind": Kind.ECHO, "status": 429, "retry_after": 7}),
        ("demo-echo@refuse@first=2", {"kind": Kind.ECHO, "refuse": True, "first": 2}),
        ("demo-echo@slow-headers=5", {"kind": Kind.ECHO, "slow_headers": 5}),
        ("demo-echo@cut=0", {"kind": Kind.ECHO, "cut": 0}),
        ("demo@stall=3", {"kind": Kind.STORY, "stall": 3}),
        ("demo@short=3", {"kind": Kind.STORY, "short": 3}),
        ("demo@error=3", {"kind": Kind.STORY, "error": 3}),
        ("demo@malformed=3", {"kind": Kind.STORY, "malformed": 3}),
    ],
)
def test_a_name_is_a_script(model: str, expected: dict[str, Any]) -> None:
    assert read_script(model, DEMO) == Script(**{"latency": 0.5, "tps": 20, **expected})


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("demo@late=2", "no option 'late'; it has latency, tps,"),
        ("demo@", "no option ''"),
        ("demo@latency=soon", "'latency' of the model's name must be seconds, 0 to 3600; it is 'soon'"),
        ("demo@latency", "'latency' of the model's name must be seconds"),
        ("demo@latency=nan", "seconds"),
        ("demo@latency=-1", "seconds"),
        ("demo@latency=1e9", "seconds"),
        ("demo@cut=1.5", "a whole number"),
        ("demo@malformed=0", "a whole number, 1 to"),
        ("demo@status=200", "an HTTP status, 400 to 599"),
        ("demo@refuse=yes", "without a value"),
        ("demo@cut=1@cut=2", "'cut' stands twice"),
        ("demo@retry-after=7", "needs 'status'"),
    ],
)
def test_a_mistake_is_explained(model: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(words)) as raised:
        read_script(model, DEMO)
    assert raised.value.param == "model"


def test_an_unknown_name_is_not_found() -> None:
    with pytest.raises(NotFound, match="it has demo, demo-story, demo-echo, demo-embed"):
        read_script("demo-ehco", DEMO)


@pytest.mark.parametrize(
    ("model", "ours"), [("demo", True), ("demo@x", True), ("demo-x", True), ("demon", False), ("gpt-5.4", False)]
)
def test_is_demo(model: str, ours: bool) -> None:
    assert is_demo(model) is ours


def test_recovered_keeps_what_is_no_fault() -> None:
    faulty = read_script(
        "demo-echo@words=5@tps=3@latency=1@refuse@status=500@cut=1@stall=1@short=1@error=1@malformed=1", DEMO
    )
    assert faulty.recovered() == read_script("demo-echo@words=5@tps=3@latency=1", DEMO)


def test_every_option_is_in_the_table_of_the_docstring() -> None:
    assert grammar.__doc__ is not None
    assert re.findall(r"^ {4}@([a-z-]+)", grammar.__doc__, re.MULTILINE) == list(OPTIONS)


@pytest.mark.parametrize("text", ["", "one", "a b  c\n", "  lead", "x" * 40, "tail \n\t ", "你好 世界"])
def test_tokens_join_to_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


@pytest.mark.parametrize(("words", "said"), [(1, "one"), (3, "one two one"), (5, "one two one two one")])
def test_words_repeat_or_cut_the_text(words: int, said: str) -> None:
    assert say(Script(Kind.ECHO, words=words), "one two") == said
    assert len(tokens(said)) == words
