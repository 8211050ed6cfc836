"""A chunk that is read by a stencil says what parsing it would have found, whatever was learnt and whatever comes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.openai_chat.observer import ChatObserver
from aiproxy.codecs.openai_chat.stencil import LEARNT, Continuation, Stencil, continuation
from aiproxy.framing import Frame
from aiproxy.neutral.errors import UpstreamFailed

TEXTS = st.text(max_size=8) | st.sampled_from(
    ["a", "?", "!", "stop", '"', "\\", "a\nb", "é", "\x7f", "\u2028", "content"]
)


def chunk(text: str, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def wire(body: Any, *, spaced: bool = False, ascii_only: bool = False) -> bytes:
    return json.dumps(body, separators=None if spaced else (",", ":"), ensure_ascii=ascii_only).encode()


def learnt(body: dict[str, Any], **form: bool) -> Stencil:
    stencil = Stencil()
    data = wire(body, **form)
    found = continuation(body)
    assert found is not None
    stencil.learn(data, found)
    return stencil


@pytest.mark.parametrize("spaced", [False, True])
@pytest.mark.parametrize("kind", ["content", "reasoning_content", "refusal"])
def test_the_same_bytes_around_another_text_are_read_without_parsing(spaced: bool, kind: str) -> None:
    def of(text: str) -> dict[str, Any]:
        body = chunk(text)
        body["choices"][0] |= {"index": 3, "delta": {kind: text}}
        return body

    stencil = learnt(of("one"), spaced=spaced)
    assert stencil.read(wire(of(" zwölf"), spaced=spaced)) == " zwölf"
    assert (stencil.choice, stencil.kind) == (3, kind)


@pytest.mark.parametrize(
    "other",
    [
        wire(chunk('say "no"')),
        wire(chunk("a\nb")),
        wire(chunk("")),
        wire(chunk("two", created=2)),
        wire(chunk("two", usage={"total_tokens": 3})),
        wire({**chunk("two"), "choices": []}),
        wire(chunk("two")).replace(b"two", b"t\x01o"),
        wire(chunk("two")).replace(b"two", b"t\xffo"),
        wire(chunk("two")).replace(b"two", b"t\nx"),
        wire(chunk("two"))[:-1],
        b"{}",
        b"",
    ],
    ids=range(12),
)
def test_whatever_else_is_different_is_to_be_parsed(other: bytes) -> None:
    assert learnt(chunk("one")).read(other) == ""


def test_nothing_is_read_before_anything_was_learnt() -> None:
    assert [Stencil().read(data) for data in (b"", b"x", b"\nx\n", wire(chunk("one")))] == [""] * 4


def test_a_text_that_stands_elsewhere_too_is_not_taken_for_the_delta() -> None:
    """The id of the next chunk is its own; the stencil must not have been cut out there."""
    stencil = learnt(chunk("same", obfuscation="same"))
    assert stencil.read(wire(chunk("same", obfuscation="other"))) == ""


def test_a_stream_that_changes_with_every_chunk_is_not_learnt_for_ever() -> None:
    stencil = Stencil()
    for number in range(LEARNT + 1):
        body = chunk("one", created=number)
        found = continuation(body)
        assert found is not None
        stencil.learn(wire(body), found)
    assert stencil.read(wire(chunk("two", created=LEARNT - 1))) == "two"
    assert stencil.read(wire(chunk("two", created=LEARNT))) == ""


@given(TEXTS, TEXTS, TEXTS, st.booleans(), st.booleans(), st.integers(0, 300), st.binary(max_size=3))
def test_it_finds_what_parsing_finds(
    first: str, second: str, name: str, spaced: bool, ascii_only: bool, at: int, noise: bytes
) -> None:
    """Also of bytes that were damaged anywhere."""
    found = continuation(chunk(first, id=name))
    if found is None:
        return
    stencil = Stencil()
    stencil.learn(wire(chunk(first, id=name), spaced=spaced, ascii_only=ascii_only), found)
    data = wire(chunk(second, id=name), spaced=spaced, ascii_only=ascii_only)
    for each in (data, data[:at] + noise + data[at + len(noise) :], data[:at] + noise + data[at:]):
        text = stencil.read(each)
        if text:
            assert continuation(json.loads(each)) == Continuation(stencil.choice, stencil.kind, text)


def test_the_observer_still_refuses_a_damaged_chunk_behind_good_ones() -> None:
    observer = ChatObserver()
    for text in ("one", "two", "three"):
        observer.feed(Frame("", wire(chunk(text))))
    with pytest.raises(UpstreamFailed):
        observer.feed(Frame("", wire(chunk("four"))[:-1]))
