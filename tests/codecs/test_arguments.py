"""Arguments as text and as object; freeform text as an argument."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.arguments import as_object, as_text, is_complete, json_text
from aiproxy.codecs.freeform import as_function, freeform_names, unwrap, wrap
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FreeformTool, FunctionTool, Grammar


@pytest.mark.parametrize(
    ("text", "expected", "is_object"),
    [
        ("", {}, True),
        (" \n", {}, True),
        ('{"a":1}', {"a": 1}, True),
        ('{"n":123456789012345678901234567890}', {"n": 123456789012345678901234567890}, True),
        ("[1]", {"_raw_arguments": "[1]"}, False),
        ('{"a":', {"_raw_arguments": '{"a":'}, False),
        ('{"a":NaN}', {"_raw_arguments": '{"a":NaN}'}, False),
        ("[" * 100_000, {"_raw_arguments": "[" * 100_000}, False),
    ],
)
def test_text_as_object(text: str, expected: object, is_object: bool) -> None:
    assert as_object(text) == (expected, is_object)


@given(st.text())
def test_wrapped_text_comes_back(text: str) -> None:
    found, is_object = as_object(text)
    assert is_object or as_text(found) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "{}"), ({}, "{}"), ({"ü": 1}, '{"ü":1}'), ({"b": 1, "a": 2}, '{"b":1,"a":2}')]
)
def test_object_as_text(value: object, text: str) -> None:
    assert as_text(value) == text


def test_text_for_targets_of_text_stays_as_the_model_wrote_it() -> None:
    assert json_text('{ "a": 1.0 }') == '{ "a": 1.0 }'
    assert json_text("") == "{}"


@pytest.mark.parametrize(("text", "complete"), [("", True), ("{}", True), ('{"a":', False)])
def test_completeness(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


@given(st.text())
def test_freeform_text_comes_back(text: str) -> None:
    assert unwrap(wrap(text)) == text


def test_a_broken_form_passes_as_it_is() -> None:
    assert unwrap('{"other": 1}') == '{"other": 1}'


def test_a_freeform_tool_as_function_tells_its_grammar() -> None:
    tool = FreeformTool("patch", "Edits files.", Grammar("lark", "start: x"))
    function = as_function(tool)
    assert function.parameters == {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
    assert function.description == "Edits files.\n\n`input` must match this lark grammar:\nstart: x"
    assert freeform_names(GenerateRequest("m", tools=(tool, FunctionTool("f")))) == {("patch", None)}
