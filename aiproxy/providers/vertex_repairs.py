"""What Vertex refuses in a body that the Gemini API takes, and what becomes of it. Source: provider notes in `vertex`."""

from collections.abc import Iterator
from typing import Any

from aiproxy.neutral.carried import Json

CALLS = ("functionCall", "function_call", "functionResponse", "function_response")

COUNTED = ("contents", "systemInstruction", "system_instruction", "tools", "generationConfig", "generation_config")
"""Fields of Vertex's countTokens. It knows no `generateContentRequest` around them."""


def leave_out_call_ids(body: dict[str, Json]) -> bool:
    """Vertex pairs results with calls by name and order."""
    changed = False
    for part in _parts(body):
        for name in CALLS:
            if isinstance(part.get(name), dict):
                changed |= part[name].pop("id", None) is not None
    return changed


def say_who_speaks(body: dict[str, Json]) -> bool:
    """The Gemini API takes whoever isn't named for the user."""
    silent = [one for one in _list(body.get("contents")) if isinstance(one, dict) and not one.get("role")]
    for content in silent:
        content["role"] = "user"
    return bool(silent)


def begin_with_user(body: dict[str, Json]) -> bool:
    contents = _list(body.get("contents"))
    if not contents or not isinstance(contents[0], dict) or contents[0].get("role") != "model":
        return False
    body["contents"] = [{"role": "user", "parts": [{"text": " "}]}, *contents]
    return True


def count_bare_contents(body: dict[str, Json]) -> bool:
    wrapped = body.get("generateContentRequest", body.get("generate_content_request"))
    whole = wrapped if isinstance(wrapped, dict) else body
    kept = {name: whole[name] for name in COUNTED if name in whole}
    if kept == body:
        return False
    body.clear()
    body.update(kept)
    return True


def _parts(body: dict[str, Json]) -> Iterator[dict[str, Any]]:
    for content in _list(body.get("contents")):
        if isinstance(content, dict):
            yield from (part for part in _list(content.get("parts")) if isinstance(part, dict))


def _list(value: Json) -> list[Any]:
    """Google's parsers take one where a list is due."""
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []
