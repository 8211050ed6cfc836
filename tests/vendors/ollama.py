"""/api/chat and /api/generate, as an Ollama server speaks them: lines of JSON, calls whole, no signatures, few reasons to stop.

Source: Ollama, docs/api.md and api/types.go."""

import base64
from collections.abc import Mapping
from typing import Any

from ollama._types import ChatRequest, GenerateRequest

from tests.rig.upstream import Received
from tests.vendors.scenarios import Answer, Failure
from tests.vendors.vendor import Asked, Vendor, dumps, escaped, texts_of

DONE_REASON = {"stop": "stop", "length": "length", "calls": "stop", "filtered": "stop", "refused": "stop"}


def asked(received: Received) -> Asked:
    body = received.json
    if received.path == "/api/generate":
        GenerateRequest.model_validate(body)
        instructions = (body["system"],) if "system" in body else ()
        return Asked(body["model"], body.get("stream", True), (body["prompt"],), instructions, prompted=True)
    assert received.path == "/api/chat", received.path
    ChatRequest.model_validate(body)
    messages = body["messages"]
    for message in messages:
        assert isinstance(message.get("content", ""), str), "content is a string"
        for call in message.get("tool_calls") or ():
            assert isinstance(call["function"]["arguments"], dict), "arguments are an object"
    of_users = [message for message in messages if message["role"] == "user"]
    schema = body.get("format")
    return Asked(
        body["model"],
        body.get("stream", True),
        tuple(text for message in of_users for text in texts_of(message["content"])),
        tuple(message["content"] for message in messages if message["role"] == "system"),
        {tool["function"]["name"]: tool["function"]["parameters"] for tool in body.get("tools") or ()},
        tuple(
            (message.get("tool_call_id") or message["tool_name"], message["content"])
            for message in messages
            if message["role"] == "tool"
        ),
        tuple(message["content"] for message in messages if message["role"] == "assistant" and message.get("content")),
        tuple(message["thinking"] for message in messages if message.get("thinking")),
        tuple(base64.b64decode(image, validate=True) for message in of_users for image in message.get("images") or ()),
        schema if isinstance(schema, dict) else None,
    )


def _line(request: Asked, message: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    said = {"response": message.get("content", "")} if request.prompted else {}
    return {
        "model": request.model,
        "created_at": "2026-11-21T08:00:00.123456789Z",
        **(said or {"message": {"role": "assistant", "content": "", **message}}),
        "done": False,
        **more,
    }


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {"id": call.id, "function": {"index": index, "name": call.name, "arguments": dict(call.arguments)}}
        for index, call in enumerate(answer.calls)
    ]


def _ended(answer: Answer) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": DONE_REASON[answer.stop],
        "total_duration": 182242375,
        "load_duration": 41295167,
        "prompt_eval_count": answer.counts.input,
        "prompt_eval_duration": 24573166,
        "eval_count": answer.counts.output,
        "eval_duration": 115959084,
    }


def whole(request: Asked, answer: Answer) -> bytes:
    message: dict[str, Any] = {"content": answer.text}
    if answer.thought:
        message["thinking"] = answer.thought.text
    if answer.calls:
        message["tool_calls"] = _calls(answer)
    return escaped(_line(request, message, **_ended(answer)))


def events(request: Asked, answer: Answer) -> list[bytes]:
    lines = [_line(request, {"thinking": piece}) for piece in (answer.thought.pieces if answer.thought else ())]
    lines += (_line(request, {"content": piece}) for piece in answer.pieces)
    lines += (_line(request, {"tool_calls": [call]}) for call in _calls(answer))
    return [escaped(line) + b"\n" for line in [*lines, _line(request, {}, **_ended(answer))]]


def error(failure: Failure) -> tuple[Mapping[str, str], bytes]:
    headers = {} if failure.retry_after is None else {"retry-after": str(failure.retry_after)}
    return headers, dumps({"error": failure.message})


def broken(message: str) -> bytes:
    return dumps({"error": message}) + b"\n"


OLLAMA = Vendor("ollama", "application/x-ndjson", asked, whole, events, error, broken)
