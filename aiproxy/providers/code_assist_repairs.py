"""What Code Assist wants said differently from the Gemini API, whichever product asks. Bodies are envelopes."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiproxy.neutral.carried import Json


def leave_out_empty_texts(body: dict[str, Json]) -> bool:
    """Google's SDK keeps one of the last chunk of a stream in its history, between a call and its result; the service wants
    the result to follow the call."""
    contents = inner(body).get("contents")
    changed = False
    for content in listed(contents):
        parts = listed(content.get("parts"))
        kept = [part for part in parts if part != {"text": ""}]
        if 0 < len(kept) < len(parts) or (parts and not kept and len(listed(contents)) > 1):
            content["parts"] = kept
            changed = True
    if changed:
        inner(body)["contents"] = [each for each in listed(contents) if each.get("parts") != []]
    return changed


def join_turns(body: dict[str, Json]) -> bool:
    """Of the model, as Google's SDK keeps them: a content for each chunk of a stream, where the service counts the calls of
    one against the results of the next."""
    contents = inner(body).get("contents")
    done: list[dict[str, Any]] = []
    for content in listed(contents):
        if done and content.get("role") == "model" == done[-1].get("role"):
            done[-1] = {**done[-1], "parts": [*listed(done[-1].get("parts")), *listed(content.get("parts"))]}
        else:
            done.append(content)
    if len(done) == len(listed(contents)):
        return False
    inner(body)["contents"] = done
    return True


def inner(body: dict[str, Json]) -> dict[str, Json]:
    """What is in the envelope."""
    found = body.get("request")
    return found if isinstance(found, dict) else {}


def declarations(request: Mapping[str, Json]) -> Iterator[dict[str, Any]]:
    for tool in listed(request.get("tools")):
        yield from listed(tool.get("functionDeclarations"))


def listed(found: Json) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
