"""A call leaves nothing behind that only the garbage collector finds: it would have to run all the time."""

import gc
import json

import pytest

from tests.rig.scripted import Rig, Streams

CALLS, CHANCE = 20, 20

CHAT = 'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
MESSAGES = "".join(
    f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
    for event in (
        {"type": "message_start", "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    )
)
GEMINI = 'data: {"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}]}\n\n'


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("keys", "answer"), [("openai", CHAT), ("claude", MESSAGES), ("gemini", GEMINI)])
def test_a_call_leaves_nothing_to_collect(keys: str, answer: str, stream: bool) -> None:
    rig = Rig(f'{keys}-api-key: [{{api-key: key-one-0123456789, base-url: "http://one.test", models: [m]}}]\n')
    streams = Streams()
    rig["one"].otherwise = streams

    def once() -> None:
        asked = rig.ask(stream=stream)
        streams.say(answer.encode())
        streams.end()
        streams.readers.clear()
        assert asked.error is None
        assert b"hi" in asked.sink.body

    once()
    gc.collect()
    gc.disable()
    try:
        found = []
        for _ in range(2):  # what earlier tests have left, and a call lets go of, is found but once
            for _ in range(CALLS):
                once()
            found.append(gc.collect())
        assert min(found) < CHANCE
    finally:
        gc.enable()
