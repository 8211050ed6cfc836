"""Two JSON Schemas that both must hold (`allOf`, a reference and its neighbours) as one."""

from collections.abc import Mapping

from aiproxy.neutral.carried import Json

_LARGER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_SMALLER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def merged(first: Mapping[str, Json], second: Mapping[str, Json]) -> tuple[dict[str, Json], bool]:
    """(a schema for both, whether it says all that both say). Where they can't be joined the first one stands."""
    found = dict(first)
    exact = True
    for key, value in second.items():
        if key not in found or found[key] == value:
            found[key] = value
            continue
        found[key], agrees = _joined(key, found[key], value)
        exact = exact and agrees
    return found, exact


def _joined(key: str, one: Json, two: Json) -> tuple[Json, bool]:
    match key, one, two:
        case "properties" | "$defs" | "patternProperties", dict(), dict():
            found = dict(one)
            exact = True
            for name, schema in two.items():
                if isinstance(found.get(name), dict) and isinstance(schema, dict):
                    found[name], agrees = merged(found[name], schema)
                    exact = exact and agrees
                else:
                    found.setdefault(name, schema)
            return found, exact
        case "required", list(), list():
            return [*one, *(name for name in two if name not in one)], True
        case "enum", list(), list():
            return [item for item in one if item in two], True
        case "type", _, _:
            kinds, others = (item if isinstance(item, list) else [item] for item in (one, two))
            common = [kind for kind in kinds if kind in others]
            return (common[0] if len(common) == 1 else common, True) if common else (one, False)
        case "allOf", list(), list():
            return [*one, *two], True
        case "description" | "title" | "default" | "examples" | "$comment" | "$id" | "$schema", _, _:
            return one, True
        case "additionalProperties", _, False:
            return False, True
        case "additionalProperties", False, _:
            return False, True
        case _, int() | float(), int() | float() if key in _LARGER:
            return max(one, two), True
        case _, int() | float(), int() | float() if key in _SMALLER:
            return min(one, two), True
        case _:
            return one, False
