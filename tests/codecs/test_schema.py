"""JSON Schema as each target takes it."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.schema import convert, lower_types, unwrapped
from aiproxy.codecs.schema_rules import SchemaTarget
from aiproxy.neutral.errors import InvalidRequest

TARGETS: tuple[SchemaTarget, ...] = get_args(SchemaTarget)


def inside(schema: object, target: SchemaTarget) -> tuple[Any, bool]:
    """What a property's schema becomes, and whether it still says the same."""
    root = {"type": "object", "properties": {"a": schema}, "required": ["a"], "additionalProperties": False}
    found = convert(root, target)
    assert found.schema is not None
    return found.schema["properties"]["a"], found.exact


@pytest.mark.parametrize(
    ("target", "schema", "expected", "exact"),
    [
        ("openai", {"oneOf": [{"const": 1}]}, {"oneOf": [{"const": 1}]}, True),
        ("openai-strict", {"const": 1}, {"enum": [1]}, True),
        ("openai-strict", {"oneOf": [{"type": "null"}]}, {"anyOf": [{"type": "null"}]}, True),
        ("openai-strict", {"type": "string", "format": "color"}, {"type": "string", "description": '{"format": "color"}'}, True),
        ("openai-strict", {"type": "integer", "exclusiveMinimum": 1, "description": "d"}, {"type": "integer", "description": 'd\n\n{"exclusiveMinimum": 1}'}, True),
        ("openai-strict", True, {}, False),
        ("openai-strict", {"type": "object", "properties": {"b": {"type": "string"}}},
         {"type": "object", "properties": {"b": {"type": ["string", "null"]}}, "required": ["b"], "additionalProperties": False}, False),
        ("openai-strict", {"allOf": [{"type": "string", "minLength": 1}, {"minLength": 3}]}, {"type": "string", "minLength": 3}, True),
        ("anthropic-tool", {"const": 1, "oneOf": [True], "exclusiveMinimum": 2}, {"const": 1, "oneOf": [{}], "exclusiveMinimum": 2}, True),
        ("anthropic-format", {"type": "string", "pattern": "^a", "description": "x"}, {"type": "string", "description": 'x\n\n{"pattern": "^a"}'}, True),
        ("anthropic-format", {"type": "array", "items": {"const": 1}, "minItems": 2},
         {"type": "array", "items": {"const": 1}, "description": '{"minItems": 2}'}, True),
        ("anthropic-format", {"type": "array", "minItems": 1}, {"type": "array", "minItems": 1}, True),
        ("gemini-json", {"const": "x"}, {"enum": ["x"], "type": "string"}, True),
        ("gemini-json", {"enum": [1, "a", None]}, {"enum": [1, "a"], "type": ["integer", "null", "string"]}, True),
        ("gemini-json", {"type": "boolean", "enum": [True]}, {"type": "boolean"}, False),
        ("gemini-json", {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 9}, {"type": "integer", "minimum": 2, "maximum": 8}, True),
        ("gemini-json", {"type": "object", "properties": {"b": True}, "required": ["b", "c"]}, {"type": "object", "properties": {"b": {}}, "required": ["b"]}, True),
        ("gemini-json", {"not": {"type": "null"}}, {"description": '{"not": {"type": "null"}}'}, True),
        ("gemini", {"type": ["string", "null"]}, {"type": "STRING", "nullable": True}, True),
        ("gemini", {"type": ["string", "array"], "items": {"type": "string"}},
         {"anyOf": [{"type": "STRING"}, {"type": "ARRAY", "items": {"type": "STRING"}}]}, True),
        ("gemini", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "INTEGER", "nullable": True}, True),
        ("gemini", {"enum": [1, "a", None]}, {"enum": ["1", "a"], "type": "STRING", "nullable": True}, False),
        ("gemini", {"type": "string", "format": "email"}, {"type": "STRING", "description": '{"format": "email"}'}, True),
        ("gemini", {"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}, True),
        ("gemini", {}, {"type": "STRING"}, False),
        ("gemini", {"type": "object", "properties": {"type": {"type": "string"}}, "additionalProperties": False, "title": "t"},
         {"type": "OBJECT", "properties": {"type": {"type": "STRING"}}, "title": "t"}, True),
    ],
)  # fmt: skip
def test_keywords(target: SchemaTarget, schema: object, expected: object, exact: bool) -> None:
    assert inside(schema, target) == (expected, exact)


SHARED = {
    "type": "object",
    "properties": {"a": {"$ref": "#/definitions/Name", "description": "first"}, "b": {"$ref": "#/definitions/Name"}},
    "required": ["a", "b"],
    "additionalProperties": False,
    "definitions": {"Name": {"type": "string"}},
}


def test_definitions_get_their_new_name() -> None:
    found = convert(SHARED, "anthropic-tool").schema
    assert found is not None
    assert found["$defs"] == {"Name": {"type": "string"}}
    assert found["properties"]["b"] == {"$ref": "#/$defs/Name"}
    assert "definitions" not in found


def test_a_reference_with_neighbours_is_inlined_for_strict_targets() -> None:
    found = convert(SHARED, "openai-strict").schema
    assert found is not None
    assert found["properties"] == {"a": {"type": "string", "description": "first"}, "b": {"$ref": "#/$defs/Name"}}


def test_gemini_schema_has_no_references() -> None:
    found = convert(SHARED, "gemini").schema
    assert found is not None
    assert found["properties"] == {"a": {"type": "STRING", "description": "first"}, "b": {"type": "STRING"}}
    assert "$defs" not in found


TREE = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/Node"}},
    "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "all": {"$ref": "#"}}}},
}


def test_recursion_is_cut_where_it_cannot_be_said() -> None:
    found = convert(TREE, "gemini")
    assert found.schema is not None
    node = found.schema["properties"]["root"]["properties"]
    assert node["next"] == {"type": "OBJECT"}
    assert node["all"]["properties"]["root"] == {"type": "OBJECT"}
    assert not found.exact


@pytest.mark.parametrize("target", ["gemini-json", "anthropic-tool", "openai-strict"])
def test_recursion_stays_where_it_can(target: SchemaTarget) -> None:
    found = convert(TREE, target).schema
    assert found is not None
    assert found["$defs"]["Node"]["properties"]["all"] in ({"$ref": "#"}, {"anyOf": [{"$ref": "#"}, {"type": "null"}]})


@pytest.mark.parametrize(
    ("target", "tool", "wrapped"),
    [
        ("openai", True, True),
        ("openai-strict", False, True),
        ("anthropic-tool", True, True),
        ("anthropic-format", False, False),
        ("gemini-json", True, True),
        ("gemini-json", False, False),
        ("gemini", False, True),
    ],
)
def test_roots_that_are_no_object(target: SchemaTarget, tool: bool, wrapped: bool) -> None:
    found = convert(
        {"type": "array", "items": {"$ref": "#/$defs/X"}, "$defs": {"X": {"type": "string"}}}, target, tool=tool
    )
    assert found.wrapped is wrapped
    assert found.schema is not None
    if wrapped:
        assert found.schema["required"] == ["value"]
        assert found.schema["properties"]["value"]["type"].lower() == "array"


def test_references_to_a_wrapped_root_follow_it() -> None:
    found = convert({"type": "array", "items": {"$ref": "#"}}, "gemini-json").schema
    assert found is not None
    assert found["properties"]["value"]["items"] == {"$ref": "#/properties/value"}


@pytest.mark.parametrize(
    ("text", "value"), [('{"value":[1]}', "[1]"), ('{"value":"ü"}', '"ü"'), ("[1]", "[1]"), ("{", "{")]
)
def test_unwrapping(text: str, value: str) -> None:
    assert unwrapped(text) == value


@pytest.mark.parametrize("schema", [None, {}, {"type": "object"}, {"type": "object", "properties": {}}])
@pytest.mark.parametrize("target", TARGETS)
def test_a_tool_that_takes_nothing(schema: dict[str, object] | None, target: SchemaTarget) -> None:
    found = convert(schema, target).schema
    if target.startswith("gemini"):
        assert found is None
    else:
        assert found is not None
        assert (found["type"], found["properties"]) == ("object", {})


def test_a_free_map_is_not_nothing() -> None:
    assert convert({"type": "object", "additionalProperties": {"type": "string"}}, "gemini-json").schema is not None


def test_a_union_at_the_root_becomes_one_object_for_anthropic() -> None:
    one = {"type": "object", "properties": {"a": {"type": "string"}, "k": {"type": "string"}}, "required": ["a", "k"]}
    two = {"type": "object", "properties": {"b": {"type": "string"}, "k": {"type": "string"}}, "required": ["k"]}
    found = convert({"anyOf": [one, two]}, "anthropic-tool")
    assert found.schema is not None
    assert found.schema["properties"].keys() == {"a", "b", "k"}
    assert found.schema["required"] == ["k"]
    assert (found.wrapped, found.exact) == (False, False)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": 5}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/missing"}}},
        {"type": "object", "properties": {"a": {"$ref": "https://example.com/schema"}}},
    ],
)
def test_what_is_no_schema_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        convert(schema, "gemini")


def test_references_that_grow_without_end_are_refused() -> None:
    bomb = {
        f"x{i}": {"type": "object", "properties": {side: {"$ref": f"#/$defs/x{i + 1}"} for side in "ab"}}
        for i in range(40)
    }
    bomb["x40"] = {"type": "object", "properties": {}}
    for schema in (
        {"$ref": "#/$defs/x0", "$defs": bomb},
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/y"}},
            "$defs": {"y": {"allOf": [{"$ref": "#/$defs/y"}] * 2}},
        },
    ):
        with pytest.raises(InvalidRequest):
            convert(schema, "gemini")


def test_types_of_gemini_clients() -> None:
    given = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "nullable": True},
            "n": {"type": "ARRAY", "items": {"type": "INTEGER"}},
        },
    }
    assert lower_types(given) == {
        "type": "object",
        "properties": {"type": {"type": ["string", "null"]}, "n": {"type": "array", "items": {"type": "integer"}}},
    }


KEYWORDS = ["type", "properties", "items", "anyOf", "oneOf", "allOf", "enum", "const", "$ref", "$defs", "definitions", "required", "format",
            "additionalProperties", "minItems", "exclusiveMinimum", "description", "not", "nullable"]  # fmt: skip
values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["object", "string", "null", "#", "#/$defs/a", "#/definitions/a", "a"])
)
junk = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYWORDS, "a"]), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYWORDS), junk, max_size=5), st.sampled_from(TARGETS), st.booleans())
def test_any_json_is_converted_or_refused(schema: dict[str, object], target: SchemaTarget, tool: bool) -> None:
    try:
        found = convert(schema, target, tool=tool)
    except InvalidRequest:
        return
    json.dumps(found.schema)
    lower_types(schema)
