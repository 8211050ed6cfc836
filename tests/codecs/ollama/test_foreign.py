"""Requests of every other protocol, sent to an Ollama upstream, and Ollama's own sent elsewhere."""

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ollama import _types as types
from pydantic import TypeAdapter

from aiproxy.codecs.codec import Codec, Incoming
from aiproxy.codecs.features import FEATURES
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.ollama import CODEC
from aiproxy.codecs.report import Report
from aiproxy.codecs.translation import account_for_extensions
from aiproxy.neutral.errors import GatewayError, Unsupported
from tests.codecs.ollama.exchanges import SEALER, decode, encode, exchange
from tests.codecs.ollama.strategies import chat_requests

OTHERS: Mapping[str, Codec] = {
    name: import_module(f"aiproxy.codecs.{name}").CODEC
    for name in ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
}

REQUESTS: Mapping[str, st.SearchStrategy[Any]] = {
    name: import_module(f"tests.codecs.{name}.strategies").requests for name in OTHERS
}

TOLERANT = frozenset(FEATURES)
"""Every feature: what Ollama would refuse is left out instead."""

CHAT_REQUEST = TypeAdapter(types.ChatRequest)


@given(st.one_of(*(st.tuples(st.just(name), requests) for name, requests in REQUESTS.items())))
def test_what_ollama_can_say_of_a_foreign_request_survives_the_way_there_and_back(asked: tuple[str, Any]) -> None:
    name, body = asked
    source, report = OTHERS[name], Report(tolerated=TOLERANT)
    try:
        request = source.decode_request(Incoming(dump(body), model="m", stream=False), SEALER, report)
        sent = encode(request, source.name, report)
    except GatewayError:
        assume(False)
    for message in sent["messages"]:
        types.Message.model_validate({**message, "images": None})
    CHAT_REQUEST.validate_python({**sent, "messages": [], "tools": None})
    assume(says_something(sent.get("options", {})))
    assume(all("id" in call for message in sent["messages"] for call in message.get("tool_calls", ())))
    assert encode(decode(sent), "elsewhere", Report(tolerated=TOLERANT)) == sent


def says_something(options: Mapping[str, Any]) -> bool:
    """Without values that mean something else to Ollama, or nothing to any server."""
    return (
        options.get("seed") != -1
        and options.get("num_predict", 0) >= 0
        and options.get("stop") != [""]
        and options.get("top_k", 0) % 1 == 0
    )


@given(st.sampled_from(sorted(OTHERS)), chat_requests)
def test_requests_of_ollamas_clients_go_everywhere_or_are_refused(name: str, body: dict[str, Any]) -> None:
    report = Report(tolerated=TOLERANT)
    request = decode(body, report=report)
    with suppress(GatewayError):
        OTHERS[name].encode_request(exchange(request, report=report))
    with suppress(Unsupported):
        account_for_extensions(request, CODEC, OTHERS[name], report)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"raw": True}, "raw"),
        ({"template": "{{ .Prompt }}"}, "template"),
        ({"context": [1]}, "context"),
        ({"suffix": "end"}, "suffix"),
        ({"width": 64}, "width"),
    ],
)
def test_fields_that_matter_are_refused_elsewhere(body: dict[str, Any], field: str) -> None:
    report = Report()
    request = decode({"model": "m", "prompt": "hi", **body}, "generate", report)
    with pytest.raises(Unsupported) as caught:
        account_for_extensions(request, CODEC, OTHERS["gemini"], report)
    assert caught.value.param == field


def test_the_loss_of_options_that_shape_the_answer_is_told_and_that_of_others_not() -> None:
    report = Report()
    options = {"num_ctx": 4096, "mirostat": 2, "typical_p": 0.5, "temperature": 1}
    request = decode({"model": "m", "messages": [], "keep_alive": "5m", "options": options, "new": 1}, report=report)
    account_for_extensions(request, CODEC, OTHERS["gemini"], report)
    assert report.warnings == ("drop:new", "drop:options.mirostat", "drop:options.typical_p")
    assert report.fates["options"] == report.fates["keep_alive"] == "dropped"
    assert report.fates["options.temperature"] == "mapped"
