"""Changing one text in a body, the model's name, and not one byte else."""

import re
from typing import Any

import orjson
from msgspec.json import decode

from aiproxy.codecs.outline import string_end
from aiproxy.neutral.errors import InvalidRequest

_KEY = b'"model"'
_TOKEN = re.compile(rb'["{}\[\]]')
_STRING_VALUE = re.compile(rb'\s*:\s*"')
_OBJECT_VALUE = re.compile(rb"\s*:\s*(?=\{)")


MOST_BRACKETS = 1_000_000
"""Opening ones, those in texts among them. A list or an object takes the parser a third of a microsecond, all others wait
meanwhile; how deep they may nest (some 900) is Python's own limit."""


def read_object(body: bytes) -> dict[str, Any]:
    """A client's body as a JSON object. Integers beyond 64 bits stay what they are. (orjson makes floats of them, and takes three
    times as long and twice the memory for a body of 8 MB.)

    Raises `InvalidRequest` that says where it stops being one."""
    if len(body) > MOST_BRACKETS and body.count(b"[") + body.count(b"{") > MOST_BRACKETS:
        raise InvalidRequest(f"The request body has more than {MOST_BRACKETS} brackets.", code="invalid_json")
    try:
        found = decode(body)
    except ValueError as error:
        raise InvalidRequest(f"The request body is not valid JSON: {error}.", code="invalid_json") from error
    except RecursionError as error:
        raise InvalidRequest("The request body nests too deep.", code="invalid_json") from error
    if not isinstance(found, dict):
        raise InvalidRequest("The request body must be a JSON object.", code="invalid_json")
    return found


MOST_TOKENS = 200_000
"""Brackets and strings that are looked at in search of the model's name: a fifth of a second of the reactor's time. A body
that has more and names its model only after them, or twice, is written anew."""


def splice_model(body: bytes, outline: bytes, model: str) -> bytes:
    """The same bytes with the value of the top-level `model` replaced. `body` is a JSON object whose `model` is a string.

    Where the member occurs twice the last one counts, as it does for every JSON parser we know of; both are replaced."""
    spans = _only_span(body, outline) or _spans(body, _MODEL)
    if spans is None:
        return orjson.dumps({**orjson.loads(body), "model": model})
    return _spliced(body, spans, model)


def splice_member(body: bytes, member: str, text: str) -> bytes:
    """The same bytes with the text of a member (dotted: `response.model`) replaced, if it is there and is a text.

    A body of more than `MOST_TOKENS` stays as it is after those."""
    path = tuple(member.split("."))
    if b'"%b"' % path[-1].encode() not in body:
        return body
    return _spliced(body, _spans(body, path, whole=False) or [], text)


_MODEL = ("model",)


def _spliced(body: bytes, spans: list[tuple[int, int]], text: str) -> bytes:
    out: list[bytes] = []
    end = 0
    for start, stop in spans:
        out += (body[end:start], orjson.dumps(text))
        end = stop
    return b"".join((*out, body[end:]))


def _only_span(body: bytes, outline: bytes) -> list[tuple[int, int]] | None:
    """The value's place where `"model"` stands only once, and no escape can hide another: then it is the top-level one. What the
    outline leaves out holds neither quote nor escape."""
    if outline.find(_KEY, outline.find(_KEY) + 1) >= 0 or rb"\u00" in outline:
        return None
    place = body.find(_KEY)
    found = _STRING_VALUE.match(body, place + len(_KEY)) if place >= 0 else None
    return [(found.end() - 1, string_end(body, found.end() - 1))] if found else None


def _spans(body: bytes, path: tuple[str, ...], *, whole: bool = True) -> list[tuple[int, int]] | None:
    """Where the texts of members at this path stand, by a scan that knows strings and depth. For a body of more than
    `MOST_TOKENS` what was found by then, or None where that isn't enough (`whole`)."""
    spans: list[tuple[int, int]] = []
    depth = 0
    on_path = 0
    """How many of the objects around are those of the path, from the outermost on."""
    position = 0
    tokens = 0
    while found := _TOKEN.search(body, position):
        tokens += 1
        if tokens > MOST_TOKENS:
            return None if whole else spans
        start = found.start()
        token = body[start : start + 1]
        position = start + 1
        if token == b'"':
            position = string_end(body, start)
            if position < 0:  # not JSON to the end
                return spans
            if depth != on_path + 1 or on_path >= len(path):
                continue
            last = on_path == len(path) - 1
            after = (_STRING_VALUE if last else _OBJECT_VALUE).match(body, position)
            if after and _says(body[start:position], path[on_path]):
                if last:
                    value = after.end() - 1
                    position = string_end(body, value)
                    spans.append((value, position))
                else:
                    on_path += 1
        elif token in b"{[":
            depth += 1
        else:
            depth -= 1
            on_path = min(on_path, max(depth - 1, 0))
    return spans


def _says(written: bytes, name: str) -> bool:
    """Whether a JSON string is this name, however it is escaped."""
    if b"\\" not in written:
        return written[1:-1] == name.encode()
    try:
        return bool(orjson.loads(written) == name)
    except orjson.JSONDecodeError:  # half a surrogate pair: nobody's name
        return False
