"""Usage objects as vendors send them → disjoint buckets → the two views that protocols derive: OpenAI's, where details are parts
of the total, and Anthropic's, where caches stand beside the input.

The numbers are made up, the shapes are the vendors': OpenAI API reference (chat, Responses, images), Anthropic API reference,
Gemini API reference (UsageMetadata), Ollama's API documentation, DeepSeek's and Moonshot's API documentation; Kiro's, Copilot's
and Codex's as their services send them."""

from collections.abc import Callable
from typing import Any

import pytest

from aiproxy.codecs.anthropic_messages.usage import read_usage as anthropic
from aiproxy.codecs.anthropic_messages.usage import write_usage as as_anthropic
from aiproxy.codecs.gemini.usage import decode_usage as gemini
from aiproxy.codecs.ollama.reading import read_usage as ollama
from aiproxy.codecs.openai_chat.usage import read_usage as chat
from aiproxy.codecs.openai_chat.usage import write_usage as as_openai
from aiproxy.codecs.openai_responses.usage import read_usage as responses
from aiproxy.neutral.usage import Usage

Golden = tuple[Callable[[Any], Usage | None], dict[str, Any], Usage, tuple[int, int, int], tuple[int, int, int, int]]

GOLDEN: dict[str, Golden] = {
    # reader, object, buckets, OpenAI's (prompt, cached, completion), Anthropic's (input, read, written, output)
    "openai chat": (
        chat,
        {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        Usage(100, output_visible=20),
        (100, 0, 20),
        (100, 0, 0, 20),
    ),
    "openai chat, all details": (
        chat,
        {
            "prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
            "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 50, "cache_write_tokens": 100, "image_tokens": 30},
            "completion_tokens_details": {
                "reasoning_tokens": 200, "audio_tokens": 40, "accepted_prediction_tokens": 5, "rejected_prediction_tokens": 0,
            },
        },
        Usage(420, 400, 100, audio_in=50, image_in=30, output_visible=60, reasoning=200, audio_out=40),
        (1000, 400, 300),
        (500, 400, 100, 300),
    ),
    "openai responses, and codex": (
        responses,
        {
            "input_tokens": 700, "input_tokens_details": {"cached_tokens": 512, "cache_write_tokens": 0},
            "output_tokens": 90, "output_tokens_details": {"reasoning_tokens": 64}, "total_tokens": 790,
        },
        Usage(188, 512, 0, output_visible=26, reasoning=64),
        (700, 512, 90),
        (188, 512, 0, 90),
    ),
    "openai responses, pictures": (
        responses,
        {
            "input_tokens": 300, "input_tokens_details": {"text_tokens": 40, "image_tokens": 260},
            "output_tokens": 4160, "output_tokens_details": {"image_tokens": 4160}, "total_tokens": 4460,
        },
        Usage(40, image_in=260, output_visible=0, image_out=4160),
        (300, 0, 4160),
        (300, 0, 0, 4160),
    ),
    "anthropic": (
        anthropic,
        {"input_tokens": 12, "output_tokens": 34, "cache_creation_input_tokens": None, "cache_read_input_tokens": None},
        Usage(12, output_visible=34),
        (12, 0, 34),
        (12, 0, 0, 34),
    ),
    "anthropic, caches of both ages": (
        anthropic,
        {
            "input_tokens": 12, "cache_read_input_tokens": 5000, "cache_creation_input_tokens": 700,
            "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 200},
            "output_tokens": 340, "output_tokens_details": {"thinking_tokens": 300},
            "server_tool_use": {"web_search_requests": 2}, "service_tier": "standard",
        },
        Usage(12, 5000, 500, 200, output_visible=40, reasoning=300, server_tools={"web_search": 2}),
        (5712, 5000, 340),
        (12, 5000, 700, 340),
    ),
    "gemini, thoughts and a tool": (
        gemini,
        {
            "promptTokenCount": 500, "cachedContentTokenCount": 200, "candidatesTokenCount": 60, "thoughtsTokenCount": 90,
            "toolUsePromptTokenCount": 35, "totalTokenCount": 685,
        },
        Usage(300, 200, tool_prompt=35, output_visible=60, reasoning=90),
        (535, 200, 150),
        (335, 200, 0, 150),
    ),
    "gemini, modalities": (
        gemini,
        {
            "promptTokenCount": 900, "cachedContentTokenCount": 300, "candidatesTokenCount": 1400, "totalTokenCount": 2300,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 100}, {"modality": "IMAGE", "tokenCount": 516},
                {"modality": "AUDIO", "tokenCount": 284},
            ],
            "cacheTokensDetails": [{"modality": "IMAGE", "tokenCount": 258}, {"modality": "TEXT", "tokenCount": 42}],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}, {"modality": "TEXT", "tokenCount": 110}],
        },
        Usage(58, 300, audio_in=284, image_in=258, output_visible=110, image_out=1290),
        (900, 300, 1400),
        (600, 300, 0, 1400),
    ),
    "ollama": (
        ollama,
        {"done": True, "prompt_eval_count": 26, "eval_count": 259, "total_duration": 10706818083},
        Usage(26, output_visible=259),
        (26, 0, 259),
        (26, 0, 0, 259),
    ),
    "copilot": (
        chat,
        {
            "prompt_tokens": 2000, "completion_tokens": 50, "total_tokens": 2050,
            "prompt_tokens_details": {"cached_tokens": 1500},
        },
        Usage(500, 1500, output_visible=50),
        (2000, 1500, 50),
        (500, 1500, 0, 50),
    ),
    "kimi: cached tokens beside the prompt's": (
        chat,
        {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340, "cached_tokens": 256},
        Usage(44, 256, output_visible=40),
        (300, 256, 40),
        (44, 256, 0, 40),
    ),
    "deepseek: hits and misses": (
        chat,
        {
            "prompt_tokens": 300, "prompt_cache_hit_tokens": 192, "prompt_cache_miss_tokens": 108, "completion_tokens": 40,
            "total_tokens": 340, "completion_tokens_details": {"reasoning_tokens": 25},
        },
        Usage(108, 192, output_visible=15, reasoning=25),
        (300, 192, 40),
        (108, 192, 0, 40),
    ),
    "qwen, and iflow: details that are null": (
        chat,
        {
            "prompt_tokens": 30, "completion_tokens": 4, "total_tokens": 34, "prompt_tokens_details": None,
            "completion_tokens_details": None,
        },
        Usage(30, output_visible=4),
        (30, 0, 4),
        (30, 0, 0, 4),
    ),
    "xai: reasoning beside the completion": (
        chat,
        {
            "prompt_tokens": 30, "completion_tokens": 4, "total_tokens": 134,
            "completion_tokens_details": {"reasoning_tokens": 100},
        },
        Usage(30, output_visible=4, reasoning=100),
        (30, 0, 104),
        (30, 0, 0, 104),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_what_a_vendor_says_falls_into_buckets(name: str) -> None:
    read, said, buckets, openai, others = GOLDEN[name]
    usage = read(said)
    assert usage == buckets
    assert usage is not None
    written = as_openai(usage)
    cached = written.get("prompt_tokens_details", {}).get("cached_tokens", 0)
    assert (written["prompt_tokens"], cached, written["completion_tokens"]) == openai
    assert written["total_tokens"] == openai[0] + openai[2]
    separate = as_anthropic(usage)
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    assert tuple(separate.get(name, 0) for name in names) == others
    assert sum(others[:3]) == openai[0]


@pytest.mark.parametrize("name", GOLDEN)
def test_what_was_said_is_kept_as_it_was_said(name: str) -> None:
    read, said, *_ = GOLDEN[name]
    usage = read(said)
    assert usage is not None
    assert usage.raw is not None
    assert usage.raw.items() <= said.items()
    assert any(value in said.values() for value in usage.raw.values())
