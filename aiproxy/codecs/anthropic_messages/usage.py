"""Anthropic's usage object, both ways. `input_tokens` excludes what a cache gave or took; `output_tokens` includes thinking."""

from collections.abc import Mapping
from typing import Any

from aiproxy.neutral.carried import Json
from aiproxy.neutral.usage import Usage

_SERVER_TOOL = "_requests"
"""Anthropic counts a vendor-run tool as `<tool>_requests`."""

TIERS: Mapping[str, str] = {"standard": "default", "priority": "priority"}
"""The tier an answer was served with → neutral."""


def read_usage(found: Any) -> Usage | None:
    return take_usage(dict(found))[0] if isinstance(found, dict) else None


def take_usage(found: dict[str, Json]) -> tuple[Usage, dict[str, Json]]:
    """The counts, and what else the object says. Counts that contradict one another stay in the rest."""
    rest = dict(found)
    fresh, read, written = (
        _take(rest, "input_tokens"),
        _take(rest, "cache_read_input_tokens"),
        _take(rest, "cache_creation_input_tokens"),
    )
    by_age = rest.get("cache_creation")
    hour = None
    if isinstance(by_age, dict) and by_age.keys() == {"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"}:
        short, long = by_age["ephemeral_5m_input_tokens"], by_age["ephemeral_1h_input_tokens"]
        if _is_count(short) and _is_count(long) and short + long == written:
            written, hour = short, long
            del rest["cache_creation"]
    total = _take(rest, "output_tokens")
    details = rest.get("output_tokens_details")
    thinking = None
    if isinstance(details, dict) and details.keys() == {"thinking_tokens"} and total is not None:
        thinking = details["thinking_tokens"]
        if _is_count(thinking) and thinking <= total:
            total -= thinking
            del rest["output_tokens_details"]
        else:
            thinking = None
    uses = rest.get("server_tool_use")
    tools = None
    if isinstance(uses, dict) and uses and all(_is_tool_count(name, count) for name, count in uses.items()):
        tools = {name.removesuffix(_SERVER_TOOL): count for name, count in uses.items()}
        del rest["server_tool_use"]
    return Usage(
        fresh, read, written, hour, output_visible=total, reasoning=thinking, server_tools=tools, raw=found
    ), rest


def write_usage(usage: Usage | None, estimated_input: int = 0) -> dict[str, Json]:
    """Every client needs both totals: an input nobody told is estimated, an output nobody counted is 0."""
    usage = usage or Usage()
    fresh = usage.input_fresh
    body: dict[str, Json] = {"input_tokens": estimated_input if fresh is None else fresh}
    if usage.cache_write_total is not None:
        body["cache_creation_input_tokens"] = usage.cache_write_total
    if usage.cache_read is not None:
        body["cache_read_input_tokens"] = usage.cache_read
    if usage.cache_write is not None and usage.cache_write_1h is not None:
        body["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    body["output_tokens"] = usage.output_total or usage.reasoning or 0
    if usage.reasoning is not None:
        body["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.server_tools:
        body["server_tool_use"] = {f"{name}{_SERVER_TOOL}": count for name, count in usage.server_tools.items()}
    return body


def _take(rest: dict[str, Json], name: str) -> int | None:
    return int(rest.pop(name)) if _is_count(rest.get(name)) else None


def _is_count(found: Json) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and found >= 0


def _is_tool_count(name: str, count: Json) -> bool:
    return name.endswith(_SERVER_TOOL) and _is_count(count)
