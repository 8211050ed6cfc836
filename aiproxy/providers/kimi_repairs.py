"""What Kimi Code's API wants of a request in OpenAI's form. Source: provider sheet kimi."""

import re

from aiproxy.neutral.carried import Json
from aiproxy.providers.openai_dialects import messages, thinks

UNAVAILABLE = "[reasoning unavailable]"
"""Stands for thinking that nobody has any more: each turn of the model with calls needs some."""

EFFORTS = {"minimal": "low", "low": "low", "medium": "high", "high": "high", "xhigh": "max", "max": "max"}

_LONG = re.compile(r"\[1m\]$")
_FOR_CODING = re.compile(r"(?:kimi-)?(?:k2\.7-code|for-coding)(-highspeed)?")


def name_model(body: dict[str, Json]) -> bool:
    """As the API calls it."""
    if not isinstance(said := body.get("model"), str):
        return False
    name = _LONG.sub("", said.lower())
    coding = _FOR_CODING.fullmatch(name)
    body["model"] = f"kimi-for-coding{coding[1] or ''}" if coding else name.removeprefix("kimi-")
    return bool(body["model"] != said)


def fill_call_ids(body: dict[str, Json]) -> bool:
    """Of results that don't name their call: by the field that others have for it, or the one call that waits."""
    changed = False
    waiting: list[str] = []
    for message in messages(body):
        if calls := message.get("tool_calls"):
            waiting = [call["id"] for call in calls if isinstance(call, dict) and isinstance(call.get("id"), str)]
        elif message.get("role") == "tool":
            given = message.get("tool_call_id") or message.get("call_id") or (waiting[0] if len(waiting) == 1 else None)
            if given is not None and message.get("tool_call_id") != given:
                message["tool_call_id"] = given
                changed = True
            waiting = [each for each in waiting if each != given]
    return changed


def keep_reasoning(body: dict[str, Json]) -> bool:
    """Turns with calls say what was thought: what was thought before, their own text, or that it is gone."""
    changed = False
    latest = ""
    for message in messages(body):
        if isinstance(thought := message.get("reasoning_content"), str) and thought.strip():
            latest = thought
        elif message.get("role") == "assistant" and message.get("tool_calls"):
            said = message.get("content")
            message["reasoning_content"] = latest or (said if isinstance(said, str) and said else UNAVAILABLE)
            changed = True
    return changed


def leave_out_silent_turns(body: dict[str, Json]) -> bool:
    """Of the model, that neither say nor call anything."""
    found = body.get("messages")
    if not isinstance(found, list):
        return False
    kept = [each for each in found if not _is_silent(each)]
    body["messages"] = kept
    return len(kept) < len(found)


def say_thinking(body: dict[str, Json]) -> bool:
    """In the API's own switch."""
    asked, effort = thinks(body), body.pop("reasoning_effort", None)
    if asked is None:
        return effort is not None
    if not asked:
        body["thinking"] = {"type": "disabled"}
    elif effort is not None:
        body["thinking"] = {"type": "enabled", "effort": EFFORTS.get(effort, "auto")}
    return effort is not None


def _is_silent(message: Json) -> bool:
    return (
        isinstance(message, dict)
        and message.get("role") == "assistant"
        and not any(message.get(name) for name in ("content", "tool_calls", "function_call"))
    )
