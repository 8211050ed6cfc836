"""What xAI wants said otherwise than OpenAI."""

from typing import Any

import pytest

from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.providers.base import Operation
from aiproxy.providers.xai import REPAIRS, XAI

THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}


@pytest.mark.parametrize(
    ("came", "goes", "dropped"),
    [
        ({"model": "m", "input": "hi", "temperature": 1}, {"model": "m", "input": "hi", "temperature": 1}, ()),
        (
            {"input": "hi", "prompt_cache_retention": "24h", "safety_identifier": "s", "stream_options": {}},
            {"input": "hi"},
            ("prompt_cache_retention", "safety_identifier", "stream_options"),
        ),
        (
            {"input": [{**THOUGHT, "content": None, "encrypted_content": None}, {"role": "user", "content": None}]},
            {"input": [THOUGHT, {"role": "user", "content": None}]},
            (),
        ),
        ({"input": [{**THOUGHT, "encrypted_content": "e"}]}, {"input": [{**THOUGHT, "encrypted_content": "e"}]}, ()),
        (
            {"tools": [{"type": "web_search", "external_web_access": False}, {"type": "function", "name": "f"}]},
            {"tools": [{"type": "web_search"}, {"type": "function", "name": "f"}]},
            (),
        ),
    ],
)
def test_a_body_on_its_way(came: dict[str, Any], goes: dict[str, Any], dropped: tuple[str, ...]) -> None:
    endpoint = XAI.endpoint(Operation.CHAT, "openai-responses", "grok-4.5")
    assert endpoint is not None
    report = Report()
    assert read_object(endpoint.repaired(dump(came), report)) == goes
    assert {f"drop:{name}" for name in dropped} <= set(report.warnings)


def test_who_shortens_a_conversation_asks_for_no_answer() -> None:
    endpoint = XAI.endpoint(Operation.COMPACT, "openai-responses", "grok-4.5")
    assert endpoint is not None
    came = {"model": "m", "input": "hi", "tools": [], "temperature": 1, "stream": True}
    assert read_object(endpoint.repaired(dump(came), Report())) == {"model": "m", "input": "hi"}


@pytest.mark.parametrize("odd", [None, 7, "text", [1, None, "x", []], {"a": 1}])
def test_what_makes_no_sense_is_left_to_it(odd: Any) -> None:
    for repair in REPAIRS:
        assert not repair({"input": odd, "tools": odd})


def test_clients_of_chat_are_relayed_and_all_others_go_to_responses() -> None:
    asked = {
        protocol: XAI.endpoint(Operation.CHAT, protocol, "grok-4.5")
        for protocol in ("openai-chat", "openai-responses", "gemini")
    }
    assert [endpoint.path for endpoint in asked.values() if endpoint] == [
        "/chat/completions",
        "/responses",
        "/responses",
    ]
