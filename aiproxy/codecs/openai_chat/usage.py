"""OpenAI's inclusive token counts, both ways: `prompt_tokens` holds the cached ones, `completion_tokens` the reasoning ones."""

from typing import Any

from aiproxy.neutral.carried import Json
from aiproxy.neutral.usage import Usage


def read_usage(usage: Any) -> Usage | None:
    """Disjoint buckets. None counts are unknown, not zero."""
    if not isinstance(usage, dict):
        return None
    read = usage.get("prompt_tokens_details") or {}
    written = usage.get("completion_tokens_details") or {}
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    reasoning = _count(written, "reasoning_tokens")
    if (
        reasoning
        and prompt is not None
        and completion is not None
        and _count(usage, "total_tokens") == prompt + completion + reasoning
    ):
        completion += reasoning  # xAI counts reasoning beside the completion
    return Usage.from_totals(
        input_total=prompt,
        cache_read=_first(
            _count(read, "cached_tokens"),
            _count(usage, "cached_tokens"),
            _count(usage, "prompt_cache_hit_tokens"),  # DeepSeek
        ),
        cache_write=_count(read, "cache_write_tokens"),
        audio_in=_count(read, "audio_tokens"),
        output_total=completion,
        reasoning=reasoning,
        audio_out=_count(written, "audio_tokens"),
        image_in=_count(read, "image_tokens"),
        image_out=_count(written, "image_tokens"),
        raw=usage,
    )


def write_usage(usage: Usage) -> dict[str, Json]:
    """Details only where something is known of them; an unknown total is what is known of its parts."""
    prompt, completion = usage.input_total, usage.output_total
    if prompt is None:
        prompt = _known(usage.cache_read, usage.cache_write_total, usage.audio_in, usage.image_in, usage.tool_prompt)
    if completion is None:
        completion = _known(usage.reasoning, usage.audio_out, usage.image_out)
    found: dict[str, Json] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    read = {
        "cached_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write_total,
        "audio_tokens": usage.audio_in,
        "image_tokens": usage.image_in,
    }
    written = {
        "reasoning_tokens": usage.reasoning,
        "audio_tokens": usage.audio_out,
        "image_tokens": usage.image_out,
    }
    for name, details in (("prompt_tokens_details", read), ("completion_tokens_details", written)):
        if known := {key: count for key, count in details.items() if count is not None}:
            found[name] = known
    return found


def _count(counts: Any, name: str) -> int | None:
    found = counts.get(name) if isinstance(counts, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _known(*counts: int | None) -> int:
    return sum(count or 0 for count in counts)


def _first(*counts: int | None) -> int | None:
    return next((count for count in counts if count is not None), None)
