"""OpenAI's framing and error shape, as the demo sends them. Source: OpenAI API reference, streaming and error codes."""

from typing import Any

import orjson

from aiproxy.neutral.errors import GatewayError

DONE = b"data: [DONE]\n\n"


def event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def json_event(body: Any) -> bytes:
    return event(orjson.dumps(body))


def error_body(status: int, message: str, code: str | None = None, param: str | None = None) -> bytes:
    match status:
        case 429:
            kind, code = "rate_limit_error", code or "rate_limit_exceeded"
        case 401:
            kind, code = "authentication_error", code or "invalid_api_key"
        case 403:
            kind = "permission_error"
        case _ if status < 500:
            kind = "invalid_request_error"
        case _:
            kind = "server_error"
    return orjson.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})


def refusal(error: GatewayError) -> bytes:
    """What is wrong with the request, as OpenAI would say it."""
    return error_body(error.status, error.message, error.code, error.param)
