"""Why an answer ended. Gemini has no word for tool calls: it is `STOP` with a functionCall part.

Source: Gemini API reference, FinishReason and BlockedReason."""

from collections.abc import Mapping, Sequence

from aiproxy.neutral.parts import Part, ToolCallPart
from aiproxy.neutral.response import FinishReason

OMITTED = "upstream_omitted_finish"
"""The detail of an answer that was whole though Google gave no reason."""

_OF_WORD: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "pause",
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_OTHER",
            "IMAGE_RECITATION",
            "NO_IMAGE",
            "MODEL_ARMOR",
            "LANGUAGE",
        ),
        "content_filter",
    ),
    **dict.fromkeys(
        (
            "MALFORMED_FUNCTION_CALL",
            "UNEXPECTED_TOOL_CALL",
            "TOO_MANY_TOOL_CALLS",
            "MALFORMED_RESPONSE",
            "MISSING_THOUGHT_SIGNATURE",
        ),
        "malformed_tool_call",
    ),
}

_WORD: Mapping[FinishReason, str] = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "context_window": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "pause": "STOP",
    "compaction": "STOP",
    "malformed_tool_call": "MALFORMED_FUNCTION_CALL",
    "cancelled": "OTHER",
    "error": "OTHER",
}


def decode_finish(word: str, parts: Sequence[Part]) -> tuple[FinishReason, str | None]:
    """(reason, the word itself where it says more than ours). `OTHER` and words we don't know end what was said, or are a
    failure when nothing was."""
    finish = _OF_WORD.get(word) or ("stop" if parts else "error")
    if finish in ("stop", "length") and any(isinstance(part, ToolCallPart) for part in parts):
        finish = "tool_calls"
    return finish, None if _WORD[finish] == word else word


def encode_finish(finish: FinishReason, detail: str | None) -> str:
    """The vendor's own word where the detail is one that means this."""
    if detail is not None and _OF_WORD.get(detail) == finish:
        return detail
    return _WORD[finish]
