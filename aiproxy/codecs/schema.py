"""JSON Schema as each target takes it; what it can't take is told in the description, so that the model still reads it.

Property names are never altered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiproxy.codecs.schema_rules import RULES, Rules, SchemaTarget
from aiproxy.codecs.schema_walk import Walk, children
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest

VALUE = "value"
"""The property a root that isn't an object is wrapped in."""

_EMPTY = {"$schema", "type", "properties", "additionalProperties", "required", "title", "description"}
"""All that the schema of a tool without arguments may have."""


@dataclass(frozen=True, slots=True)
class Converted:
    """`schema` None: the tool takes nothing. `wrapped`: the reply holds what was asked for under `VALUE`.

    `exact` False: the result allows or demands something else than the source, beyond limits told in words."""

    schema: dict[str, Json] | None
    wrapped: bool = False
    exact: bool = True


def convert(schema: Mapping[str, Json] | None, target: SchemaTarget, *, tool: bool = True) -> Converted:
    """`tool`: the arguments of a tool, whose root must be an object; else an output format.

    Raises `InvalidRequest` for what isn't a schema, and for one that is too deep or too large to be meant."""
    try:
        return _convert(dict(schema or {}), RULES[target], tool)
    except RecursionError as error:
        raise InvalidRequest("The JSON Schema nests too deep.") from error


def _convert(root: dict[str, Json], rules: Rules, tool: bool) -> Converted:
    walk = Walk(rules, root)
    if tool and _takes_nothing(root):
        if rules.omits_empty:
            return Converted(None)
        root = {**root, "type": "object", "properties": {}}
    if tool and rules.flat_root:
        root = walk.flat(root)
    wrapped = (tool or not rules.any_root) and not walk.is_object(root)
    found = root
    if rules.converts:
        found = walk.node({key: value for key, value in root.items() if key not in ("definitions", "$defs")})
        if definitions := walk.definitions():
            found["$defs"] = definitions
    return Converted(_wrapped(found, rules) if wrapped else found, wrapped, walk.exact)


def unwrapped(text: str) -> str:
    """A wrapped reply as what was asked for; the reply itself when the model broke the form."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(found, dict) or VALUE not in found:
        return text
    return json.dumps(found[VALUE], ensure_ascii=False, separators=(",", ":"))


def lower_types(schema: Json) -> Json:
    """Google's upper-case types as JSON Schema's own; `nullable` as a union with null. For schemas of Gemini clients."""
    if not isinstance(schema, dict):
        return schema
    found = {key: children(key, value, lower_types) for key, value in schema.items() if key != "nullable"}
    kind = found.get("type")
    if isinstance(kind, str):
        found["type"] = [kind.lower(), "null"] if schema.get("nullable") is True else kind.lower()
    elif isinstance(kind, list):
        found["type"] = [item.lower() if isinstance(item, str) else item for item in kind]
    return found


def _takes_nothing(root: Mapping[str, Json]) -> bool:
    return (
        not root.keys() - _EMPTY
        and root.get("type", "object") == "object"
        and not root.get("properties")
        and not root.get("additionalProperties")
    )


def _wrapped(schema: dict[str, Json], rules: Rules) -> dict[str, Json]:
    """The schema as the one property of an object. Definitions stay at the root, and references to the root follow it."""
    definitions = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in definitions}
    found: dict[str, Json] = {
        "type": "OBJECT" if rules.proto else "object",
        "properties": {VALUE: _moved(inner)},
        "required": [VALUE],
        **_moved(definitions),
    }
    if rules.closed:
        found["additionalProperties"] = False
    return found


def _moved(value: Json) -> Json:
    """References into the root, now one level down."""
    match value:
        case {"$ref": str(reference), **others} if not reference.startswith(("#/$defs/", "#/definitions/")):
            return {"$ref": f"#/properties/{VALUE}{reference.removeprefix('#')}", **others}
        case dict():
            return {key: _moved(inner) for key, inner in value.items()}
        case list():
            return [_moved(inner) for inner in value]
        case _:
            return value
