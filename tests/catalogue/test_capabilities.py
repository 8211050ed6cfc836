"""What is known of models: well-known names as a table, and the data file held to its own rules."""

from typing import Any

import orjson
import pytest

from aiproxy.catalogue import capabilities as lookup
from aiproxy.catalogue.capabilities import LONGEST_NAME, capabilities_of, packaged, read_data
from aiproxy.catalogue.globs import matches
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities

SAMPLING_OF_CLAUDE = frozenset({"temperature", "top_p", "top_k"})
SAMPLING_OF_GPT = frozenset(
    {"temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs"}
)

KNOWN: dict[str, dict[str, Any]] = {
    "text-embedding-3-small": {"output_modalities": {"embedding"}, "tools": False},
    "gemini-embedding-001": {"output_modalities": {"embedding"}, "tools": False},
    "embeddinggemma:300m": {"output_modalities": {"embedding"}, "tools": False},
    "nomic-embed-text": {"output_modalities": {"embedding"}, "tools": False},
    "mxbai-embed-large": {"output_modalities": {"embedding"}, "tools": False},
    "all-minilm:33m": {"output_modalities": {"embedding"}, "tools": False},
    "bge-m3": {"output_modalities": {"embedding"}, "tools": False},
    "snowflake-arctic-embed2": {"output_modalities": {"embedding"}, "tools": False},
    "qwen3-embedding:8b": {"output_modalities": {"embedding"}, "tools": False},
    "granite-embedding:30m": {"output_modalities": {"embedding"}, "tools": False},
    "paraphrase-multilingual": {"output_modalities": {"embedding"}, "tools": False},
    "claude-3-5-haiku-20241022": {"thinking": "none", "max_output_tokens": 8192, "prefill": True},
    "claude-3-7-sonnet-20250219": {"thinking": "budget", "max_output_tokens": 64000, "json_schema": False},
    "claude-opus-4-20250514": {"thinking": "budget", "max_output_tokens": 32000, "json_schema": False},
    "claude-opus-4": {"max_output_tokens": 32000},
    "claude-opus-4@20250514": {"max_output_tokens": 32000},
    "claude-opus-4-1-20250805": {"max_output_tokens": 32000, "context_tokens": 200000},
    "claude-sonnet-4": {"max_output_tokens": 64000, "json_schema": False},
    "claude-sonnet-4-20250514": {"max_output_tokens": 64000, "json_schema": False},
    "claude-sonnet-4@20250514": {"max_output_tokens": 64000, "json_schema": False},
    "claude-sonnet-4-5-20250929": {
        "vendor": "anthropic",
        "thinking": "budget",
        "context_tokens": 200000,
        "max_output_tokens": 64000,
        "temperature_max": 1.0,
        "refused_sampling": frozenset(),
        "json_schema": True,
        "prefill": True,
        "system_turns_midway": False,
        "tool_result_media": True,
    },
    "claude-opus-4.5": {"thinking": "budget", "max_output_tokens": 64000, "prefill": True},
    "claude-haiku-4-5-20251001": {"thinking": "budget", "max_output_tokens": 64000},
    "claude-sonnet-4-6": {
        "max_output_tokens": 128000,
        "efforts": ("low", "medium", "high", "max"),
        "refused_sampling": frozenset(),
    },
    "claude-opus-4-6[1m]": {"thinking": "adaptive", "context_tokens": 1000000, "prefill": False},
    "claude-opus-4-7": {"refused_sampling": SAMPLING_OF_CLAUDE, "system_turns_midway": False},
    "claude-opus-4-8": {"refused_sampling": SAMPLING_OF_CLAUDE, "system_turns_midway": True},
    "claude-opus-5": {"thinking_can_be_off": True, "tool_choices": PERMISSIVE.tool_choices},
    "claude-opus-5-20260505": {"thinking_can_be_off": True, "tool_choices": PERMISSIVE.tool_choices},
    "claude-opus-5-5": {
        "thinking": "adaptive",
        "efforts": ("low", "medium", "high", "xhigh", "max"),
        "thinking_can_be_off": False,
        "tool_choices": frozenset({"auto", "none"}),
        "max_output_tokens": 128000,
    },
    "claude-sonnet-5": {"thinking_can_be_off": True, "system_turns_midway": True},
    "claude-sonnet-5-5": {"thinking_can_be_off": False, "tool_choices": frozenset({"auto", "none"})},
    "claude-haiku-5-5": {"thinking_can_be_off": True, "context_tokens": 1000000},
    "claude-fable-5": {"thinking_can_be_off": False, "tool_choices": PERMISSIVE.tool_choices},
    "claude-fable-5-1": {"thinking_can_be_off": False, "tool_choices": frozenset({"auto", "none"})},
    "claude-fable-5-2": {"thinking_can_be_off": False, "tool_choices": frozenset({"auto", "none"})},
    "claude-mythos-5": {"thinking_can_be_off": False, "tool_choices": PERMISSIVE.tool_choices, "prefill": False},
    "claude-mythos-5-1": {"thinking_can_be_off": False, "tool_choices": frozenset({"auto", "none"})},
    "claude-mythos-5-2": {"system_turns_midway": True, "tool_choices": frozenset({"auto", "none"})},
    "claude-tale-9": {"vendor": "anthropic", "thinking": None, "max_output_tokens": None},
    "gemini-2.5-pro": {"budget_tokens": (128, 32768), "thinking_can_be_off": False, "tool_result_media": False},
    "gemini-2.5-flash": {"thinking": "budget", "budget_tokens": (0, 24576), "context_tokens": 1048576},
    "gemini-2.5-flash-lite": {"budget_tokens": (512, 24576), "max_output_tokens": 65536},
    "gemini-2.5-flash-image-preview": {"thinking": None, "budget_tokens": None, "context_tokens": None},
    "gemini-3-pro-preview": {"thinking": "level", "efforts": ("low", "high"), "thinking_can_be_off": False},
    "gemini-3-pro-image-preview": {"efforts": ("low", "high"), "max_output_tokens": None},
    "gemini-3.1-pro-preview": {"efforts": ("low", "medium", "high"), "thinking_can_be_off": False},
    "gemini-3-flash-preview": {"efforts": ("minimal", "low", "medium", "high")},
    "gemini-3.1-flash-image-preview": {"efforts": ("minimal", "high"), "context_tokens": None},
    "gemini-3.7-flash": {"vendor": "google", "thinking": "level", "tool_result_media": True},
    "gpt-3.5-turbo": {"vendor": "openai", "thinking": "none"},
    "gpt-4o-mini": {"vendor": "openai", "thinking": "none", "refused_sampling": frozenset()},
    "chatgpt-4o-latest": {"thinking": "none"},
    "gpt-5": {"thinking": "effort", "refused_sampling": SAMPLING_OF_GPT, "context_tokens": 400000},
    "gpt-5-2025-08-07": {"refused_sampling": SAMPLING_OF_GPT, "max_output_tokens": 128000},
    "gpt-5-mini": {"refused_sampling": SAMPLING_OF_GPT, "stop_limit": 0},
    "gpt-5-nano": {"efforts": ("minimal", "low", "medium", "high"), "thinking_can_be_off": False},
    "gpt-5-codex-mini": {"refused_sampling": SAMPLING_OF_GPT, "efforts": ("low", "medium", "high")},
    "gpt-5-pro": {"efforts": ("high",), "thinking_can_be_off": False},
    "gpt-5.1": {"efforts": ("none", "low", "medium", "high"), "thinking_can_be_off": True},
    "gpt-5.1-2025-11-13": {"efforts": ("none", "low", "medium", "high")},
    "gpt-5.1-codex": {"efforts": ("low", "medium", "high"), "thinking_can_be_off": False},
    "gpt-5.1-codex-mini": {"efforts": ("medium", "high"), "thinking_can_be_off": False},
    "gpt-5.1-codex-max": {"efforts": ("low", "medium", "high", "xhigh")},
    "gpt-5.2-codex": {"efforts": ("low", "medium", "high", "xhigh"), "thinking_can_be_off": False},
    "gpt-5.3-codex": {"efforts": ("low", "medium", "high", "xhigh")},
    "gpt-5-chat-latest": {"thinking": "none", "refused_sampling": frozenset(), "stop_limit": None},
    "gpt-5.2": {"efforts": ("none", "low", "medium", "high", "xhigh"), "context_tokens": 400000},
    "gpt-5.2-2025-12-11": {"context_tokens": 400000},
    "gpt-5.3-codex-spark": {"context_tokens": 128000, "efforts": ("low", "medium", "high", "xhigh")},
    "gpt-5.4": {"context_tokens": 1050000, "refused_sampling": frozenset()},
    "gpt-5.4-2026-03-05": {"context_tokens": 1050000},
    "gpt-5.4-mini": {"context_tokens": None, "max_output_tokens": 128000},
    "gpt-5.4-nano": {"efforts": ("none", "low", "medium", "high", "xhigh")},
    "gpt-5.4-pro": {"efforts": None, "thinking": "effort"},
    "gpt-5.5": {"context_tokens": 1050000, "refused_sampling": SAMPLING_OF_GPT},
    "gpt-5.6-sol": {"efforts": ("none", "low", "medium", "high", "xhigh", "max")},
    "gpt-oss:120b": {"vendor": "", "thinking": None},
    "o1": {"thinking": "effort", "stop_limit": None},
    "o1-pro": {"refused_sampling": SAMPLING_OF_GPT},
    "o3": {"stop_limit": 0},
    "o3-mini": {"efforts": ("low", "medium", "high"), "thinking_can_be_off": False, "stop_limit": 0},
    "o4-mini": {"refused_sampling": SAMPLING_OF_GPT, "stop_limit": 0},
    "grok-4.6": {"vendor": "xai", "efforts": ("low", "medium", "high", "xhigh"), "freeform_tools": False},
    "grok-4.5": {"context_tokens": 500000, "efforts": ("low", "medium", "high")},
    "grok-4.3": {"context_tokens": 1000000, "efforts": ("none", "low", "medium", "high")},
    "grok-4.20-0309-reasoning": {"context_tokens": 2000000, "thinking": "none"},
    "grok-4.20-multi-agent-0309": {"context_tokens": 2000000, "thinking": "effort"},
    "grok-3-mini-fast": {"context_tokens": 131072, "max_output_tokens": 32768},
    "grok-build-0.1": {"max_output_tokens": 256000, "thinking": "none"},
    "grok-composer-2.5-fast": {"max_output_tokens": 32768},
    "kimi-k2": {"vendor": "moonshot", "thinking": "none", "thinking_placeholder": False},
    "kimi-k2-0905": {"thinking": "none", "context_tokens": 131072},
    "kimi-k2-thinking": {"thinking": None, "thinking_placeholder": True},
    "k2.5": {"vendor": "moonshot"},
    "k2.5-preview": {"vendor": "moonshot"},
    "kimi-k2.6": {"efforts": ("none", "low", "high")},
    "k2.6": {"efforts": ("none", "low", "high"), "thinking_can_be_off": True},
    "kimi-k2.7-code": {"efforts": ("low", "high"), "thinking_can_be_off": False},
    "k2.7-code-highspeed": {"thinking_can_be_off": False},
    "kimi-for-coding": {"thinking_can_be_off": False},
    "kimi-k3": {"context_tokens": 1048576},
    "k3": {"context_tokens": 1048576, "vendor": "moonshot"},
    "kimi-k3-256k": {"efforts": ("low", "high", "max"), "context_tokens": None},
    "k3-256k": {"efforts": ("low", "high", "max"), "thinking_placeholder": True},
    "coder-model": {"vendor": "qwen", "context_tokens": 1048576, "max_output_tokens": 65536},
    "qwen3-coder-plus": {"vendor": "qwen"},
    "deepseek-chat": {"thinking": "none", "json_schema": False, "json_object": True},
    "deepseek-reasoner": {"thinking": None, "thinking_placeholder": True, "json_schema": False},
    "deepseek-v3.2": {"vendor": "deepseek", "json_schema": None},
    "deepseek-v4-pro": {"efforts": ("low", "high", "max"), "thinking_placeholder": True},
    **{
        name: {"vendor": "mistral", "tool_id_rule": "mistral"}
        for name in (
            "mistral-large-latest",
            "ministral-8b-latest",
            "magistral-medium-latest",
            "codestral-latest",
            "devstral-small-latest",
            "pixtral-large-latest",
            "open-mistral-nemo",
            "open-mixtral-8x22b",
        )
    },
    "glm-4.6": {"vendor": "zhipu"},
    "MiniMax-M2": {"vendor": "minimax"},
}


@pytest.mark.parametrize("name", KNOWN)
def test_well_known_models(name: str) -> None:
    found = capabilities_of(name)
    assert {key: getattr(found, key) for key in KNOWN[name]} == KNOWN[name]


@pytest.mark.parametrize("glob", [glob for glob, _ in packaged().by_glob])
def test_every_glob_matches_a_well_known_name(glob: str) -> None:
    assert any(matches(name, (glob,)) for name in KNOWN)


def test_equally_specific_globs_never_disagree_about_a_well_known_name() -> None:
    for name in KNOWN:
        ranked = [(lookup._specificity(glob), says) for glob, says in packaged().by_glob if matches(name, (glob,))]
        for rank, says in ranked:
            for other_rank, other in ranked:
                if rank == other_rank:
                    assert all(says[key] == other[key] for key in says.keys() & other.keys()), name


@pytest.mark.parametrize(
    "name", ["anthropic/claude-opus-5-5", "models/CLAUDE-OPUS-5-5", "publishers/anthropic/models/claude-opus-5-5"]
)
def test_a_path_and_capitals_are_not_part_of_a_name(name: str) -> None:
    assert capabilities_of(name) == capabilities_of("claude-opus-5-5")


@pytest.mark.parametrize(
    "name", ["", "/", "nobodys-model", "my-claude-opus-5-5", "claude-opus-5-5" + "x" * LONGEST_NAME]
)
def test_of_unknown_models_all_is_asked(name: str) -> None:
    assert capabilities_of(name) == PERMISSIVE
    assert capabilities_of(name, "google") == Capabilities(vendor="google")


def test_the_upstream_knows_best_whose_models_it_serves() -> None:
    assert capabilities_of("claude-opus-5-5", "google").vendor == "google"
    assert capabilities_of("claude-opus-5-5", "google").thinking == "adaptive"


def test_answers_are_kept() -> None:
    assert capabilities_of("openai/gpt-5.6-sol", "openai") is capabilities_of("GPT-5.6-SOL", "openai")


def test_no_limit_exceeds_its_frame() -> None:
    for name in KNOWN:
        found = capabilities_of(name)
        if found.context_tokens is not None and found.max_output_tokens is not None:
            assert 0 < found.max_output_tokens <= found.context_tokens, name
        assert (found.thinking == "budget") >= (found.budget_tokens is not None), name


def written(**entry: Any) -> bytes:
    family = {"family": "f", "source": "s", "entries": [{"models": ["m"], **entry}]}
    return orjson.dumps({"date": "2026-01-31", "families": [family]})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"thinkin": "none"}, "m: unknown: .'thinkin'."),
        ({}, "m: says nothing"),
        ({"models": [], "vendor": "v"}, "not an entry"),
        ({"models": [7], "vendor": "v"}, "not a word: 7"),
        ({"vendor": ""}, "m: vendor: not a word"),
        ({"thinking": "deep"}, "m: thinking: not one of none, effort"),
        ({"efforts": []}, "m: efforts: not each once, weakest first"),
        ({"efforts": ["high", "low"]}, "m: efforts: not each once, weakest first"),
        ({"efforts": ["low", "low"]}, "m: efforts: not each once, weakest first"),
        ({"efforts": ["little"]}, "m: efforts: not one of"),
        ({"budget_tokens": [5, 1]}, "m: budget_tokens: the least is above the most"),
        ({"budget_tokens": [1]}, "m: budget_tokens: "),
        ({"context_tokens": -1}, "m: context_tokens: not a count"),
        ({"context_tokens": True}, "m: context_tokens: not a count"),
        ({"temperature_max": "1"}, "m: temperature_max: not a number"),
        ({"tools": 1}, "m: tools: not true or false"),
        ({"refused_sampling": ["heat"]}, "m: refused_sampling: not one of temperature"),
        ({"tool_choices": "auto"}, "m: tool_choices: not a list"),
        ({"models": ["m", "m"], "vendor": "v"}, "m: said twice: .'vendor'."),
    ],
)
def test_what_cannot_be_right_is_refused(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_data(written(**entry))


@pytest.mark.parametrize("text", [b"", b"[]", b'{"date": "2026-01-31"}', b'{"date": 7, "families": []}'])
def test_what_is_no_data_file_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        read_data(text)


def test_null_takes_back() -> None:
    (family,) = read_data(written(efforts=None, tools=None, hosted_tools=["web_search"])).families
    says = {"efforts": None, "tools": True, "hosted_tools": frozenset({"web_search"})}
    assert family.entries[0].says == says
