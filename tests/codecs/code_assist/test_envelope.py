"""The wrapping of Code Assist: what is inside is Gemini, to the byte; what is around it comes and goes with it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from aiproxy.codecs import code_assist, gemini
from aiproxy.codecs.base import Standing
from aiproxy.codecs.codec import Exchange, Incoming
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.report import Report
from aiproxy.codecs.translation import account_for_extensions
from aiproxy.framing import Frame
from aiproxy.neutral import errors
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.request import GenerateRequest, Turn
from tests.codecs.bench import SEALER
from tests.codecs.gemini import strategies
from tests.codecs.gemini.exchanges import exchange
from tests.grammars import gemini as grammar

CODEC, WIRE = code_assist.CODEC, code_assist.WIRE

quick = settings(deadline=None, max_examples=50)


def decode(body: dict[str, Any], report: Report | None = None) -> GenerateRequest:
    return CODEC.decode_request(Incoming(dump(body), stream=True), SEALER, report or Report())


def here(request: GenerateRequest | None = None, source: str = code_assist.NAME) -> Exchange:
    return exchange(request, source=source)


@quick
@given(strategies.requests)
def test_a_request_comes_back_with_its_wrapping(body: dict[str, Any]) -> None:
    wrapped = {"model": "gemini-test", "project": "p-1", "user_prompt_id": "u", "request": body}
    assert json.loads(CODEC.encode_request(here(decode(wrapped))).body) == wrapped


@quick
@given(strategies.requests)
def test_a_gemini_clients_request_is_wrapped_as_it_came(body: dict[str, Any]) -> None:
    report = Report(strict=True)
    request = gemini.CODEC.decode_request(Incoming(dump(body), "gemini-test"), SEALER, report)
    account_for_extensions(request, gemini.CODEC, CODEC, report)
    sent = json.loads(CODEC.encode_request(here(request, "gemini")).body)
    assert sent == {"model": "gemini-test", "request": body}


@quick
@given(strategies.answers)
def test_an_answer_comes_back_in_its_wrapping(body: dict[str, Any]) -> None:
    response = CODEC.decode_response(dump({"response": body, "traceId": "t"}), here())
    assert response == gemini.CODEC.decode_response(dump(body), exchange())
    assert json.loads(CODEC.encode_response(response, here()).body) == {"response": body}


@quick
@given(strategies.answers)
def test_streams_are_wrapped_event_by_event(body: dict[str, Any]) -> None:
    decoder, plain = CODEC.decoder(here()), gemini.CODEC.decoder(exchange())
    events: list[StreamEvent] = [*decoder.feed(Frame("", dump({"response": body}))), *decoder.close()]
    assert events == [*plain.feed(Frame("", dump(body))), *plain.close()]
    encoder, bare = CODEC.encoder(here()), gemini.CODEC.encoder(exchange())
    written = b"".join(map(encoder.feed, explode(collect(events))))
    pieces = [json.loads(payload)["response"] for payload in grammar.payloads(written)]
    unwrapped = b"".join(map(bare.feed, explode(collect(events))))
    assert pieces == [json.loads(payload) for payload in grammar.payloads(unwrapped)]


def test_foreign_requests_are_gemini_inside_and_carry_what_a_provider_adds() -> None:
    request = GenerateRequest(
        "gemini-3-pro-preview",
        (Turn("system"),),
        extensions={code_assist.NAME: {"project": "p-1", "requestType": "agent"}},
    )
    sent = json.loads(CODEC.encode_request(here(request, "openai-chat")).body)
    assert sent == {
        "model": "gemini-3-pro-preview",
        "project": "p-1",
        "requestType": "agent",
        "request": {"contents": [{"role": "user", "parts": [{"text": " "}]}]},
    }


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"request": 1}', b'{"request": {}, "model": 1}', b'{"request": {"contents": 1}}']
)
def test_a_broken_wrapping_is_refused(body: bytes) -> None:
    with pytest.raises(errors.InvalidRequest):
        CODEC.decode_request(Incoming(body), SEALER, Report())


def test_errors_are_bare_both_ways() -> None:
    body = b'{"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}'
    with pytest.raises(errors.RateLimited):
        CODEC.decode_response(body, here())
    with pytest.raises(errors.RateLimited):
        list(CODEC.decoder(here()).feed(Frame("", body)))
    with pytest.raises(errors.RateLimited):
        WIRE.observer().feed(Frame("", body))
    with pytest.raises(errors.UpstreamFailed):
        list(CODEC.decoder(here()).feed(Frame("", b"{")))
    grammar.check_failed_stream(CODEC.encoder(here()).fail(errors.Internal("x")))
    grammar.check_failed_stream(WIRE.observer().fail(errors.Internal("x")))
    assert WIRE.encode_error(errors.NotFound("gone"), "r").status == 404


def test_an_observer_sees_inside() -> None:
    observer = WIRE.observer()
    piece = {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}], "modelVersion": "m"}
    piece["usageMetadata"] = {"promptTokenCount": 3}  # type: ignore[assignment]
    observer.feed(Frame("", dump({"response": piece, "traceId": "t"})))
    assert (observer.useful, observer.standing, observer.seen.model) == (True, Standing.FINISHED, "m")
    whole = WIRE.observe(dump({"response": piece}))
    assert whole.usage
    assert whole.usage.input_total == 3


def test_tokens_are_counted_without_project_model_and_safety_settings() -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "safetySettings": [{"category": "X"}]}
    request = decode({"model": "m", "project": "p", "request": body})
    counting = CODEC.token_counting
    assert counting
    assert json.loads(counting.encode_request(here(request)).body) == {"request": {"contents": body["contents"]}}
    assert counting.decode_answer(b'{"totalTokens": 7}') == 7
    assert counting.encode_answer(7).body == b'{"totalTokens":7}'
