"""Offering fewer tools says what a tool choice can't."""

import pytest

from aiproxy.codecs.tool_choice import allowed, only_callable
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolChoice

TOOLS = (FunctionTool("a"), FreeformTool("b"), HostedTool("web_search", "gemini"))


@pytest.mark.parametrize(
    ("choice", "within", "callable_"),
    [
        (ToolChoice(), "abw", "abw"),
        (ToolChoice("none"), "abw", ""),
        (ToolChoice("required"), "abw", "abw"),
        (ToolChoice("named", ("b",)), "abw", "b"),
        (ToolChoice("auto", ("a", "web_search")), "aw", "aw"),
        (ToolChoice("required", ("a",)), "a", "a"),
    ],
)
def test_offered(choice: ToolChoice, within: str, callable_: str) -> None:
    request = GenerateRequest("m", tools=TOOLS, tool_choice=choice)
    by_letter = dict(zip("abw", TOOLS, strict=True))
    assert allowed(request) == tuple(by_letter[letter] for letter in within)
    assert only_callable(request) == tuple(by_letter[letter] for letter in callable_)
