"""Neutral values as plain JSON, and back."""

import json

import pytest
from hypothesis import given

from aiproxy.neutral.media import UrlSource
from aiproxy.neutral.parts import ImagePart, TextPart, ToolCallPart
from aiproxy.neutral.plain import from_plain, to_plain
from aiproxy.neutral.request import GenerateRequest, SamplingParams, Turn
from aiproxy.neutral.response import GenerateResponse
from aiproxy.neutral.tools import FunctionTool, ToolChoice
from tests.neutral.strategies import responses

REQUEST = GenerateRequest(
    "m",
    (Turn("user", (TextPart("hi", id="1"), ImagePart(UrlSource("u")))), Turn("assistant", (ToolCallPart("c", "f"),))),
    tools=(FunctionTool("f", parameters={"type": "object"}),),
    tool_choice=ToolChoice("named", ("f",)),
    sampling=SamplingParams(temperature=0.5, stop=("a", "b")),
    extensions={"ollama": {"keep_alive": 5}},
)


@given(responses())
def test_answers_come_back(response: GenerateResponse) -> None:
    assert from_plain(GenerateResponse, json.loads(json.dumps(to_plain(response)))) == response


def test_requests_come_back() -> None:
    assert from_plain(GenerateRequest, json.loads(json.dumps(to_plain(REQUEST)))) == REQUEST


def test_defaults_are_left_out() -> None:
    assert to_plain(TextPart("hi")) == {"is": "TextPart", "text": "hi"}


@pytest.mark.parametrize(
    "plain",
    [[], "x", {"model": "m", "unknown": 1}, {"model": "m", "turns": [{"role": "user", "parts": [{"is": "X"}]}]}],
)
def test_anything_else_is_refused(plain: object) -> None:
    with pytest.raises(ValueError):
        from_plain(GenerateRequest, plain)


def test_what_is_not_neutral_is_refused() -> None:
    with pytest.raises(TypeError):
        to_plain(object())
