"""What ChatGPT's Codex back end wants of a Responses request. Source: provider sheet codex."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import Unsupported

REFUSED = (
    "context_management",
    "generate",
    "max_completion_tokens",
    "max_output_tokens",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "stream_options",
    "temperature",
    "top_p",
    "truncation",
    "user",
)

REMEMBERED = ("previous_response_id", "conversation", "background")
"""What refers to answers that it would have to keep."""

ID_PREFIXES = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "custom_tool_call": "ctc_",
    "web_search_call": "ws_",
}
"""What ids of items begin with, by the item's type."""

LONGEST_ID = 64
"""Characters."""

_ID = re.compile(r"[A-Za-z0-9_-]+")


def ask_for_stream(body: dict[str, Json]) -> bool:
    """It answers in streams only, keeps nothing, and wants to be told so; what it thought it gives in its own cipher."""
    forced = {"stream": True, "store": False, "include": ["reasoning.encrypted_content"]}
    forget(body)
    changed = any(body.get(name) != value for name, value in forced.items())
    body.update(forced)
    return changed


def ask_for_no_stream(body: dict[str, Json]) -> bool:
    """Nor for anything that only an answer has."""
    forget(body)
    said = [name for name in ("stream", "store", "include") if name in body]
    for name in said:
        del body[name]
    return bool(said)


def forget(body: dict[str, Json]) -> None:
    """Raises `Unsupported` for a request that refers to answers which it would have to keep."""
    for name in REMEMBERED:
        if body.pop(name, None):
            raise Unsupported(
                f"This upstream keeps no answers: send the whole conversation as `input`, without `{name}`.", param=name
            )


def give_instructions(body: dict[str, Json]) -> bool:
    if isinstance(body.get("instructions"), str):
        return False
    body["instructions"] = ""
    return True


def list_input(body: dict[str, Json]) -> bool:
    """A bare text is a message of the user."""
    if not isinstance(said := body.get("input"), str):
        return False
    body["input"] = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": said}]}]
    return True


def call_in_parallel(body: dict[str, Json]) -> bool:
    """Said with tools, and only with them."""
    if not body.get("tools"):
        return body.pop("parallel_tool_calls", None) is not None
    if isinstance(body.get("parallel_tool_calls"), bool):
        return False
    body["parallel_tool_calls"] = True
    return True


def speak_as_developer(body: dict[str, Json]) -> bool:
    changed = False
    for item in _listed(body.get("input")):
        if item.get("role") == "system":
            item["role"] = "developer"
            changed = True
    return changed


def name_web_search(body: dict[str, Json]) -> bool:
    """Under its present name, wherever the preview's stands."""
    changed = False
    choice = body.get("tool_choice")
    chosen = [choice, *_listed(choice.get("tools"))] if isinstance(choice, dict) else []
    for tool in (*_listed(body.get("tools")), *chosen):
        if str(tool.get("type", "")).startswith("web_search_preview"):
            tool["type"] = "web_search"
            changed = True
    return changed


def leave_out_breakpoints(body: dict[str, Json]) -> bool:
    """Of its cache, in parts of messages; it places them itself."""
    changed = False
    for item in _listed(body.get("input")):
        for part in _listed(item.get("content")):
            changed |= part.pop("prompt_cache_breakpoint", None) is not None
    return changed


def leave_out_foreign_ids(body: dict[str, Json]) -> bool:
    """Ids of items that aren't like its own; nothing refers to them."""
    changed = False
    for item in _listed(body.get("input")):
        found = item.get("id")
        prefix = ID_PREFIXES.get(item.get("type", "message"), "")
        if isinstance(found, str) and not (
            found.startswith(prefix) and len(found) <= LONGEST_ID and _ID.fullmatch(found)
        ):
            del item["id"]
            changed = True
    return changed


REPAIRS = (
    ask_for_stream,
    give_instructions,
    list_input,
    call_in_parallel,
    speak_as_developer,
    name_web_search,
    leave_out_breakpoints,
    leave_out_foreign_ids,
)


COMPACT_REPAIRS = (ask_for_no_stream, *REPAIRS[1:])
"""To shorten a conversation there is no stream, and nothing to be kept."""


def refused(body: Mapping[str, Json]) -> Iterator[str]:
    yield from (name for name in REFUSED if name in body)
    if body.get("service_tier") not in (None, "priority"):
        yield "service_tier"


def _listed(found: Json) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
