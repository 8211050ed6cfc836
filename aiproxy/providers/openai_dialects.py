"""Repairs that several vendors want who speak Chat Completions in a way of their own. Bodies are requests; all are pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiproxy.neutral.carried import Json


def messages(body: Mapping[str, Json]) -> Iterator[dict[str, Any]]:
    found = body.get("messages")
    yield from (each for each in (found if isinstance(found, list) else ()) if isinstance(each, dict))


def thinks(body: Mapping[str, Json]) -> bool | None:
    """Whether thinking is asked for, by whichever of the usual switches; None when nobody says."""
    match body.get("thinking"):
        case {"type": str(kind)}:
            return kind != "disabled"
    effort = body.get("reasoning_effort")
    return effort != "none" if isinstance(effort, str) else None


def content_parts(content: Json) -> list[dict[str, Any]]:
    """Of a message: a text is one part."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
