"""Values of a request's body, checked. Each function raises `InvalidRequest` that names the parameter."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from aiproxy.neutral.errors import InvalidRequest


def invalid(param: str | None, message: str, code: str | None = "invalid_value") -> InvalidRequest:
    return InvalidRequest(message, code=code, param=param)


def body_of(data: bytes) -> Mapping[str, Any]:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise invalid(None, f"The body is not JSON: {error}.", code=None) from None
    if not isinstance(body, dict):
        raise invalid(None, "The body must be a JSON object.", code=None)
    return body


def text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(name, f"`{name}` must be a non-empty string.")
    return value


def integer(body: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise invalid(name, f"`{name}` must be a whole number, {low} to {high}.")
    return value


def flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(name, f"`{name}` must be true or false.")
    return bool(value)


def mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Empty when absent."""
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise invalid(name, f"`{name}` must be an object.")
    return value or {}


def mappings(body: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Empty when absent."""
    value = body.get(name)
    if value is not None and not (isinstance(value, list) and all(isinstance(item, dict) for item in value)):
        raise invalid(name, f"`{name}` must be an array of objects.")
    return value or []


MOST_STOPS = 4
"""Stop sequences in a request (OpenAI API reference)."""


def stops(body: Mapping[str, Any]) -> Sequence[str]:
    value = body.get("stop")
    if value is None:
        return []
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or len(listed) > MOST_STOPS or not all(isinstance(s, str) and s for s in listed):
        raise invalid("stop", f"`stop` must be a string or an array of up to {MOST_STOPS} strings.")
    return listed


def wants_usage(body: Mapping[str, Any]) -> bool:
    """Whether the stream shall end with a usage chunk."""
    options = mapping(body, "stream_options")
    if options and not flag(body, "stream"):
        raise invalid("stream_options", "`stream_options` needs `stream: true`.")
    return flag(options, "include_usage")
