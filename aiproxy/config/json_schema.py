"""The JSON Schema (2020-12) of the configuration, made from `schema`, for editors that complete and check as one types.

Secrets are `writeOnly`; the `title` of a mapping's plain form is the key that it fills.

It takes whatever a reading takes of single values; what spans keys, and what variables hold, only `validate` knows."""

from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from aiproxy.config.names import hints, kebab
from aiproxy.config.reference import default_of, sentence
from aiproxy.config.schema import PLAIN_FORM, SHORT_NAMES, Settings, Strategy
from aiproxy.secrets import Secret

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_VARIABLE = {"type": "string", "pattern": r"\$\{"}
"""Text with `${NAME}` in it may become anything."""

_FILE = {
    "type": "object",
    "properties": {"file": {"type": "string", "description": "A file that holds the secret."}},
    "required": ["file"],
    "additionalProperties": False,
}

_DURATION = {
    "type": "string",
    "pattern": r"^\s*(?=[0-9])([0-9]+h)?([0-9]+(\.[0-9]+)?m(?!s))?([0-9]+(\.[0-9]+)?s)?([0-9]+(\.[0-9]+)?ms)?\s*$",
}
"""`1h30m`, `20ms`."""

Json = dict[str, Any]


def json_schema() -> Json:
    definitions: dict[str, Json] = {}
    whole = _mapping(Settings, definitions)
    return {
        "$schema": DIALECT,
        "title": "aiproxy",
        "description": "The configuration of aiproxy.",
        **whole,
        "type": ["object", "null"],
        "patternProperties": {"^x-": {"description": "A place for YAML anchors; ignored."}},
        "$defs": definitions,
    }


def _mapping(cls: type, definitions: dict[str, Json]) -> Json:
    found: Json = {
        "type": "object",
        "properties": {kebab(each.name): _key(cls, each, definitions) for each in fields(cls)},
        "additionalProperties": False,
    }
    required = [kebab(each.name) for each in fields(cls) if each.metadata["required"]]
    return {**found, "required": required} if required else found


def _key(cls: type, each: Field[Any], definitions: dict[str, Json]) -> Json:
    """A key with nothing behind it is as good as absent, unless it is required."""
    about = each.metadata
    forms = _forms(hints(cls)[each.name], about, definitions)
    # What holds nothing is as good as absent, which is wrong only where something must stand.
    forms = [_filled(form) for form in forms] if about["required"] else [*forms, {"type": "null"}]
    default = _json(default_of(each))
    said: Json = {"description": sentence(each)}
    if default not in (None, "", [], {}) and not about["required"]:
        said["default"] = default
    return {**said, **(forms[0] if len(forms) == 1 else {"anyOf": forms})}


def _filled(form: Json) -> Json:
    least = {"string": "minLength", "array": "minItems", "object": "minProperties"}.get(form.get("type", ""))
    return {**form, least: 1} if least else form


def _forms(wanted: Any, about: Mapping[str, Any], definitions: dict[str, Json]) -> list[Json]:
    """What may stand there, each in its own way."""
    if get_origin(wanted) is UnionType:
        return _forms(next(one for one in get_args(wanted) if one is not NoneType), about, definitions)
    if get_origin(wanted) is tuple:
        return [{"type": "array", "items": _one(_forms(get_args(wanted)[0], about, definitions))}]
    if get_origin(wanted) is not None:
        return [{"type": "object", "additionalProperties": _one(_forms(get_args(wanted)[1], {}, definitions))}]
    if wanted is Any:
        return [{}]
    if wanted is Secret:
        return [{"type": "string", "writeOnly": True}, _FILE]
    if is_dataclass(wanted) and isinstance(wanted, type):
        return _of_mapping(wanted, definitions)
    if wanted is str:
        return [{"type": "string"}]
    if issubclass(wanted, StrEnum):
        return [{"enum": [*wanted, *(SHORT_NAMES if wanted is Strategy else ())]}, _VARIABLE]
    if wanted is bool:
        return [{"type": "boolean"}, _VARIABLE]
    number: Json = {"type": "integer" if wanted is int else "number"}
    if about.get("minimum") is not None:
        number["minimum"] = about["minimum"]
    if about.get("maximum") is not None:
        number["maximum"] = about["maximum"]
    return [number, _VARIABLE, *([_DURATION] if about.get("duration") else [])]


def _of_mapping(cls: type, definitions: dict[str, Json]) -> list[Json]:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}
        definitions[cls.__name__] = _mapping(cls, definitions)
    forms: list[Json] = [{"$ref": f"#/$defs/{cls.__name__}"}]
    if short := PLAIN_FORM.get(cls):
        plain = _forms(hints(cls)[short], {}, definitions)
        needed = any(each.name == short and each.metadata["required"] for each in fields(cls))
        forms += [{"title": kebab(short), **(_filled(form) if needed else form)} for form in plain]
    return forms


def _one(forms: list[Json]) -> Json:
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _json(value: Any) -> Any:
    if isinstance(value, Secret) or is_dataclass(value):
        return None
    return list(value) if isinstance(value, tuple) else value
