"""A conversation's second turn: what an upstream answered comes back to it from a client of another protocol, state included."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from aiproxy.codecs.anthropic_messages import CODEC
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.codec import Codec, Exchange, Incoming
from aiproxy.codecs.report import Report
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig
from tests.codecs.anthropic_messages.exchanges import check_params
from tests.codecs.bench import SEALER
from tests.codecs.test_cases import codec

TOOL = {"type": "object", "properties": {"city": {"type": "string"}}}


def chat(answer: Any) -> dict[str, Any]:
    message = answer["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "18"}
    return {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}, message, result],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}],
    }


def responses(answer: Any) -> dict[str, Any]:
    (call,) = (item for item in answer["output"] if item["type"] == "function_call")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "18"}
    return {
        "model": "m",
        "input": [{"role": "user", "content": "x"}, *answer["output"], result],
        "tools": [{"type": "function", "name": "weather", "parameters": TOOL}],
    }


def gemini(answer: Any) -> dict[str, Any]:
    content = answer["candidates"][0]["content"]
    (call,) = (part["functionCall"] for part in content["parts"] if "functionCall" in part)
    result = {**{key: call[key] for key in ("id", "name") if key in call}, "response": {"output": "18"}}
    return {
        "contents": [
            {"role": "user", "parts": [{"text": "x"}]},
            content,
            {"role": "user", "parts": [{"functionResponse": result}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": TOOL}]}],
    }


def messages(answer: Any) -> dict[str, Any]:
    (call,) = (block for block in answer["content"] if block["type"] == "tool_use")
    return {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": answer["content"]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "18"}]},
        ],
        "tools": [{"name": "weather", "input_schema": TOOL}],
    }


FOLLOW_UPS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "openai-chat": chat,
    "openai-responses": responses,
    "gemini": gemini,
    "anthropic": messages,
}


def second_turn(upstream: Codec, client: Codec, answer: dict[str, Any], vendor: str) -> Any:
    """What the upstream gets when the client sends the answer back with the tool's result."""
    can = Capabilities(vendor=vendor)
    asked = GenerateRequest("m", reasoning=ReasoningConfig(visibility="full"))
    to_upstream = Exchange(asked, SEALER, "r1", source=client.name, capabilities=can)
    to_client = Exchange(asked, SEALER, "r1", source=client.name)
    response = upstream.decode_response(orjson.dumps(answer), to_upstream)
    shown = orjson.loads(client.encode_response(response, to_client).body)
    body = FOLLOW_UPS[client.name](shown)
    request = client.decode_request(Incoming(orjson.dumps(body), model="m", stream=False), SEALER, Report())
    again = Exchange(request, SEALER, "r2", source=client.name, capabilities=can)
    return orjson.loads(upstream.encode_request(again).body)


CONTENT = [
    {"type": "thinking", "thinking": "Where is it warm?", "signature": "EqQB"},
    {"type": "text", "text": "Let me look."},
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
]
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": CONTENT,
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


@pytest.mark.parametrize("client", ["openai-chat", "openai-responses", "gemini"])
def test_an_anthropic_upstream_gets_its_own_thinking_back(client: str) -> None:
    sent = second_turn(CODEC, codec(client), MESSAGE, "anthropic")
    check_params(sent)
    asked, answered, result = sent["messages"]
    assert asked["content"] == [{"type": "text", "text": "x"}]
    assert answered["content"] == CONTENT
    (block,) = result["content"]
    assert (block["type"], block["tool_use_id"], block["content"]) == ("tool_result", "toolu_1", "18")


def test_a_responses_upstream_gets_its_reasoning_item_back_from_our_client() -> None:
    output = [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "gAAA",
        },
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Oslo"}'},
    ]
    answer = {"id": "resp_1", "object": "response", "status": "completed", "model": "m", "output": output}
    sent = second_turn(codec("openai-responses"), CODEC, answer, "openai")
    reasoning = next(item for item in sent["input"] if item.get("type") == "reasoning")
    assert reasoning["encrypted_content"] == "gAAA"
    assert [item["call_id"] for item in sent["input"] if "call_id" in item] == ["call_1", "call_1"]


def test_a_gemini_upstream_gets_the_signature_of_its_call_back_from_our_client() -> None:
    parts = [{"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "QUJD"}]
    answer = {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}], "responseId": "r"}
    sent = second_turn(codec("gemini"), CODEC, answer, "google")
    (part,) = (part for content in sent["contents"] for part in content["parts"] if "functionCall" in part)
    assert part["thoughtSignature"] == "QUJD"
