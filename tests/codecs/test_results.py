"""Tool results in the words of targets that take less."""

import pytest

from aiproxy.codecs.results import as_response_object, from_response_object, result_media, result_text, told_as_error
from aiproxy.neutral.media import UrlSource
from aiproxy.neutral.parts import ImagePart, RawPart, TextPart, ToolResultPart


def result(text: str, *, is_error: bool = False) -> ToolResultPart:
    return ToolResultPart("1", (TextPart(text),), is_error=is_error)


@pytest.mark.parametrize(
    ("text", "is_error", "told"),
    [("fine", False, "fine"), ("no file", True, "Error: no file"), ("ERROR 5", True, "ERROR 5"), ("", True, "Error: ")],
)
def test_errors_in_words(text: str, is_error: bool, told: str) -> None:
    assert told_as_error(result(text, is_error=is_error)) == told


@pytest.mark.parametrize(
    ("text", "is_error", "expected"),
    [
        ("", False, {"output": ""}),
        ("plain", False, {"output": "plain"}),
        ('{"a":1}', False, {"a": 1}),
        ("[1]", False, {"output": "[1]"}),
        ('{"$ref":"#/x"}', False, {"output": '{"$ref":"#/x"}'}),
        ("boom", True, {"error": "boom"}),
    ],
)
def test_the_object_gemini_wants(text: str, is_error: bool, expected: object) -> None:
    assert as_response_object(result(text, is_error=is_error)) == expected


@pytest.mark.parametrize(
    ("response", "text", "is_error"),
    [({"output": "x"}, "x", False), ({"error": "x"}, "x", True), ({"a": 1}, '{"a":1}', False), (None, "", False)],
)
def test_such_an_object_as_text(response: object, text: str, is_error: bool) -> None:
    assert from_response_object(response) == (text, is_error)


def test_text_and_media_apart() -> None:
    image = ImagePart(UrlSource("https://example.com/a.png"))
    mixed = ToolResultPart("1", (TextPart("a"), image, TextPart("b"), RawPart("anthropic", "x", {"k": 1})))
    assert result_text(mixed) == 'ab{"k": 1}'
    assert result_media(mixed) == (image,)
