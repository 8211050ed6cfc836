"""Google's own SDK reads what we write: its types forbid fields they don't know, its stream parser is no general one."""

import base64
from collections.abc import Iterable
from typing import Any

import httpx2
import orjson
import pytest
from google import genai
from google.genai import errors as sdk_errors
from google.genai import types

from aiproxy.codecs.base import Answer, ModelCard
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.envelope import from_base64
from aiproxy.codecs.gemini import CODEC, WIRE
from aiproxy.codecs.report import Report
from aiproxy.neutral import errors
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.collect import explode
from aiproxy.neutral.events import ResponseStarted, StreamEvent
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import Citation, ImagePart, Part, ReasoningPart, TextPart, TokenLogprob, ToolCallPart
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.response import Candidate, FinishReason, GenerateResponse
from aiproxy.neutral.usage import Usage
from tests.codecs.bench import SEALER
from tests.codecs.gemini.exchanges import encode, exchange, sdk, sse, wire
from tests.grammars import gemini as grammar

CALLS = (
    ToolCallPart("call_1", "weather", '{"city":"Oslo"}', opaque=(OpaqueState("google", "thought_signature", "AAEC"),)),
    ToolCallPart("call_2", "weather", '{"city":"Rome"}'),
)


def answer(*parts: Part, finish: FinishReason = "stop", usage: Usage | None = None) -> GenerateResponse:
    usage = usage or Usage(input_uncached=7, cache_read=2, output_visible=3, reasoning=4)
    return GenerateResponse("resp_1", "m", 0, (Candidate(0, parts, finish),), usage)


def whole(response: GenerateResponse) -> types.GenerateContentResponse:
    client = sdk(CODEC.encode_response(response, exchange()))
    return client.models.generate_content(model="gemini-test", contents="hi")


def streamed(response: GenerateResponse) -> list[types.GenerateContentResponse]:
    written = wire(explode(response))
    grammar.check_stream(written)
    return list(sdk(written).models.generate_content_stream(model="gemini-test", contents="hi"))


def parts_of(pieces: Iterable[types.GenerateContentResponse]) -> list[types.Part]:
    found: list[types.Part] = []
    for piece in pieces:
        for candidate in piece.candidates or ():
            found += (candidate.content and candidate.content.parts) or ()
    return found


def test_text_and_usage_whole() -> None:
    found = whole(answer(TextPart("Hello, wörld")))
    assert found.text == "Hello, wörld"
    assert found.model_version == "gemini-test"
    assert found.response_id == "resp_1"
    assert found.candidates
    assert found.candidates[0].finish_reason == types.FinishReason.STOP
    assert found.usage_metadata
    assert found.usage_metadata.prompt_token_count == 9
    assert found.usage_metadata.cached_content_token_count == 2
    assert found.usage_metadata.candidates_token_count == 3
    assert found.usage_metadata.thoughts_token_count == 4
    assert found.usage_metadata.total_token_count == 16


@pytest.mark.parametrize(
    "text", ["plain", "line\u2028end\u2029and\x85next", 'quote " and \\ and \n', "\ud83d\ude00 é", "x" * 100_000]
)
def test_text_streams_unchanged(text: str) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    pieces = streamed(answer(TextPart(text)))
    assert "".join(piece.text or "" for piece in pieces) == text
    assert pieces[-1].candidates
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert pieces[-1].usage_metadata
    assert pieces[-1].usage_metadata.total_token_count == 16


def test_parallel_calls_keep_their_ids_and_the_first_ones_signature() -> None:
    response = answer(*CALLS, finish="tool_calls")
    for parts in (parts_of([whole(response)]), [part for part in parts_of(streamed(response)) if part.function_call]):
        first, second = parts
        assert first.function_call
        assert second.function_call
        assert (first.function_call.id, first.function_call.name) == ("call_1", "weather")
        assert first.function_call.args == {"city": "Oslo"}
        assert second.function_call.args == {"city": "Rome"}
        assert first.thought_signature == b"\x00\x01\x02"
        assert second.thought_signature is None


def test_thinking_is_a_thought_and_not_the_text() -> None:
    response = answer(ReasoningPart(summaries=("Let me see.", "Yes.")), TextPart("42"))
    assert whole(response).text == "42"
    pieces = streamed(response)
    assert "".join(piece.text or "" for piece in pieces) == "42"
    assert "".join(part.text or "" for part in parts_of(pieces) if part.thought) == "Let me see.\n\nYes."


def test_another_vendors_signature_travels_sealed_and_comes_back_with_its_thinking() -> None:
    state = OpaqueState("anthropic", "thinking_signature", "sig", model="claude")
    response = answer(ReasoningPart("Let me see.", opaque=(state,)), TextPart("42"))
    pieces = streamed(response)
    signed = next(part for part in parts_of(pieces) if part.thought_signature)
    assert signed.thought
    assert signed.thought_signature
    assert from_base64(base64.b64encode(signed.thought_signature).decode()).startswith("aipx1.")
    history = [
        {"role": "model", "parts": [part.model_dump(mode="json", exclude_none=True, by_alias=True)]}
        for part in parts_of(pieces)
    ]
    incoming = Incoming(orjson.dumps({"contents": history}), "m")
    turns = CODEC.decode_request(incoming, SEALER, Report()).turns
    thoughts = [part for turn in turns for part in turn.parts if isinstance(part, ReasoningPart) and part.opaque]
    assert thoughts == [ReasoningPart("Let me see.", opaque=(state,))]


def test_pictures_come_inline() -> None:
    picture = ImagePart(InlineSource("image/png", "iVBORw0KGgo="))
    for parts in (parts_of([whole(answer(picture))]), parts_of(streamed(answer(picture)))):
        assert parts[0].inline_data
        assert parts[0].inline_data.data == base64.b64decode("iVBORw0KGgo=")


def test_citations_are_grounding_in_bytes() -> None:
    cited = TextPart("Ünder", citations=(Citation("https://a.example", "A", "der", 2, 5),))
    for found in (whole(answer(cited)), streamed(answer(cited))[-1]):
        assert found.candidates
        metadata = found.candidates[0].grounding_metadata
        assert metadata
        assert metadata.grounding_chunks
        assert metadata.grounding_supports
        assert metadata.grounding_chunks[0].web
        assert metadata.grounding_chunks[0].web.uri == "https://a.example"
        segment = metadata.grounding_supports[0].segment
        assert segment
        assert (segment.start_index, segment.end_index, segment.text) == (3, 6, "der")


def test_logprobs_are_told() -> None:
    tokens = (TokenLogprob("Hi", -0.5, top=(TokenLogprob("Hi", -0.5), TokenLogprob("Ho", -2.0))),)
    response = answer(TextPart("Hi", logprobs=tokens))
    for found in (whole(response), streamed(response)[0]):
        assert found.candidates
        result = found.candidates[0].logprobs_result
        assert result
        assert result.chosen_candidates
        assert result.top_candidates
        assert result.chosen_candidates[0].log_probability == -0.5
        assert [token.token for token in result.top_candidates[0].candidates or ()] == ["Hi", "Ho"]


FINISHES: list[tuple[FinishReason, str]] = [
    ("stop", "STOP"),
    ("stop_sequence", "STOP"),
    ("length", "MAX_TOKENS"),
    ("context_window", "MAX_TOKENS"),
    ("tool_calls", "STOP"),
    ("content_filter", "SAFETY"),
    ("refusal", "SAFETY"),
    ("malformed_tool_call", "MALFORMED_FUNCTION_CALL"),
    ("cancelled", "OTHER"),
    ("pause", "STOP"),
    ("compaction", "STOP"),
]


@pytest.mark.parametrize(("finish", "word"), FINISHES)
def test_every_finish_reason_is_one_the_sdk_knows(finish: FinishReason, word: str) -> None:
    response = answer(TextPart("x"), finish=finish)
    for found in (whole(response), streamed(response)[-1]):
        assert found.candidates
        assert found.candidates[0].finish_reason == types.FinishReason(word)


def test_a_model_that_failed_is_an_error() -> None:
    with pytest.raises(sdk_errors.ServerError):
        whole(answer(finish="error"))
    with pytest.raises(sdk_errors.ServerError):
        list(sdk(wire(explode(answer(finish="error")))).models.generate_content_stream(model="m", contents="hi"))


def test_a_chat_session_remembers_a_streamed_turn() -> None:
    """Its curated history drops turns with a part-less piece."""
    client = sdk(wire(explode(answer(TextPart("Hello")))))
    chat = client.chats.create(model="gemini-test")
    list(chat.send_message_stream("hi"))
    assert [content.role for content in chat.get_history(curated=True)][:2] == ["user", "model"]


ERRORS: list[tuple[errors.GatewayError, int, str]] = [
    (errors.InvalidRequest("no", param="contents"), 400, "INVALID_ARGUMENT"),
    (errors.ContextLength("prompt is too long: 12 tokens > 10 maximum"), 400, "INVALID_ARGUMENT"),
    (errors.Authentication("who"), 401, "UNAUTHENTICATED"),
    (errors.Billing("pay"), 429, "RESOURCE_EXHAUSTED"),
    (errors.Permission("no"), 403, "PERMISSION_DENIED"),
    (errors.NotFound("gone"), 404, "NOT_FOUND"),
    (errors.Conflict("twice"), 409, "ABORTED"),
    (errors.TooLarge("big"), 413, "INVALID_ARGUMENT"),
    (errors.RateLimited("slow", retry_after=37.5), 429, "RESOURCE_EXHAUSTED"),
    (errors.QuotaExhausted("tomorrow"), 429, "RESOURCE_EXHAUSTED"),
    (errors.Overloaded("busy"), 503, "UNAVAILABLE"),
    (errors.UpstreamFailed("gone"), 503, "UNAVAILABLE"),
    (errors.Internal("ours"), 500, "INTERNAL"),
    (errors.Timeout("late"), 504, "DEADLINE_EXCEEDED"),
]


@pytest.mark.parametrize(("error", "code", "status"), ERRORS)
def test_errors_reach_the_sdk_as_its_own(error: errors.GatewayError, code: int, status: str) -> None:
    rendered = WIRE.encode_error(error, "req_1")
    grammar.check_error(orjson.loads(rendered.body)["error"])
    with pytest.raises(sdk_errors.APIError) as caught:
        sdk(rendered).models.generate_content(model="m", contents="hi")
    assert (caught.value.code, caught.value.status) == (code, status)
    begun: list[StreamEvent] = [ResponseStarted("r", "m")]
    encoder = CODEC.encoder(exchange())
    body = b"".join(map(encoder.feed, begun)) + encoder.fail(error)
    grammar.check_failed_stream(body)
    with pytest.raises(sdk_errors.APIError) as caught:
        list(sdk(body).models.generate_content_stream(model="m", contents="hi"))
    assert (caught.value.code, caught.value.status) == (code, status)


def test_an_error_after_text_ends_the_stream() -> None:
    encoder = CODEC.encoder(exchange())
    *begun, _, _, _ = explode(answer(TextPart("Hel")))
    body = b"".join(map(encoder.feed, begun)) + encoder.fail(errors.UpstreamTruncated("cut"))
    pieces = sdk(body).models.generate_content_stream(model="m", contents="hi")
    assert next(pieces).text == "Hel"
    with pytest.raises(sdk_errors.ServerError):
        next(pieces)


def test_signs_of_life_are_skipped() -> None:
    body = b"\r\n" + sse({"candidates": [{"content": {"parts": [{"text": "x"}]}}]}) + b"\r\n"
    assert len(list(sdk(body).models.generate_content_stream(model="m", contents="hi"))) == 1


def test_models_and_counts() -> None:
    cards = [ModelCard("gemini-2.5-pro", "google"), ModelCard("team/fast", "gateway")]
    client = sdk(Answer(200, WIRE.encode_models(cards)))
    assert [model.name for model in client.models.list(config={"query_base": False})][:2] == [
        "models/gemini-2.5-pro",
        "models/team/fast",
    ]
    model = sdk(Answer(200, WIRE.encode_model(cards[0]))).models.get(model="gemini-2.5-pro")
    assert model.name == "models/gemini-2.5-pro"
    assert CODEC.token_counting
    counted = sdk(CODEC.token_counting.encode_answer(42)).models.count_tokens(model="m", contents="hi")
    assert counted.total_tokens == 42


def test_what_the_sdk_sends_comes_back_and_goes_on_validly() -> None:
    """Its mixed spelling and URL-safe base64 included."""
    seen: list[bytes] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.content)
        return httpx2.Response(200, content=CODEC.encode_response(answer(TextPart("ok")), exchange()).body)

    transport = httpx2.Client(transport=httpx2.MockTransport(respond))
    options = types.HttpOptions(base_url="http://gateway.test", httpx_client=transport)
    client = genai.Client(api_key="k", http_options=options)
    client.models.generate_content(model="gemini-test", contents=_conversation(), config=_config())
    request = CODEC.decode_request(Incoming(seen[0], "gemini-test"), SEALER, Report())
    assert request.sampling.max_output_tokens == 100
    assert request.reasoning.effort == "low"
    assert request.tools[0].name == "weather"  # type: ignore[union-attr]
    body = orjson.loads(CODEC.encode_request(exchange(request)).body)
    picture = body["contents"][0]["parts"][1]["inlineData"]["data"]
    assert base64.urlsafe_b64decode(picture) == bytes(range(240, 256)) * 3
    foreign: Any = encode(request)
    assert base64.b64decode(foreign["contents"][0]["parts"][1]["inlineData"]["data"]) == bytes(range(240, 256)) * 3
    assert foreign["contents"][1]["parts"][0]["functionCall"]["args"] == {"city": "Oslo"}
    assert isinstance(request, GenerateRequest)


def _conversation() -> Any:
    call = types.Part(
        function_call=types.FunctionCall(name="weather", args={"city": "Oslo"}), thought_signature=b"\xff\xfe\xfd"
    )
    result = types.Part.from_function_response(name="weather", response={"output": "rain"})
    picture = types.Part.from_bytes(data=bytes(range(240, 256)) * 3, mime_type="image/png")
    return [
        types.Content(role="user", parts=[types.Part(text="look"), picture]),
        types.Content(role="model", parts=[call]),
        types.Content(role="user", parts=[result]),
    ]


def _config() -> types.GenerateContentConfig:
    declaration = types.FunctionDeclaration(
        name="weather",
        description="Tells it",
        parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}},
    )
    return types.GenerateContentConfig(
        system_instruction="Be brief.",
        max_output_tokens=100,
        tools=[types.Tool(function_declarations=[declaration])],
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW),
        response_mime_type="application/json",
        response_schema={"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
    )
