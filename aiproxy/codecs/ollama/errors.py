"""Ollama's error object, both ways: `{"error": "<text>"}`, as an answer and as the last line of a stream.

Source: `server/routes.go` and `api/types.go` of Ollama; ollama-python's `ResponseError`."""

import math
from collections.abc import Mapping
from typing import Any

from aiproxy.codecs.base import Answer
from aiproxy.codecs.failures import error_of
from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError

_STATUS_NAMES = ("status", "status_code", "StatusCode", "code")
"""Where an error object may say its HTTP status: Ollama's own `StatusError` and servers that copy it."""


def error_text(error: GatewayError) -> str:
    """Clients look for "not found" to know that a model must be pulled or chosen anew."""
    if isinstance(error, errors.NotFound) and "not found" not in error.message:
        return f"not found: {error.message}"
    return error.message


def encode_error(error: GatewayError, request_id: str) -> Answer:
    headers = {**error.headers, "x-request-id": request_id}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    return Answer(error.status, dump({"error": error_text(error)}), headers=headers)


def error_line(error: GatewayError) -> bytes:
    return dump({"error": error_text(error)}) + b"\n"


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    return error_of(status, headers, body)


def hidden(found: Mapping[str, Any], body: bytes) -> GatewayError:
    """An error in a 200: its own status if it names one."""
    for name in _STATUS_NAMES:
        status = found.get(name)
        if isinstance(status, int) and 400 <= status < 600:
            return error_of(status, {}, body)
    return error_of(200, {}, body)
