"""What is read by its shape is what parsing it finds, whatever came before and however it was damaged."""

import json
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiproxy.codecs.anthropic_messages import decoder as messages
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.gemini import decoder as gemini
from aiproxy.codecs.openai_chat import decoder as chat
from aiproxy.codecs.openai_chat import observer as chat_observer
from aiproxy.codecs.openai_chat.continuation import continuation
from aiproxy.framing import Frame
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import GenerateRequest, Turn
from aiproxy.secrets import Secret

REQUEST = GenerateRequest("m", (Turn("user", (TextPart("hello"),)),), stream=True)

ABSENT = "absent"
TEXTS = st.text(max_size=6) | st.sampled_from(["a", "", '"', "\\", "a\nb", "é", "\x7f", "\u2028", "\ud800", "😀"])
CALLS = [{"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
VALUES: st.SearchStrategy[Any] = TEXTS | st.sampled_from([
    ABSENT, None, 0, 1, 2, 1.0, 10**25, True, False, "", "stop", "length", {}, {"a": 1}, {"content": []}, [], [1], CALLS,
    {"prompt_tokens": 3, "completion_tokens": 10**20}, {"promptTokenCount": 10**20, "candidatesTokenCount": 1},
    "text_delta", "thinking_delta", "input_json_delta", "signature_delta",
])  # fmt: skip

Place = tuple[str | int, ...]


def changed(body: Any, place: Place, value: Any) -> Any:
    """The body with a value at a place, be there something now or not; as it is where it has no such place."""
    match body, place:
        case _, ():
            return value
        case list(), (int(index), *rest):
            return [changed(each, tuple(rest), value) if number == index else each for number, each in enumerate(body)]
        case dict(), (str(name), *rest):
            others = {each: found for each, found in body.items() if each != name}
            found = changed(body.get(name, {}), tuple(rest), value)
            return others if found == ABSENT else {**others, name: found}
    return body


@st.composite
def bodies(draw: st.DrawFn, usual: Sequence[Any], said: Sequence[Place], places: Sequence[Place]) -> Any:
    """One that is as usual, with any text, but for one member or two."""
    which = draw(st.integers(0, len(usual) - 1))
    body = changed(usual[which], said[which], draw(TEXTS))
    for place in draw(st.lists(st.sampled_from(places), max_size=2, unique=True)):
        body = changed(body, place, draw(VALUES))
    return body


def within(*above: str | int, names: str) -> list[Place]:
    return [(*above, name) for name in names.split()]


CHOICE: Place = ("choices", 0)
CHAT = bodies(
    [
        {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in ({"content": ""}, {"reasoning_content": "", "content": None}, {"reasoning": ""})
    ],
    within(*CHOICE, "delta", names="content reasoning_content reasoning"),
    [
        *within(*CHOICE, "delta", names="content reasoning reasoning_content role tool_calls refusal x"),
        *within(*CHOICE, names="index finish_reason logprobs stop_reason x"),
        *within(names="id model usage service_tier system_fingerprint error x"),
    ],
)
MESSAGES = bodies(
    [
        {"type": "content_block_delta", "index": index, "delta": {"type": f"{name}_delta", field: ""}}
        for index, (name, field) in enumerate(
            (("text", "text"), ("thinking", "thinking"), ("input_json", "partial_json"))
        )
    ],
    within("delta", names="text thinking partial_json"),
    [*within("delta", names="type text thinking partial_json signature x"), *within(names="type index error x")],
)
CANDIDATE: Place = ("candidates", 0)
PART: Place = (*CANDIDATE, "content", "parts", 0)
GEMINI = bodies(
    [
        {
            "candidates": [{"content": {"parts": [{"text": "", **more}], "role": "model"}, "index": 0}],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1, "totalTokenCount": 6},
            "modelVersion": "m",
        }
        for more in ({}, {"thought": True})
    ],
    [(*PART, "text"), (*PART, "text")],
    [
        *within(*PART, names="text thought thoughtSignature x"),
        *within(*CANDIDATE, names="index finishReason content x"),
        *within(*CANDIDATE, "content", names="role parts x"),
        *within("usageMetadata", names="promptTokenCount thoughtsTokenCount promptTokensDetails"),
        *within(names="usageMetadata modelVersion responseId error x"),
    ],
)


@st.composite
def wires(draw: st.DrawFn, found: st.SearchStrategy[Any]) -> bytes:
    """JSON as anybody writes it, and as it comes over a bad line."""
    separators = draw(st.sampled_from([(",", ":"), None]))
    data = json.dumps(draw(found), separators=separators, ensure_ascii=draw(st.booleans()))
    wire = data.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 4)):
        return wire
    at, noise = draw(st.integers(0, len(wire))), draw(st.binary(max_size=3))
    return wire[:at] + noise + wire[at + draw(st.integers(0, 3)) :]


def exchange() -> Exchange:
    return Exchange(REQUEST, Sealer(Secret("key of the tests"), "tenant"), "req_1", now=1790000000)


def told(decoder: Any, frames: Sequence[Frame]) -> Iterator[Any]:
    """The events, and what ended them."""
    try:
        for frame in frames:
            yield from decoder.feed(frame)
        yield from decoder.close(clean=True)
    except GatewayError as error:
        yield type(error), error.message


def agree(module: ModuleType, decoder: Any, frames: Sequence[Frame]) -> None:
    fast = list(told(decoder(exchange()), frames))
    with patch.object(module, "continuation", lambda _: None):
        assert list(told(decoder(exchange()), frames)) == fast


def chunk(delta: Any, **more: Any) -> Frame:
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
    return Frame("", json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode())


CHAT_STARTS = st.sampled_from([
    [],
    [chunk({"role": "assistant", "content": ""})],
    [chunk({"content": "so"})],
    [chunk({"reasoning_content": "hm"})],
    [chunk({"reasoning": "hm"}), chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "AAAA"}]})],
    [chunk({"content": "so"}), chunk({"content": "so"}, index=1)],
])  # fmt: skip
CHAT_END = [chunk({}, finish_reason="stop"), Frame("", b"[DONE]")]
CHAT_ENDS = st.sampled_from([CHAT_END, CHAT_END[1:], []])


def event(kind: str, **body: Any) -> Frame:
    return Frame(kind, json.dumps({"type": kind, **body}).encode())


def block(place: int, **found: Any) -> Frame:
    return event("content_block_start", index=place, content_block=found)


MESSAGES_START = [
    event("message_start", message={"id": "m", "model": "m", "usage": {"input_tokens": 1}}),
    block(0, type="text", text=""),
    block(1, type="thinking", thinking="", signature=""),
    block(2, type="tool_use", id="t", name="f", input={}),
]
MESSAGES_END = [
    *(event("content_block_stop", index=place) for place in range(3)),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 1}),
    event("message_stop"),
]


def piece(*parts: Any, **more: Any) -> Frame:
    candidate = {"content": {"parts": parts, "role": "model"}, **more}
    return Frame("", json.dumps({"candidates": [candidate], "modelVersion": "m"}).encode())


GEMINI_STARTS = st.sampled_from([
    [],
    [piece({"text": "so"})],
    [piece({"text": "hm", "thought": True})],
    [piece({"text": "so", "thoughtSignature": "AAAA"})],
    [piece({"text": "so"}), piece({"text": "so"}, index=1)],
    [piece({"functionCall": {"name": "f", "args": {}}})],
])  # fmt: skip

often = settings(deadline=None, max_examples=300)


@often
@given(CHAT_STARTS, st.lists(wires(CHAT), max_size=5), CHAT_ENDS, st.sampled_from(["", "", "error", "x"]))
def test_chunks_of_a_chat(start: list[Frame], chunks: list[bytes], end: list[Frame], name: str) -> None:
    agree(chat, chat.ChatDecoder, [*start, *(Frame(name, data) for data in chunks), *end])


@often
@given(st.lists(wires(MESSAGES), max_size=5))
def test_deltas_of_a_message(deltas: list[bytes]) -> None:
    frames = [Frame("content_block_delta", data) for data in deltas]
    agree(messages, messages.MessagesDecoder, [*MESSAGES_START, *frames, *MESSAGES_END])


@often
@given(GEMINI_STARTS, st.lists(wires(GEMINI), max_size=5))
def test_pieces_of_a_gemini_answer(start: list[Frame], pieces: list[bytes]) -> None:
    end = piece({"text": "."}, finishReason="STOP")
    agree(gemini, gemini.GeminiDecoder, [*start, *(Frame("", data) for data in pieces), end])


def seen(frames: Sequence[Frame]) -> Iterator[Any]:
    observer = chat_observer.ChatObserver()
    try:
        for frame in frames:
            yield observer.feed(frame), observer.useful, observer.standing, observer.seen
    except GatewayError as error:
        yield type(error), error.message


@often
@given(CHAT_STARTS, st.lists(wires(CHAT), max_size=5), CHAT_ENDS)
def test_chunks_of_a_relayed_chat(start: list[Frame], chunks: list[bytes], end: list[Frame]) -> None:
    frames = [*start, *(Frame("", data) for data in chunks), *end]
    fast = list(seen(frames))
    with patch.object(chat_observer, "continuation", lambda _: None):
        assert list(seen(frames)) == fast


USUAL = [
    (chat, chat.ChatDecoder, [chunk({"content": "a"})], chunk({"content": 'say "b"\n'})),
    (chat, chat.ChatDecoder, [chunk({"reasoning": "a"})], chunk({"reasoning": "b", "content": None})),
    (
        messages,
        messages.MessagesDecoder,
        MESSAGES_START,
        event("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": "{}"}),
    ),
    (gemini, gemini.GeminiDecoder, [piece({"text": "a"})], piece({"text": "b"}, index=0)),
    (gemini, gemini.GeminiDecoder, [piece({"text": "a", "thought": True})], piece({"text": "b", "thought": True})),
]


@pytest.mark.parametrize(("module", "decoder", "start", "usual"), USUAL, ids=range(len(USUAL)))
def test_the_usual_chunk_is_not_parsed(module: ModuleType, decoder: Any, start: list[Frame], usual: Frame) -> None:
    reading = decoder(exchange())
    for frame in start:
        list(reading.feed(frame))
    parse = "parse" if module is gemini else "load_object"
    with patch.object(module, parse, side_effect=AssertionError):
        assert len(list(reading.feed(usual))) == 1


MORE = [
    ((*CHOICE, "delta", "tool_calls"), CALLS),
    ((*CHOICE, "delta", "reasoning"), "hm"),
    ((*CHOICE, "finish_reason"), "stop"),
    ((*CHOICE, "logprobs"), {"content": []}),
    (("choices",), []),
    (("usage",), {"prompt_tokens": 3}),
    (("error",), {"message": "no"}),
    (("x_vendor",), 1),
]


@pytest.mark.parametrize(("place", "value"), MORE, ids=range(len(MORE)))
def test_a_chunk_that_says_more_is_parsed(place: Place, value: Any) -> None:
    usual = {"id": "c", "choices": [{"index": 0, "delta": {"content": "a"}}]}
    assert continuation(json.dumps(usual).encode()) is not None
    assert continuation(json.dumps(changed(usual, place, value)).encode()) is None


def test_a_model_that_is_named_late_is_seen() -> None:
    frames = [Frame("", b'{"choices":[{"index":0,"delta":{"content":"a"}}]}'), chunk({"content": "b"})]
    *_, last = seen(frames)
    assert last[-1].model == "m"
