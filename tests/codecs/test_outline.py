"""What routing reads of a large body leads to the same decisions as the whole."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.envelope import PREFIX, may_hold_envelope
from aiproxy.codecs.openai_chat.unasked_usage import asking, asks
from aiproxy.codecs.outline import KEPT, LONG, SMALLEST, outline_of
from aiproxy.codecs.sessions import session_of
from aiproxy.codecs.splice import splice_model

IMAGE = "data:image/png;base64," + "iVBORw0KGgo" * (SMALLEST // 8)

texts = st.one_of(
    st.text(max_size=20),
    st.builds(
        lambda start, fill, end: start + fill * LONG + end,
        st.sampled_from(["", "data:", PREFIX, 'a"', "é"]),
        st.sampled_from(["ab", "字", "\\", "\n"]),
        st.sampled_from(["", "=", "\\", '"', "é", "\x01"]),
    ),
)


def sent(texts: list[str], *, ascii_only: bool, indented: bool, last: bool) -> bytes:
    turns = [{"role": "user", "content": [{"type": "text", "text": text} for text in texts]}]
    body: dict[str, Any] = {"messages": turns} if last else {"model": "old", "messages": turns}
    return json.dumps(body | {"model": "old"}, ensure_ascii=ascii_only, indent=1 if indented else None).encode()


@given(st.lists(texts, max_size=6), st.booleans(), st.booleans(), st.booleans())
def test_it_decides_as_the_whole_does(some: list[str], ascii_only: bool, indented: bool, last: bool) -> None:
    body = sent([IMAGE, *some], ascii_only=ascii_only, indented=indented, last=last)
    outline = outline_of(body)
    whole, read = orjson.loads(body), orjson.loads(outline)
    assert read["model"] == "old"
    assert session_of({}, read) == session_of({}, whole)
    assert may_hold_envelope(outline) == may_hold_envelope(body)
    assert asks(outline) == asks(body)
    assert splice_model(body, outline, "new") == splice_model(body, body, "new")
    assert orjson.loads(asking(body, outline)) == {"stream_options": {"include_usage": True}, **whole}
    for at_length, short in zip(whole["messages"][0]["content"], read["messages"][0]["content"], strict=True):
        text, left = at_length["text"], short["text"]
        assert left in (text, text[:KEPT] + text[-KEPT:])


def test_eight_megabytes_of_image_are_a_few_kilobytes() -> None:
    body = sent(["Look.", "data:image/png;base64," + "A" * 8_000_000], ascii_only=False, indented=False, last=False)
    assert len(outline_of(body)) < 4 * KEPT


def test_an_ordinary_body_is_its_own_outline() -> None:
    body = sent(["x" * 100] * 1000, ascii_only=False, indented=False, last=False)
    assert len(body) > SMALLEST
    assert outline_of(body) is body


@pytest.mark.parametrize(
    "body", [b"{" + b'"' * SMALLEST, b'"' + b"\\" * SMALLEST, b'{"a":"' + b"x" * SMALLEST, b" " * SMALLEST]
)
def test_what_is_no_json_stays_as_it_is(body: bytes) -> None:
    assert outline_of(body) == body


def test_another_body_has_another_outline() -> None:
    asked = Incoming(sent([IMAGE], ascii_only=False, indented=False, last=False))
    assert orjson.loads(asked.outline)["model"] == "old"
    assert len(asked.outline) < len(asked.body)
