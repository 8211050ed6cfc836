"""The walk through a JSON Schema that converts it: references, nesting, and the words for what is left out."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiproxy.codecs.schema_merge import merged
from aiproxy.codecs.schema_rules import Rules
from aiproxy.codecs.schema_steps import (
    bounds,
    closed_object,
    enum_of_scalars,
    enum_of_texts,
    known_required,
    names,
    one_type,
)
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest

DEEPEST = 100
"""Levels of nesting. OpenAI takes 10, Google about 30."""

LARGEST = 20_000
"""Schemas in the result: references inlined in references grow exponentially."""

_EACH = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LIST = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
"""Where schemas stand inside a schema: as values of an object, in a list, alone."""

_SILENT = frozenset(
    [
        "$schema",
        "$id",
        "$comment",
        "$anchor",
        "$defs",
        "default",
        "examples",
        "title",
        "additionalProperties",
        "strict",
        "deprecated",
        "readOnly",
        "writeOnly",
        "unevaluatedProperties",
        "unevaluatedItems",
    ]
)
"""Keywords that tell the model nothing: left out without a word."""

_UNIONS = ("anyOf", "oneOf", "allOf")


def children(key: str, value: Json, change: Callable[[Json], Json]) -> Json:
    """A keyword's value with the schemas inside it changed."""
    if key in _EACH and isinstance(value, dict):
        return {name: change(inner) for name, inner in value.items()}
    if key in _LIST and isinstance(value, list):
        return [change(inner) for inner in value]
    if key in _ONE and isinstance(value, dict):
        return change(value)
    return value


class Walk:
    """Through one schema. `exact` turns False when something couldn't be said."""

    def __init__(self, rules: Rules, root: Mapping[str, Json]) -> None:
        self.exact = True
        self._rules = rules
        self._root = root
        self._count = 0

    def node(self, schema: Json, depth: int = 0, inside: tuple[str, ...] = ()) -> dict[str, Json]:
        """`inside` are the references being inlined: one that comes back is cut."""
        self._counted(1)
        if depth > DEEPEST:
            raise InvalidRequest(f"The JSON Schema nests deeper than {DEEPEST} levels.")
        if isinstance(schema, bool) or schema == {}:
            return self._anything(schema)
        if not isinstance(schema, dict):
            raise InvalidRequest("A JSON Schema must be an object, true or false.")
        found = dict(schema)
        while isinstance(reference := found.get("$ref"), str) and self._must_follow(found):
            if reference in inside:
                self.exact = False
                found = {"type": "object"} if self._rules.inline else {"$ref": reference}
                break
            found, inside = self._dereferenced(found), (*inside, reference)
        self._reshape(found)
        found = {key: self._inner(key, value, depth, inside) for key, value in found.items()}
        return self._told(found)

    def definitions(self) -> dict[str, Json]:
        """The root's definitions, converted, under the one name there is now."""
        if self._rules.inline:
            return {}
        both = {**_mapping(self._root.get("definitions")), **_mapping(self._root.get("$defs"))}
        return {name: self.node(schema, 1) for name, schema in both.items()}

    def is_object(self, root: Mapping[str, Json]) -> bool:
        seen: set[str] = set()
        while isinstance(reference := root.get("$ref"), str) and reference not in seen:
            seen.add(reference)
            root = _mapping(self._resolve(reference))
        kind = root.get("type")
        if isinstance(kind, str):
            return kind.lower() == "object"
        return kind is None and "properties" in root and not any(union in root for union in ("anyOf", "oneOf"))

    def flat(self, root: dict[str, Json]) -> dict[str, Json]:
        """A root that is a union of objects as one object that takes what any of them takes."""
        unions = [key for key in _UNIONS if isinstance(root.get(key), list) and root[key]]
        found = {key: value for key, value in root.items() if key not in unions}
        for key in unions:
            variants = [self._dereferenced(variant) for variant in root[key]]
            if not all(self.is_object({"type": root.get("type"), **variant}) for variant in variants):
                return root
            common = set.intersection(*(set(names(variant.get("required"))) for variant in variants))
            self.exact = self.exact and (key == "allOf" or len(variants) == 1)
            for variant in variants:
                required = [name for name in names(variant.get("required")) if key == "allOf" or name in common]
                found = merged(found, {**variant, "required": required})[0]
        return found

    def _reshape(self, found: dict[str, Json]) -> None:
        """Says the same in the keywords the target has, in place."""
        rules = self._rules
        if "definitions" in found:
            found["$defs"] = {**_mapping(found.pop("definitions")), **_mapping(found.get("$defs"))}
        while not rules.all_of and isinstance(parts := found.pop("allOf", None), list):
            self._counted(len(parts) + 1)
            for part in parts:
                combined, agrees = merged(found, self._dereferenced(part))
                self.exact = self.exact and agrees
                found.update(combined)
        if not rules.one_of and isinstance(found.get("oneOf"), list):
            variants = found.pop("oneOf")
            found.setdefault("anyOf", variants)
        if not rules.const and "const" in found:
            found["enum"] = [found.pop("const")]
        if rules.inclusive_bounds:
            bounds(found)
        exact = enum_of_scalars(found) if rules.scalar_enums else enum_of_texts(found) if rules.proto else True
        if rules.proto:
            one_type(found, self._dereferenced)
        if rules.known_required:
            known_required(found)
        if rules.closed:
            exact = closed_object(found, all_required=rules.all_required) and exact
        self.exact = self.exact and exact
        if rules.keywords is None and "2020-12" not in str(found.get("$schema", "2020-12")):
            del found["$schema"]

    def _inner(self, key: str, value: Json, depth: int, inside: tuple[str, ...]) -> Json:
        if key == "$ref" and isinstance(value, str):
            return value.replace("#/definitions/", "#/$defs/", 1)
        if self._rules.keywords is not None and key not in self._rules.keywords:
            return value
        return children(key, value, lambda child: self.node(child, depth + 1, inside))

    def _told(self, found: dict[str, Json]) -> dict[str, Json]:
        """Without the keywords that aren't taken: they end the description, in JSON."""
        rules = self._rules
        if rules.keywords is None:
            return found
        kept = {key: value for key, value in found.items() if key in rules.keywords}
        told = {key: value for key, value in found.items() if key not in rules.keywords and key not in _SILENT}
        if rules.formats is not None and "format" in kept and str(kept["format"]) not in rules.formats:
            told["format"] = kept.pop("format")
        least = kept.get("minItems")
        if rules.min_items is not None and isinstance(least, int) and least > rules.min_items:
            told["minItems"] = kept.pop("minItems")
        if told:
            words = json.dumps(told, ensure_ascii=False)
            description = kept.get("description")
            kept["description"] = f"{description}\n\n{words}" if isinstance(description, str) and description else words
        return kept

    def _anything(self, schema: Json) -> dict[str, Json]:
        """For `true` and `{}`. `false` lets nothing through, which no target can say."""
        if schema is False or self._rules.proto or self._rules.closed:
            self.exact = False
        return {"type": "STRING"} if self._rules.proto else {}

    def _must_follow(self, found: Mapping[str, Json]) -> bool:
        return self._rules.inline or (self._rules.lone_refs and len(found) > 1)

    def _dereferenced(self, schema: Json) -> dict[str, Json]:
        """A schema, or what its reference names, with its neighbours; one step, so that recursion is met by `node`."""
        if isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
            neighbours = {key: value for key, value in schema.items() if key != "$ref"}
            return merged(neighbours, _mapping(self._resolve(reference)))[0]
        return dict(_mapping(schema))

    def _resolve(self, reference: str) -> Json:
        """What a local reference names. Raises `InvalidRequest` for one that names nothing, or something elsewhere."""
        if not reference.startswith("#"):
            raise InvalidRequest(
                f"The JSON Schema refers to {reference[:80]!r}: only references inside it can be followed."
            )
        found: Any = self._root
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isascii() and name.isdecimal() and int(name[:9]) < len(found):
                found = found[int(name[:9])]
            else:
                raise InvalidRequest(f"The JSON Schema refers to {reference[:80]!r}, which it does not define.")
        return found

    def _counted(self, schemas: int) -> None:
        self._count += schemas
        if self._count > LARGEST:
            raise InvalidRequest(f"The JSON Schema grows over {LARGEST} schemas when its references are followed.")


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
