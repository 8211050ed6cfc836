"""What one protocol loses at another, for all ordered pairs: warnings and refusals name the client's own field as the client
spelt it, and what loses nothing is neither told nor refused."""

import json
import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from aiproxy.codecs import anthropic_messages, gemini, ollama, openai_chat, openai_responses
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.codec import Codec, Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.report import Report
from aiproxy.codecs.translation import account_for_extensions
from aiproxy.neutral.errors import Unsupported
from aiproxy.secrets import Secret

CODECS = [openai_chat.CODEC, openai_responses.CODEC, anthropic_messages.CODEC, gemini.CODEC, ollama.CODEC]
PAIRS = [pair for pair in product(CODECS, CODECS) if pair[0] is not pair[1]]
HELLO = {"role": "user", "content": "hello"}
SCHEMA = {"type": "object", "properties": {}}

SMALLEST: dict[str, dict[str, Any]] = {
    "openai-chat": {"model": "m", "messages": [HELLO]},
    "openai-responses": {"model": "m", "input": [HELLO]},
    "anthropic": {"model": "m", "max_tokens": 99, "messages": [HELLO]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
    "ollama": {"model": "m", "messages": [HELLO]},
}

NOTHING_LOST: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "frequency_penalty": 0,
        "presence_penalty": 0,
        "repetition_penalty": 1,
        "logit_bias": {},
        "n": 1,
        "logprobs": False,
        "top_logprobs": 0,
        "temperature": 1,
        "top_p": 1.0,
        "store": False,
        "modalities": ["text"],
        "response_format": {"type": "text"},
        "stream_options": {"include_usage": True},
        "service_tier": "auto",
        "reasoning_effort": "high",
    },
    "openai-responses": {
        "truncation": "disabled",
        "background": False,
        "top_logprobs": 0,
        "temperature": 1,
        "parallel_tool_calls": True,
        "include": ["reasoning.encrypted_content"],
        "text": {"format": {"type": "text"}},
        "reasoning": {"effort": "high", "summary": "auto"},
    },
    "anthropic": {"temperature": 1, "top_p": 1, "mcp_servers": [], "metadata": {"user_id": "u"}},
    "gemini": {
        "generationConfig": {
            "candidateCount": 1,
            "presencePenalty": 0,
            "frequencyPenalty": 0.0,
            "responseLogprobs": False,
            "responseModalities": ["TEXT"],
        },
        "safetySettings": [],
        "labels": {"a": "b"},
    },
    "ollama": {
        "options": {"min_p": 0, "repeat_penalty": 1, "frequency_penalty": 0, "presence_penalty": 0, "num_ctx": 99},
        "keep_alive": "5m",
        "logprobs": False,
        "top_logprobs": 0,
    },
}

MAYBE_LOST: dict[str, list[dict[str, Any]]] = {
    "openai-chat": [
        *({name: value} for name, value in (("top_k", 5), ("min_p", 0.1), ("seed", 1), ("n", 2), ("verbosity", "low"))),
        {"frequency_penalty": 0.5},
        {"presence_penalty": -0.5},
        {"repetition_penalty": 1.1},
        {"logit_bias": {"1": 2}},
        {"logprobs": True, "top_logprobs": 2},
        {"stop": ["a"]},
        {"max_tokens": 9},
        {"max_completion_tokens": 9},
        {"service_tier": "flex"},
        {"modalities": ["text", "audio"], "audio": {"voice": "a", "format": "mp3"}},
        {"response_format": {"type": "json_object"}},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}]},
        {"prediction": {"type": "content", "content": "x"}},
        {"web_search_options": {}},
        {"unknown_field": 1},
    ],
    "openai-responses": [
        {"text": {"verbosity": "low"}},
        {"max_output_tokens": 99},
        {"service_tier": "flex"},
        {"background": True},
        {"conversation": "c"},
        {"previous_response_id": "resp_x"},
        {"truncation": "auto"},
        {"top_logprobs": 2},
        {"max_tool_calls": 3},
        {"parallel_tool_calls": False},
        {"prompt": {"id": "p"}},
        {"tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}]},
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]},
        {"unknown_field": 1},
    ],
    "anthropic": [
        {"top_k": 5},
        {"stop_sequences": ["a"]},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"container": "c"},
        {"mcp_servers": [{"type": "url", "url": "http://x", "name": "n"}]},
        {"inference_geo": "us"},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"type": "bash_20250124", "name": "bash"}]},
        {"unknown_field": 1},
    ],
    "gemini": [
        {"generationConfig": {"topK": 5}},
        {"generation_config": {"top_k": 5, "seed": 3}},
        {"generation_config": {"topK": 5}},
        {"generationConfig": {"candidate_count": 2}},
        {"generation_config": {"response_modalities": ["IMAGE"]}},
        {"generationConfig": {"responseLogprobs": True, "logprobs": 2}},
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}},
        {"generation_config": {"thinking_config": {"thinking_budget": 500}}},
        {"generationConfig": {"unknownThing": 1}},
        {"generation_config": {"media_resolution": "MEDIA_RESOLUTION_LOW"}},
        {"cachedContent": "c/x"},
        {"cached_content": "c/x"},
        {"tools": [{"codeExecution": {}}]},
        {"tools": [{"url_context": {}}]},
        {"service_tier": "flex"},
        {"unknown_field": 1},
    ],
    "ollama": [
        {"options": {"top_k": 5}},
        {"options": {"min_p": 0.1}},
        {"options": {"repeat_penalty": 1.1}},
        {"options": {"seed": 1}},
        {"options": {"mirostat": 1}},
        {"options": {"num_predict": 9}},
        {"think": "high"},
        {"think": True},
        {"format": "json"},
        {"logprobs": True},
        {"raw": True},
        {"template": "x"},
        {"unknown_field": 1},
    ],
}


def told(source: Codec, target: Codec, more: Any, report: Report, capabilities: Capabilities = PERMISSIVE) -> None:
    """Translates the smallest request with these fields in it."""
    body = json.dumps({**SMALLEST[source.name], **more}).encode()
    sealer = Sealer(Secret("a sealing key"))
    request = source.decode_request(Incoming(body, model="m" if source is gemini.CODEC else None), sealer, report)
    account_for_extensions(request, source, target, report)
    up = replace(request, stream=True)
    target.encode_request(Exchange(up, sealer, "req_1", source.fields.codec, capabilities=capabilities, report=report))


def is_in(field: str, body: Any) -> bool:
    """Whether a dotted name stands in the body, letter for letter; what follows a name in brackets or after a colon is for people."""
    for step in field.split("."):
        found = re.match(r"\w+", step)
        inner = body[0] if isinstance(body, list) else body
        if not found or not isinstance(inner, dict) or found[0] not in inner:
            return False
        body = inner[found[0]]
    return True


def pair(codec: object) -> str:
    return codec.name if isinstance(codec, Codec) else str(codec)


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=pair)
def test_losses_go_by_the_clients_own_names(source: Codec, target: Codec) -> None:
    for more in MAYBE_LOST[source.name]:
        lenient, strict = Report(), Report(strict=True)
        refused: Unsupported | None = None
        try:
            told(source, target, more, lenient)
        except Unsupported as error:
            refused = error
        for warning in lenient.warnings:
            field = warning.partition(":")[2]
            # What a tool is called by its vendor stands in the list by its type, not as a name.
            assert is_in(field, more) or field.startswith("tools[]."), (more, warning)
        if refused or any(warning.startswith("drop:") for warning in lenient.warnings):
            with pytest.raises(Unsupported) as raised:
                told(source, target, more, strict)
            assert raised.value.param is not None
            assert is_in(raised.value.param, more) or raised.value.param.startswith("tools[]."), more
            assert f"`{raised.value.param}`" in raised.value.message or refused
        else:
            told(source, target, more, strict)


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=pair)
def test_what_loses_nothing_is_not_refused(source: Codec, target: Codec) -> None:
    report = Report(strict=True)
    told(source, target, NOTHING_LOST[source.name], report)
    assert [warning for warning in report.warnings if warning.startswith("drop:")] == []


@pytest.mark.parametrize("target", [openai_responses.CODEC, openai_chat.CODEC], ids=pair)
def test_a_model_that_takes_no_temperature_is_spared_its_own_default(target: Codec) -> None:
    """GPT-5 answers any temperature with an error, 1 included."""
    fixed = Capabilities(refused_sampling=frozenset({"temperature", "top_p"}))
    report = Report(strict=True)
    told(anthropic_messages.CODEC, target, {"temperature": 1, "top_p": 1.0}, report, fixed)
    assert report.warnings == ()
    with pytest.raises(Unsupported, match="temperature"):
        told(anthropic_messages.CODEC, target, {"temperature": 0.5}, Report(strict=True), fixed)
