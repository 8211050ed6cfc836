"""The official SDK as the judge of every stream, answer, error, list and count we render."""

from typing import Any

import anthropic
import orjson
import pytest

from aiproxy.codecs.anthropic_messages import CODEC, WIRE
from aiproxy.codecs.anthropic_messages.models import decode_models
from aiproxy.codecs.base import Answer, ModelCard
from aiproxy.neutral import errors
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.collect import explode
from aiproxy.neutral.errors import GatewayError, UpstreamFailed
from aiproxy.neutral.events import PartStarted, ResponseStarted, TextDelta
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import (
    AudioPart,
    Citation,
    HostedToolCallPart,
    ImagePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from aiproxy.neutral.response import Candidate, FinishReason, GenerateResponse
from aiproxy.neutral.usage import Usage
from tests.codecs.anthropic_messages.exchanges import exchange, sdk, wire
from tests.grammars.anthropic_messages import check_error, check_failed_stream, check_stream

ASK: dict[str, Any] = {"model": "claude-test", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}

USAGE = Usage(input_uncached=10, cache_read=5, cache_write=3, output_visible=7, reasoning=2)

CITED = Citation("https://a.test/", "A", "a text")


def answer_of(*parts: Part, finish: FinishReason = "stop", detail: str | None = None) -> GenerateResponse:
    return GenerateResponse("msg_1", "claude-test", 0, (Candidate(0, parts, finish, detail),), USAGE)


ANSWERS = {
    "text": answer_of(TextPart("Hello \U0001f600 there")),
    "nothing": answer_of(),
    "empty text": answer_of(TextPart("")),
    "thinking, then text": answer_of(
        ReasoningPart("hm", opaque=(OpaqueState("anthropic", "thinking_signature", "sig"),)), TextPart("Yes")
    ),
    "thinking without a state": answer_of(ReasoningPart("hm"), TextPart("Yes")),
    "summaries of another vendor": answer_of(
        ReasoningPart(summaries=("one", "two"), opaque=(OpaqueState("openai", "encrypted_reasoning", "gAAA"),)),
        TextPart("Yes"),
    ),
    "redacted thinking": answer_of(
        ReasoningPart(redacted=True, opaque=(OpaqueState("anthropic", "redacted_thinking", "blob"),)), TextPart("Yes")
    ),
    "parallel calls": answer_of(
        TextPart("Let me see."),
        ToolCallPart("toolu_1", "weather", '{"city":"Paris"}'),
        ToolCallPart("toolu_2", "weather", '{"city":"Oslo"}'),
        finish="tool_calls",
    ),
    "a call without arguments or id": answer_of(ToolCallPart("", "now"), finish="tool_calls"),
    "a call with a state of Gemini's": answer_of(
        ToolCallPart("c1", "now", "{}", opaque=(OpaqueState("google", "thought_signature", "sig"),)),
        finish="tool_calls",
    ),
    "a freeform call": answer_of(
        ToolCallPart("c1", "patch", "*** Begin", arguments_kind="freeform"), finish="tool_calls"
    ),
    "a refusal": answer_of(RefusalPart("I can't.")),
    "citations": answer_of(TextPart("As A says.", (CITED, Citation(title="no url")))),
    "a web search of OpenAI's": answer_of(
        HostedToolCallPart("web_search", "ws_1", {"type": "web_search_call", "action": {"query": "x"}}),
        TextPart("Found."),
    ),
    "an image": answer_of(ImagePart(InlineSource("image/png", "aGk="))),
    "speech": answer_of(AudioPart(InlineSource("audio/wav", "aGk="), "spoken")),
    "cut off": answer_of(TextPart("I was"), finish="length"),
    "stopped": answer_of(TextPart("one"), finish="stop_sequence", detail="two"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_the_sdk_accumulates_a_stream_to_what_it_reads_as_a_whole(answer: GenerateResponse) -> None:
    data = wire(explode(answer))
    check_stream(data)
    whole = sdk(CODEC.encode_response(answer, exchange())).messages.create(**ASK)
    with sdk(data).messages.stream(**ASK) as stream:
        final = stream.get_final_message()
    # The accumulator leaves an untold signature's slot as it started, and counts what came in the last event.
    assert final.to_dict(exclude_none=True) == whole.to_dict(exclude_none=True)
    assert whole.usage.input_tokens == 10
    assert whole.usage.output_tokens == 9


FINISHES: list[tuple[FinishReason, str]] = [
    ("stop", "end_turn"),
    ("stop_sequence", "stop_sequence"),
    ("length", "max_tokens"),
    ("context_window", "model_context_window_exceeded"),
    ("tool_calls", "tool_use"),
    ("content_filter", "refusal"),
    ("refusal", "refusal"),
    ("pause", "pause_turn"),
]


@pytest.mark.parametrize(("finish", "reason"), FINISHES)
def test_every_finish_has_its_stop_reason(finish: FinishReason, reason: str) -> None:
    answer = answer_of(TextPart("x"), finish=finish)
    with sdk(wire(explode(answer))).messages.stream(**ASK) as stream:
        assert stream.get_final_message().stop_reason == reason
    assert sdk(CODEC.encode_response(answer, exchange())).messages.create(**ASK).stop_reason == reason


@pytest.mark.parametrize("finish", ["error", "cancelled", "malformed_tool_call"])
def test_what_was_not_completed_is_never_shown_as_complete(finish: FinishReason) -> None:
    answer = answer_of(TextPart("x"), finish=finish)
    with pytest.raises(UpstreamFailed):
        CODEC.encode_response(answer, exchange())
    _, error = check_failed_stream(wire(explode(answer)))
    assert error["type"] == "api_error"


def test_text_of_the_stream_comes_piece_by_piece() -> None:
    events = [*explode(answer_of(TextPart("ab")))]
    events[2:3] = [TextDelta(0, "a"), TextDelta(0, "b")]
    with sdk(wire(events)).messages.stream(**ASK) as stream:
        assert list(stream.text_stream) == ["a", "b"]


EVERY_ERROR = [
    (errors.InvalidRequest, anthropic.BadRequestError, 400, "invalid_request_error"),
    (errors.ContextLength, anthropic.BadRequestError, 400, "invalid_request_error"),
    (errors.ContentBlocked, anthropic.BadRequestError, 400, "invalid_request_error"),
    (errors.Unsupported, anthropic.BadRequestError, 400, "invalid_request_error"),
    (errors.RequestTimeout, anthropic.APIStatusError, 408, "invalid_request_error"),
    (errors.UnsupportedEncoding, anthropic.APIStatusError, 415, "invalid_request_error"),
    (errors.NotShown, anthropic.BadRequestError, 400, "invalid_request_error"),
    (errors.ForeignState, anthropic.BadRequestError, 400, "invalid_request_error"),
    (errors.ExpectationFailed, anthropic.APIStatusError, 417, "invalid_request_error"),
    (errors.UpgradeRequired, anthropic.APIStatusError, 426, "invalid_request_error"),
    (errors.VersionNotSupported, anthropic.InternalServerError, 505, "invalid_request_error"),
    (errors.Authentication, anthropic.AuthenticationError, 401, "authentication_error"),
    (errors.Billing, anthropic.APIStatusError, 402, "billing_error"),
    (errors.Permission, anthropic.PermissionDeniedError, 403, "permission_error"),
    (errors.EndedByOperator, anthropic.PermissionDeniedError, 403, "permission_error"),
    (errors.NotFound, anthropic.NotFoundError, 404, "not_found_error"),
    (errors.MethodNotAllowed, anthropic.APIStatusError, 405, "invalid_request_error"),
    (errors.Conflict, anthropic.ConflictError, 409, "conflict_error"),
    (errors.TooLarge, anthropic.APIStatusError, 413, "request_too_large"),
    (errors.HeadersTooLarge, anthropic.APIStatusError, 431, "request_too_large"),
    (errors.RateLimited, anthropic.RateLimitError, 429, "rate_limit_error"),
    (errors.QuotaExhausted, anthropic.RateLimitError, 429, "rate_limit_error"),
    (errors.Internal, anthropic.InternalServerError, 500, "api_error"),
    (errors.UpstreamServerError, anthropic.InternalServerError, 500, "api_error"),
    (errors.UpstreamFailed, anthropic.InternalServerError, 502, "api_error"),
    (errors.Unreachable, anthropic.InternalServerError, 502, "api_error"),
    (errors.UpstreamTruncated, anthropic.InternalServerError, 502, "api_error"),
    (errors.CredentialRefused, anthropic.InternalServerError, 502, "api_error"),
    (errors.Overloaded, anthropic.APIStatusError, 529, "overloaded_error"),
    (errors.Draining, anthropic.APIStatusError, 529, "overloaded_error"),
    (errors.Timeout, anthropic.APIStatusError, 504, "timeout_error"),
    (errors.ConnectTimeout, anthropic.APIStatusError, 504, "timeout_error"),
]


@pytest.mark.parametrize(("kind", "raised", "status", "word"), EVERY_ERROR)
def test_the_sdk_raises_the_class_of_the_error(
    kind: type[GatewayError], raised: type[anthropic.APIStatusError], status: int, word: str
) -> None:
    answer = WIRE.encode_error(kind("Do something else.", retry_after=1.2), "req_1")
    check_error(orjson.loads(answer.body))
    with pytest.raises(raised) as caught:
        sdk(answer).messages.create(**ASK)
    assert caught.value.status_code == status
    assert caught.value.request_id == "req_1"
    assert caught.value.body["error"]["type"] == word  # type: ignore[index]
    assert caught.value.response.headers["retry-after"] == "2"


def test_every_error_of_ours_has_its_row() -> None:
    found: set[type[GatewayError]] = set()
    waiting = [*GatewayError.__subclasses__()]
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += kind.__subclasses__()
    assert found == {row[0] for row in EVERY_ERROR}


def test_an_error_amid_a_stream_is_raised_with_its_words() -> None:
    encoder = CODEC.encoder(exchange())
    data = encoder.feed(ResponseStarted("msg_1", "m")) + encoder.feed(PartStarted(0, TextPart()))
    data += encoder.feed(TextDelta(0, "I was")) + encoder.fail(errors.Overloaded("Try again."))
    assert encoder.feed(TextDelta(0, "more")) == b""
    check_failed_stream(data)
    with pytest.raises(anthropic.APIStatusError) as caught, sdk(data).messages.stream(**ASK) as stream:
        stream.get_final_message()
    assert caught.value.body == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Try again."},
        "request_id": "req_test",
    }


def test_a_context_length_is_told_in_the_words_agents_look_for() -> None:
    error = errors.ContextLength(
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    )
    body = orjson.loads(WIRE.encode_error(error, "").body)
    assert body["error"]["message"] == "prompt is too long: 9000 tokens > 8192 maximum"


def test_the_sdk_reads_the_model_list() -> None:
    cards = [ModelCard("fast", "aiproxy", 1700000000), ModelCard("slow", "aiproxy")]
    listed = sdk(models_answer(WIRE.encode_models(cards))).models.list()
    assert [model.id for model in listed] == ["fast", "slow"]
    assert listed.first_id == "fast"
    assert listed.last_id == "slow"
    assert listed.data[0].created_at.isoformat() == "2023-11-14T22:13:20+00:00"
    one = sdk(models_answer(WIRE.encode_model(cards[0]))).models.retrieve("fast")
    assert one.display_name == "fast"
    assert one.lifecycle == "active"


def test_an_empty_model_list_has_all_its_keys() -> None:
    assert orjson.loads(WIRE.encode_models([])) == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_an_upstreams_model_list_gives_its_names() -> None:
    assert decode_models(WIRE.encode_models([ModelCard("a", "x"), ModelCard("b", "x")])) == ["a", "b"]
    assert decode_models(b"{}") == decode_models(b"junk") == []


def models_answer(body: bytes) -> Answer:
    return Answer(200, body)


def test_the_sdk_reads_a_token_count() -> None:
    counting = CODEC.token_counting
    assert counting is not None
    found = sdk(counting.encode_answer(42)).messages.count_tokens(model="m", messages=[])
    assert found.input_tokens == 42
    assert counting.decode_answer(counting.encode_answer(42).body) == 42
