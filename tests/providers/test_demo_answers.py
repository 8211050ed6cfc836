"""What the demo says, held to OpenAI's grammar."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grammars.openai_chat import check_error, check_stream, payloads
from tests.providers.demo_calls import HELLO, Caller

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"enum": ["C", "F"]},
        "days": {"type": "integer", "minimum": 2},
        "where": {"$ref": "#/$defs/place"},
        "optional": {"type": "string"},
    },
    "required": ["city", "unit", "days", "where"],
    "$defs": {
        "place": {
            "type": "object",
            "properties": {"tags": {"type": "array", "items": {"type": ["string", "null"]}}},
            "required": ["tags"],
        }
    },
}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
CLOCK = {"type": "function", "function": {"name": "clock"}}
NOTE = {"type": "custom", "custom": {"name": "note"}}
ARGUMENTS = {"city": "city", "unit": "C", "days": 2, "where": {"tags": ["tags"]}}


def asked(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def chat(**body: Any) -> dict[str, Any]:
    status, answer = Caller().json("/chat/completions", {"model": "demo-echo", "messages": HELLO, **body})
    assert status == 200, answer
    assert isinstance(answer, dict)
    return answer


def said(answer: dict[str, Any]) -> tuple[str | None, str]:
    choice = answer["choices"][0]
    return choice["message"]["content"], choice["finish_reason"]


def called(answer: dict[str, Any]) -> list[str]:
    return [call[call["type"]]["name"] for call in answer["choices"][0]["message"].get("tool_calls", ())]


def test_echo_with_honest_usage() -> None:
    answer = chat()
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "demo-echo"
    assert said(answer) == ("hello big world", "stop")
    assert answer["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"max_tokens": 2}, ("hello big", "length")),
        ({"max_tokens": 3}, ("hello big world", "stop")),
        ({"max_tokens": 3, "max_completion_tokens": 1}, ("hello", "length")),
        ({"stop": " big"}, ("hello", "stop")),
        ({"stop": ["world", "big"]}, ("hello ", "stop")),
        ({"stop": "world", "max_tokens": 1}, ("hello", "length")),
        ({"messages": [*asked("one"), {"role": "assistant", "content": "two"}]}, ("one", "stop")),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}]},
            ("a", "stop"),
        ),
        ({"response_format": {"type": "json_object"}}, ('{"text":"hello big world"}', "stop")),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": SCHEMA},
                }
            },
            (orjson.dumps(ARGUMENTS).decode(), "stop"),
        ),
        ({"model": "demo@words=3"}, ("A client knocked", "stop")),
    ],
)
def test_what_is_said(body: dict[str, Any], expected: tuple[str, str]) -> None:
    assert said(chat(**body)) == expected
    streamed = check_stream(Caller().chat(stream=True, **body)[1].data)
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in streamed) == expected[0]
    assert streamed[-1]["choices"][0]["finish_reason"] == expected[1]


@pytest.mark.parametrize(
    ("body", "tools"),
    [
        ({"messages": asked("the weather?")}, ["weather"]),
        ({"messages": asked("weather and clock")}, ["weather", "clock"]),
        ({"messages": asked("weather and clock"), "parallel_tool_calls": False}, ["weather"]),
        ({"messages": asked("weather"), "tool_choice": "none"}, []),
        ({"tool_choice": "auto"}, []),
        ({"tool_choice": "required"}, ["weather"]),
        ({"tool_choice": {"type": "function", "function": {"name": "clock"}}}, ["clock"]),
        ({"tool_choice": {"type": "custom", "custom": {"name": "note"}}}, ["note"]),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [CLOCK]}}},
            ["clock"],
        ),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [CLOCK]}}}, []),
        ({"model": "demo-echo@tool"}, ["weather"]),
        ({"model": "demo-echo@tool", "messages": [*HELLO, {"role": "tool", "content": "weather: rain"}]}, []),
    ],
)
def test_which_tools_are_called(body: dict[str, Any], tools: list[str]) -> None:
    offered = {"tools": [WEATHER, CLOCK, NOTE], **body}
    answer = chat(**offered)
    assert called(answer) == tools
    assert answer["choices"][0]["finish_reason"] == ("tool_calls" if tools else "stop")
    chunks = check_stream(Caller().chat(stream=True, **offered)[1].data)
    fragments = [fragment for chunk in chunks for fragment in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert [fragment[fragment["type"]]["name"] for fragment in fragments if "id" in fragment] == tools


def test_arguments_come_from_the_schema() -> None:
    call = chat(tools=[WEATHER], tool_choice="required")["choices"][0]["message"]["tool_calls"][0]
    assert orjson.loads(call["function"]["arguments"]) == ARGUMENTS


def test_the_tools_result_is_echoed() -> None:
    assert said(chat(messages=[*HELLO, {"role": "tool", "tool_call_id": "x", "content": "rain"}])) == ("rain", "stop")


def test_a_call_breaks_off_at_the_limit() -> None:
    answer = chat(messages=asked("weather clock"), tools=[WEATHER, CLOCK], max_tokens=1)
    assert called(answer) == ["weather"]
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 1


def test_choices_take_turns() -> None:
    _, reader = Caller().chat(stream=True, n=3, stream_options={"include_usage": True})
    chunks = check_stream(reader.data, choices=3, include_usage=True)
    assert [chunk["choices"][0]["index"] for chunk in chunks[:6]] == [0, 1, 2, 0, 1, 2]
    assert chunks[-1]["usage"] == {"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12}
    assert len(chat(n=3)["choices"]) == 3


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"[]", None),
        ({"messages": HELLO}, "model"),
        ({"model": "demo-nobody", "messages": HELLO}, "model"),
        ({"model": "demo-embed", "messages": HELLO}, "model"),
        ({"model": "demo-echo"}, "messages"),
        ({"model": "demo-echo", "messages": []}, "messages"),
        ({"model": "demo-echo", "messages": ["hi"]}, "messages"),
        ({"model": "demo-echo", "messages": HELLO, "n": 9}, "n"),
        ({"model": "demo-echo", "messages": HELLO, "max_tokens": 0}, "max_tokens"),
        ({"model": "demo-echo", "messages": HELLO, "stream": "yes"}, "stream"),
        ({"model": "demo-echo", "messages": HELLO, "stream_options": {"include_usage": True}}, "stream_options"),
        ({"model": "demo-echo", "messages": HELLO, "stop": ["a"] * 5}, "stop"),
        ({"model": "demo-echo", "messages": HELLO, "tool_choice": "required"}, "tool_choice"),
        ({"model": "demo-echo", "messages": HELLO, "functions": []}, "functions"),
        ({"model": "demo-echo", "messages": HELLO, "response_format": {"type": "xml"}}, "response_format"),
    ],
)
def test_what_is_wrong_with_a_request(body: Any, param: str | None) -> None:
    status, answer = Caller().json("/chat/completions", body)
    assert status == (404 if isinstance(body, dict) and body.get("model") == "demo-nobody" else 400)
    check_error(answer["error"])
    assert answer["error"]["param"] == param


def test_completions() -> None:
    status, answer = Caller().json("/completions", {"model": "demo-echo", "prompt": ["one two", "three"], "echo": True})
    assert status == 200
    assert answer["object"] == "text_completion"
    assert [(choice["index"], choice["text"]) for choice in answer["choices"]] == [
        (0, "one twoone two"),
        (1, "threethree"),
    ]
    _, story = Caller().json("/completions", {"model": "demo"})
    assert story["choices"][0]["finish_reason"] == "length"
    assert story["usage"] == {"prompt_tokens": 0, "completion_tokens": 16, "total_tokens": 16}


def test_completions_stream() -> None:
    body = {"model": "demo-echo", "prompt": "a b", "stream": True, "stream_options": {"include_usage": True}}
    *events, done = payloads(Caller().read("/completions", body)[1].data)
    assert done == b"[DONE]"
    chunks = [orjson.loads(event) for event in events]
    assert [choice["text"] for chunk in chunks for choice in chunk["choices"]] == ["a", " b", ""]
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * 3
    assert chunks[-1]["usage"]["total_tokens"] == 4


def test_embeddings_depend_on_the_text_alone() -> None:
    body = {"model": "demo-embed", "input": ["a b", "c", "a b"]}
    status, answer = Caller().json("/embeddings", body)
    first, other, again = (item["embedding"] for item in answer["data"])
    assert status == 200
    assert first == again != other
    assert sum(number * number for number in first) == pytest.approx(1)
    assert answer["usage"] == {"prompt_tokens": 5, "total_tokens": 5}


@pytest.mark.parametrize("given", ["", [], [""], None, {"a": 1}, [1, "a"], [1.5], [[]]])
def test_what_cannot_be_embedded(given: Any) -> None:
    status, answer = Caller().json("/embeddings", {"model": "demo-embed", "input": given})
    assert (status, answer["error"]["param"]) == (400, "input")


def test_models() -> None:
    status, listed = Caller().json("/models", b"", "GET")
    assert status == 200
    assert [card["id"] for card in listed["data"]] == ["demo", "demo-story", "demo-echo", "demo-embed"]
    assert Caller().json("/models/demo-echo%40cut%3D1", b"", "GET")[1]["id"] == "demo-echo@cut=1"
    assert Caller().json("/models/gpt-5.4", b"", "GET")[0] == 404


@pytest.mark.parametrize(("method", "path"), [("POST", "/images"), ("DELETE", "/models"), ("GET", "/chat/completions")])
def test_an_unknown_path(method: str, path: str) -> None:
    assert Caller().json(path, {"model": "demo"}, method)[0] == 404


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "a", "auto", "required", "function", "string"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "function",
                    "name",
                    "text",
                    "content",
                    "role",
                    "parameters",
                    "properties",
                    "required",
                    "enum",
                    "$ref",
                    "tools",
                    "mode",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
FIELDS = ["messages", "tools", "tool_choice", "stream", "stream_options", "response_format", "stop", "n", "max_tokens", "prompt", "input", "dimensions", "encoding_format", "parallel_tool_calls", "echo"]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["/chat/completions", "/completions", "/embeddings"]),
    st.dictionaries(st.sampled_from(FIELDS), JUNK),
)
def test_junk_is_refused_or_answered(path: str, body: dict[str, Any]) -> None:
    model = "demo-embed" if path == "/embeddings" else "demo-echo"
    response, reader = Caller().read(path, {"messages": HELLO, "input": "a", **body, "model": model})
    assert response.status in (200, 400)
    assert reader.reason is not None
