"""One spelling of names. Proto3 JSON takes `maxOutputTokens` and `max_output_tokens` alike, and Google's own SDK mixes them in
one request; inside the codec, and on the wire from us, there is only lowerCamelCase. What users named themselves stays."""

import re

from aiproxy.neutral.carried import Json

NAME = "gemini"
"""The codec's own name: its key in every `extensions`."""

VENDOR = "google"
"""Whose opaque state Gemini's is."""

DEEPEST = 64
"""Levels of nesting that are looked at: the API's own messages end far above, what is deeper is user data."""

_USER_DATA = frozenset(
    {
        "args",
        "partialArgs",
        "response",
        "parametersJsonSchema",
        "responseJsonSchema",
        "labels",
        "partMetadata",
        "headers",
    }
)
_SCHEMAS = frozenset({"parameters", "responseSchema"})
_NAMED = frozenset({"properties", "defs", "$defs"})
_VALUES = frozenset({"default", "example", "enum", "required", "propertyOrdering"})

_WORD_START = re.compile(r"(?<=[A-Za-z0-9])_([a-z0-9])")


def camel(value: Json, depth: int = 0) -> Json:
    """The message with every field name in lowerCamelCase. Raises `ValueError` for a name that would be a note of ours."""
    if depth >= DEEPEST:
        return value
    if isinstance(value, list):
        return [camel(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, inner in value.items():
        name = camel_name(key)
        if name in _SCHEMAS:
            found[name] = _schema(inner, depth + 1)
        else:
            found[name] = inner if name in _USER_DATA else camel(inner, depth + 1)
    return found


def camel_name(name: str) -> str:
    if name.startswith("~"):
        raise ValueError(f"Unknown name `{name[:40]}`")
    return _WORD_START.sub(lambda found: found[1].upper(), name) if "_" in name else name


def _schema(value: Json, depth: int) -> Json:
    """Google's `Schema`: a message too, but its properties are the user's."""
    if depth >= DEEPEST:
        return value
    if isinstance(value, list):
        return [_schema(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, inner in value.items():
        name = camel_name(key)
        if name in _NAMED and isinstance(inner, dict):
            found[name] = {own: _schema(schema, depth + 1) for own, schema in inner.items()}
        else:
            found[name] = inner if name in _VALUES else _schema(inner, depth + 1)
    return found


_PLAIN = re.compile(r"\w*")


def as_written(field: str, body: Json) -> str:
    """A field's dotted name as this message spells it; `[]` is any of a list."""
    spelt = []
    for step in field.split("."):
        inner = next((item for item in body if isinstance(item, dict)), None) if isinstance(body, list) else body
        found = inner if isinstance(inner, dict) else {}
        name = _PLAIN.match(step)[0]  # type: ignore[index]
        key = next((key for key in found if camel_name(key) == name), name)
        body = found.get(key)
        spelt.append(key + step[len(name) :])
    return ".".join(spelt)
