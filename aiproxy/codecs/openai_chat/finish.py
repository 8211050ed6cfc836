"""How answers end, in OpenAI's five words."""

from collections.abc import Mapping

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.response import FinishReason

_WORDS: Mapping[FinishReason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "context_window": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "stop",
    "pause": "stop",
    "compaction": "stop",
}

_FAILURES: Mapping[FinishReason, str] = {
    "malformed_tool_call": "The model wrote a tool call that can't be read. Ask again.",
    "cancelled": "The upstream cancelled its answer.",
    "error": "The upstream broke its answer off.",
}


def failure(finish: FinishReason, detail: str | None) -> UpstreamFailed | None:
    """The error that stands for an end no client would take for one."""
    if finish not in _FAILURES:
        return None
    said = f" It said: {detail}." if detail else ""
    return UpstreamFailed(_FAILURES[finish] + said)


def finish_word(finish: FinishReason, *, calls: bool, legacy: bool) -> str:
    word = _WORDS.get(finish, "stop")
    if word == "stop" and calls:
        word = "tool_calls"
    return "function_call" if word == "tool_calls" and legacy else word
