"""What holds for any body and any stream: the way there and back, junk, order."""

import contextlib
import itertools
import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aiproxy.codecs.base import Standing
from aiproxy.codecs.gemini import ARRAY_CODEC, CODEC
from aiproxy.codecs.gemini.names import camel
from aiproxy.codecs.grammar import check_events
from aiproxy.codecs.json_bytes import dump
from aiproxy.framing import Frame
from aiproxy.framing.json_array import JsonArrayFramer
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError, InvalidRequest
from tests.codecs.bench import FOREIGN
from tests.codecs.gemini import strategies
from tests.codecs.gemini.exchanges import NATIVE, decode, events_of, exchange, sse, wire
from tests.grammars import gemini as grammar

quick = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(strategies.requests)
def test_a_request_comes_back_as_it_was(body: dict[str, Any]) -> None:
    request = decode(body)
    again = json.loads(CODEC.encode_request(exchange(request)).body)
    assert again == body


@quick
@given(strategies.requests)
def test_snake_case_says_the_same(body: dict[str, Any]) -> None:
    assert decode(_snake(body)) == decode(camel(body))


@quick
@given(strategies.answers | strategies.blocked)
def test_an_answer_comes_back_as_it_was(body: dict[str, Any]) -> None:
    response = CODEC.decode_response(dump(body), exchange())
    assert json.loads(CODEC.encode_response(response, exchange()).body) == body


@quick
@given(strategies.requests)
def test_any_request_is_sent_or_refused_to_a_foreign_upstream(body: dict[str, Any]) -> None:
    request = decode(body)
    with contextlib.suppress(InvalidRequest):
        CODEC.encode_request(exchange(request, source=FOREIGN))


@quick
@given(st.lists(strategies.answers | strategies.blocked, min_size=1, max_size=4), st.sampled_from([NATIVE, FOREIGN]))
def test_any_stream_of_answers_obeys_the_order_rules(bodies: list[dict[str, Any]], source: str) -> None:
    events = events_of(sse(*bodies), exchange(source=source))
    check_events(events)
    response = collect(events)
    if any(candidate.finish == "error" for candidate in response.candidates):
        return
    written = wire(events)
    grammar.check_stream(written)
    array, framer = ARRAY_CODEC.encoder(exchange()), JsonArrayFramer()
    pieces = [json.loads(frame.data) for frame in framer.feed(b"".join(map(array.feed, events)))]
    assert pieces == [json.loads(piece) for piece in grammar.payloads(written)]


@quick
@given(strategies.answers)
def test_a_stream_and_a_whole_answer_say_the_same(body: dict[str, Any]) -> None:
    """Where no two texts are neighbours, and no text is empty: those a stream runs together."""
    for candidate in body["candidates"]:
        candidate.pop("logprobsResult", None)
        candidate.pop("groundingMetadata", None)
        found = candidate.get("content", {}).get("parts", [])
        words = ("text", "executableCode", "codeExecutionResult")
        kinds = [(any(word in part for word in words), part.get("thought") is True) for part in found]
        assume(all(one != other or not one[0] for one, other in itertools.pairwise(kinds)))
        assume(all(part.get("text") != "" for part in found))
        for part in found:
            part.pop("xNew", None)
            part.pop("future", None)
        if not found:
            candidate.pop("content", None)
    asked = exchange(source=FOREIGN)
    whole = CODEC.decode_response(dump(body), asked)
    assert collect(events_of(sse(body), asked)) == whole


@quick
@given(strategies.answers)
def test_what_is_written_is_read_again(body: dict[str, Any]) -> None:
    response = CODEC.decode_response(dump(body), exchange())
    assume(not any(candidate.finish == "error" for candidate in response.candidates))
    again = collect(events_of(wire(explode(response))))
    assert [_told(candidate) for candidate in again.candidates] == [
        _told(candidate) for candidate in response.candidates
    ]
    assert again.usage == response.usage
    assert again.id == response.id


def _told(candidate: Any) -> Any:
    """Texts and calls in order; neighbours run together in a stream."""
    told: list[Any] = []
    for part in candidate.parts:
        kind = type(part).__name__
        text = getattr(part, "text", "") or "".join(getattr(part, "summaries", ()))
        if kind in ("TextPart", "ReasoningPart"):
            if not text:
                continue
            if told and told[-1][0] == kind:
                told[-1] = (kind, told[-1][1] + text)
                continue
        told.append((kind, text or getattr(part, "arguments_text", "") or "{}"))
    return told


junk = (
    st.binary(max_size=40)
    | strategies.anything.map(dump)
    | strategies.answers.map(dump)
    | st.dictionaries(
        st.sampled_from(
            ["candidates", "usageMetadata", "promptFeedback", "error", "responseId", "createTime", "~usage"]
        ),
        strategies.anything
        | st.lists(
            st.dictionaries(
                st.sampled_from(["content", "finishReason", "index", "groundingMetadata", "logprobsResult", "~finish"]),
                strategies.anything
                | st.dictionaries(
                    st.sampled_from(["parts", "role", "groundingChunks", "groundingSupports", "chosenCandidates"]),
                    strategies.anything | st.lists(strategies.parts | strategies.objects, max_size=3),
                ),
            ),
            max_size=2,
        ),
    ).map(dump)
)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.builds(Frame, st.sampled_from(["", "", ":", "error"]), junk), max_size=5))
def test_junk_gives_events_or_our_errors(frames: list[Frame]) -> None:
    decoder, encoder, observer = CODEC.decoder(exchange()), CODEC.encoder(exchange()), CODEC.wire.observer()
    for frame in frames:
        try:
            for event in decoder.feed(frame):
                encoder.feed(event)
        except GatewayError:
            break
    with contextlib.suppress(GatewayError):
        for event in decoder.close():
            encoder.feed(event)
    for frame in frames:
        try:
            observer.feed(frame)
        except GatewayError:
            break
    assert observer.standing in (Standing.OPEN, Standing.FINISHED)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(junk)
def test_junk_for_a_whole_answer_or_a_request_is_refused_or_read(body: bytes) -> None:
    for read in (lambda: CODEC.decode_response(body, exchange()), lambda: CODEC.wire.observe(body)):
        with contextlib.suppress(GatewayError):
            read()
    try:
        found = orjson.loads(body)
    except ValueError:
        found = {}
    with contextlib.suppress(InvalidRequest):
        request = decode(found if isinstance(found, dict) else {"contents": found})
        CODEC.encode_request(exchange(request))


def _snake(value: Any) -> Any:
    """The message in the other spelling, user data apart."""
    data = {"args", "response", "parametersJsonSchema", "responseJsonSchema", "labels", "partMetadata", "properties"}
    if isinstance(value, list):
        return [_snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, inner in value.items():
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
        found[name] = inner if key in data else _snake(inner)
    return found


def test_a_name_that_would_be_a_note_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        decode({"contents": [], "~tools": []})
    assert caught.value.status == 400
