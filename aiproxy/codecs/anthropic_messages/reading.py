"""An upstream's JSON as objects, and its mistakes as `UpstreamFailed`."""

import json
import re
from typing import Any

import orjson

from aiproxy.neutral.errors import UpstreamFailed

_LONG_NUMBER = re.compile(rb"\d{19}")
"""orjson makes floats of integers beyond 64 bits; nineteen digits may be one."""


def load_object(data: bytes) -> dict[str, Any]:
    """Numbers stay exact, and half a surrogate pair is read as it stands: a model's text may be cut anywhere."""
    found: Any
    try:
        found = orjson.loads(data) if not _LONG_NUMBER.search(data) else _exact(data)
    except ValueError:
        found = _exact(data)
    if not isinstance(found, dict):
        raise UpstreamFailed("The upstream sent JSON that is not an object where an answer was due.")
    return found


def _exact(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream sent something that is not JSON where an answer was due.") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
