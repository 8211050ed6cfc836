"""OpenAI's error object, both ways: `{"error": {"message", "type", "param", "code"}}`.

Source: OpenAI API reference, errors; the statuses, types and codes its SDK's classes tell apart."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from aiproxy.codecs.base import Answer
from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError

LONGEST_MESSAGE = 2048
"""Characters of an upstream's message that are passed on: enough for every real one, not for a page of HTML."""

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
    return {"message": error.message, "type": kind, "param": error.param, "code": error.code or code}


def encode_error(error: GatewayError, request_id: str) -> Answer:
    body = {"error": error_object(error), "request_id": request_id}
    status = errors.RateLimited.status if isinstance(error, errors.Billing) else error.status
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, -int(-error.retry_after // 1)))
    return Answer(status, orjson.dumps(body), headers=headers)


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """An upstream's failure, refined from its status by what the body says."""
    said = _said(body)
    message = _sentence(said, status)
    code = said.get("code") if isinstance(said.get("code"), str) else None
    error = _kind_of(status, code, message)(message)
    error.upstream_status = status
    error.retry_after = _retry_after(headers, message)
    if isinstance(error, errors.InvalidRequest | errors.NotFound | errors.Conflict | errors.RateLimited):
        error.code = code
        error.param = said["param"] if isinstance(said.get("param"), str) else None
    return error


_CONTEXT_LENGTH = ("maximum context length", "prompt is too long", "input token count", "too many tokens")
_OF_STATUS: dict[int, type[GatewayError]] = {
    402: errors.Billing,
    404: errors.NotFound,
    408: errors.Timeout,
    409: errors.Conflict,
    413: errors.TooLarge,
    429: errors.RateLimited,
    500: errors.UpstreamServerError,
    503: errors.Overloaded,
    504: errors.Timeout,
    529: errors.Overloaded,
}


def _kind_of(status: int, code: str | None, message: str) -> type[GatewayError]:
    if status in (401, 403):
        return errors.CredentialRefused
    if status == 429 and code in ("insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"):
        return errors.QuotaExhausted
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    if 400 <= status < 500:
        if code == "context_length_exceeded" or any(words in message.lower() for words in _CONTEXT_LENGTH):
            return errors.ContextLength
        return errors.ContentBlocked if code == "content_policy_violation" else errors.InvalidRequest
    return errors.UpstreamFailed


def _said(body: bytes) -> dict[str, Any]:
    """The error object in whatever wrapping upstreams use; a bare text as its message."""
    try:
        found: Any = orjson.loads(body)
    except ValueError:
        return {}
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict):
        return {}
    inner = found.get("error", found.get("detail", found))
    if isinstance(inner, str):
        return {"message": inner}
    return inner if isinstance(inner, dict) else found


def _sentence(said: Mapping[str, Any], status: int) -> str:
    message = said.get("message")
    if isinstance(message, str) and message.strip():
        return message[:LONGEST_MESSAGE]
    return f"The upstream answered {status} and gave no reason."


_TRY_AGAIN = re.compile(r"try again in (?:(\d+)m)?(?:([\d.]+)(ms|s))", re.IGNORECASE)


def _retry_after(headers: Mapping[str, str], message: str) -> float | None:
    """Seconds: the largest of what headers and text say. A date is measured against the answer's own `date`."""
    found = []
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            found.append(float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    try:
        until, now = (parsedate_to_datetime(headers[name]) for name in ("retry-after", "date"))
        found.append((until - now).total_seconds())
    except (KeyError, ValueError, TypeError):
        pass
    if said := _TRY_AGAIN.search(message):
        minutes, number, unit = said.groups()
        try:
            found.append(int(minutes or 0) * 60 + float(number) * (0.001 if unit.lower() == "ms" else 1.0))
        except ValueError:
            pass
    usable = [seconds for seconds in found if 0 <= seconds < float("inf")]
    return max(usable, default=None)
