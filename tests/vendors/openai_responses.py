"""Responses, as OpenAI speaks it: nested items in a stream, reasoning encrypted and bound to its item.

Source: OpenAI API reference, responses."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from openai.types.responses import response_create_params
from pydantic import TypeAdapter

from tests.rig.upstream import Received
from tests.vendors.scenarios import SCENARIOS, THOUGHT, Answer, Call, Counts, Failure
from tests.vendors.vendor import Asked, Vendor, dumps, exhaust, halves, paired, texts_of

PARAMS: TypeAdapter[Any] = TypeAdapter(
    response_create_params.ResponseCreateParamsNonStreaming | response_create_params.ResponseCreateParamsStreaming
)
REASONING_ID = "rs_7"
ENDS = {
    "stop": ("completed", None),
    "calls": ("completed", None),
    "refused": ("completed", None),
    "length": ("incomplete", {"reason": "max_output_tokens"}),
    "filtered": ("incomplete", {"reason": "content_filter"}),
}


def asked(received: Received) -> Asked:
    assert received.path == "/v1/responses", received.path
    assert received.headers["authorization"].startswith("Bearer ")
    body = received.json
    exhaust(PARAMS.validate_python(body))
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    assert items, "no input"
    _check_items(items)
    messages = [item for item in items if item.get("type", "message") == "message"]
    of_users = [message for message in messages if message["role"] == "user"]
    return Asked(
        body["model"],
        bool(body.get("stream")),
        tuple(text for message in of_users for text in texts_of(message["content"])),
        (
            *filter(None, [body.get("instructions")]),
            *(
                text
                for item in messages
                if item["role"] in ("system", "developer")
                for text in texts_of(item["content"])
            ),
        ),
        {tool["name"]: tool["parameters"] for tool in body.get("tools", ())},
        tuple(
            (item["call_id"], "".join(texts_of(item["output"])))
            for item in items
            if item.get("type") == "function_call_output"
        ),
        tuple("".join(texts_of(item["content"])) for item in messages if item["role"] == "assistant"),
        tuple(item["encrypted_content"] for item in items if item.get("type") == "reasoning"),
        tuple(_images(of_users)),
        body.get("text", {}).get("format", {}).get("schema"),
    )


def _check_items(items: list[dict[str, Any]]) -> None:
    calls = [item for item in items if item.get("type") == "function_call"]
    outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    paired([call["call_id"] for call in calls], outputs)
    for call in calls:
        assert isinstance(json.loads(call["arguments"]), dict)
    for item, following in zip(items, [*items[1:], {"type": "nothing"}], strict=True):
        if item.get("type") == "reasoning":
            assert item["encrypted_content"] == THOUGHT.state, "encrypted content could not be verified"
            assert item["id"] == REASONING_ID, "encrypted content item_id did not match the target item id"
            assert following.get("type") in ("function_call", "message", "reasoning"), (
                "reasoning without what it led to"
            )


def _images(messages: list[dict[str, Any]]) -> Iterator[bytes]:
    for message in messages:
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "input_image":
                head, _, data = part["image_url"].partition(",")
                assert head == "data:image/png;base64", head
                yield base64.b64decode(data, validate=True)


def usage(counts: Counts) -> dict[str, Any]:
    return {
        "input_tokens": counts.input,
        "input_tokens_details": {"cached_tokens": counts.cached, "cache_write_tokens": 0},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.input + counts.output,
    }


def _message(status: str, *content: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "msg_7", "type": "message", "role": "assistant", "status": status, "content": list(content)}


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _said(answer: Answer, text: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": text} if answer.stop == "refused" else _text(text)


def _call(number: int, call: Call, status: str, arguments: str) -> dict[str, Any]:
    item = {"id": f"fc_{number}", "type": "function_call", "call_id": call.id, "name": call.name}
    return {**item, "arguments": arguments, "status": status}


def _reasoning(summary: list[dict[str, str]], state: str | None) -> dict[str, Any]:
    return {"id": REASONING_ID, "type": "reasoning", "summary": summary, "encrypted_content": state}


def items(answer: Answer) -> list[dict[str, Any]]:
    found = []
    if answer.thought:
        found.append(_reasoning([{"type": "summary_text", "text": answer.thought.text}], answer.thought.state))
    if answer.pieces:
        found.append(_message(ENDS[answer.stop][0], _said(answer, answer.text)))
    return found + [
        _call(number, call, "completed", json.dumps(call.arguments, ensure_ascii=False))
        for number, call in enumerate(answer.calls)
    ]


def response(request: Asked, answer: Answer, *, begun: bool = False) -> dict[str, Any]:
    status, details = ("in_progress", None) if begun else ENDS[answer.stop]
    return {
        "id": "resp_7",
        "object": "response",
        "created_at": 1790000000,
        "status": status,
        "error": None,
        "incomplete_details": details,
        "instructions": None,
        "metadata": {},
        "model": request.model,
        "output": [] if begun else items(answer),
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None if begun else usage(answer.counts),
    }


def whole(request: Asked, answer: Answer) -> bytes:
    return dumps(response(request, answer))


def events(request: Asked, answer: Answer) -> list[bytes]:
    begun = response(request, answer, begun=True)
    bodies: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(items(answer)):
        at = {"item_id": item["id"], "output_index": index}
        bodies.append({"type": "response.output_item.added", "output_index": index, "item": _begun(answer, item)})
        bodies += ({**event, **at} for event in _body(answer, item))
        bodies.append({"type": "response.output_item.done", "output_index": index, "item": item})
    bodies.append({"type": f"response.{ENDS[answer.stop][0]}", "response": response(request, answer)})
    return [_event({**body, "sequence_number": number}) for number, body in enumerate(bodies)]


def _begun(answer: Answer, item: dict[str, Any]) -> dict[str, Any]:
    match item["type"]:
        case "reasoning":
            return {**item, "summary": [], "encrypted_content": None}
        case "message":
            return {**item, "content": [], "status": "in_progress"}
        case _:
            return {**item, "arguments": "", "status": "in_progress"}


def _body(answer: Answer, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match item["type"]:
        case "reasoning":
            assert answer.thought
            place = {"summary_index": 0}
            text = {"type": "summary_text", "text": answer.thought.text}
            prefix = "response.reasoning_summary"
            yield {"type": f"{prefix}_part.added", **place, "part": {**text, "text": ""}}
            yield from ({"type": f"{prefix}_text.delta", **place, "delta": piece} for piece in answer.thought.pieces)
            yield {"type": f"{prefix}_text.done", **place, "text": answer.thought.text}
            yield {"type": f"{prefix}_part.done", **place, "part": text}
        case "message":
            place = {"content_index": 0}
            yield {"type": "response.content_part.added", **place, "part": _said(answer, "")}
            yield from ({**event, **place} for event in _growth(answer))
            yield {"type": "response.content_part.done", **place, "part": _said(answer, answer.text)}
        case _:
            prefix = "response.function_call_arguments"
            yield from ({"type": f"{prefix}.delta", "delta": piece} for piece in halves(item["arguments"]))
            yield {"type": f"{prefix}.done", "arguments": item["arguments"], "name": item["name"]}


def _growth(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.stop == "refused":
        yield from ({"type": "response.refusal.delta", "delta": piece} for piece in answer.pieces)
        yield {"type": "response.refusal.done", "refusal": answer.text}
    else:
        for piece in answer.pieces:
            yield {"type": "response.output_text.delta", "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", "text": answer.text, "logprobs": []}


def _event(body: Mapping[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (body["type"].encode(), dumps(body))


def error(failure: Failure) -> tuple[Mapping[str, str], bytes]:
    headers = {} if failure.retry_after is None else {"retry-after": str(failure.retry_after)}
    limited = failure.status == 429
    kind, code = ("requests", "rate_limit_exceeded") if limited else ("server_error", None)
    return headers, dumps({"error": {"message": failure.message, "type": kind, "param": None, "code": code}})


def broken(message: str) -> bytes:
    answer = SCENARIOS["plain"].first
    assert isinstance(answer, Answer)
    failed = response(Asked("unknown", streamed=True), answer, begun=True)
    failed |= {"status": "failed", "error": {"code": "server_error", "message": message}}
    return _event({"type": "response.failed", "sequence_number": 99, "response": failed})


OPENAI_RESPONSES = Vendor("openai-responses", "text/event-stream; charset=utf-8", asked, whole, events, error, broken)
