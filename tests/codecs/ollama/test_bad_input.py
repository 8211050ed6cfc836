"""What clients and upstreams must not send, and what becomes of it."""

from typing import Any

import orjson
import pytest

from aiproxy.codecs.ollama import CODEC, WIRE
from aiproxy.codecs.ollama.errors import encode_error
from aiproxy.framing import Frame
from aiproxy.neutral import errors
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import Heartbeat
from aiproxy.neutral.parts import ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.response import Candidate, FinishReason, GenerateResponse
from tests.codecs.ollama.exchanges import decode, events_of, exchange, ndjson, wire
from tests.grammars.ollama import check_failed_stream, check_stream

USER = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        (b"", None, "missing request body"),
        (b"{", None, "not valid JSON"),
        (b"[]", None, "must be a JSON object"),
        (b"[" * 5000, None, "not valid JSON"),
        ({"messages": [USER]}, "model", "model is required"),
        ({"model": ""}, "model", "model is required"),
        ({"model": 3}, "model", "must be a string"),
        ({"model": "m", "messages": "hi"}, "messages", "must be a list"),
        ({"model": "m", "messages": [3]}, "messages[0]", "must be an object"),
        (
            {"model": "m", "messages": [{"role": "robot"}]},
            "messages[0].role",
            "must be system, user, assistant or tool",
        ),
        ({"model": "m", "messages": [{"content": "hi"}]}, "messages[0].role", "must be system"),
        ({"model": "m", "messages": [{"role": "user", "content": [{}]}]}, "messages[0].content", "must be a string"),
        ({"model": "m", "messages": [{"role": "user", "images": "x"}]}, "messages[0].images", "must be a list"),
        ({"model": "m", "messages": [{"role": "user", "images": [3]}]}, "messages[0].images[0]", "base64"),
        ({"model": "m", "messages": [{"role": "user", "images": ["https://x/y.png"]}]}, "messages[0].images[0]", "URL"),
        ({"model": "m", "messages": [{"role": "user", "images": ["data:x"]}]}, "messages[0].images[0]", "comma"),
        (
            {"model": "m", "messages": [{"role": "assistant", "tool_calls": [{}]}]},
            "messages[0].tool_calls[0]",
            "`function` has a name",
        ),
        (
            {
                "model": "m",
                "messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}],
            },
            "messages[0].tool_calls[0]",
            "object of arguments",
        ),
        ({"model": "m", "messages": [{"role": "assistant", "tool_calls": {"a": 1}}]}, "messages[0].tool_calls", "list"),
        ({"model": "m", "tools": {"a": 1}}, "tools", "must be a list"),
        ({"model": "m", "tools": [{"function": {}}]}, "tools[0]", "has a name"),
        (
            {"model": "m", "tools": [{"function": {"name": "f", "parameters": "x"}}]},
            "tools[0].function.parameters",
            "wrong type",
        ),
        ({"model": "m", "stream": "yes"}, "stream", "true or false"),
        ({"model": "m", "format": "xml"}, "format", "invalid format"),
        ({"model": "m", "think": "hard"}, "think", "invalid think value"),
        ({"model": "m", "options": 3}, "options", "must be an object"),
        ({"model": "m", "options": {"num_predict": "many"}}, "options.num_predict", "must be an integer"),
        ({"model": "m", "options": {"temperature": True}}, "options.temperature", "must be a number"),
        ({"model": "m", "options": {"stop": [3]}}, "options.stop", "list of strings"),
        ({"model": "m", "top_logprobs": 21}, "top_logprobs", "between 0 and 20"),
    ],
)
def test_a_request_that_cannot_be_read_names_the_field(body: Any, param: str | None, words: str) -> None:
    with pytest.raises(errors.InvalidRequest, match=words.replace("(", r"\(")) as caught:
        decode(body)
    assert caught.value.param == param


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "prompt": 3},
        {"model": "m", "prompt": "x", "system": []},
        {"model": "m", "prompt": "x", "images": "y"},
    ],
)
def test_a_completion_that_cannot_be_read(body: Any) -> None:
    with pytest.raises(errors.InvalidRequest):
        decode(body, "generate")


HEAD = {"model": "m", "created_at": "2026-01-02T03:04:05Z"}


def line(message: Any, **more: Any) -> dict[str, Any]:
    return {**HEAD, "message": message, "done": False, **more}


TEXT = line({"role": "assistant", "content": "hi"})
DONE = line({"role": "assistant", "content": ""}, done=True, done_reason="stop")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", errors.UpstreamTruncated),
        (ndjson(TEXT), errors.UpstreamTruncated),
        (ndjson(TEXT, line(None)), errors.UpstreamTruncated),
        (b"data: {}\n", errors.UpstreamFailed),
        (b'{"model": NaN}\n', errors.UpstreamFailed),
        (b"[1]\n", errors.UpstreamFailed),
        (b"[" * 100000 + b"\n", errors.UpstreamFailed),
        (b"\xff\n", errors.UpstreamFailed),
        (ndjson(line("hi")), errors.UpstreamFailed),
        (ndjson(line({"content": 3})), errors.UpstreamFailed),
        (ndjson(line({"thinking": ["x"]})), errors.UpstreamFailed),
        (ndjson(line({"tool_calls": {"a": 1}})), errors.UpstreamFailed),
        (ndjson(line({"tool_calls": [{"function": {"arguments": {}}}]})), errors.UpstreamFailed),
        (ndjson(line({"tool_calls": [{"function": {"name": "f", "arguments": 3}}]})), errors.UpstreamFailed),
        (ndjson(TEXT, {"error": "it broke"}), errors.UpstreamServerError),
        (ndjson({"error": "slow down", "StatusCode": 429}), errors.RateLimited),
        (ndjson({"error": {"message": "no such model", "code": 404}}), errors.NotFound),
        (ndjson({"error": "input length exceeds the context length", "status": 400}), errors.ContextLength),
    ],
)
def test_a_stream_that_cannot_be_read(data: bytes, error: type[GatewayError]) -> None:
    with pytest.raises(error) as caught:
        events_of(data)
    assert type(caught.value) is error


def test_what_was_good_before_an_error_is_given_first() -> None:
    given = iter(CODEC.decoder(exchange()).feed(Frame("", ndjson(line({"content": "hi", "tool_calls": 3})))))
    events = [next(given), next(given), next(given)]
    with pytest.raises(errors.UpstreamFailed):
        next(given)
    assert [type(event).__name__ for event in events] == ["ResponseStarted", "PartStarted", "TextDelta"]


def test_what_is_odd_and_still_understood() -> None:
    events = events_of(
        ndjson(
            {"message": None},
            {"message": {}},
            line({"content": None, "tool_calls": None, "thinking": ""}, done=None),
            line({"content": "hi", "unheard": 1}, logprobs=[3, {"token": "hi", "logprob": -1}]),
            {**DONE, "eval_count": None, "prompt_eval_count": True},
            DONE,
            {"error": "after the end"},
        )
        + b"not even JSON\n"
    )
    response = collect(events)
    assert [type(part) for part in response.candidates[0].parts] == [TextPart]
    assert response.usage is None
    assert sum(isinstance(event, Heartbeat) for event in events) == 3


def test_a_whole_answer_that_came_as_a_stream_is_put_together() -> None:
    response = CODEC.decode_response(ndjson(TEXT, TEXT, DONE), exchange())
    assert response.candidates[0].parts == (TextPart("hihi"),)
    for body in (b"", b"\n", b"<html>", ndjson(TEXT)):
        with pytest.raises(errors.UpstreamFailed):
            CODEC.decode_response(body, exchange())


def test_a_stream_that_came_as_a_whole_answer_is_read() -> None:
    events = events_of(ndjson({**DONE, "message": {"role": "assistant", "content": "hi", "thinking": "hm"}}))
    assert [type(part).__name__ for part in collect(events).candidates[0].parts] == ["ReasoningPart", "TextPart"]


def test_numbers_of_arguments_stay_exact_both_ways() -> None:
    text = (
        '{"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"n":%d}}}]}]}'
    )
    number = 123456789012345678901234567890
    request = decode((text % number).encode())
    (call,) = request.turns[0].parts
    assert isinstance(call, ToolCallPart)
    assert call.arguments_text == f'{{"n":{number}}}'
    assert str(number).encode() in CODEC.encode_request(exchange(request)).body
    stream = ndjson(line({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {"n": number}}}]}), DONE)
    assert str(number).encode() in wire(events_of(stream))


def test_half_a_surrogate_pair_passes() -> None:
    data = b'{"model":"m","created_at":"","message":{"role":"assistant","content":"\\ud83d"},"done":false}\n' + ndjson(
        DONE
    )
    shown = wire(events_of(data))
    assert b'"content":"\\ud83d"' in shown
    assert CODEC.encode_response(collect(events_of(data)), exchange()).body.count(b"\\ud83d") == 1
    assert encode_error(GatewayError("\ud83d"), "r").body == b'{"error":"\\ud83d"}'


def test_arguments_that_are_not_json_are_shown_as_they_are() -> None:
    response = GenerateResponse("x", "m", 0, (Candidate(0, (ToolCallPart("c", "f", "{oops"),), "tool_calls"),))
    asked = exchange()
    (shown, _) = check_stream(wire(explode(response), asked))
    assert shown["message"]["tool_calls"][0]["function"]["arguments"] == {"_raw_arguments": "{oops"}
    assert asked.report.warnings == ("drop:part.tool_call",)


def test_a_call_that_was_cut_off_is_not_shown() -> None:
    call = ToolCallPart("c", "f", '{"a', complete=False)
    response = GenerateResponse("x", "m", 0, (Candidate(0, (call,), "length"),))
    (last,) = check_stream(wire(explode(response)))
    assert last["done_reason"] == "length"
    whole = orjson.loads(CODEC.encode_response(response, exchange()).body)
    assert "tool_calls" not in whole["message"]


@pytest.mark.parametrize("finish", ["error", "cancelled", "malformed_tool_call", "content_filter"])
def test_an_end_without_a_word_is_an_error(finish: FinishReason) -> None:
    response = GenerateResponse("x", "m", 0, (Candidate(0, (), finish),))
    _, error = check_failed_stream(wire(explode(response)))
    answer = CODEC.encode_response(response, exchange())
    assert (answer.status, orjson.loads(answer.body)) == (502, {"error": error})


def test_large_things() -> None:
    text = "x" * 10_000_000
    (part,) = collect(events_of(ndjson(line({"content": text}), DONE))).candidates[0].parts
    assert part == TextPart(text)
    lines = [line({"content": "a"}) if place % 2 else line({"thinking": "b"}) for place in range(6000)]
    response = collect(events_of(ndjson(*lines, DONE)))
    assert len(response.candidates[0].parts) == 6000
    calls = [{"function": {"name": "f", "arguments": {}}}] * 3000
    response = collect(events_of(ndjson(line({"tool_calls": calls}), DONE)))
    assert len({part.call_id for part in response.candidates[0].parts if isinstance(part, ToolCallPart)}) == 3000


def test_calls_of_one_id_get_their_own() -> None:
    calls = [{"id": "call_0", "function": {"name": "f", "arguments": {}}}] * 2
    parts = collect(events_of(ndjson(line({"tool_calls": calls}), DONE))).candidates[0].parts
    assert [part.call_id for part in parts if isinstance(part, ToolCallPart)] == ["call_0", "call_0_2"]


def test_the_observer_refuses_what_it_cannot_read() -> None:
    for data in (b"nonsense", b"[]"):
        with pytest.raises(errors.UpstreamFailed):
            WIRE.observer().feed(Frame("", data))
        with pytest.raises(errors.UpstreamFailed):
            WIRE.observe(data)


@pytest.mark.parametrize(
    "odd",
    [
        line({"content": "a", "thinking": "b"}),
        line({"role": "assistant", "content": "a", "thinking": "b"}),
        {"created_at": "", "message": {"role": "assistant", "content": "a"}, "thinking": "b", "done": False},
        {"model": "m", "response": "a", "thinking": "b", "done": False},
        {"response": "a", "thinking": "b", "model": "m", "created_at": "", "done": False},
    ],
)
@pytest.mark.parametrize("before", [TEXT, line({"role": "assistant", "content": "", "thinking": "hm"})])
def test_the_short_way_for_usual_lines_reads_them_as_the_long_one_does(odd: Any, before: Any) -> None:
    def said(*lines: Any) -> tuple[str, str]:
        parts = collect(events_of(ndjson(*lines, DONE))).candidates[0].parts
        texts = "".join(part.text for part in parts if isinstance(part, TextPart))
        return texts, "".join(part.text for part in parts if isinstance(part, ReasoningPart))

    (text, thinking), (more_text, more_thinking) = said(before), said(odd)
    assert said(before, odd) == (text + more_text, thinking + more_thinking)
