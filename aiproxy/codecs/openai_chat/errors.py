"""OpenAI's error object, both ways: `{"error": {"message", "type", "param", "code"}}`.

Source: OpenAI API reference, errors; the statuses, types and codes its SDK's classes tell apart."""

from collections.abc import Mapping
from typing import Any

import orjson

from aiproxy.codecs.base import Answer
from aiproxy.codecs.failures import context_length_text, error_of
from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError

_TYPES_AND_CODES: dict[str, tuple[str, str | None]] = {
    "invalid_request": ("invalid_request_error", None),
    "context_length": ("invalid_request_error", "context_length_exceeded"),
    "content_blocked": ("invalid_request_error", "content_policy_violation"),
    "unsupported": ("invalid_request_error", "unsupported_parameter"),
    "authentication": ("invalid_request_error", "invalid_api_key"),
    "billing": ("insufficient_quota", "insufficient_quota"),
    "permission": ("permission_error", None),
    "not_found": ("invalid_request_error", "not_found"),
    "method_not_allowed": ("invalid_request_error", "method_not_allowed"),
    "conflict": ("invalid_request_error", None),
    "too_large": ("invalid_request_error", "request_too_large"),
    "headers_too_large": ("invalid_request_error", "headers_too_large"),
    "rate_limit": ("rate_limit_error", "rate_limit_exceeded"),
    "quota_exhausted": ("insufficient_quota", "insufficient_quota"),
    "overloaded": ("server_error", "server_is_overloaded"),
    "draining": ("server_error", "server_is_overloaded"),
    "server_error": ("server_error", None),
    "upstream_failed": ("server_error", "upstream_error"),
    "upstream_truncated": ("server_error", "upstream_truncated"),
    "credential_refused": ("server_error", "upstream_error"),
    "timeout": ("server_error", "timeout"),
}
"""kind → (type, code)."""


def error_object(error: GatewayError) -> dict[str, Any]:
    kind, code = _TYPES_AND_CODES.get(error.kind, ("server_error", None))
    message = context_length_text(error.message, "openai") if error.kind == "context_length" else error.message
    return {"message": message, "type": kind, "param": error.param, "code": error.code or code}


def encode_error(error: GatewayError, request_id: str) -> Answer:
    body = {"error": error_object(error), "request_id": request_id}
    status = errors.RateLimited.status if isinstance(error, errors.Billing) else error.status
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, -int(-error.retry_after // 1)))
    return Answer(status, orjson.dumps(body), headers=headers)


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """An upstream's failure, refined from its status by what the body says."""
    return error_of(status, headers, body)


def hidden_error(found: Mapping[str, Any], body: bytes) -> GatewayError:
    """An error in a 200 or in a stream: its own status if it names one, else by its words, else a bad gateway's."""
    inner = found.get("error")
    for place in (inner, found):
        if isinstance(place, dict):
            for name in ("status", "status_code", "code"):
                status = place.get(name)
                if isinstance(status, int) and 400 <= status < 600:
                    return error_of(status, {}, body)
    error = error_of(200, {}, body)
    return error_of(502, {}, body) if type(error) is errors.UpstreamServerError else error
