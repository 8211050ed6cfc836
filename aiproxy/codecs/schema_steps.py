"""Single steps of a schema's conversion. Each changes one schema in place and doesn't look into the schemas inside it.

Those that may change what the schema means give back whether it still means the same."""

import json
from collections.abc import Callable, Mapping

from aiproxy.codecs.schema_merge import merged
from aiproxy.neutral.carried import Json

_NULL: Json = {"type": "null"}

_SCALARS = frozenset({"string", "number", "integer"})

_OF_ARRAYS = ("items", "minItems", "maxItems")
_OF_OBJECTS = ("properties", "required", "minProperties", "maxProperties")


def names(value: Json) -> list[str]:
    """The names in a `required`, whatever else is in it."""
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def bounds(schema: dict[str, Json]) -> None:
    """Exclusive bounds as inclusive ones: the next integer, or for fractions the bound itself."""
    step = 1 if schema.get("type") == "integer" else 0
    for exclusive, inclusive, sign in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        bound = schema.pop(exclusive, None)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            schema[inclusive] = bound + sign * step


def enum_of_scalars(schema: dict[str, Json]) -> bool:
    """An enum of strings and numbers, of the schema's own type where it has one; without any left, only the types stay."""
    values = schema.get("enum")
    if not isinstance(values, list) or not values:
        return True
    kinds = _kinds(schema.get("type"))
    kept = [value for value in values if _kinds_of(value) & (kinds or _SCALARS) & _SCALARS]
    if not kinds:
        schema["type"] = _one_or_all(sorted({min(_kinds_of(value)) for value in values}))
    if kept:
        schema["enum"] = kept
    else:
        del schema["enum"]
    return all(value is None or value in kept for value in values)


def enum_of_texts(schema: dict[str, Json]) -> bool:
    values = schema.get("enum")
    if not isinstance(values, list):
        return True
    schema["enum"] = [value if isinstance(value, str) else json.dumps(value) for value in values if value is not None]
    schema["type"] = ["string", "null"] if None in values else "string"
    return all(value is None or isinstance(value, str) for value in values)


def one_type(schema: dict[str, Json], dereferenced: Callable[[Json], Mapping[str, Json]]) -> None:
    """One upper-case type; null as `nullable`, several others as `anyOf`, each with the keywords of its kind."""
    variants = schema.get("anyOf")
    if isinstance(variants, list) and _NULL in variants:
        schema["nullable"] = True
        others = [variant for variant in variants if variant != _NULL]
        if len(others) > 1:
            schema["anyOf"] = others
        else:
            del schema["anyOf"]
            for variant in others:
                schema.update(merged(schema, dereferenced(variant))[0])
    kinds = schema.get("type")
    if isinstance(kinds, list):
        others = [kind for kind in kinds if isinstance(kind, str) and kind != "null"]
        if "null" in kinds and others:
            schema["nullable"] = True
        if len(others) > 1:
            del schema["type"]
            schema.setdefault("anyOf", [_variant(kind, schema) for kind in others])
            for key in (*_OF_ARRAYS, *_OF_OBJECTS):
                schema.pop(key, None)
        else:
            schema["type"] = others[0] if others else "null"
    if isinstance(schema.get("type"), str):
        schema["type"] = schema["type"].upper()


def known_required(schema: dict[str, Json]) -> None:
    """`required` without names that `properties` lacks."""
    properties = schema.get("properties")
    if "required" in schema:
        schema["required"] = [name for name in names(schema["required"]) if name in (properties or {})]
        if not schema["required"]:
            del schema["required"]


def closed_object(schema: dict[str, Json], *, all_required: bool) -> bool:
    """An object that forbids what it doesn't name. `all_required`: and requires all it names, null standing for "not there"."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        if "object" not in _kinds(schema.get("type")):
            return True
        properties = {}
    exact = schema.get("additionalProperties", not properties) is False
    schema["additionalProperties"] = False
    if all_required:
        required = names(schema.get("required"))
        optional = [name for name in properties if name not in required]
        exact = exact and not optional and all(name in properties for name in required)
        schema["properties"] = {
            name: _nullable(inner) if name in optional else inner for name, inner in properties.items()
        }
        schema["required"] = list(properties)
    return exact


def _nullable(schema: Json) -> Json:
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema and "const" not in schema:
        return schema if kind == "null" else {**schema, "type": [kind, "null"]}
    if isinstance(kind, list) and "null" in kind:
        return schema
    return {"anyOf": [schema, _NULL]}


def _variant(kind: str, schema: Mapping[str, Json]) -> dict[str, Json]:
    own = {"array": _OF_ARRAYS, "object": _OF_OBJECTS}.get(kind, ())
    return {"type": kind, **{key: schema[key] for key in own if key in schema}}


def _kinds(kind: Json) -> frozenset[str]:
    return frozenset(item for item in (kind if isinstance(kind, list) else [kind]) if isinstance(item, str))


def _one_or_all(kinds: list[str]) -> Json:
    return kinds[0] if len(kinds) == 1 else kinds


def _kinds_of(value: Json) -> frozenset[str]:
    match value:
        case None:
            return frozenset({"null"})
        case bool():
            return frozenset({"boolean"})
        case int():
            return frozenset({"integer", "number"})
        case float():
            return frozenset({"number"})
        case str():
            return frozenset({"string"})
        case list():
            return frozenset({"array"})
        case _:
            return frozenset({"object"})
