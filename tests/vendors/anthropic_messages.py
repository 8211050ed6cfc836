"""Messages, as Anthropic speaks it: strict on pairs of tool blocks, and on the signatures it gave.

Source: Anthropic API reference, messages and streaming."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from anthropic.types import message_create_params
from pydantic import TypeAdapter

from tests.rig.upstream import Received
from tests.vendors.scenarios import THOUGHT, Answer, Counts, Failure
from tests.vendors.vendor import Asked, Vendor, dumps, exhaust, halves, paired, texts_of

PARAMS: TypeAdapter[Any] = TypeAdapter(
    message_create_params.MessageCreateParamsNonStreaming | message_create_params.MessageCreateParamsStreaming
)
STOP_REASON = {
    "stop": "end_turn",
    "length": "max_tokens",
    "calls": "tool_use",
    "filtered": "refusal",
    "refused": "refusal",
}


def asked(received: Received) -> Asked:
    assert received.path == "/v1/messages", received.path
    assert received.headers["anthropic-version"]
    assert "x-api-key" in received.headers or "authorization" in received.headers
    body = received.json
    exhaust(PARAMS.validate_python(body))
    messages = body["messages"]
    assert messages[0]["role"] == "user", "the first message must be the user's"
    _check_calls(messages)
    blocks = [block for message in messages for block in _blocks(message)]
    thoughts = [block for block in blocks if block["type"] == "thinking"]
    for block in thoughts:
        assert block["signature"] == THOUGHT.state, "invalid `signature` in `thinking` block"
        assert block["thinking"] == THOUGHT.text, "a changed thinking block"
    return Asked(
        body["model"],
        bool(body.get("stream")),
        tuple(text for message in messages if message["role"] == "user" for text in texts_of(message["content"])),
        tuple(texts_of(body.get("system"))),
        {tool["name"]: tool["input_schema"] for tool in body.get("tools", ())},
        tuple(
            (block["tool_use_id"], "".join(texts_of(block.get("content"))))
            for block in blocks
            if block["type"] == "tool_result"
        ),
        tuple(
            filter(None, ("".join(texts_of(found["content"])) for found in messages if found["role"] == "assistant"))
        ),
        tuple(block["signature"] for block in thoughts),
        tuple(_image(block) for block in blocks if block["type"] == "image"),
        (body.get("output_config", {}).get("format") or {}).get("schema"),
    )


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    assert all(block["text"] for block in blocks if block["type"] == "text"), "text content blocks must be non-empty"
    return list(blocks)


def _check_calls(messages: list[dict[str, Any]]) -> None:
    calls: list[str] = []
    for message in messages:
        blocks = _blocks(message)
        kinds = [block["type"] for block in blocks]
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        paired(calls, results)
        assert kinds[: len(results)] == ["tool_result"] * len(results), "results stand before everything else"
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        assert all(isinstance(block["input"], dict) for block in blocks if block["type"] == "tool_use")
    paired(calls, [])


def _image(block: Mapping[str, Any]) -> bytes:
    assert block["source"]["media_type"] == "image/png"
    return base64.b64decode(block["source"]["data"], validate=True)


def usage(counts: Counts) -> dict[str, Any]:
    return {
        "input_tokens": counts.input - counts.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": counts.cached,
        "output_tokens": counts.output,
        "output_tokens_details": {"thinking_tokens": counts.reasoning},
    }


def blocks(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if answer.thought:
        found.append({"type": "thinking", "thinking": answer.thought.text, "signature": answer.thought.state})
    if answer.pieces:
        found.append({"type": "text", "text": answer.text, "citations": None})
    return found + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)} for call in answer.calls
    ]


def _message(request: Asked, answer: Answer) -> dict[str, Any]:
    return {
        "id": "msg_7",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": blocks(answer),
        "stop_reason": STOP_REASON[answer.stop],
        "stop_sequence": None,
        "usage": usage(answer.counts),
    }


def whole(request: Asked, answer: Answer) -> bytes:
    return dumps(_message(request, answer))


def events(request: Asked, answer: Answer) -> list[bytes]:
    counts = usage(answer.counts)
    begun = {**_message(request, answer), "content": [], "stop_reason": None, "usage": {**counts, "output_tokens": 1}}
    bodies: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(blocks(answer)):
        bodies.append({"type": "content_block_start", "index": index, "content_block": _begun(block)})
        bodies += ({"type": "content_block_delta", "index": index, "delta": delta} for delta in _deltas(answer, block))
        bodies.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": STOP_REASON[answer.stop], "stop_sequence": None}
    bodies += [{"type": "message_delta", "delta": ended, "usage": counts}, {"type": "message_stop"}]
    return [_event(body) for body in bodies]


def _begun(block: dict[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "thinking":
            return {**block, "thinking": "", "signature": ""}
        case "text":
            return {**block, "text": ""}
        case _:
            return {**block, "input": {}}


def _deltas(answer: Answer, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "thinking":
            assert answer.thought
            yield from ({"type": "thinking_delta", "thinking": piece} for piece in answer.thought.pieces)
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "text":
            yield from ({"type": "text_delta", "text": piece} for piece in answer.pieces)
        case _:
            arguments = json.dumps(block["input"], ensure_ascii=False)
            for piece in ("", *halves(arguments)):
                yield {"type": "input_json_delta", "partial_json": piece}


def _event(body: Mapping[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (body["type"].encode(), dumps(body))


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_7"}


def error(failure: Failure) -> tuple[Mapping[str, str], bytes]:
    headers = {} if failure.retry_after is None else {"retry-after": str(failure.retry_after)}
    kinds = {400: "invalid_request_error", 429: "rate_limit_error", 500: "api_error"}
    return headers, dumps(_error(kinds[failure.status], failure.message))


def broken(message: str) -> bytes:
    return _event(_error("api_error", message))


ANTHROPIC_MESSAGES = Vendor(
    "anthropic-messages", "text/event-stream; charset=utf-8", asked, whole, events, error, broken
)
