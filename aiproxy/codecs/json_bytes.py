"""JSON for the wire, fast for what is usual and right for what isn't."""

import json
from typing import Any

import orjson

from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import UpstreamFailed

_TO_ZEROS = bytes(ord("0") if chr(byte).isdecimal() else byte for byte in range(128)) + bytes(range(128, 256))
_LONG_RUN = b"0" * 19


def may_hold_long_number(data: bytes) -> bool:
    """orjson makes floats of integers beyond 64 bits; nineteen digits may be one. (A regular expression for them takes as
    long as parsing.)"""
    return _LONG_RUN in data.translate(_TO_ZEROS)


def load_object(data: bytes, *, exact: bool = True) -> dict[str, Any]:
    """An upstream's JSON object. Numbers stay exact, where anybody looks at them; half a surrogate pair is read as it
    stands, because a model's text may be cut anywhere, and so are `NaN` and `Infinity`, which Python servers write.

    Raises `UpstreamFailed`."""
    found: Any
    try:
        found = orjson.loads(data) if not (exact and may_hold_long_number(data)) else _loads(data)
    except orjson.JSONDecodeError:
        found = _loads(data)
    if not isinstance(found, dict):
        raise UpstreamFailed("The upstream sent JSON that is not an object where an answer was due.")
    return found


def _loads(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream sent something that is not JSON where an answer was due.") from error


def dump(value: Json) -> bytes:
    """Compact JSON. orjson refuses integers beyond 64 bits and lone surrogates; a model's arguments may hold both."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
