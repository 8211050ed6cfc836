"""Anthropic's error object, both ways: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

Source: Anthropic API reference, errors; the statuses the official SDK's classes tell apart."""

import math
import re
from collections.abc import Mapping
from typing import Any

import orjson

from aiproxy.codecs.base import Answer
from aiproxy.codecs.failures import context_length_text, error_of
from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError, UpstreamFailed

_TYPES: Mapping[str, str] = {
    "invalid_request": "invalid_request_error",
    "context_length": "invalid_request_error",
    "content_blocked": "invalid_request_error",
    "unsupported": "invalid_request_error",
    "authentication": "authentication_error",
    "billing": "billing_error",
    "permission": "permission_error",
    "ended_by_operator": "permission_error",
    "not_found": "not_found_error",
    "method_not_allowed": "invalid_request_error",
    "conflict": "conflict_error",
    "too_large": "request_too_large",
    "headers_too_large": "request_too_large",
    "rate_limit": "rate_limit_error",
    "quota_exhausted": "rate_limit_error",
    "overloaded": "overloaded_error",
    "draining": "overloaded_error",
    "timeout": "timeout_error",
}
"""kind → type; what is ours or the upstream's fault is an `api_error`."""

OVERLOADED = 529
"""Anthropic's own status for it: its clients back off and try again."""


_TOO_MUCH_ASKED = re.compile(r"exceeds? context limit: \d+ \+ \d+ > \d+")
"""Anthropic's other wording: input and `max_tokens` together are too long. Agents that read it ask for less output."""


def error_object(error: GatewayError) -> dict[str, Any]:
    message = error.message
    if isinstance(error, errors.ContextLength) and not _TOO_MUCH_ASKED.search(message):
        message = context_length_text(message, "anthropic")
    return {"type": _TYPES.get(error.kind, "api_error"), "message": message}


def encode_error(error: GatewayError, request_id: str) -> Answer:
    status = OVERLOADED if isinstance(error, errors.Overloaded) else error.status
    headers = {**error.headers, **({"request-id": request_id} if request_id else {})}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    return Answer(status, orjson.dumps(_envelope(error, request_id)), headers=headers)


def error_event(error: GatewayError, request_id: str = "") -> bytes:
    """The event that ends a stream which has begun. `request_id` "" where nobody knows it."""
    return b"event: error\ndata: " + orjson.dumps(_envelope(error, request_id)) + b"\n\n"


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    return error_of(status, headers, body)


def hidden(found: Mapping[str, Any], body: bytes) -> GatewayError:
    """An error inside a 200: what its words say; the upstream's fault when they say nothing."""
    error = error_of(200, {}, body)
    if isinstance(found.get("error"), dict | str) or found.get("type") == "error":
        return error
    return UpstreamFailed(error.message)


def _envelope(error: GatewayError, request_id: str) -> dict[str, Any]:
    body: dict[str, Any] = {"type": "error", "error": error_object(error)}
    if request_id:
        body["request_id"] = request_id
    return body
