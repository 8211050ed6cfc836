"""Thinking and its opaque state: sealed on the way to a client, opened on the way back, returned only to who made it."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.envelope import Envelope, is_envelope
from aiproxy.codecs.openai_chat import CODEC
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig, Turn
from aiproxy.neutral.response import Candidate, GenerateResponse
from aiproxy.secrets import Secret
from tests.codecs.openai_chat.exchanges import ASKED, SEALER, decoded, encoded, exchange, request_of, written
from tests.grammars.openai_chat import payloads

SIGNED = OpaqueState("anthropic", "thinking_signature", "sig", model="claude")
REDACTED = OpaqueState("anthropic", "redacted_thinking", "blob", model="claude")
ENCRYPTED = OpaqueState("openai", "encrypted_reasoning", "gAAA", "rs_1", "gpt")
THOUGHT = OpaqueState("google", "thought_signature", "c2ln", model="gemini")
NATIVE = replace(THOUGHT, model=None)

PARTS: tuple[Part, ...] = (
    ReasoningPart("a", opaque=(SIGNED,)),
    ReasoningPart(redacted=True, opaque=(REDACTED,)),
    TextPart("Yes"),
    ToolCallPart("call_1", "f", "{}", opaque=(NATIVE,)),
)


def answer_of(*parts: Part) -> GenerateResponse:
    return GenerateResponse("c", "m", 1, (Candidate(0, parts, "tool_calls"),))


def message_of(*parts: Part) -> dict[str, Any]:
    body = orjson.loads(CODEC.encode_response(answer_of(*parts), exchange()).body)
    found: dict[str, Any] = body["choices"][0]["message"]
    return found


def sent_back(message: dict[str, Any]) -> GenerateRequest:
    result = {"role": "tool", "tool_call_id": "call_1", "content": "1"}
    return request_of({**ASKED, "messages": [*ASKED["messages"], message, result]})


def test_state_survives_a_client_that_sends_messages_back_as_they_came() -> None:
    assert sent_back(message_of(*PARTS)).turns[1].parts == tuple(
        replace(part, extensions=found.extensions)
        for part, found in zip(PARTS, sent_back(message_of(*PARTS)).turns[1].parts, strict=True)
    )


def test_what_is_sealed_never_reaches_an_upstream() -> None:
    request = sent_back(message_of(*PARTS))
    for source in ("openai-chat", "other"):
        for vendor in ("", "openai", "deepseek", "anthropic"):
            body = CODEC.encode_request(exchange(request, source, Capabilities(vendor=vendor))).body
            assert b"aipx1." not in body


def test_a_seal_of_another_tenant_is_nothing() -> None:
    foreign = replace(SEALER, tenant="other").seal(Envelope(SIGNED))
    details = [{"type": "reasoning.encrypted", "data": foreign}]
    turn = sent_back({"role": "assistant", "content": "a", "reasoning_details": details}).turns[1]
    assert not any(part.opaque for part in turn.parts)
    forged = replace(SEALER, key=Secret("guessed")).seal(Envelope(THOUGHT))
    call: dict[str, Any] = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    call["extra_content"] = {"google": {"thought_signature": forged}}
    request = sent_back({"role": "assistant", "content": None, "tool_calls": [call]})
    assert not any(part.opaque for part in request.turns[1].parts)
    assert forged.encode() not in CODEC.encode_request(exchange(request)).body


def test_only_googles_own_signature_is_shown_as_it_is() -> None:
    (call,) = message_of(ToolCallPart("c", "f", "{}", opaque=(NATIVE,)))["tool_calls"]
    assert call["extra_content"]["google"]["thought_signature"] == "c2ln"
    (call,) = message_of(ToolCallPart("c", "f", "{}", opaque=(replace(NATIVE, vendor="other"),)))["tool_calls"]
    assert is_envelope(call["extra_content"]["google"]["thought_signature"])


def test_hidden_thinking_carries_its_state_without_its_text() -> None:
    hidden = exchange(replace(request_of(ASKED), reasoning=ReasoningConfig(visibility="hidden")))
    response = answer_of(ReasoningPart("secret thoughts", opaque=(SIGNED,)), TextPart("a"))
    for shown in (CODEC.encode_response(response, hidden).body, encoded(list(explode(response)), hidden)):
        assert b"secret thoughts" not in shown
        assert b"reasoning_details" in shown


@pytest.mark.parametrize("streamed", [False, True])
def test_an_upstreams_own_state_comes_back_through_a_foreign_client(streamed: bool) -> None:
    can = Capabilities(vendor="openrouter")
    details = [
        {"type": "reasoning.text", "text": "a", "signature": "s1", "index": 0},
        {"type": "reasoning.encrypted", "data": "blob", "id": "rs_1", "index": 1},
    ]
    message = {"content": "Yes", "reasoning": "a", "reasoning_details": details}
    asked = exchange(GenerateRequest("m"), "anthropic", can)
    if streamed:
        lines: list[dict[str, Any]] = [{"choices": [{"delta": {"reasoning_details": [entry]}}]} for entry in details]
        last = {"choices": [{"delta": {"content": "Yes"}, "finish_reason": "stop"}]}
        parts = (
            collect(decoded([orjson.dumps({"id": "c", **line}) for line in [*lines, last]], asked)).candidates[0].parts
        )
    else:
        body = orjson.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})
        parts = CODEC.decode_response(body, asked).candidates[0].parts
    request = GenerateRequest("m", (Turn("user", (TextPart("hi"),)), Turn("assistant", parts)))
    said = written(exchange(request, "anthropic", can))["messages"][1]
    assert said["reasoning_details"] == details
    elsewhere = written(exchange(replace(request, model="other"), "anthropic", can))["messages"][1]
    assert "reasoning_details" not in elsewhere


def test_openai_itself_gets_no_thinking() -> None:
    request = GenerateRequest(
        "m", (Turn("user", (TextPart("hi"),)), Turn("assistant", (ReasoningPart("a"), TextPart("b"))))
    )
    assert "a" in str(written(exchange(request, "ollama"))["messages"][1].get("reasoning_content"))
    assert set(written(exchange(request, "ollama", Capabilities(vendor="openai")))["messages"][1]) == {
        "role",
        "content",
    }


def test_a_signature_on_text_rides_with_the_message() -> None:
    wire = encoded(list(explode(answer_of(TextPart("a", opaque=(NATIVE,))))), exchange())
    events = decoded(payloads(wire), exchange(can=Capabilities(vendor="google")))
    (part,) = collect(events).candidates[0].parts
    assert [state.data for state in part.opaque] == ["c2ln"]
    message = {**message_of(TextPart("a", opaque=(NATIVE,))), "tool_calls": None}
    request = sent_back(message)
    assert request.turns[1].parts[0].opaque == (NATIVE,)
    assert written(exchange(request))["messages"][1] == message


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reasoning_effort": "high"}, ReasoningConfig(effort="high")),
        ({"reasoning_effort": "none"}, ReasoningConfig(mode="off", effort="none")),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, ReasoningConfig(mode="manual", budget_tokens=9)),
        ({"thinking": {"type": "enabled"}}, ReasoningConfig(mode="adaptive")),
        ({"thinking": {"type": "disabled"}}, ReasoningConfig(mode="off", effort="none")),
        ({"enable_thinking": True, "thinking_budget": 5}, ReasoningConfig(mode="manual", budget_tokens=5)),
        ({"chat_template_kwargs": {"thinking": False}}, ReasoningConfig(mode="off", effort="none")),
        ({"reasoning": {"effort": "low", "exclude": True}}, ReasoningConfig(effort="low", visibility="hidden")),
        ({"reasoning": {"enabled": True}}, ReasoningConfig(mode="adaptive")),
        ({"reasoning": {"max_tokens": 7}}, ReasoningConfig(mode="manual", budget_tokens=7)),
        ({"include_reasoning": False}, ReasoningConfig(visibility="hidden")),
        (
            {"extra_body": {"google": {"thinking_config": {"thinking_level": "HIGH", "include_thoughts": True}}}},
            ReasoningConfig(effort="high", visibility="full"),
        ),
        ({"thinking": 5, "reasoning": "much"}, ReasoningConfig()),
    ],
)
def test_every_dialects_switch_means_the_same(fields: dict[str, Any], expected: ReasoningConfig) -> None:
    request = request_of({**ASKED, **fields})
    assert request.reasoning == expected
    assert written(exchange(request)) == {**ASKED, **fields}
