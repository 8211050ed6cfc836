"""Each writer is held to the types of its vendor's official SDK before anything is judged by it."""

import json
from typing import Any

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from google.genai.types import GenerateContentResponse
from ollama import ChatResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.vendors.scenarios import SCENARIOS, Answer
from tests.vendors.stand_in import VENDORS
from tests.vendors.vendor import Asked, Vendor

WHOLE: dict[str, TypeAdapter[Any]] = {
    "openai-chat": TypeAdapter(ChatCompletion),
    "openai-responses": TypeAdapter(Response),
    "anthropic-messages": TypeAdapter(Message),
    "gemini": TypeAdapter(GenerateContentResponse),
    "ollama": TypeAdapter(ChatResponse),
}
EVENT: dict[str, TypeAdapter[Any]] = {
    **WHOLE,
    "openai-chat": TypeAdapter(ChatCompletionChunk),
    "openai-responses": TypeAdapter(ResponseStreamEvent),
    "anthropic-messages": TypeAdapter(RawMessageStreamEvent),
}

ANSWERS = {
    f"{scenario.name}-{turn}": answer
    for scenario in SCENARIOS.values()
    for turn, answer in enumerate((scenario.first, scenario.after_results))
    if isinstance(answer, Answer)
}


def bodies(events: list[bytes]) -> list[Any]:
    """What the events carry, without pings and the end mark, of which the SDKs have no types."""
    found = []
    for event in events:
        payload = event.rstrip().rpartition(b"data: ")[2]
        if payload not in (b"[DONE]", b'{"type":"ping"}'):
            found.append(json.loads(payload))
    return found


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_what_is_written_has_the_types_of_the_sdk(vendor: Vendor, answer: Answer) -> None:
    WHOLE[vendor.protocol or vendor.name].validate_python(json.loads(vendor.whole(Asked("m", streamed=False), answer)))
    for body in bodies(vendor.events(Asked("m", streamed=True), answer)):
        EVENT[vendor.protocol or vendor.name].validate_python(body)
