"""What must hold for any request and any stream: identity, only our errors, streams that obey the grammar."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiproxy.codecs.grammar import check_events
from aiproxy.codecs.openai_chat import CODEC
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError, InvalidRequest, Unsupported
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.parts import ImagePart, RefusalPart, TextPart, ToolCallPart
from aiproxy.neutral.response import GenerateResponse
from tests.codecs.openai_chat import strategies
from tests.codecs.openai_chat.exchanges import ASKED, decoded, encoded, exchange, request_of, written
from tests.grammars.openai_chat import check_stream, payloads
from tests.neutral.strategies import responses

quick = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(quick, max_examples=300)
"""Without a deadline: how long an example takes says something of the machine only."""


def without_state(response: GenerateResponse) -> GenerateResponse:
    """Opaque state is sealed on the way to a client, so it does not come out as it went in."""
    return replace(
        response,
        candidates=tuple(
            replace(candidate, parts=tuple(replace(part, opaque=()) for part in candidate.parts))
            for candidate in response.candidates
        ),
    )


stateless = responses().map(without_state)


@given(strategies.requests)
@thorough
def test_a_request_comes_out_as_it_came_in(body: dict[str, Any]) -> None:
    with suppress(InvalidRequest):
        assert written(exchange(request_of(body))) == body


@given(strategies.completions)
@quick
def test_so_does_a_legacy_one(body: dict[str, Any]) -> None:
    with suppress(InvalidRequest):
        assert written(exchange(request_of(body, "completions"))) == body


@given(strategies.json_values)
@quick
def test_a_strange_body_is_refused(body: Any) -> None:
    with suppress(InvalidRequest):
        request_of(body)


@given(
    st.dictionaries(st.sampled_from(["model", "messages", "tools", "stop", "response_format"]), strategies.json_values)
)
@quick
def test_strange_fields_are_carried_or_refused(fields: dict[str, Any]) -> None:
    with suppress(InvalidRequest):
        assert written(exchange(request_of({**ASKED, **fields}))) == {**ASKED, **fields}


@given(strategies.requests)
@quick
def test_fitting_a_request_to_an_upstream_raises_only_refusals(body: dict[str, Any]) -> None:
    """As if it had come by another codec: whatever is in it, the outcome is a body or a typed refusal."""
    with suppress(InvalidRequest, Unsupported):
        found = written(exchange(request_of(body), source="other"))
        assert found["messages"]


@given(st.lists(strategies.chunks, max_size=5), st.booleans())
@thorough
def test_any_chunks_give_ordered_events_or_an_error_of_ours(chunks: list[Any], done: bool) -> None:
    lines = [orjson.dumps(chunk) for chunk in chunks] + ([b"[DONE]"] if done else [])
    with suppress(GatewayError):
        events = decoded(lines, exchange())
        check_events(events)
        encoded(events, exchange())


@given(
    st.lists(
        st.binary(max_size=40) | st.sampled_from([b"[DONE]", b"{}", b'{"choices":[{"delta":{"content":"x"}}]}']),
        max_size=6,
    )
)
@quick
def test_any_bytes_give_events_or_an_error_of_ours(lines: list[bytes]) -> None:
    with suppress(GatewayError):
        decoded(lines, exchange())


@given(strategies.chunks)
@quick
def test_any_whole_answer_is_read_or_an_error_of_ours(answer: dict[str, Any]) -> None:
    with suppress(GatewayError):
        CODEC.encode_response(CODEC.decode_response(orjson.dumps(answer), exchange()), exchange())


def test_comments_are_heartbeats() -> None:
    decoder = CODEC.decoder(exchange())
    (beat,) = decoder.feed(Frame(COMMENT, b"processing"))
    assert CODEC.encoder(exchange()).feed(beat) == b": keep-alive\n\n"


@given(responses(), st.booleans())
@thorough
def test_encoded_streams_obey_the_grammar(response: Any, usage: bool) -> None:
    usage = usage and response.usage is not None
    asked = exchange(stream=True, stream_options={"include_usage": usage})
    events = list(explode(response))
    wire = encoded(events, asked)
    check_stream(wire, include_usage=usage, choices=max(1, len(response.candidates)))


@given(stateless, st.booleans())
@quick
def test_a_decoded_stream_encodes_to_what_decodes_the_same(response: Any, usage: bool) -> None:
    """Once through the protocol a stream holds what the protocol can say; from then on nothing changes."""
    asked = exchange(stream=True, stream_options={"include_usage": usage})

    def through(events: list[StreamEvent]) -> list[StreamEvent]:
        return decoded(payloads(encoded(events, asked)), asked)

    once = through(list(explode(response)))
    check_events(once)
    assert collect(through(once)) == collect(once)


@given(stateless)
@quick
def test_a_whole_answer_says_what_its_stream_says(response: Any) -> None:
    asked = exchange(stream=True, stream_options={"include_usage": True})
    streamed = collect(decoded(payloads(encoded(list(explode(response)), asked)), asked))
    whole = CODEC.decode_response(CODEC.encode_response(response, asked).body, asked)
    assert said(whole) == said(streamed)


def said(response: GenerateResponse) -> Any:
    """All of it, without how it was cut into parts and in what order kinds of parts took turns."""
    return (
        replace(response, candidates=(), service_tier=None),  # a stream has a place for it only beside usage
        [
            (
                candidate.finish,
                candidate.finish_detail,
                *(
                    "".join(part.text for part in candidate.parts if isinstance(part, kind))
                    for kind in (TextPart, RefusalPart)
                ),
                *(
                    [token for part in candidate.parts if isinstance(part, kind) for token in part.logprobs or ()]
                    for kind in (TextPart, RefusalPart)
                ),
                [citation for part in candidate.parts if isinstance(part, TextPart) for citation in part.citations],
                [
                    replace(
                        part, arguments_text=part.arguments_text.strip()
                    )  # blanks that were streamed can't be taken back
                    for part in candidate.parts
                    if isinstance(part, ToolCallPart)
                ],
                [part for part in candidate.parts if isinstance(part, ImagePart)],
            )
            for candidate in response.candidates
        ],
    )
