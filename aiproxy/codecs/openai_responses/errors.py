"""OpenAI's error object, and an answer that failed: `response.failed`, or a bare `error` event.

Source: OpenAI API reference, errors and responses streaming; the codes that Codex tells apart."""

import math
from collections.abc import Mapping
from typing import Any, Final

from aiproxy.codecs.failures import LONGEST_MESSAGE, error_of
from aiproxy.codecs.openai_errors import encode_error, error_message, error_object
from aiproxy.neutral import errors
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import GatewayError, UpstreamFailed

__all__ = ["decode_error", "encode_error", "error_object", "failed_error", "hidden"]

_FAILED_CODES: Final[Mapping[str, str]] = {
    "context_length": "context_length_exceeded",
    "billing": "insufficient_quota",
    "quota_exhausted": "insufficient_quota",
    "rate_limit": "rate_limit_exceeded",
    "overloaded": "server_is_overloaded",
    "draining": "server_is_overloaded",
    "content_blocked": "invalid_prompt",
    "invalid_request": "invalid_prompt",
    "unsupported": "invalid_prompt",
    "ended_by_operator": "invalid_prompt",
}
"""kind → `error.code` of a failed response; everything else is a `server_error`, which clients try again."""

_OF_FAILED_CODE: Final[Mapping[str, type[GatewayError]]] = {
    "invalid_prompt": errors.InvalidRequest,
    "bio_policy": errors.ContentBlocked,
    "cyber_policy": errors.ContentBlocked,
    "misalignment_policy_violation": errors.ContentBlocked,
    "image_content_policy_violation": errors.ContentBlocked,
    "data_residency_mismatch": errors.InvalidRequest,
    "usage_not_included": errors.QuotaExhausted,
    "vector_store_timeout": errors.Timeout,
}
"""Codes of a failed response that no HTTP error has; those about images are the request's fault, too."""


_UNVERIFIED: Final = "reasoning.summary"
"""The `param` of OpenAI's refusal to summarise thinking for organisations it hasn't verified, and for models that can't."""


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    error = error_of(status, headers, body)
    if isinstance(error, errors.InvalidRequest) and error.param == _UNVERIFIED:
        return errors.NotShown(error.message, error.code, error.param, upstream_status=status, said=error.said)
    return error


def failed_error(error: GatewayError) -> dict[str, Json]:
    """The `error` of a failed response. Codex reads from the message how long to wait."""
    code = _FAILED_CODES.get(error.kind, "server_error")
    message = error_message(error)
    if code == "rate_limit_exceeded" and error.retry_after is not None and "try again in" not in message.lower():
        message = f"{message} Please try again in {max(1, math.ceil(error.retry_after))}s."
    return {"code": code, "message": message}


def hidden(found: Mapping[str, Any], body: bytes) -> GatewayError:
    """An error inside a 200: a failed response, an `error` event, a bare error object."""
    response = found.get("response")
    outer = response if isinstance(response, dict) else found
    inner = outer.get("error")
    said = inner if isinstance(inner, dict) else outer
    code, message = said.get("code"), said.get("message")
    kind = _OF_FAILED_CODE.get(code) if isinstance(code, str) else None
    if isinstance(code, str) and kind is None and "image" in code:
        kind = errors.InvalidRequest
    if kind is not None and isinstance(message, str) and message.strip():
        error = kind(message[:LONGEST_MESSAGE], upstream_status=200, code=code)
        error.param = said["param"] if isinstance(said.get("param"), str) else None
        return error
    if isinstance(inner, dict | str) or found.get("type") == "error":
        return error_of(200, {}, body)
    return UpstreamFailed("The upstream's response failed and gave no reason.", upstream_status=200)
