"""The official SDK as the judge of every stream, answer, error, list and count we render."""

from typing import Any

import openai
import orjson
import pytest
from openai.types.responses import CompactedResponse, Response
from pydantic import TypeAdapter

from aiproxy.codecs.base import Answer, ModelCard, Standing
from aiproxy.codecs.openai_responses import CODEC, WIRE
from aiproxy.codecs.openai_responses.compaction import is_compaction, summarising
from aiproxy.codecs.report import Report
from aiproxy.neutral import errors
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.collect import explode
from aiproxy.neutral.errors import GatewayError, UpstreamFailed
from aiproxy.neutral.events import PartStarted, ResponseStarted, TextDelta
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import (
    AudioPart,
    Citation,
    CompactionPart,
    HostedToolCallPart,
    ImagePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    TokenLogprob,
    ToolCallPart,
)
from aiproxy.neutral.request import (
    GenerateRequest,
    ReasoningConfig,
)
from aiproxy.neutral.response import Candidate, FinishReason, GenerateResponse
from aiproxy.neutral.tools import ToolChoice
from aiproxy.neutral.usage import Usage
from tests.codecs.bench import SEALER
from tests.codecs.openai_responses.exchanges import decode, exchange, sdk, wire
from tests.grammars.openai_responses import check_error, check_failed_stream, check_stream

USAGE = Usage(input_uncached=10, cache_read=5, cache_write=3, output_visible=7, reasoning=2)

CITED = Citation("https://a.test/", "A", "a text", 0, 2)

THINKING = GenerateRequest("gpt-test", reasoning=ReasoningConfig(visibility="summary"))


def answer_of(*parts: Part, finish: FinishReason = "stop", detail: str | None = None) -> GenerateResponse:
    return GenerateResponse("chatcmpl-1", "m", 0, (Candidate(0, parts, finish, detail),), USAGE)


ANSWERS = {
    "text": answer_of(TextPart("Hello \U0001f600 there")),
    "nothing": answer_of(),
    "empty text": answer_of(TextPart("")),
    "two texts": answer_of(TextPart("one"), TextPart("two")),
    "thinking, then text": answer_of(
        ReasoningPart("hm", opaque=(OpaqueState("anthropic", "thinking_signature", "sig"),)), TextPart("Yes")
    ),
    "thinking without a state": answer_of(ReasoningPart("hm"), TextPart("Yes")),
    "summaries": answer_of(
        ReasoningPart(summaries=("one", "two"), opaque=(OpaqueState("openai", "encrypted_reasoning", "gAAA"),)),
        TextPart("Yes"),
    ),
    "summaries and raw thinking": answer_of(ReasoningPart("raw", ("one",)), TextPart("Yes")),
    "redacted thinking": answer_of(
        ReasoningPart(redacted=True, opaque=(OpaqueState("anthropic", "redacted_thinking", "blob"),)), TextPart("Yes")
    ),
    "parallel calls": answer_of(
        TextPart("Let me see."),
        ToolCallPart("toolu_1", "weather", '{"city":"Paris"}'),
        ToolCallPart("toolu_2", "weather", '{"city":"Oslo"}'),
        finish="tool_calls",
    ),
    "calls of one id": answer_of(ToolCallPart("call_0", "a"), ToolCallPart("call_0", "b"), finish="tool_calls"),
    "a call without arguments or id": answer_of(ToolCallPart("", "now"), finish="tool_calls"),
    "a call in a namespace": answer_of(ToolCallPart("c", "now", "{}", "clock"), finish="tool_calls"),
    "a call with a state of Gemini's": answer_of(
        ToolCallPart("c1", "now", "{}", opaque=(OpaqueState("google", "thought_signature", "sig"),)),
        finish="tool_calls",
    ),
    "a text with a state of Gemini's": answer_of(
        TextPart("hi", opaque=(OpaqueState("google", "thought_signature", "sig"),)), TextPart("more")
    ),
    "a freeform call": answer_of(
        ToolCallPart("c1", "patch", "*** Begin", arguments_kind="freeform"), finish="tool_calls"
    ),
    "a refusal": answer_of(RefusalPart("I can't."), finish="refusal"),
    "text and a refusal": answer_of(TextPart("Well."), RefusalPart("I can't.")),
    "citations": answer_of(TextPart("As A says.", (CITED, Citation(title="no url")))),
    "logprobs": answer_of(
        TextPart("hi", logprobs=(TokenLogprob("hi", -0.1, (104, 105), (TokenLogprob("ho", -3.0),)),))
    ),
    "a web search of Anthropic's": answer_of(
        HostedToolCallPart("web_search", "srvtoolu_1", {"type": "server_tool_use", "input": {"query": "x"}}),
        TextPart("Found."),
    ),
    "an image": answer_of(ImagePart(InlineSource("image/png", "aGk="))),
    "speech": answer_of(AudioPart(InlineSource("audio/wav", "aGk="), "spoken")),
    "a summary": answer_of(CompactionPart("what was said")),
}


def texts_of(response: GenerateResponse) -> str:
    return "".join(part.text for part in response.candidates[0].parts if isinstance(part, TextPart))


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("asked", [None, THINKING], ids=["plain", "thinking"])
def test_the_sdk_reads_every_stream(name: str, asked: GenerateRequest | None) -> None:
    response = ANSWERS[name]
    data = wire(explode(response), asked)
    check_stream(data)
    with sdk(data).responses.stream(model="gpt-test", input="hi") as stream:
        final = stream.get_final_response()
    assert final.output_text == texts_of(response)
    calls = [item for item in final.output if item.type == "function_call"]
    assert len({call.call_id for call in calls}) == len(calls)
    assert final.usage is not None
    assert (final.usage.input_tokens, final.usage.output_tokens) == (18, 9)
    assert final.usage.input_tokens_details.cached_tokens == 5
    strict(Response, orjson.loads(data.rsplit(b"data: ", 1)[1])["response"])
    for event in sdk(data).responses.create(model="gpt-test", input="hi", stream=True):
        assert type(event).model_validate(event.to_dict())


@pytest.mark.parametrize("name", ANSWERS)
def test_the_sdk_reads_every_answer(name: str) -> None:
    answer = CODEC.encode_response(ANSWERS[name], exchange())
    final = sdk(answer).responses.create(model="gpt-test", input="hi")
    assert final.output_text == texts_of(ANSWERS[name])
    strict(Response, orjson.loads(answer.body))


def strict(kind: type[Any], found: Any) -> None:
    """The SDK itself never validates; pydantic with its types does."""
    TypeAdapter(kind).validate_python(found)


@pytest.mark.parametrize(
    ("finish", "detail", "status", "reason"),
    [
        ("stop", None, "completed", None),
        ("stop_sequence", "END", "completed", None),
        ("tool_calls", None, "completed", None),
        ("refusal", None, "completed", None),
        ("pause", None, "completed", None),
        ("compaction", None, "completed", None),
        ("pause", "queued", "queued", None),
        ("length", None, "incomplete", "max_output_tokens"),
        ("length", "max_messages", "incomplete", "max_messages"),
        ("context_window", None, "incomplete", "max_output_tokens"),
        ("content_filter", "SAFETY", "incomplete", "content_filter"),
        ("cancelled", None, "cancelled", None),
        ("error", None, "failed", None),
        ("malformed_tool_call", None, "failed", None),
    ],
)
def test_every_finish_reason(finish: FinishReason, detail: str | None, status: str, reason: str | None) -> None:
    answer = CODEC.encode_response(answer_of(TextPart("hi"), finish=finish, detail=detail), exchange())
    response = sdk(answer).responses.create(model="gpt-test", input="hi")
    assert response.status == status
    assert (response.incomplete_details.reason if response.incomplete_details else None) == reason
    assert (response.error is not None) == (status == "failed")


def test_an_answer_repeats_what_was_asked() -> None:
    asked = {
        "model": "gpt-test",
        "input": "hi",
        "instructions": "Be kind.",
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}],
        "tool_choice": {"type": "function", "name": "f"},
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "low"},
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "previous_response_id": "resp_0",
    }
    body = orjson.loads(CODEC.encode_response(ANSWERS["text"], exchange(decode(asked))).body)
    strict(Response, body)
    for key in ("instructions", "tools", "tool_choice", "metadata", "temperature", "previous_response_id", "model"):
        assert body[key] == asked[key], key
    assert body["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert body["reasoning"] == {"effort": "low", "summary": None}


EVERY_ERROR = [
    (errors.InvalidRequest, openai.BadRequestError, 400, "invalid_prompt"),
    (errors.ContextLength, openai.BadRequestError, 400, "context_length_exceeded"),
    (errors.ContentBlocked, openai.BadRequestError, 400, "invalid_prompt"),
    (errors.Unsupported, openai.BadRequestError, 400, "invalid_prompt"),
    (errors.Authentication, openai.AuthenticationError, 401, "server_error"),
    (errors.Billing, openai.RateLimitError, 429, "insufficient_quota"),
    (errors.Permission, openai.PermissionDeniedError, 403, "server_error"),
    (errors.EndedByOperator, openai.PermissionDeniedError, 403, "invalid_prompt"),
    (errors.NotFound, openai.NotFoundError, 404, "server_error"),
    (errors.Conflict, openai.ConflictError, 409, "server_error"),
    (errors.TooLarge, openai.APIStatusError, 413, "server_error"),
    (errors.RateLimited, openai.RateLimitError, 429, "rate_limit_exceeded"),
    (errors.QuotaExhausted, openai.RateLimitError, 429, "insufficient_quota"),
    (errors.UpstreamServerError, openai.InternalServerError, 500, "server_error"),
    (errors.UpstreamFailed, openai.InternalServerError, 502, "server_error"),
    (errors.UpstreamTruncated, openai.InternalServerError, 502, "server_error"),
    (errors.CredentialRefused, openai.InternalServerError, 502, "server_error"),
    (errors.Overloaded, openai.InternalServerError, 503, "server_is_overloaded"),
    (errors.Timeout, openai.InternalServerError, 504, "server_error"),
]


@pytest.mark.parametrize(("kind", "sdk_class", "status", "code"), EVERY_ERROR)
def test_the_sdk_raises_every_error(
    kind: type[GatewayError], sdk_class: type[Exception], status: int, code: str
) -> None:
    answer = WIRE.encode_error(kind("What happened.", retry_after=2.2), "req_1")
    check_error(orjson.loads(answer.body)["error"])
    assert answer.status == status
    assert answer.headers["retry-after"] == "3"
    with pytest.raises(sdk_class, match="What happened"):
        sdk(answer).responses.create(model="gpt-test", input="hi")
    error = check_failed_stream(CODEC.encoder(exchange()).fail(kind("What happened.")))
    assert error["code"] == code


def test_a_failure_amid_a_stream() -> None:
    encoder = CODEC.encoder(exchange())
    data = encoder.feed(ResponseStarted("x", "m")) + encoder.feed(PartStarted(0, TextPart()))
    data += encoder.feed(TextDelta(0, "Hel")) + encoder.fail(errors.RateLimited("Slow down.", retry_after=6.5))
    error = check_failed_stream(data)
    assert error == {"code": "rate_limit_exceeded", "message": "Slow down. Please try again in 7s."}
    assert encoder.fail(UpstreamFailed("again")) == b""
    with pytest.raises(RuntimeError), sdk(data).responses.stream(model="gpt-test", input="hi") as stream:
        stream.get_final_response()
    kinds = [event.type for event in sdk(data).responses.create(model="gpt-test", input="hi", stream=True)]
    assert kinds[-1] == "response.failed"


def test_a_relayed_stream_is_ended_with_the_failure() -> None:
    observer = WIRE.observer()
    framer = WIRE.framer()
    data = wire(list(explode(ANSWERS["text"]))[:3])
    for frame in framer.feed(data):
        observer.feed(frame)
    assert observer.useful
    assert observer.standing is Standing.OPEN
    assert check_failed_stream(data + observer.fail(UpstreamFailed("gone")))["message"] == "gone"


def test_lists_and_counts() -> None:
    listed = WIRE.encode_models([ModelCard("gpt-test", "us", 5)])
    assert [model.id for model in sdk(Answer(200, listed)).models.list()] == ["gpt-test"]
    assert sdk(Answer(200, WIRE.encode_model(ModelCard("gpt-test", "us")))).models.retrieve("gpt-test").owned_by == "us"
    counting = CODEC.token_counting
    assert counting is not None
    answer = counting.encode_answer(42)
    assert sdk(answer).responses.input_tokens.count(model="gpt-test", input="hi").input_tokens == 42
    assert counting.decode_answer(answer.body) == 42
    for body in (b"{}", b"[]", b'{"input_tokens":-1}', b'{"input_tokens":true}', b"x"):
        with pytest.raises(UpstreamFailed):
            counting.decode_answer(body)
    asked = {
        "model": "gpt-test",
        "input": "hi",
        "tools": [{"type": "custom", "name": "x"}],
        "stream": True,
        "store": False,
    }
    sent = orjson.loads(counting.encode_request(exchange(decode(asked, operation="count_tokens"))).body)
    assert sent == {"model": "gpt-test", "input": "hi", "tools": [{"type": "custom", "name": "x"}]}


def foreign_account(request: GenerateRequest) -> None:
    """What the gateway does before it sends this protocol's request to another one's upstream."""
    from aiproxy.codecs.anthropic_messages import CODEC as OTHER
    from aiproxy.codecs.translation import account_for_extensions

    account_for_extensions(request, CODEC, OTHER, Report())


def test_a_compaction_is_asked_for_and_answered() -> None:
    body = {
        "model": "gpt-test",
        "input": [{"role": "user", "content": "hi"}, {"type": "compaction_trigger"}],
        "tools": [{"type": "custom", "name": "x"}],
    }
    asked = decode(body)
    assert is_compaction(asked)
    assert orjson.loads(CODEC.encode_request(exchange(asked)).body) == body
    with pytest.raises(errors.Unsupported):
        foreign_account(asked)
    plain = summarising(asked)
    assert not is_compaction(plain)
    assert plain.tool_choice == ToolChoice("none")
    assert plain.turns[-1].role == "user"
    foreign_account(plain)

    answer = answer_of(CompactionPart("the summary"), finish="compaction")
    final = check_stream(wire(explode(answer), asked))
    (item,) = final["output"]
    assert item["type"] == "compaction"
    (turn,) = decode({"model": "gpt-test", "input": [item]}).turns
    assert turn.role == "user"
    assert isinstance(turn.parts[0], TextPart)
    assert turn.parts[0].text.endswith("the summary")
    with pytest.raises(errors.InvalidRequest) as caught:
        decode({"model": "gpt-test", "input": [{**item, "encrypted_content": item["encrypted_content"][:-1] + "x"}]})
    assert caught.value.param == "input[0].encrypted_content"

    compact = decode({"model": "gpt-test", "input": "hi"}, operation="compact")
    assert is_compaction(compact)
    whole = CODEC.encode_response(answer, exchange(compact))
    compacted = sdk(whole).responses.compact(model="gpt-test", input="hi")
    assert isinstance(compacted, CompactedResponse)
    assert [found.type for found in compacted.output] == ["message", "compaction"]


def test_the_state_of_another_vendor_comes_back_sealed() -> None:
    """What a client of this protocol carries for Anthropic and Gemini is found again where it belongs, and no one else sees it."""
    answer = answer_of(
        ReasoningPart("hm", opaque=(OpaqueState("anthropic", "thinking_signature", "sig"),)),
        TextPart("Yes", opaque=(OpaqueState("google", "thought_signature", "of the text"),)),
        ToolCallPart("c1", "now", "{}", opaque=(OpaqueState("google", "thought_signature", "of the call"),)),
    )
    output = orjson.loads(CODEC.encode_response(answer, exchange()).body)["output"]
    (turn,) = decode({"model": "gpt-test", "input": output}).turns
    thought, text, call = turn.parts
    assert isinstance(thought, ReasoningPart)
    assert thought.text == "hm"
    assert thought.opaque == answer.candidates[0].parts[0].opaque
    assert text.opaque == answer.candidates[0].parts[1].opaque
    assert call.opaque == answer.candidates[0].parts[2].opaque
    sent = CODEC.encode_request(exchange(GenerateRequest("gpt-test", (turn,)))).body
    assert b"aipx1." not in sent
    assert b"sig" not in sent
    other = SEALER.__class__(SEALER.key, "another tenant")
    assert other.open(output[0]["encrypted_content"]) is None
