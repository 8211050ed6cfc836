"""The estimate is near what tokenisers say, and takes every part."""

import pytest
from hypothesis import given

from aiproxy.codecs.tokens import IMAGE, estimate, of_text
from aiproxy.neutral.media import UrlSource
from aiproxy.neutral.parts import ImagePart, Part, TextPart
from aiproxy.neutral.request import GenerateRequest, Turn
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool
from tests.neutral.strategies import parts


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("x" * 400, 100), ("你好吗", 3), ("你 a", 2), ("é" * 4, 2)]
)
def test_text(text: str, tokens: int) -> None:
    assert of_text(text) == tokens


@given(parts())
def test_every_part_counts(part: Part) -> None:
    assert estimate(GenerateRequest("m", (Turn("user", (part,)),))) > 0


def test_images_and_tools_count() -> None:
    said = Turn("user", (TextPart("x" * 40), ImagePart(UrlSource("https://example.com/a.png"))))
    tools = (FunctionTool("f", "d", {"type": "object"}), FreeformTool("g"), HostedTool("web_search", "gemini"))
    assert estimate(GenerateRequest("m", (said,))) == 4 + 10 + IMAGE
    assert estimate(GenerateRequest("m", (said,), tools=tools)) > 4 + 10 + IMAGE + 12
