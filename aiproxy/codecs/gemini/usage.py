"""Google's token counts: inclusive of the cache, exclusive of thoughts, zeros left out.

Source: Gemini API reference, UsageMetadata."""

from collections.abc import Mapping

from aiproxy.neutral.carried import Json
from aiproxy.neutral.usage import Usage


def decode_usage(found: Json) -> Usage | None:
    """None when it counts nothing. What isn't a count is as if it weren't there."""
    if not isinstance(found, dict):
        return None
    prompt, cached, tool_prompt = (
        _count(found, name) for name in ("promptTokenCount", "cachedContentTokenCount", "toolUsePromptTokenCount")
    )
    visible, thoughts, total = (
        _count(found, name) for name in ("candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount")
    )
    read = None if prompt is None and tool_prompt is None else (prompt or 0) + (tool_prompt or 0)
    written = None if visible is None and thoughts is None else (visible or 0) + (thoughts or 0)
    if written is None and total is not None and read is not None and total >= read:
        written = total - read
    usage = Usage.from_totals(
        input_total=read,
        cache_read=cached,
        tool_prompt=tool_prompt,
        audio_in=_of_kind(found, "AUDIO", "promptTokensDetails", "cacheTokensDetails"),
        image_in=_of_kind(found, "IMAGE", "promptTokensDetails", "cacheTokensDetails"),
        output_total=written,
        reasoning=thoughts,
        audio_out=_of_kind(found, "AUDIO", "candidatesTokensDetails"),
        image_out=_of_kind(found, "IMAGE", "candidatesTokensDetails"),
        raw=found,
    )
    return usage if usage != Usage() else None


def encode_usage(usage: Usage) -> dict[str, Json]:
    """Zeros are left out, but for the counts every client reads."""
    read, written = usage.input_total, usage.output_total
    counts: dict[str, int | None] = {
        "promptTokenCount": None if read is None else read - (usage.tool_prompt or 0),
        "cachedContentTokenCount": usage.cache_read or None,
        "candidatesTokenCount": None if written is None else written - (usage.reasoning or 0),
        "toolUsePromptTokenCount": usage.tool_prompt or None,
        "thoughtsTokenCount": usage.reasoning or None,
        "totalTokenCount": None if read is None and written is None else (read or 0) + (written or 0),
    }
    return {name: count for name, count in counts.items() if count is not None}


def _count(found: Mapping[str, Json], name: str) -> int | None:
    count = found.get(name)
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _of_kind(found: Mapping[str, Json], kind: str, details: str, less: str = "") -> int | None:
    """The tokens of one modality among the details, without those that came from the cache."""
    counts = {name: _counted(found.get(name), kind) for name in (details, less)}
    if not counts[details]:
        return None
    return max(0, counts[details] - counts[less]) or None


def _counted(details: Json, kind: str) -> int:
    if not isinstance(details, list):
        return 0
    those = [item for item in details if isinstance(item, dict) and item.get("modality") == kind]
    return sum(_count(item, "tokenCount") or 0 for item in those)
