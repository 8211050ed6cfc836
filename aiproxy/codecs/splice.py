"""Changing the model's name in a body and not one byte else."""

import json
import re
from typing import Any

import orjson

from aiproxy.codecs.json_bytes import LONG_NUMBER
from aiproxy.neutral.errors import InvalidRequest

_KEY = b'"model"'
_TOKEN = re.compile(rb'["{}\[\]]')
_STRING_VALUE = re.compile(rb'\s*:\s*"')


def read_object(body: bytes, *, exact: bool = True) -> dict[str, Any]:
    """A client's body as a JSON object. Integers beyond 64 bits stay what they are, where anybody looks at them (`exact`).

    Raises `InvalidRequest` that says where it stops being one."""
    try:
        found = orjson.loads(body)
        if exact and LONG_NUMBER.search(body):
            found = json.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise InvalidRequest(f"The request body is not valid JSON: {error}.", code="invalid_json") from error
    if not isinstance(found, dict):
        raise InvalidRequest("The request body must be a JSON object.", code="invalid_json")
    return found


MOST_TOKENS = 200_000
"""Brackets and strings that are looked at in search of the model's name: a fifth of a second of the reactor's time. A body
that has more and names its model only after them, or twice, is written anew."""


def splice_model(body: bytes, model: str) -> bytes:
    """The same bytes with the value of the top-level `model` replaced. `body` is a JSON object whose `model` is a string.

    Where the member occurs twice the last one counts, as it does for every JSON parser we know of; both are replaced."""
    spans = _only_span(body) or _model_spans(body)
    if spans is None:
        return orjson.dumps({**orjson.loads(body), "model": model})
    out: list[bytes] = []
    end = 0
    for start, stop in spans:
        out += (body[end:start], orjson.dumps(model))
        end = stop
    return b"".join((*out, body[end:]))


def _only_span(body: bytes) -> list[tuple[int, int]] | None:
    """The value's place where `"model"` stands only once, and no escape can hide another: then it is the top-level one."""
    place = body.find(_KEY)
    if body.find(_KEY, place + 1) >= 0 or rb"\u00" in body:
        return None
    found = _STRING_VALUE.match(body, place + len(_KEY)) if place >= 0 else None
    return [(found.end() - 1, _string_end(body, found.end() - 1))] if found else None


def _model_spans(body: bytes) -> list[tuple[int, int]] | None:
    """Where the values of top-level members named `model` stand, by a scan that knows strings and depth; None for a body
    of more than `MOST_TOKENS`."""
    spans = []
    depth = 0
    position = 0
    tokens = 0
    while found := _TOKEN.search(body, position):
        tokens += 1
        if tokens > MOST_TOKENS:
            return None
        start = found.start()
        token = body[start : start + 1]
        position = start + 1
        if token == b'"':
            position = _string_end(body, start)
            after = _STRING_VALUE.match(body, position) if depth == 1 else None
            if after and orjson.loads(body[start:position]) == "model":
                value = after.end() - 1
                position = _string_end(body, value)
                spans.append((value, position))
        elif token in b"{[":
            depth += 1
        else:
            depth -= 1
    return spans


def _string_end(body: bytes, start: int) -> int:
    """The index after the closing quote of the string that opens at `start`."""
    quote = start
    while True:
        quote = body.index(b'"', quote + 1)
        backslashes = 0
        while body[quote - 1 - backslashes : quote - backslashes] == b"\\":
            backslashes += 1
        if backslashes % 2 == 0:
            return quote + 1
