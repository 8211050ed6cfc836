"""Chat Completions, as OpenAI and those who took it over speak it. Reasoning as `reasoning_content` is DeepSeek's.

Source: OpenAI API reference, chat; DeepSeek API docs, thinking mode."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from openai.types.chat import completion_create_params
from pydantic import TypeAdapter

from tests.rig.upstream import Received
from tests.vendors.scenarios import Answer, Call, Counts, Failure
from tests.vendors.vendor import Asked, Vendor, dumps, exhaust, halves, paired, texts_of

PARAMS: TypeAdapter[Any] = TypeAdapter(
    completion_create_params.CompletionCreateParamsNonStreaming
    | completion_create_params.CompletionCreateParamsStreaming
)
FINISH = {"stop": "stop", "length": "length", "calls": "tool_calls", "filtered": "content_filter", "refused": "stop"}


def asked(received: Received) -> Asked:
    assert received.path == "/v1/chat/completions", received.path
    assert received.headers["authorization"].startswith("Bearer ")
    body = received.json
    exhaust(PARAMS.validate_python(body))
    messages = body["messages"]
    assert messages, "no messages"
    _check_calls(messages)
    of_users = [message for message in messages if message["role"] == "user"]
    schema = body.get("response_format", {}).get("json_schema", {})
    return Asked(
        body["model"],
        bool(body.get("stream")),
        tuple(text for message in of_users for text in texts_of(message["content"])),
        tuple(
            text
            for message in messages
            if message["role"] in ("system", "developer")
            for text in texts_of(message["content"])
        ),
        {tool["function"]["name"]: tool["function"].get("parameters") for tool in body.get("tools", ())},
        tuple(
            (message["tool_call_id"], "".join(texts_of(message["content"])))
            for message in messages
            if message["role"] == "tool"
        ),
        tuple(
            "".join(texts_of(message["content"]))
            for message in messages
            if message["role"] == "assistant" and message.get("content")
        ),
        tuple(message["reasoning_content"] for message in messages if message.get("reasoning_content")),
        tuple(_images(of_users)),
        schema.get("schema"),
    )


def _check_calls(messages: list[dict[str, Any]]) -> None:
    calls: list[str] = []
    results: list[str] = []
    for message in [*messages, {"role": "end"}]:
        if message["role"] == "tool":
            assert isinstance(message["content"], str | list)
            results.append(message["tool_call_id"])
            continue
        paired(calls, results)
        calls, results = [call["id"] for call in message.get("tool_calls") or ()], []
        for call in message.get("tool_calls") or ():
            assert isinstance(json.loads(call["function"]["arguments"]), dict)


def _images(messages: list[dict[str, Any]]) -> Iterator[bytes]:
    for message in messages:
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "image_url":
                head, _, data = part["image_url"]["url"].partition(",")
                assert head == "data:image/png;base64", head
                yield base64.b64decode(data, validate=True)


def usage(counts: Counts) -> dict[str, Any]:
    return {
        "prompt_tokens": counts.input,
        "completion_tokens": counts.output,
        "total_tokens": counts.input + counts.output,
        "prompt_tokens_details": {"cached_tokens": counts.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": counts.reasoning, "audio_tokens": 0},
    }


def _head(request: Asked, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-7", "object": kind, "created": 1790000000, "model": request.model}


def _call(call: Call) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _kind(answer: Answer) -> str:
    return "refusal" if answer.stop == "refused" else "content"


def whole(request: Asked, answer: Answer) -> bytes:
    kind = _kind(answer)
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, kind: answer.text or None}
    if answer.thought:
        message["reasoning_content"] = answer.thought.text
    if answer.calls:
        message["tool_calls"] = [_call(call) for call in answer.calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[answer.stop]}
    return dumps({**_head(request, "chat.completion"), "choices": [choice], "usage": usage(answer.counts)})


def events(request: Asked, answer: Answer) -> list[bytes]:
    chunk = _head(request, "chat.completion.chunk")
    choices = [
        *({"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in _deltas(answer)),
        {"index": 0, "delta": {}, "logprobs": None, "finish_reason": FINISH[answer.stop]},
    ]
    chunks = [
        *({**chunk, "choices": [choice], "usage": None} for choice in choices),
        {**chunk, "choices": [], "usage": usage(answer.counts)},
    ]
    return [*(b"data: " + dumps(one) + b"\n\n" for one in chunks), b"data: [DONE]\n\n"]


def _deltas(answer: Answer) -> Iterator[Mapping[str, Any]]:
    yield {"role": "assistant", "content": "", "refusal": None}
    if answer.thought:
        yield from ({"reasoning_content": piece} for piece in answer.thought.pieces)
    yield from ({_kind(answer): piece} for piece in answer.pieces)
    for index, call in enumerate(answer.calls):
        wire = _call(call)
        arguments = wire["function"].pop("arguments")
        yield {"tool_calls": [{"index": index, **wire, "function": {**wire["function"], "arguments": ""}}]}
        for piece in halves(arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def error(failure: Failure) -> tuple[Mapping[str, str], bytes]:
    headers = {} if failure.retry_after is None else {"retry-after": str(failure.retry_after)}
    limited = failure.status == 429
    kind, code = ("requests", "rate_limit_exceeded") if limited else ("server_error", None)
    return headers, dumps({"error": {"message": failure.message, "type": kind, "param": None, "code": code}})


def broken(message: str) -> bytes:
    fault = {"message": message, "type": "server_error", "param": None, "code": None}
    return b"data: " + dumps({"error": fault}) + b"\n\n"


OPENAI_CHAT = Vendor("openai-chat", "text/event-stream; charset=utf-8", asked, whole, events, error, broken)
