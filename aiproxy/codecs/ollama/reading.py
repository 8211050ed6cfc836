"""JSON as it came, and the counts of a last line: what the decoder and the observer share."""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from aiproxy.codecs.json_bytes import may_hold_long_number
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.usage import Usage

_CALLS = b'"tool_calls"'
"""Only arguments must keep such numbers: a search through megabytes of images is saved."""


def load(data: bytes) -> Json:
    """Numbers of arguments stay exact, and half a surrogate pair is read as it stands. Raises `ValueError`."""
    if _CALLS in data and may_hold_long_number(data):
        return _exact(data)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _exact(data)


def load_line(data: bytes) -> dict[str, Any]:
    """A line of an upstream's stream, or its whole answer."""
    try:
        found = load(data)
    except ValueError as error:
        raise UpstreamFailed("The upstream sent something that is not JSON where an answer was due.") from error
    if not isinstance(found, dict):
        raise UpstreamFailed("The upstream sent JSON that is not an object where an answer was due.")
    return found


def read_usage(line: Mapping[str, Any]) -> Usage | None:
    """`prompt_eval_count` holds what the server had cached as well, `eval_count` the thinking."""
    counts = [line.get(name) for name in ("prompt_eval_count", "eval_count")]
    prompt, output = (count if type(count) is int and count >= 0 else None for count in counts)
    if prompt is None and output is None:
        return None
    raw = {name: value for name, value in line.items() if name.endswith(("_count", "_duration"))}
    return Usage.from_totals(input_total=prompt, output_total=output, raw=raw)


def _exact(data: bytes) -> Json:
    try:
        return json.loads(data.decode(), parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
