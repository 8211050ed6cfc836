"""Requests that only ask to load or unload a model. There is nothing to load here: they are answered without an upstream."""

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.ollama.encode_request import is_generate
from aiproxy.codecs.ollama.notes import note
from aiproxy.codecs.ollama.times import timestamp
from aiproxy.framing.ndjson import encode_line
from aiproxy.neutral.request import GenerateRequest

STREAM_TYPE = "application/x-ndjson"

_NOW = (0, "0", "0s", "0m", "0h")
"""A `keep_alive` that means to unload."""


def is_load(request: GenerateRequest) -> bool:
    """No messages, or no prompt."""
    return not request.turns


def encode_load(exchange: Exchange) -> Answer:
    request = exchange.request
    keep_alive = note(request.extensions, "keep_alive")
    said = {"response": ""} if is_generate(request) else {"message": {"role": "assistant", "content": ""}}
    body = dump(
        {
            "model": request.model,
            "created_at": timestamp(exchange.now),
            **said,
            "done": True,
            "done_reason": "unload" if keep_alive in _NOW and keep_alive is not False else "load",
        }
    )
    return Answer(200, encode_line(body), STREAM_TYPE) if request.stream else Answer(200, body)
