"""OpenAI's error object, as all its APIs have it: `{"error": {"message", "type", "param", "code"}}`.

Source: OpenAI API reference, errors; the statuses, types and codes its SDK's classes tell apart."""

import math
from collections.abc import Mapping

import orjson

from aiproxy.codecs.base import Answer
from aiproxy.codecs.failures import context_length_text
from aiproxy.neutral import errors
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import GatewayError

TYPES_AND_CODES: Mapping[str, tuple[str, str | None]] = {
    "invalid_request": ("invalid_request_error", None),
    "context_length": ("invalid_request_error", "context_length_exceeded"),
    "content_blocked": ("invalid_request_error", "content_policy_violation"),
    "unsupported": ("invalid_request_error", "unsupported_parameter"),
    "authentication": ("invalid_request_error", "invalid_api_key"),
    "billing": ("insufficient_quota", "insufficient_quota"),
    "permission": ("permission_error", None),
    "ended_by_operator": ("permission_error", "ended_by_operator"),
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


def error_object(error: GatewayError) -> dict[str, Json]:
    kind, code = TYPES_AND_CODES.get(error.kind, ("server_error", None))
    return {"message": error_message(error), "type": kind, "param": error.param, "code": error.code or code}


def error_message(error: GatewayError) -> str:
    """In OpenAI's wording where clients look for it."""
    return context_length_text(error.message, "openai") if isinstance(error, errors.ContextLength) else error.message


def encode_error(error: GatewayError, request_id: str) -> Answer:
    status = errors.RateLimited.status if isinstance(error, errors.Billing) else error.status
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    return Answer(status, orjson.dumps({"error": error_object(error), "request_id": request_id}), headers=headers)
