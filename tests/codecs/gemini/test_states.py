"""Opaque state: Google's goes back to Google and the model that made it, everyone else's travels sealed in Gemini's one slot."""

import json
from typing import Any

import pytest

from aiproxy.codecs.gemini import CODEC
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.parts import ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import GenerateRequest, Turn
from aiproxy.neutral.response import Candidate, GenerateResponse
from tests.codecs.bench import FOREIGN
from tests.codecs.gemini.exchanges import NATIVE, decode, encode, exchange

BYPASS = "skip_thought_signature_validator"
THIRD, SECOND = "gemini-3-pro-preview", "gemini-2.5-pro"

STATES = [
    (ReasoningPart("Hm.", opaque=(OpaqueState("anthropic", "thinking_signature", "sig"),)), "claude's thinking"),
    (ReasoningPart(redacted=True, opaque=(OpaqueState("anthropic", "redacted_thinking", "blob"),)), "redacted"),
    (
        ReasoningPart(
            summaries=("One.",), opaque=(OpaqueState("openai", "encrypted_reasoning", "enc", "rs_1", "gpt"),)
        ),
        "openai's reasoning",
    ),
    (ReasoningPart("Hm.", opaque=(OpaqueState("deepseek", "reasoning_text", ""),)), "a reasoning text"),
]


@pytest.mark.parametrize(("part", "_name"), STATES)
def test_every_vendors_state_comes_back_as_it_was(part: ReasoningPart, _name: str) -> None:
    response = GenerateResponse("r", "m", candidates=(Candidate(0, (part, TextPart("Hello"))),))
    content = json.loads(CODEC.encode_response(response, exchange()).body)["candidates"][0]["content"]
    assert decode({"contents": [content]}).turns[0].parts == (part, TextPart("Hello"))


@pytest.mark.parametrize("source", [NATIVE, FOREIGN])
def test_another_vendors_state_never_reaches_google(source: str) -> None:
    for part, _ in STATES:
        turns = (Turn("user", (TextPart("hi"),)), Turn("assistant", (part, TextPart("Hello"))))
        body = CODEC.encode_request(exchange(GenerateRequest(THIRD, turns), source=source)).body
        assert b"thoughtSignature" not in body
        assert b"aipx1" not in body


def calls(model: str | None, *, vendor: str = "google") -> tuple[Turn, ...]:
    state = OpaqueState(vendor, "thought_signature", "AAEC", model=model)
    call = ToolCallPart("c1", "f", "{}", opaque=(state,))
    return (Turn("user", (TextPart("hi"),)), Turn("assistant", (call, ToolCallPart("c2", "f", "{}"))))


def signatures(body: dict[str, Any]) -> list[str | None]:
    return [part.get("thoughtSignature") for part in body["contents"][1]["parts"]]


@pytest.mark.parametrize(
    ("made_by", "model", "expected"),
    [
        (None, THIRD, "AAEC"),
        (THIRD, THIRD, "AAEC"),
        (SECOND, THIRD, BYPASS),
        (THIRD, SECOND, None),
        (SECOND, SECOND, "AAEC"),
        (THIRD, "gemini-pro-latest", BYPASS),
        (THIRD, "claude-sonnet-4-6", None),
    ],
)
def test_a_signature_goes_back_to_the_model_that_made_it(made_by: str | None, model: str, expected: str | None) -> None:
    body = encode(GenerateRequest(model, calls(made_by)))
    assert signatures(body) == [expected, None]


def test_a_gemini_clients_own_signatures_are_left_alone() -> None:
    request = GenerateRequest(THIRD, (Turn("user"), Turn("assistant", (ToolCallPart("c1", "f", "{}"),))))
    body = json.loads(CODEC.encode_request(exchange(request)).body)
    assert signatures(body) == [None]
    foreign = json.loads(CODEC.encode_request(exchange(GenerateRequest(THIRD, calls(None, vendor="openai")))).body)
    assert signatures(foreign) == [BYPASS, None]
