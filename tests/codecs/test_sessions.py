"""What a conversation is known by, in every protocol: the same from turn to turn, another for another."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.outline import KEPT
from aiproxy.codecs.sessions import NO_SESSION, session_of

LONG = "x" * (4 * KEPT)

BEGINNINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "chat": (
        {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]},
        {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"},
                      {"role": "assistant", "content": "hello"}, {"role": "user", "content": "more"}]},
    ),
    "messages": (
        {"system": "be kind", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        {"system": "be kind", "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": "hello"}, {"role": "user", "content": "more"}]},
    ),
    "responses": (
        {"instructions": "be kind", "input": [{"role": "user", "content": "hi"}]},
        {"instructions": "be kind", "input": [{"role": "user", "content": "hi"}, {"type": "reasoning", "summary": []},
                                              {"role": "user", "content": "more"}]},
    ),
    "gemini": (
        {"systemInstruction": {"parts": [{"text": "be kind"}]}, "contents": [{"parts": [{"text": "hi"}]}]},
        {"systemInstruction": {"parts": [{"text": "be kind"}]}, "contents": [
            {"parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "hello"}]}, {"parts": [{"text": "more"}]}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("protocol", BEGINNINGS)
def test_a_conversation_is_known_by_how_it_began(protocol: str) -> None:
    first, later = (session_of({}, body) for body in BEGINNINGS[protocol])
    assert first.key == later.key != ""
    assert (first.begins, later.begins) == (True, False)
    other = json.loads(json.dumps(BEGINNINGS[protocol][0]).replace("hi", "hey"))
    kinder = json.loads(json.dumps(BEGINNINGS[protocol][0]).replace("kind", "kinder"))
    assert len({first.key, session_of({}, other).key, session_of({}, kinder).key}) == 3


@pytest.mark.parametrize("body", [{"prompt": "hi"}, {"input": "hi"}, {"system": "be kind", "prompt": "hi"}])
def test_a_lone_prompt_begins_one(body: dict[str, Any]) -> None:
    assert session_of({}, body).begins
    assert session_of({}, body).key


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": [{"role": "assistant", "content": "x"}]}])
def test_nothing_to_go_by(body: dict[str, Any]) -> None:
    assert session_of({}, body) == NO_SESSION


def test_the_tools_count_by_their_names() -> None:
    def named(*names: str) -> str:
        tools = [{"type": "function", "function": {"name": name}} for name in names]
        return session_of({}, {"tools": tools, "messages": [{"role": "user", "content": "hi"}]}).key

    def declared(*names: str) -> str:
        tools = [{"functionDeclarations": [{"name": name} for name in names]}]
        return session_of({}, {"tools": tools, "contents": [{"parts": [{"text": "hi"}]}]}).key

    assert len({named(), named("a"), named("b"), named("a", "b")}) == 4
    assert declared("a") != declared("b")


def test_of_a_long_text_both_ends_count() -> None:
    def of(text: str) -> str:
        return session_of({}, {"messages": [{"role": "user", "content": text}]}).key

    assert len({of(LONG), of("y" + LONG[1:]), of(LONG[1:] + "y")}) == 3


ORDER: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"x-claude-code-session-id": "1"}, {}),
    ({"session_id": "2"}, {}),
    ({"x-session-id": "3"}, {}),
    ({}, {"prompt_cache_key": "4"}),
    ({}, {"metadata": {"user_id": "5"}}),
    ({}, {"safety_identifier": "6"}),
    ({}, {"previous_response_id": "7"}),
    ({}, {"messages": [{"role": "user", "content": "8"}]}),
]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_an_id_of_the_clients_goes_before_the_words_and_the_surest_first(first: int) -> None:
    headers: dict[str, str] = {}
    body: dict[str, Any] = {}
    for more_headers, more in reversed(ORDER[first:]):
        headers |= more_headers
        body |= more
    assert session_of(headers, body).key == session_of(*ORDER[first]).key
    assert session_of(headers, body).begins is (first == len(ORDER) - 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "parts", "name", "function"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["messages", "input", "contents", "system", "tools", "metadata", "prompt"]), JSON)
)
def test_any_body_at_all_has_a_key_or_none(body: dict[str, Any]) -> None:
    assert session_of({}, body) == session_of({}, body)
