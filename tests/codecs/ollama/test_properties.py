"""What holds for every body and every stream."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.grammar import check_events
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.ollama import CODEC, WIRE
from aiproxy.codecs.ollama.reading import load
from aiproxy.framing import Frame
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import ReasoningDelta, StreamEvent, TextDelta
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig
from aiproxy.neutral.response import Candidate, FinishReason, GenerateResponse
from aiproxy.neutral.usage import Usage
from tests.codecs.ollama import strategies
from tests.codecs.ollama.exchanges import GENERATE, decode, events_of, exchange, ndjson, wire
from tests.grammars.ollama import check_failed_stream, check_stream
from tests.neutral.strategies import responses


@given(strategies.chat_requests)
def test_a_chat_request_comes_back_as_it_came(body: dict[str, Any]) -> None:
    assert load(CODEC.encode_request(exchange(decode(body))).body) == load(dump(body))


@given(strategies.generate_requests)
def test_a_generate_request_comes_back_as_it_came(body: dict[str, Any]) -> None:
    assert load(CODEC.encode_request(exchange(decode(body, "generate"))).body) == load(dump(body))


@given(strategies.answers)
def test_an_answer_comes_back_as_it_came(body: dict[str, Any]) -> None:
    response = CODEC.decode_response(dump(body), exchange())
    assert load(CODEC.encode_response(response, exchange()).body) == load(dump(body))


@given(strategies.answers, st.data())
def test_a_stream_is_read_as_its_whole_answer(body: dict[str, Any], data: st.DataObject) -> None:
    events = events_of(streamed(body, data))
    check_events(events)
    assert collect(events) == CODEC.decode_response(dump(body), exchange())


@given(strategies.answers, st.data())
def test_a_stream_goes_through_to_a_client_of_the_same_protocol(body: dict[str, Any], data: st.DataObject) -> None:
    events = events_of(streamed(body, data))
    assert collect(events_of(wire(events))) == collect(events)


def streamed(body: dict[str, Any], data: st.DataObject) -> bytes:
    """The answer as Ollama streams it, its texts cut anywhere."""
    message = body["message"]
    head = {key: body[key] for key in ("model", "created_at")}
    said: list[dict[str, Any]] = []
    for key in ("thinking", "content"):
        text = message.get(key) or ""
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=2)))
        pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        said += [{"content": "", key: piece} for piece in pieces]
    said += [{"content": "", "tool_calls": [call]} for call in message.get("tool_calls") or ()]
    lines = [{**head, "message": {"role": "assistant", **piece}, "done": False} for piece in said]
    left = {key: value for key, value in message.items() if key in ("role", "x_new", "~tilde", "y.dotted") or not value}
    return ndjson(*lines, {**body, "message": {**left, "content": ""}})


junk = st.binary(max_size=40) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "model",
                    "message",
                    "content",
                    "thinking",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "done",
                    "done_reason",
                    "error",
                    "logprobs",
                    "images",
                    "image",
                    "response",
                    "eval_count",
                    "created_at",
                    "id",
                    "index",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
).map(dump)


@given(st.lists(junk, max_size=6))
def test_junk_gives_events_or_our_errors(frames: list[bytes]) -> None:
    decoder, observer = CODEC.decoder(exchange()), WIRE.observer()
    events: list[StreamEvent] = []
    with suppress(GatewayError):
        for data in frames:
            events += decoder.feed(Frame("", data))
        events += decoder.close()
        check_events(events)
    with suppress(GatewayError):
        for data in frames:
            observer.feed(Frame("", data))


@given(junk)
def test_junk_requests_and_answers_are_refused(data: bytes) -> None:
    for operation in ("chat", "generate"):
        with suppress(GatewayError):
            CODEC.encode_request(exchange(decode(data, operation)))
    with suppress(GatewayError):
        CODEC.decode_response(data, exchange())
    with suppress(GatewayError):
        WIRE.observe(data)
    assert WIRE.decode_error(500, {}, data).status >= 400


@given(responses(), st.booleans(), st.booleans())
def test_whatever_the_answer_the_stream_obeys_the_grammar(
    response: GenerateResponse, generate: bool, think: bool
) -> None:
    request = GenerateRequest("m", extensions=GENERATE if generate else {})
    asked = exchange(request if think else replace(request, reasoning=ReasoningConfig("off")))
    data = wire(explode(response), asked)
    lines = check_stream(data, generate=generate)
    assert think or not any(line.get("thinking") or line.get("message", {}).get("thinking") for line in lines)


@given(responses())
def test_a_whole_answer_says_what_its_stream_says(response: GenerateResponse) -> None:
    one = replace(response, candidates=response.candidates[:1])
    streamed = collect(events_of(wire(explode(one))))
    whole = CODEC.decode_response(CODEC.encode_response(one, exchange()).body, exchange())
    assert said(streamed) == said(whole)
    assert streamed.usage == whole.usage


def said(response: GenerateResponse) -> tuple[str, str, list[tuple[str, str]], str]:
    (candidate,) = response.candidates
    text = "".join(part.text for part in candidate.parts if isinstance(part, TextPart))
    thinking = "".join(part.text for part in candidate.parts if isinstance(part, ReasoningPart))
    calls = [(part.name, part.arguments_text) for part in candidate.parts if isinstance(part, ToolCallPart)]
    return text, thinking, calls, candidate.finish


one_text = st.text(min_size=1, max_size=9)
arguments = strategies.objects.map(
    lambda found: orjson.dumps({key: str(value) for key, value in found.items()}).decode()
)
native_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(TextPart, one_text),
    st.builds(lambda text: ReasoningPart(text=text), one_text),
    st.builds(ToolCallPart, strategies.names, strategies.names, arguments),
)


@st.composite
def native_answers(draw: st.DrawFn) -> GenerateResponse:
    """What Ollama's stream can say of any answer."""
    parts: list[Part] = []
    ids: set[str] = set()
    for part in draw(st.lists(native_parts, max_size=5)):
        if parts and type(part) is type(parts[-1]) and not isinstance(part, ToolCallPart):
            continue
        if isinstance(part, ToolCallPart) and part.call_id in ids:
            continue
        ids |= {part.call_id} if isinstance(part, ToolCallPart) else set()
        parts.append(part)
    finish: FinishReason = "tool_calls" if ids else draw(st.sampled_from(["stop", "length"]))
    usage = Usage(input_uncached=draw(strategies.counts), output_visible=draw(strategies.counts))
    return GenerateResponse("x", "m", 1700000000, (Candidate(0, tuple(parts), finish),), usage)


@given(native_answers())
def test_what_the_protocol_can_say_arrives(response: GenerateResponse) -> None:
    data = wire(explode(response))
    check_stream(data)
    found = collect(events_of(data))
    assert [plain(part) for part in found.candidates[0].parts] == [plain(part) for part in response.candidates[0].parts]
    assert (found.candidates[0].finish, found.usage, found.created) == (
        response.candidates[0].finish,
        response.usage,
        response.created,
    )


def plain(part: Part) -> Part:
    if isinstance(part, ToolCallPart):
        same = orjson.dumps(orjson.loads(part.arguments_text or "{}")).decode()
        return replace(part, extensions={}, arguments_text=same)
    return replace(part, extensions={})


@given(native_answers(), st.integers(0, 6))
def test_a_failed_stream_obeys_the_grammar(response: GenerateResponse, cut: int) -> None:
    encoder = CODEC.encoder(exchange())
    events = list(explode(response))[:-1][:cut]
    data = b"".join(map(encoder.feed, events))
    lines, error = check_failed_stream(data + encoder.fail(GatewayError("it broke")))
    assert error == "it broke"
    shown = [event for event in events if isinstance(event, TextDelta | ReasoningDelta)]
    assert len(lines) >= len(shown)


@given(st.text(max_size=30))
def test_no_text_breaks_a_line(text: str) -> None:
    data = wire(explode(GenerateResponse("x", "m", 0, (Candidate(0, (TextPart(text),)),))))
    lines = check_stream(data)
    assert "".join(line["message"]["content"] for line in lines) == text
