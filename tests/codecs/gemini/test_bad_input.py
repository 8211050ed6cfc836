"""Input that is broken, and input that is only large: our error, or the right answer, in bounded time."""

import json
from itertools import chain
from typing import Any

import pytest

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.envelope import in_base64
from aiproxy.codecs.gemini import CODEC, WIRE
from aiproxy.codecs.report import Report
from aiproxy.framing import Frame
from aiproxy.neutral import errors
from aiproxy.neutral.collect import collect
from aiproxy.neutral.events import StreamEvent, TextDelta, UsageUpdated
from aiproxy.neutral.parts import TextPart, ToolCallPart
from tests.codecs.bench import FOREIGN, SEALER
from tests.codecs.gemini.exchanges import decode, events_of, exchange, sse, wire

HEAD = {"modelVersion": "m", "responseId": "r"}


def piece(*parts: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, **({"finishReason": finish} if finish else {})}
    return {"candidates": [candidate], **HEAD, **more}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b'{"contents": 1}',
        b'{"contents": [1]}',
        b'{"contents": [{"parts": [[]]}]}',
        b'{"contents": [{"parts": "hi"}]}',
        b'{"contents": [{"parts": [{"text": 1}]}]}',
        b'{"contents": [{"parts": [{"functionCall": []}]}]}',
        b'{"contents": [{"parts": [{"functionCall": {"name": "f", "args": "{}"}}]}]}',
        b'{"contents": [{"parts": [{"functionResponse": {"response": "x"}}]}]}',
        b'{"contents": [{"parts": [{"functionResponse": {"parts": [{"text": "x"}]}}]}]}',
        b'{"contents": [{"parts": [{"inlineData": {"data": "AA=="}}]}]}',
        b'{"contents": [{"parts": [{"inlineData": {"mimeType": "image/png"}}]}]}',
        b'{"contents": [{"parts": [{"fileData": {}}]}]}',
        b'{"contents": [{"role": 5, "parts": []}]}',
        b'{"contents": [{"role": "assistant", "parts": []}]}',
        b'{"systemInstruction": "be brief"}',
        b'{"tools": "all"}',
        b'{"tools": [{"functionDeclarations": [{}]}]}',
        b'{"toolConfig": {"functionCallingConfig": {"mode": 1}}}',
        b'{"toolConfig": {"functionCallingConfig": {"allowedFunctionNames": "f"}}}',
        b'{"generationConfig": [1]}',
        b'{"generationConfig": {"temperature": "hot"}}',
        b'{"generationConfig": {"stopSequences": "x"}}',
        b'{"generationConfig": {"thinkingConfig": {"thinkingBudget": 1.5}}}',
        b'{"generationConfig": {"thinkingConfig": {"thinkingLevel": 1}}}',
        b'{"generationConfig": {"thinkingConfig": {"includeThoughts": 1}}}',
        b'{"generationConfig": {"responseModalities": "TEXT"}}',
        b'{"model": 1}',
        b'{"serviceTier": 1}',
        b"[" * 100_000,
        b'{"contents":' + b'[{"parts":' * 3000,
    ],
)
def test_a_broken_request_is_refused_with_the_fields_name(body: bytes) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        CODEC.decode_request(Incoming(body, "m"), SEALER, Report())
    assert caught.value.message


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("contents[1].role", {"contents": [{"parts": []}, {"role": "system"}]}),
        ("contents[0].parts[1].text", {"contents": [{"parts": [{"text": "x"}, {"text": 5}]}]}),
        (
            "contents[0].parts[0].inlineData.data",
            {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png"}}]}]},
        ),
        ("generationConfig.topP", {"generationConfig": {"topP": "x"}}),
        ("thinkingBudget", {"generationConfig": {"thinkingConfig": {"thinkingBudget": "x"}}}),
    ],
)
def test_the_error_names_the_field(path: str, body: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        decode(body)
    assert caught.value.param == path


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>",
        b'{"candidates": {}}',
        b'{"candidates": [1]}',
        b'{"candidates": [{"content": {"parts": [{"text": "x"}]}}]}',
        b'{"candidates": [{"content": "x", "finishReason": "STOP"}]}',
        b'{"candidates": [{"content": {"parts": [{"functionCall": {"args": {}}}]}, "finishReason": "STOP"}]}',
        b'{"candidates": [{"index": "a", "finishReason": "STOP"}]}',
        b'{"error": {"code": 500}}',
        b'{"error": "broken"}',
        b"[" * 100_000,
    ],
)
def test_a_broken_answer_is_an_upstreams_failure(body: bytes) -> None:
    with pytest.raises(errors.GatewayError) as caught:
        CODEC.decode_response(body, exchange())
    assert caught.value.status >= 500
    decoder = CODEC.decoder(exchange())
    with pytest.raises(errors.GatewayError):
        list(chain(decoder.feed(Frame("", body)), decoder.close()))


def test_an_answer_in_the_pieces_of_a_stream_is_read() -> None:
    body = json.dumps([piece({"text": "Hel"}), piece({"text": "lo"}, finish="STOP")]).encode()
    assert CODEC.decode_response(body, exchange()).candidates[0].parts == (TextPart("Hello"),)


def test_a_truncated_stream_tells_what_it_used_and_is_never_a_clean_end() -> None:
    events: list[StreamEvent] = []
    decoder = CODEC.decoder(exchange())
    for body in (piece({"text": "Hel"}, usageMetadata={"promptTokenCount": 5}), piece({"text": "lo"})):
        events += decoder.feed(Frame("", json.dumps(body).encode()))
    with pytest.raises(errors.UpstreamTruncated):
        events.extend(decoder.close())
    assert isinstance(events[-1], UsageUpdated)
    assert events[-1].usage.input_total == 5


def test_an_empty_stream_is_truncated() -> None:
    with pytest.raises(errors.UpstreamTruncated):
        events_of(b"")


def test_the_end_comes_once() -> None:
    decoder = CODEC.decoder(exchange())
    list(decoder.feed(Frame("", json.dumps(piece({"text": "x"}, finish="STOP")).encode())))
    assert list(decoder.close())
    assert list(decoder.close()) == []
    with pytest.raises(errors.UpstreamFailed):
        list(decoder.feed(Frame("", json.dumps(piece({"text": "x"})).encode())))


def test_content_after_a_finish_still_counts_and_the_last_word_wins() -> None:
    response = collect(events_of(sse(piece({"text": "a"}, finish="STOP"), piece({"text": "b"}, finish="SAFETY"))))
    assert response.candidates[0].parts == (TextPart("ab"),)
    assert response.candidates[0].finish == "content_filter"


def test_an_error_in_the_stream_comes_after_what_was_good() -> None:
    decoder = CODEC.decoder(exchange())
    events: list[StreamEvent] = []
    body = json.dumps([piece({"text": "Hel"}), {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}])
    with pytest.raises(errors.Overloaded):
        events.extend(decoder.feed(Frame("", body.encode())))
    assert TextDelta(0, "Hel") in events


def test_marks_of_other_protocols_and_comments_are_skipped() -> None:
    data = b": hi\r\n\r\n" + sse(piece({"text": "x"}, finish="STOP")) + b"data: [DONE]\r\n\r\n"
    assert collect(events_of(data)).candidates[0].parts == (TextPart("x"),)


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64, 2**200, -(2**70)])
def test_numbers_stay_exact(number: int) -> None:
    body = {"contents": [{"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"n": [number]}}}]}]}
    request = decode(body)
    assert request.turns[0].parts == (ToolCallPart("", "f", f'{{"n":[{number}]}}'),)
    for source in ("gemini", FOREIGN):
        sent = json.loads(CODEC.encode_request(exchange(request, source=source)).body)
        said = next(content for content in sent["contents"] if content["role"] == "model")
        assert said["parts"][0]["functionCall"]["args"] == {"n": [number]}
    events = events_of(sse(piece({"functionCall": {"name": "f", "args": {"n": number}}}, finish="STOP")))
    assert f'"args":{{"n":{number}}}'.encode() in wire(events)


def test_lone_surrogates_pass() -> None:
    body = b'{"contents":[{"role":"user","parts":[{"text":"\\ud83d"}]}]}'
    request = CODEC.decode_request(Incoming(body, "m"), SEALER, Report())
    assert json.loads(CODEC.encode_request(exchange(request)).body) == json.loads(body)
    stream = b'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":"\\ud83d"}}}]},"finishReason":"STOP"}]}\n\n'
    assert b"\\ud83d" in wire(events_of(stream))


def test_a_delta_of_ten_megabytes_passes() -> None:
    text = "é" * 5_000_000
    events = events_of(sse(piece({"text": text}, finish="STOP")))
    assert text.encode() in wire(events)


def test_thousands_of_parts_and_candidates_take_linear_time() -> None:
    calls = [{"functionCall": {"name": "f", "args": {"n": n}}} for n in range(3000)]
    response = collect(events_of(sse(*(piece(call) for call in calls), piece(finish="STOP"))))
    assert len({part.call_id for part in response.candidates[0].parts if isinstance(part, ToolCallPart)}) == 3000
    body = {"contents": [{"role": "user", "parts": [{"text": str(n)} for n in range(5000)]}] * 20}
    assert json.loads(CODEC.encode_request(exchange(decode(body))).body) == body


def test_calls_that_share_an_id_are_told_apart() -> None:
    call = {"functionCall": {"id": "call_0", "name": "f", "args": {}}}
    response = collect(events_of(sse(piece(call, call, finish="STOP")), exchange(source=FOREIGN)))
    ids = [part.call_id for part in response.candidates[0].parts if isinstance(part, ToolCallPart)]
    assert ids == ["call_0", "call_0_2"]


def test_an_envelope_that_is_not_ours_is_dropped() -> None:
    body = {"contents": [{"role": "model", "parts": [{"text": "x", "thoughtSignature": in_base64("aipx1.e30.00")}]}]}
    request = decode(body)
    assert request.turns[0].parts[0].opaque == ()
    sent = json.loads(CODEC.encode_request(exchange(request)).body)
    assert sent["contents"] == [{"role": "model", "parts": [{"text": "x"}]}]


def test_the_table_knows_what_is_lost_on_foreign_upstreams() -> None:
    assert CODEC.fields.own("safetySettings").action == "ignore"
    assert CODEC.fields.own("cachedContent").action == "refuse"
    assert CODEC.fields.own("never heard of it").action == "drop"
    assert WIRE.name == CODEC.fields.codec
