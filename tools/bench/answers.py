"""What the stub upstream answers, and what clients ask: made up, in the shape and size of the real thing.

Every event's text holds a mark (`native/wire.h`), by which the load generator counts events and knows when each was sent."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BULK_EVENTS = 200
"""Text deltas of an unpaced stream: an answer of a page."""

PACED_EVENTS = 60
PACE_MS = 100
"""A paced stream lasts six seconds, long enough for all of them to be open at once for four."""

LARGE = 8_000_000
"""Bytes of an image in base64: what a photograph takes, or an answer that draws one."""

KEY = "bench-client-key-0001"
"""The key clients show; adapters have it as `@key@`."""

_WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "one", "lazy", "dog", "while", "nobody", "looks", "at", "it"]
_DIGITS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_CREATED = 1_760_000_000
_OPENAI = {"id": "chatcmpl-B1e2n3c4h5B6e7n8c9h0", "object": "chat.completion.chunk", "created": _CREATED}


def _mark(number: int) -> str:
    digits = f"{number:04x}".translate(_DIGITS)
    return f"~{digits}:{'a' * 16}~ {_WORDS[number % len(_WORDS)]}"


def _frame(data: Mapping[str, Any], event: str = "") -> str:
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(data, separators=(',', ':'))}\n\n"


def openai_stream(model: str, events: int) -> Iterator[str]:
    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _frame({**_OPENAI, "model": model, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    yield from (chunk({"content": _mark(number)}) for number in range(events))
    yield chunk({}, "stop")
    yield "data: [DONE]\n\n"


def anthropic_stream(model: str, events: int) -> Iterator[str]:
    message = {"id": "msg_01Bench", "type": "message", "role": "assistant", "model": model, "content": []}
    usage = {"input_tokens": 25, "output_tokens": 1}
    yield _frame(
        {"type": "message_start", "message": {**message, "stop_reason": None, "usage": usage}}, "message_start"
    )
    block = {"type": "text", "text": ""}
    yield _frame({"type": "content_block_start", "index": 0, "content_block": block}, "content_block_start")
    for number in range(events):
        delta = {"type": "text_delta", "text": _mark(number)}
        yield _frame({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")
    yield _frame({"type": "content_block_stop", "index": 0}, "content_block_stop")
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    yield _frame({"type": "message_delta", "delta": ended, "usage": {"output_tokens": events}}, "message_delta")
    yield _frame({"type": "message_stop"}, "message_stop")


def gemini_stream(model: str, events: int) -> Iterator[str]:
    for number in range(events):
        candidate: dict[str, Any] = {"content": {"parts": [{"text": _mark(number)}], "role": "model"}, "index": 0}
        if number == events - 1:
            candidate["finishReason"] = "STOP"
        usage = {"promptTokenCount": 25, "candidatesTokenCount": number + 1, "totalTokenCount": number + 26}
        yield _frame({"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "bench"})


def openai_whole(model: str, text: str = " ".join(_WORDS * 9)) -> str:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 25, "completion_tokens": 126, "total_tokens": 151}
    return json.dumps({**_OPENAI, "object": "chat.completion", "model": model, "choices": [choice], "usage": usage})


def write_answers(directory: Path) -> list[str]:
    """The stub's files, and the arguments that name them."""
    files = {
        "openai-whole": (openai_whole("openai-whole"), ""),
        "openai-large": (openai_whole("openai-large", "iVBORw0K" * (LARGE // 8)), ""),
        "openai-bulk": ("".join(openai_stream("openai-bulk", BULK_EVENTS)), ".sse"),
        "openai-paced": ("".join(openai_stream("openai-paced", PACED_EVENTS)), f".sse@{PACE_MS}"),
        "anthropic-bulk": ("".join(anthropic_stream("anthropic-bulk", BULK_EVENTS)), ".sse"),
        "gemini-bulk": ("".join(gemini_stream("gemini-bulk", BULK_EVENTS)), ".sse"),
    }
    arguments = []
    for model, (text, ending) in files.items():
        path = directory / f"{model}{ending.partition('@')[0]}"
        path.write_text(text)
        arguments.append(f"{model}={directory / model}{ending}")
    return arguments


def openai_request(model: str, *, stream: bool, size: int = 0) -> bytes:
    """A chat of about 1 KB; with `size` an image of so many bytes in base64."""
    asked: list[dict[str, Any]] = [{"role": "system", "content": "You answer briefly. " * 20}]
    if size:
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'iVBORw0K' * (size // 8)}"}}
        asked.append({"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]})
    else:
        asked.append({"role": "user", "content": "Tell me about foxes and dogs. " * 15})
    return json.dumps({"model": model, "stream": stream, "temperature": 0.7, "messages": asked}).encode()


def anthropic_request(model: str) -> bytes:
    asked = [{"role": "user", "content": "Tell me about foxes and dogs. " * 15}]
    system = "You answer briefly. " * 20
    return json.dumps(
        {"model": model, "stream": True, "max_tokens": 1024, "system": system, "messages": asked}
    ).encode()


def on_the_wire(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json", "user-agent: aiproxy-bench"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
