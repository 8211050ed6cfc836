"""What a tool gave back, for targets that take less than parts: text only, errors told in words, media beside it."""

import json

from aiproxy.codecs.arguments import as_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import Part, RawPart, TextPart, ToolResultPart

_REFERENCES = ("$ref", "$defs")
"""Keys Gemini would resolve as schema references inside a function's response."""


def result_text(result: ToolResultPart) -> str:
    """The text of the result, without what isn't text. Nothing is put between two texts."""
    return "".join(_text(part) for part in result.content)


def result_media(result: ToolResultPart) -> tuple[Part, ...]:
    """What of the result isn't text, in order."""
    return tuple(part for part in result.content if not isinstance(part, TextPart | RawPart))


def told_as_error(result: ToolResultPart) -> str:
    """The text for protocols without an error flag: an error says so in its first word."""
    text = result_text(result)
    if result.is_error and not text.lower().startswith("error"):
        return f"Error: {text}"
    return text


def as_response_object(result: ToolResultPart) -> dict[str, Json]:
    """The object Gemini wants: a JSON object as itself, anything else under `output`, an error under `error`."""
    text = result_text(result)
    if result.is_error:
        return {"error": text}
    found, is_object = as_object(text)
    if not text.strip() or not is_object or any(key in found for key in _REFERENCES):
        return {"output": text}
    return found


def from_response_object(response: Json) -> tuple[str, bool]:
    """(text, is_error) of such an object."""
    match response:
        case {"error": str(text), **others} if not others:
            return text, True
        case {"output": str(text), **others} if not others:
            return text, False
        case None:
            return "", False
        case _:
            return json.dumps(response, ensure_ascii=False, separators=(",", ":")), False


def _text(part: Part) -> str:
    match part:
        case TextPart(text=text):
            return text
        case RawPart(json=value):
            return json.dumps(value, ensure_ascii=False)
        case _:
            return ""
