"""JSON for the wire, fast for what is usual and right for what isn't."""

import json

import orjson

from aiproxy.neutral.carried import Json


def load(data: bytes) -> Json:
    """JSON as vendors send it: orjson refuses `NaN`, `Infinity` and lone surrogates, which some do. Raises `ValueError`."""
    try:
        found: Json = orjson.loads(data)
    except orjson.JSONDecodeError:
        found = json.loads(data)
    return found


def dump(value: Json) -> bytes:
    """Compact JSON. orjson refuses integers beyond 64 bits and lone surrogates; a model's arguments may hold both."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
