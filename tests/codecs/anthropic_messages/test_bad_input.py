"""What upstreams and clients send that they shouldn't: a right answer or a typed error, in bounded time."""

from typing import Any

import orjson
import pytest

from aiproxy.codecs.anthropic_messages import CODEC
from aiproxy.codecs.grammar import check_events
from aiproxy.framing import Frame
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError, InvalidRequest, Overloaded, UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import Heartbeat, PartFinished
from aiproxy.neutral.parts import TextPart, ToolCallPart
from tests.codecs.anthropic_messages.exchanges import decode, events_of, exchange, sse, wire
from tests.grammars.anthropic_messages import check_stream

START: dict[str, Any] = {
    "type": "message_start",
    "message": {"id": "m", "type": "message", "model": "x", "content": [], "usage": {"input_tokens": 1}},
}
TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
CALL = {
    "type": "content_block_start",
    "index": 0,
    "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
}
CLOSED = {"type": "content_block_stop", "index": 0}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}
STOP = {"type": "message_stop"}


def delta(kind: str, slot: str, value: Any, index: Any = 0) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, slot: value}}


def text(value: Any, index: Any = 0) -> dict[str, Any]:
    return delta("text_delta", "text", value, index)


FAILS: dict[str, list[dict[str, Any]]] = {
    "no start": [TEXT],
    "a second start": [START, START],
    "a null message": [{"type": "message_start", "message": None}],
    "a delta before its block": [START, text("x")],
    "a delta after its block": [START, TEXT, CLOSED, text("x")],
    "a delta of another block": [START, TEXT, text("x", 1)],
    "a delta with a list as index": [START, TEXT, text("x", [])],
    "a null delta": [START, TEXT, {"type": "content_block_delta", "index": 0, "delta": None}],
    "a delta without text": [START, TEXT, text(None)],
    "a delta of no kind": [START, TEXT, delta(["x"], "text", "x")],  # type: ignore[arg-type]
    "a delta of another kind": [START, TEXT, delta("input_json_delta", "partial_json", "{")],
    "a block twice": [START, TEXT, TEXT],
    "a null block": [START, {"type": "content_block_start", "index": 0, "content_block": None}],
    "a block of no kind": [START, {"type": "content_block_start", "index": 0, "content_block": {}}],
    "a call without a name": [
        START,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": ""}},
    ],
    "a call with a null name": [
        START,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": None}},
    ],
    "the end of no block": [START, CLOSED],
    "a citation that is none": [START, TEXT, delta("citations_delta", "citation", 1)],
    "a block after the end": [START, END, TEXT],
    "a delta that breaks its block": [
        START,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        delta("later_delta", "signature", 5),
        END,
        STOP,
    ],
    "a delta that makes another block of it": [
        START,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "x_tool_result"}},
        delta("later_delta", "tool_use_id", "t"),
        CLOSED,
    ],
    "text that is no string": [
        START,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": 5}},
    ],
    "a signature that is no string": [
        START,
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": 5},
        },
    ],
    "an error of another shape": [START, {"type": "x", "error": "broken"}],
}


@pytest.mark.parametrize("bodies", FAILS.values(), ids=FAILS)
def test_a_stream_out_of_order_fails(bodies: list[dict[str, Any]]) -> None:
    with pytest.raises(GatewayError) as caught:
        events_of(sse(*bodies))
    assert not isinstance(caught.value, UpstreamTruncated)


@pytest.mark.parametrize("bodies", [[], [START], [START, TEXT, text("x")], [START, TEXT, text("x"), CLOSED]])
def test_a_stream_that_breaks_off_is_never_an_answer(bodies: list[dict[str, Any]]) -> None:
    with pytest.raises(UpstreamTruncated):
        events_of(sse(*bodies))


OTHER_STREAMS: dict[str, list[dict[str, Any]]] = {
    "without message_stop": [START, TEXT, text("x"), CLOSED, END],
    "without content_block_stop": [START, TEXT, text("x"), END, STOP],
    "two ends": [START, TEXT, text("x"), CLOSED, END, END, STOP, STOP, TEXT, text("after")],
    "a null usage": [
        {"type": "message_start", "message": {"usage": None}},
        TEXT,
        text("x"),
        CLOSED,
        {**END, "usage": None},
        STOP,
    ],
    "unknown events and deltas": [
        START,
        TEXT,
        {"type": "later"},
        delta("later_delta", "x", 1),
        text("x"),
        CLOSED,
        END,
        STOP,
    ],
    "no reason": [START, TEXT, text("x"), CLOSED, {"type": "message_delta", "delta": None}, STOP],
    "text in the block's start": [
        START,
        {"type": "content_block_start", "index": 7, "content_block": {"type": "text", "text": "x"}},
        {"type": "content_block_stop", "index": 7},
        END,
        STOP,
    ],
}


@pytest.mark.parametrize("bodies", OTHER_STREAMS.values(), ids=OTHER_STREAMS)
def test_what_is_only_careless_is_read(bodies: list[dict[str, Any]]) -> None:
    events = events_of(sse(*bodies))
    check_events(events)
    answer = collect(events)
    (part,) = answer.candidates[0].parts
    assert isinstance(part, TextPart)
    assert part.text == "x"
    assert answer.candidates[0].finish == "stop"
    check_stream(wire(explode(answer)))


def test_a_stream_without_event_names_is_read_by_its_types() -> None:
    decoder = CODEC.decoder(exchange())
    frames = [Frame("", orjson.dumps(body)) for body in (START, TEXT, text("x"), CLOSED, END, STOP)]
    events = [event for frame in frames for event in decoder.feed(frame)]
    assert [type(event).__name__ for event in events][-2:] == ["CandidateFinished", "ResponseFinished"]
    assert list(decoder.feed(Frame("", b"[DONE]"))) == []
    assert list(decoder.feed(Frame("error", b"junk"))) == []
    assert list(decoder.close()) == []


def test_pings_and_comments_are_signs_of_life() -> None:
    decoder = CODEC.decoder(exchange())
    assert list(decoder.feed(Frame(":", b"keep-alive"))) == [Heartbeat()]
    assert list(decoder.feed(Frame("ping", b'{"type":"ping"}'))) == [Heartbeat()]
    encoder = CODEC.encoder(exchange())
    assert encoder.feed(Heartbeat()) == b": keep-alive\n\n"


def test_half_a_surrogate_pair_passes_in_two_deltas() -> None:
    data = sse(START, TEXT) + b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
    data += (
        b'{"type":"text_delta","text":"\\ud83d"}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta",'
    )
    data += b'"index":0,"delta":{"type":"text_delta","text":"\\ude00"}}\n\n' + sse(CLOSED, END, STOP)
    shown = wire(events_of(data))
    assert b'"text":"\\ud83d"' in shown
    assert b'"text":"\\ude00"' in shown


def call_of(*fragments: str) -> ToolCallPart:
    pieces = [delta("input_json_delta", "partial_json", fragment) for fragment in fragments]
    events = events_of(sse(START, CALL, *pieces, CLOSED, {**END, "delta": {"stop_reason": "tool_use"}}, STOP))
    check_events(events)
    (part,) = (event.part for event in events if isinstance(event, PartFinished))
    assert isinstance(part, ToolCallPart)
    return part


def test_an_input_of_null_is_what_its_deltas_say() -> None:
    bare = {**CALL, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": None}}
    piece = delta("input_json_delta", "partial_json", '{"a":1}')
    answer = collect(events_of(sse(START, bare, piece, CLOSED, END, STOP)))
    (block,) = orjson.loads(CODEC.encode_response(answer, exchange()).body)["content"]
    assert block["input"] == {"a": 1}


def test_the_name_of_an_unknown_event_breaks_no_stream() -> None:
    name = "x\n\nevent: message_stop\ndata: {}"
    events = events_of(sse(START) + b"data: %b\n\n" % orjson.dumps({"type": name}) + sse({"type": "later"}, END, STOP))
    shown = wire(events)
    assert b"x\n" not in shown
    assert b"event: later\n" in shown


def test_arguments_that_come_in_pieces_of_pieces_are_shown_whole() -> None:
    pieces = [delta("input_json_delta", "partial_json", piece) for piece in ("{", '"a"', ":", "1", "}")]
    events = events_of(sse(START, CALL, *pieces, CLOSED, {**END, "delta": {"stop_reason": "tool_use"}}, STOP))
    check_stream(wire(events))


def test_numbers_of_any_size_stay_exact() -> None:
    assert call_of('{"n": 123456789012345678901234567890', ', "x": 1.10}').arguments_text == (
        '{"n": 123456789012345678901234567890, "x": 1.10}'
    )
    body = b'{"content":[{"type":"tool_use","id":"t","name":"f","input":{"n":123456789012345678901234567890}}]}'
    (part,) = CODEC.decode_response(body, exchange()).candidates[0].parts
    assert isinstance(part, ToolCallPart)
    assert part.arguments_text == '{"n":123456789012345678901234567890}'
    response = CODEC.decode_response(body, exchange())
    assert b"123456789012345678901234567890" in CODEC.encode_response(response, exchange()).body


def test_arguments_that_are_no_json_are_passed_on_as_they_are() -> None:
    assert call_of("{oops", "").arguments_text == "{oops"
    assert not call_of('{"a":').complete
    assert call_of().complete
    assert call_of("[" * 100_000).complete is False


def test_a_delta_of_ten_megabytes_and_thousands_of_parts_pass() -> None:
    huge = "x" * 10_000_000
    (part,) = (
        event.part
        for event in events_of(sse(START, TEXT, text(huge), CLOSED, END, STOP))
        if isinstance(event, PartFinished)
    )
    assert part == TextPart(huge)
    blocks: list[dict[str, Any]] = []
    for index in range(5000):
        blocks += [{**TEXT, "index": index}, text("y", index), {**CLOSED, "index": index}]
    events = events_of(sse(START, *blocks, END, STOP))
    assert len(collect(events).candidates[0].parts) == 5000
    check_stream(wire(events))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"{}",
        b'{"content":null}',
        b'{"content":[null]}',
        b'{"content":[{"type":"text"}]}',
        b'{"content":NaN}',
        b"<html>",
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_answer_fails(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        CODEC.decode_response(body, exchange())


def test_an_error_in_a_200_is_what_it_says() -> None:
    with pytest.raises(Overloaded):
        CODEC.decode_response(b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}', exchange())


def valid(**more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}], **more}


@pytest.mark.parametrize(
    "odd",
    [
        {"thinking": {"type": ["x"]}},
        {"thinking": {"type": "adaptive", "display": ["x"]}},
        {"thinking": {"type": "enabled", "budget_tokens": True}},
        {"output_config": {"effort": ["x"], "format": {"type": ["x"]}}},
        {"service_tier": ["x"], "speed": ["x"], "metadata": {"other": 1}},
        {
            "tools": [{"type": "web_search_1", "name": ["x"], "max_uses": "x"}],
            "tool_choice": {"type": "tool", "name": "f"},
        },
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "", "citations": [{"type": ["x"]}]}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": ["x"]}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": ["x"]}}]}]},
    ],
)
def test_what_is_only_odd_comes_back_as_it_came(odd: dict[str, Any]) -> None:
    body = valid(**odd)
    assert orjson.loads(CODEC.encode_request(exchange(decode(body))).body) == body


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        (valid(model=None), "model"),
        (valid(model=1), "model"),
        (valid(messages={}), "messages"),
        (valid(messages=[None]), "messages.0.role"),
        (valid(messages=[{"role": "user", "content": None}]), "messages.0.content"),
        (valid(messages=[{"role": "user", "content": [None]}]), "messages.0.content.0.type"),
        (valid(messages=[{"role": "user", "content": [{"type": "tool_use"}]}]), "messages.0.content.0.id"),
        (valid(system=[{"type": "text"}]), "system.0.text"),
        (valid(system=1), "system"),
        (valid(tools=[1]), "tools.0.type"),
        (valid(tools=[{"name": "f", "input_schema": 1}]), "tools.0.input_schema"),
        (valid(tool_choice="auto"), "tool_choice"),
        (valid(tool_choice={"type": ["x"]}), "tool_choice.type"),
        (valid(tool_choice={"type": "tool"}), "tool_choice.name"),
        (valid(stop_sequences="x"), "stop_sequences"),
        (valid(temperature="hot"), "temperature"),
        (valid(max_tokens=1.5), "max_tokens"),
    ],
)
def test_a_request_that_is_none_is_refused_by_the_name_of_the_field(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode(body)
    assert caught.value.param == param
