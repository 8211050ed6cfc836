"""JSON of an upstream, whatever it holds."""

import json
from typing import Any

import orjson

from aiproxy.neutral.errors import UpstreamFailed


def parse(data: bytes) -> dict[str, Any]:
    """The object. Servers that cut a character in half send lone surrogates, which only the standard library reads."""
    found: Any
    try:
        found = orjson.loads(data)
    except ValueError as error:
        try:
            found = json.loads(data) if rb"\ud" in data.lower() else None
        except (ValueError, RecursionError):
            found = None
        if found is None:
            raise UpstreamFailed("The upstream sent something that is not JSON where an answer was due.") from error
    if not isinstance(found, dict):
        raise UpstreamFailed("The upstream sent JSON that is not an object where an answer was due.")
    return found
