"""What the stand-ins write, held to the types of the vendors' official SDKs before anything is judged by it."""

import json
from functools import cache
from typing import Any

from anthropic.types import Message, RawMessageStreamEvent
from google.genai.types import GenerateContentResponse
from ollama import ChatResponse, GenerateResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.vendors.scenarios import SCENARIOS, Answer
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


PROMPTED = TypeAdapter(GenerateResponse)
"""Of Ollama's `/api/generate`."""


@cache
def check_writers(*vendors: Vendor) -> None:
    """Every answer of every scenario, once a process: whoever starts the stand-ins asks for it first."""
    for vendor in vendors:
        for answer in ANSWERS.values():
            check(vendor, answer)


def check(vendor: Vendor, answer: Answer) -> None:
    """Raises `ValidationError`."""
    protocol = vendor.protocol or vendor.name
    WHOLE[protocol].validate_python(json.loads(vendor.whole(Asked("m", streamed=False), answer)))
    for body in _bodies(vendor.events(Asked("m", streamed=True), answer)):
        EVENT[protocol].validate_python(body)
    if protocol == "ollama":
        PROMPTED.validate_python(json.loads(vendor.whole(Asked("m", streamed=False, prompted=True), answer)))


def _bodies(events: list[bytes]) -> list[Any]:
    """What the events carry, without pings and the end mark, of which the SDKs have no types."""
    found = []
    for event in events:
        payload = event.rstrip().rpartition(b"data: ")[2]
        if payload not in (b"[DONE]", b'{"type":"ping"}'):
            found.append(json.loads(payload))
    return found
