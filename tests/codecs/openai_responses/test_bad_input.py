"""What servers and clients do wrong, one by one: an honest error or the right answer."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from aiproxy.codecs.base import Standing
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.openai_responses import CODEC, WIRE
from aiproxy.codecs.report import Report
from aiproxy.neutral import errors
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import Heartbeat, TextDelta
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.response import Candidate, GenerateResponse
from tests.codecs.bench import SEALER
from tests.codecs.openai_responses.exchanges import events_of, exchange, sse, through, wire
from tests.grammars.openai_responses import check_stream

CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "m", "created_at": 1}}
COMPLETED = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}


def delta(text: Any, place: Any = 0, kind: str = "output_text") -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "item_id": "i", "output_index": place, "content_index": 0, "delta": text}


def added(item: Any, place: Any = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": place, "item": item}


def done(item: Any, place: Any = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": place, "item": item}


@pytest.mark.parametrize(
    ("bodies", "kind"),
    [
        ([CREATED], errors.UpstreamTruncated),
        ([CREATED, delta("Hel")], errors.UpstreamTruncated),
        ([], errors.UpstreamTruncated),
        ([CREATED, delta(None)], errors.UpstreamFailed),
        ([CREATED, delta("x", None)], errors.UpstreamFailed),
        ([CREATED, delta("x", -1)], errors.UpstreamFailed),
        ([CREATED, delta("x", "0")], errors.UpstreamFailed),
        ([CREATED, added({"id": "x"})], errors.UpstreamFailed),
        ([CREATED, added(CALL), delta("x")], errors.UpstreamFailed),
        ([CREATED, done(CALL), delta("x", 0, "function_call_arguments")], errors.UpstreamFailed),
        ([CREATED, delta("x"), done(CALL)], errors.UpstreamFailed),
        ([CREATED, done({"type": "function_call", "name": "f"})], errors.UpstreamFailed),
        ([CREATED, done({"type": "message", "role": "assistant", "content": [None]})], errors.UpstreamFailed),
        ([CREATED, {**delta("x", 0, "reasoning_summary_text"), "summary_index": 10**6}], errors.UpstreamFailed),
        ([CREATED, {**COMPLETED, "response": {"output": [None]}}], errors.UpstreamFailed),
        ([CREATED, {"type": "response.failed", "response": None}], errors.UpstreamFailed),
        ([CREATED, {"type": "response.failed", "response": {"error": {"code": "server_error"}}}], GatewayError),
        ([CREATED, {"type": "later", "error": {"message": "no", "code": "slow_down"}}], errors.Overloaded),
        ([{"type": "error", "message": "no", "code": "invalid_image"}], errors.InvalidRequest),
        ([{"type": "error", "message": "no", "code": "bio_policy"}], errors.ContentBlocked),
    ],
)
def test_a_broken_stream_is_an_error(bodies: list[Mapping[str, Any]], kind: type[GatewayError]) -> None:
    with pytest.raises(kind) as caught:
        events_of(sse(*bodies))
    assert isinstance(caught.value, GatewayError)


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: []\n\n", b"data: null\n\n", b'data: {"type":1}\n\n'])
def test_what_is_no_event_is_an_error(data: bytes) -> None:
    with pytest.raises(errors.UpstreamFailed):
        events_of(sse(CREATED) + data)


def test_after_the_end_nothing_counts() -> None:
    more = sse(COMPLETED, CREATED, delta("more"), {"type": "error", "message": "late"}) + b"data: [DONE]\n\n"
    assert events_of(sse(CREATED, delta("Hi"), COMPLETED) + more) == events_of(sse(CREATED, delta("Hi"), COMPLETED))


def test_noise_is_passed_over() -> None:
    events = events_of(
        b": hello\n\n" + sse({"type": "keepalive"}, CREATED, added(None), done(None), delta("Hi")) + sse(COMPLETED)
    )
    assert isinstance(events[0], Heartbeat)
    (part,) = collect(events).candidates[0].parts
    assert isinstance(part, TextPart)
    assert part.text == "Hi"


def test_ids_that_change_on_the_way() -> None:
    """As GitHub Copilot sends them: every event has another id for the same item."""
    events = events_of(
        sse(
            CREATED,
            added({**CALL, "id": "a", "arguments": ""}),
            delta("{}", 0, "function_call_arguments"),
            done({**CALL, "id": "b"}),
            {**COMPLETED, "response": {"id": "other", "output": [{**CALL, "id": "c"}]}},
        )
    )
    (part,) = collect(events).candidates[0].parts
    assert isinstance(part, ToolCallPart)
    assert part.arguments_text == "{}"


def test_deltas_are_believed_first() -> None:
    message = {"type": "message", "id": "i", "role": "assistant", "content": [{"type": "output_text", "text": "Other"}]}
    (part,) = collect(events_of(sse(CREATED, delta("Hello"), done(message), COMPLETED))).candidates[0].parts
    assert isinstance(part, TextPart)
    assert part.text == "Hello"


def test_arguments_before_the_name() -> None:
    bodies = [CREATED, delta('{"a":', 0, "function_call_arguments"), delta("1}", 0, "function_call_arguments")]
    (part,) = collect(events_of(sse(*bodies, done({**CALL, "arguments": '{"a":1}'}), COMPLETED))).candidates[0].parts
    assert isinstance(part, ToolCallPart)
    assert (part.name, part.arguments_text) == ("f", '{"a":1}')


def test_half_a_surrogate_pair_and_long_numbers_stay() -> None:
    body = (
        b'{"id":"resp_1","model":"gpt-test","created_at":1,"status":"completed","n":123456789012345678901234,'
        b'"output":[{"type":"message","id":"m","role":"assistant","status":"completed",'
        b'"content":[{"type":"output_text","text":"a\\ud83d","annotations":[]}]}]}'
    )
    response = CODEC.decode_response(body, exchange())
    answer = CODEC.encode_response(response, exchange()).body
    assert b"123456789012345678901234" in answer
    assert b'"a\\ud83d"' in answer
    stream = wire(explode(response))
    assert b"\\ud83d" in stream
    data = b'data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"\\udc00"}\n\n'
    assert TextDelta(0, "\udc00") in events_of(sse(CREATED) + data + sse(COMPLETED))


def test_arguments_that_are_no_json_stay_as_they_are() -> None:
    body = {"model": "m", "input": [{**CALL, "arguments": "{'a': 12345678901234567890123}"}]}
    assert through(body) == body


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"null", b'"x"', b"{", b'{"model":"m","input":"\\ud83d"}'])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(errors.InvalidRequest):
        CODEC.decode_request(Incoming(body), SEALER, Report())


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": 1}, "model"),
        ({"model": "m", "input": 1}, "input"),
        ({"model": "m", "input": [1]}, "input[0]"),
        ({"model": "m", "input": [{"role": "user", "content": 1}]}, "input[0].content"),
        ({"model": "m", "input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        ({"model": "m", "input": [{"type": "message", "content": "x"}]}, "input[0].role"),
        ({"model": "m", "tools": {"type": "function"}}, "tools"),
        ({"model": "m", "tools": [{"type": "namespace", "name": "n", "tools": [1]}]}, "tools[0].tools[0]"),
        ({"model": "m", "instructions": 1}, "instructions"),
        ({"model": "m", "stream": "yes"}, "stream"),
        ({"model": "m", "temperature": "hot"}, "temperature"),
        ({"model": "m", "max_output_tokens": 1.5}, "max_output_tokens"),
    ],
)
def test_a_wrong_request_is_told_where(body: Mapping[str, Any], param: str) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        CODEC.decode_request(Incoming(orjson.dumps(body)), SEALER, Report())
    assert caught.value.param == param
    assert param in caught.value.message


def test_ten_megabytes_in_one_delta() -> None:
    text = "x" * 10_000_000
    (part,) = collect(events_of(sse(CREATED, delta(text), COMPLETED))).candidates[0].parts
    assert isinstance(part, TextPart)
    assert part.text == text


def test_thousands_of_items() -> None:
    """Some come one by one, the others in the last response only."""
    items = [{**CALL, "id": f"fc_{n}", "call_id": f"c{n}"} for n in range(4000)]
    last = {**COMPLETED, "response": {"id": "resp_1", "status": "completed", "output": items}}
    events = events_of(sse(CREATED, *(added(item, n) for n, item in enumerate(items[:2000])), last))
    assert len(collect(events).candidates[0].parts) == 4000
    assert len(check_stream(wire(events))["output"]) == 4000


def test_thousands_of_thoughts() -> None:
    parts: tuple[Part, ...] = (*(ReasoningPart("hm") for _ in range(2000)), TextPart("Yes"))
    response = GenerateResponse("x", "m", 0, (Candidate(0, parts),))
    assert len(check_stream(wire(explode(response)))["output"]) == 1


def test_an_observer_reads_what_a_relay_passes_on() -> None:
    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    observer, framer = WIRE.observer(), WIRE.framer()
    for frame in framer.feed(sse(CREATED, added(CALL))):
        observer.feed(frame)
    assert not observer.useful
    completed = {**COMPLETED, "response": {"id": "resp_1", "model": "gpt-test", "usage": usage}}
    for frame in framer.feed(sse(delta("Hi", 1), completed, {"type": "error", "message": "late"})):
        observer.feed(frame)
    assert observer.standing is Standing.COMPLETE
    assert observer.seen.model == "gpt-test"
    assert observer.seen.usage is not None
    assert (observer.seen.usage.input_total, observer.seen.usage.output_total) == (5, 2)
    with pytest.raises(errors.RateLimited):
        WIRE.observe(b'{"status":"failed","error":{"code":"rate_limit_exceeded","message":"no"}}')
