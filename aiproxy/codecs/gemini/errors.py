"""Google's error object, both ways: `{"error": {"code", "message", "status", "details"}}`.

Source: google.rpc.Status and error_details.proto; Gemini API, troubleshooting; what the Gemini CLI makes of the details."""

import math
from collections.abc import Mapping

from aiproxy.codecs.base import Answer
from aiproxy.codecs.failures import context_length_text, error_of
from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import GatewayError

_TYPE = "type.googleapis.com/google.rpc."

_STATUS: Mapping[str, tuple[int, str]] = {
    "invalid_request": (400, "INVALID_ARGUMENT"),
    "context_length": (400, "INVALID_ARGUMENT"),
    "content_blocked": (400, "INVALID_ARGUMENT"),
    "unsupported": (400, "INVALID_ARGUMENT"),
    "authentication": (401, "UNAUTHENTICATED"),
    "billing": (429, "RESOURCE_EXHAUSTED"),
    "permission": (403, "PERMISSION_DENIED"),
    "ended_by_operator": (403, "PERMISSION_DENIED"),
    "not_found": (404, "NOT_FOUND"),
    "method_not_allowed": (405, "UNIMPLEMENTED"),
    "conflict": (409, "ABORTED"),
    "too_large": (413, "INVALID_ARGUMENT"),
    "headers_too_large": (431, "INVALID_ARGUMENT"),
    "rate_limit": (429, "RESOURCE_EXHAUSTED"),
    "quota_exhausted": (429, "RESOURCE_EXHAUSTED"),
    "overloaded": (503, "UNAVAILABLE"),
    "draining": (503, "UNAVAILABLE"),
    "server_error": (500, "INTERNAL"),
    "upstream_failed": (503, "UNAVAILABLE"),
    "upstream_truncated": (503, "UNAVAILABLE"),
    "credential_refused": (503, "UNAVAILABLE"),
    "timeout": (504, "DEADLINE_EXCEEDED"),
}
"""kind → (HTTP status, google.rpc.Code)."""


def error_object(error: GatewayError, request_id: str = "") -> dict[str, Json]:
    code, status = _STATUS.get(error.kind, (500, "INTERNAL"))
    if error.kind == "invalid_request":
        code = error.status  # 408, 417 and 505 are requests that HTTP itself finds wrong
    message = context_length_text(error.message, NAME_OF_WORDING) if error.kind == "context_length" else error.message
    found: dict[str, Json] = {"code": code, "message": message, "status": status}
    if details := list(_details(error, request_id)):
        found["details"] = details
    return found


NAME_OF_WORDING = "gemini"


def encode_error(error: GatewayError, request_id: str) -> Answer:
    found = error_object(error, request_id)
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    return Answer(found["code"], dump({"error": found}), headers=headers)


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    return error_of(status, headers, body)


def _details(error: GatewayError, request_id: str) -> list[dict[str, Json]]:
    """What clients look for: the Gemini CLI takes the delay and whether a quota is one of the day from here and nowhere else."""
    details: list[dict[str, Json]] = []
    if error.param:
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if error.kind == "quota_exhausted":
        details.append({"@type": f"{_TYPE}QuotaFailure", "violations": [{"quotaId": "RequestsPerDay"}]})
    if error.retry_after is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{max(0.0, error.retry_after):.9g}s"})
    if request_id:
        details.append({"@type": f"{_TYPE}RequestInfo", "requestId": request_id})
    return details
