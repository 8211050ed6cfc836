"""Tool names become legal at the target and come back as the client wrote them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.tool_names import NameRule, ToolNames
from aiproxy.neutral.parts import ToolCallPart
from aiproxy.neutral.request import GenerateRequest, Turn
from aiproxy.neutral.tools import FreeformTool, FunctionTool

awkward = st.text("ab-_.:/ é9", max_size=70)


@given(
    st.lists(st.tuples(awkward, st.none() | awkward), unique=True, max_size=8), st.sampled_from(["openai", "gemini"])
)
def test_names_are_legal_distinct_and_come_back(names: list[tuple[str, str | None]], rule: NameRule) -> None:
    request = GenerateRequest("m", tools=tuple(FunctionTool(name, namespace=space) for name, space in names))
    found = ToolNames.of(request, rule)
    safe = [found.safe(name, space) for name, space in names]
    first = "[A-Za-z_]" if rule == "gemini" else "[A-Za-z0-9_-]"
    assert all(re.fullmatch(rf"{first}[A-Za-z0-9_-]{{0,63}}", name) for name in safe)
    assert len(set(safe)) == len(safe)
    assert [found.original(name) for name in safe] == names


@pytest.mark.parametrize(
    ("name", "space", "rule", "safe"),
    [
        ("get_weather", None, "openai", "get_weather"),
        ("fs.read", None, "openai", "fs_read"),
        ("9lives", None, "openai", "9lives"),
        ("9lives", None, "gemini", "_9lives"),
        ("read", "fs", "openai", "fs__read"),
        ("fs.read", None, "any", "fs.read"),
    ],
)
def test_known_names(name: str, space: str | None, rule: NameRule, safe: str) -> None:
    names = ToolNames.of(GenerateRequest("m", tools=(FreeformTool(name, namespace=space),)), rule)
    assert names.safe(name, space) == safe


def test_a_legal_name_keeps_itself_against_one_that_turns_into_it() -> None:
    names = ToolNames.of(GenerateRequest("m", tools=(FunctionTool("a.b"), FunctionTool("a_b"))), "openai")
    assert names.safe("a_b") == "a_b"
    assert names.original(names.safe("a.b")) == ("a.b", None)


def test_names_of_the_history_are_known_and_invented_ones_pass() -> None:
    request = GenerateRequest("m", turns=(Turn("assistant", (ToolCallPart("1", "old.tool"),)),))
    names = ToolNames.of(request, "openai")
    assert names.original("old_tool") == ("old.tool", None)
    assert names.original("invented") == ("invented", None)
