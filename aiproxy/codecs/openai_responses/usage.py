"""The usage object, both ways. `input_tokens` includes what a cache gave or took; `output_tokens` includes reasoning."""

from typing import Any

from aiproxy.neutral.carried import Json
from aiproxy.neutral.usage import Usage


def read_usage(found: Any) -> Usage | None:
    if not isinstance(found, dict):
        return None
    read, wrote = found.get("input_tokens_details"), found.get("output_tokens_details")
    total_in, total_out = _count(found, "input_tokens"), _count(found, "output_tokens")
    reasoning = _count(wrote, "reasoning_tokens")
    if (
        reasoning
        and None not in (total_in, total_out)
        and _count(found, "total_tokens") == ((total_in or 0) + (total_out or 0) + reasoning)
    ):
        total_out = (total_out or 0) + reasoning  # xAI counts them beside the output
    return Usage.from_totals(
        input_total=total_in,
        cache_read=_count(read, "cached_tokens"),
        cache_write=_count(read, "cache_write_tokens"),
        audio_in=_count(read, "audio_tokens"),
        output_total=total_out,
        reasoning=reasoning,
        audio_out=_count(wrote, "audio_tokens"),
        image_in=_count(read, "image_tokens"),
        image_out=_count(wrote, "image_tokens"),
        raw=found,
    )


def write_usage(usage: Usage | None) -> dict[str, Json] | None:
    """None where nobody counted. Codex needs `total_tokens` and integers in both details."""
    if usage is None or (usage.input_total is None and usage.output_total is None):
        return None
    total_in = usage.input_total or 0
    total_out = usage.output_total or usage.reasoning or 0
    return {
        "input_tokens": total_in,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read or 0,
            "cache_write_tokens": usage.cache_write_total or 0,
        },
        "output_tokens": total_out,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": total_in + total_out,
    }


def _count(counts: Any, name: str) -> int | None:
    found = counts.get(name) if isinstance(counts, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
