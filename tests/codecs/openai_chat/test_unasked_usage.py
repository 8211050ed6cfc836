"""Usage that the gateway asks for and the client never sees."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs import openai_chat
from aiproxy.codecs.openai_chat.unasked_usage import asking, asks
from aiproxy.gateway.quiet import QuietLane, QuietRenamingLane
from aiproxy.neutral.usage import Usage


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b'{"model": "m", "stream": true}', b'{"stream_options":{"include_usage":true},"model": "m", "stream": true}'),
        (b" \n{ }", b' \n{"stream_options":{"include_usage":true} }'),
        (b'{"stream_options": null}', b'{"stream_options":{"include_usage":true}}'),
        (b'{"stream_options": {"include_usage": false}}', b'{"stream_options":{"include_usage":true}}'),
        (b'{"stream_options": {"x": 1}}', b'{"stream_options":{"x":1,"include_usage":true}}'),
        (b'{"tools": [{"stream_options": 1}]}', b'{"tools":[{"stream_options":1}],"stream_options":{"include_usage":true}}'),
    ],
)  # fmt: skip
def test_usage_is_asked_for(body: bytes, asked: bytes) -> None:
    assert not asks(body)
    assert asking(body, body) == asked


@pytest.mark.parametrize("body", [b'{"stream_options": {"include_usage": true}}', b'{"stream_options": "wrong"}'])
def test_who_asks_gets_it(body: bytes) -> None:
    assert asks(body)


def chunk(content: str | None, **more: Any) -> dict[str, Any]:
    choices = [] if content is None else [{"index": 0, "delta": {"content": content}, "finish_reason": None}]
    return {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": choices, **more}


def stream(texts: list[str], separators: tuple[str, str], told: bool) -> bytes:
    """As a server writes it that was asked for usage, or wasn't."""
    none: dict[str, Any] = {"usage": None} if told else {}
    chunks = [chunk(text, **none) for text in texts]
    chunks.append({**chunk(""), "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **none})
    if told:
        chunks.append(chunk(None, usage={"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}))
    lines = [json.dumps(each, separators=separators) for each in chunks]
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()


TRAPS = st.sampled_from([',"usage":null', '"usage"', '","usage":null,"', "usage", '{"usage":{"a":1},"choices":[]}'])


@given(
    st.lists(st.text(max_size=8) | TRAPS, max_size=6),
    st.sampled_from([(",", ":"), (", ", ": ")]),
    st.integers(1, 400),
)
def test_the_client_sees_what_it_would_have_seen_unasked(
    texts: list[str], separators: tuple[str, str], size: int
) -> None:
    """However the bytes are cut, and whatever the texts say."""
    lane = QuietLane(openai_chat.WIRE)
    came = stream(texts, separators, told=True)
    out = b"".join(lane.feed(came[start : start + size]) for start in range(0, len(came), size))
    out += lane.close(clean=True)
    assert lane.error is None
    assert lane.usage == Usage.from_totals(input_total=7, output_total=3)
    assert out == stream(texts, separators, told=False)


def test_usage_that_a_vendor_tells_unasked_stays() -> None:
    last = {
        **chunk("x"),
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 7}}],
    }
    data = f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode()
    assert QuietLane(openai_chat.WIRE).feed(data) == data


def test_a_quiet_stream_can_be_renamed() -> None:
    lane = QuietRenamingLane(openai_chat.WIRE, "mine")
    out = lane.feed(stream(["x"], (",", ":"), told=True))
    assert b'"model":"mine"' in out
    assert b"usage" not in out
