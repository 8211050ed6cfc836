"""What Kiro answers: streams in frames that botocore reads, and every failure of its table."""

import contextlib
import json
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.kiro import CODEC, WIRE
from aiproxy.codecs.kiro.errors import seconds_to_reset
from aiproxy.framing.event_stream import EventStreamMessage, encode_message
from aiproxy.neutral import errors
from aiproxy.neutral.collect import Collector
from aiproxy.neutral.errors import GatewayError, UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import StreamEvent, TextDelta
from aiproxy.neutral.parts import ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig, Turn
from aiproxy.neutral.response import GenerateResponse
from aiproxy.neutral.tools import FunctionTool
from aiproxy.neutral.usage import Usage
from tests.codecs.bench import FOREIGN, SEALER

LONG = "x" * 65
PLAIN = GenerateRequest("claude-sonnet-4.5", (Turn("user", (TextPart("hi"),)),))
THINKS = GenerateRequest(PLAIN.model, PLAIN.turns, reasoning=ReasoningConfig("adaptive"))

EVENTS = ("assistantResponseEvent", "reasoningContentEvent", "toolUseEvent", "metadataEvent", "meteringEvent", "new")
NAMES = ("content", "text", "signature", "toolUseId", "name", "input", "stop", "toolUses", "tokenUsage", "usage", "unit",
         "outputTokens", "stopReason", "contextUsagePercentage", "assistantResponseEvent", "type", "_type")  # fmt: skip

GIVEN = bytes.fromhex(
    "0000007c0000005c3bddcf780b3a6576656e742d74797065070016617373697374616e74526573706f6e73654576656e74"
    "0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700"
    "056576656e747b22636f6e74656e74223a224869227db02babdc"
)
"""A frame as the service sends it."""


def frame(event: str, payload: object, kind: str = "event") -> bytes:
    named = {"event": ":event-type", "exception": ":exception-type"}[kind]
    headers = {named: event, ":content-type": "application/json", ":message-type": kind}
    return encode_message(EventStreamMessage(headers, json.dumps(payload, ensure_ascii=False).encode()))


def text(content: str) -> bytes:
    return frame("assistantResponseEvent", {"content": content})


def tool(**said: Any) -> bytes:
    return frame("toolUseEvent", said)


def events(*chunks: bytes, request: GenerateRequest = PLAIN, can: Capabilities = PERMISSIVE) -> list[StreamEvent]:
    exchange = Exchange(request, SEALER, "req", FOREIGN, capabilities=can)
    framer, decoder = WIRE.framer(), CODEC.decoder(exchange)
    found = [event for chunk in chunks for each in framer.feed(chunk) for event in decoder.feed(each)]
    return [*found, *(event for each in framer.close() for event in decoder.feed(each)), *decoder.close()]


def answer(*chunks: bytes, request: GenerateRequest = PLAIN, can: Capabilities = PERMISSIVE) -> GenerateResponse:
    collector = Collector()
    for event in events(*chunks, request=request, can=can):
        collector.feed(event)
    return collector.response


def parts(*chunks: bytes, request: GenerateRequest = PLAIN) -> list[Any]:
    return list(answer(*chunks, request=request).candidates[0].parts)


def test_frames_are_the_services_own() -> None:
    assert text("Hi").replace(b" ", b"") != b""
    assert parts(GIVEN) == [TextPart("Hi")]
    buffer = EventStreamBuffer()
    buffer.add_data(GIVEN + text("Grüße 🌍"))
    given, ours = list(buffer)
    assert given.headers.keys() == ours.headers.keys()
    assert json.loads(ours.payload) == {"content": "Grüße 🌍"}


def test_texts_stay_as_they_are() -> None:
    assert parts(text("ha"), text("ha"), text("a\\nb")) == [TextPart("hahaa\\nb")]


@given(st.data())
def test_any_split_of_the_bytes_reads_alike(data: st.DataObject) -> None:
    stream = b"".join(
        (text("Grüße "), text("🌍 <thinking>"), tool(toolUseId="t", name="f", input="{}", stop=True), text("日本"))
    )
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]
    assert answer(*chunks) == answer(stream)


def test_thinking_by_tags_only_where_it_was_asked_for() -> None:
    said = (text("<think"), text("ing>\nhm"), text("</thinking>\n"), text("\nYes"), text("."))
    assert parts(*said, request=THINKS) == [ReasoningPart(text="hm"), TextPart("Yes.")]
    assert parts(*said) == [TextPart("<thinking>\nhm</thinking>\n\nYes.")]


def test_thinking_in_events_is_signed() -> None:
    thought, redacted, said = parts(
        frame("reasoningContentEvent", {"text": "h"}),
        frame("reasoningContentEvent", {"text": "m"}),
        frame("reasoningContentEvent", {"signature": "sig"}),
        frame("reasoningContentEvent", {"redactedContent": "eHg="}),
        text("Yes."),
    )
    assert (thought.text, thought.opaque[0].data, thought.opaque[0].vendor) == ("hm", "sig", "kiro")
    assert redacted.redacted
    assert redacted.opaque[0].data == "eHg="
    assert said == TextPart("Yes.")


def test_calls_in_pieces() -> None:
    found = answer(
        text("Let me see."),
        tool(toolUseId="t1", name="f"),
        tool(toolUseId="t1", input='{"a"'),
        tool(input=": 1}"),
        tool(toolUseId="t1", stop=True),
        tool(toolUseId="t2", name="g", input={"b": 2}),
        text("So."),
    ).candidates[0]
    assert found.parts == (
        TextPart("Let me see."),
        ToolCallPart("t1", "f", '{"a": 1}'),
        ToolCallPart("t2", "g", '{"b":2}'),
        TextPart("So."),
    )
    assert found.finish == "tool_calls"


def test_names_that_were_cut_come_back_whole() -> None:
    request = GenerateRequest(PLAIN.model, PLAIN.turns, tools=(FunctionTool(LONG),))
    exchange = Exchange(request, SEALER, "req", FOREIGN)
    sent = json.loads(CODEC.encode_request(exchange).body)
    context = sent["conversationState"]["currentMessage"]["userInputMessage"]["userInputMessageContext"]
    name = context["tools"][0]["toolSpecification"]["name"]
    assert parts(tool(toolUseId="t", name=name, input="{}", stop=True), request=request)[0].name == LONG


def test_a_call_that_is_cut_off_is_no_whole_one() -> None:
    found = answer(tool(toolUseId="t", name="f", input='{"path": "a", "conte')).candidates[0]
    assert found.finish == "length"
    assert found.parts == (ToolCallPart("t", "f", '{"path": "a", "conte', complete=False),)


@pytest.mark.parametrize(
    ("chunks", "finish"),
    [
        ([text("a")], "stop"),
        ([text("a"), frame("metadataEvent", {"stopReason": "MAX_TOKENS"})], "length"),
        ([text("a"), frame("messageStopEvent", {"stop_reason": "end_turn"})], "stop"),
        ([text("<thinking>hm")], "length"),
    ],
)
def test_why_it_ended(chunks: list[bytes], finish: str) -> None:
    assert answer(*chunks, request=THINKS).candidates[0].finish == finish


def test_what_it_used() -> None:
    counts = {"uncachedInputTokens": 5, "cacheReadInputTokens": 3, "cacheWriteInputTokens": 2, "outputTokens": 7}
    share = frame("contextUsageEvent", {"contextUsagePercentage": 10})
    exact = answer(text("abcdefgh"), share, frame("metadataEvent", {"tokenUsage": counts}))
    assert exact.usage == Usage(input_uncached=5, cache_read=3, cache_write=2, output_visible=7)
    can = Capabilities(context_tokens=1000)
    assert answer(text("abcdefgh"), share, can=can).usage == Usage(input_uncached=98, output_visible=2)
    guessed = answer(text("abcdefgh")).usage
    assert guessed
    assert guessed.input_uncached
    paid = answer(text("a"), frame("meteringEvent", {"unit": "credit", "usage": 0.5}))
    assert paid.extensions == {"kiro": {"usage": 0.5, "unit": "credit"}}


def test_what_is_not_for_the_text_stays_out_of_it() -> None:
    others = ("followupPromptEvent", "codeReferenceEvent", "messageMetadataEvent", "somethingNew")
    assert parts(
        *(frame(name, {"content": "no", "followupPrompt": {"content": "no"}}) for name in others), text("a")
    ) == [TextPart("a")]
    assert parts(frame("assistantResponseEvent", {"assistantResponseEvent": {"content": "nested"}})) == [
        TextPart("nested")
    ]


def test_a_broken_stream_is_no_whole_one() -> None:
    framer, decoder = WIRE.framer(), CODEC.decoder(Exchange(PLAIN, SEALER, "req", FOREIGN))
    assert any(isinstance(event, TextDelta) for each in framer.feed(text("a")) for event in decoder.feed(each))
    with pytest.raises(UpstreamTruncated):
        list(decoder.close(clean=False))
    with pytest.raises(UpstreamTruncated):
        events()
    framer.feed(text("b")[:20])
    with pytest.raises(UpstreamTruncated):
        framer.close()
    damaged = bytearray(text("a"))
    damaged[-1] ^= 1
    with pytest.raises(UpstreamFailed):
        events(bytes(damaged))


@pytest.mark.parametrize(
    "chunk",
    [
        frame("toolUseEvent", {"input": "{}"}),
        tool(toolUseId="t", input="{}", stop=True),
        frame("assistantResponseEvent", {"content": 7}),
        frame("assistantResponseEvent", [1]),
        frame("assistantResponseEvent", {"toolUses": [7]}),
        frame("invalidStateEvent", {"reason": "INVALID_TASK_ASSIST_PLAN"}),
        frame("x", {"_type": "com.amazon.aws.codewhisperer#InternalServerException", "message": "broke"}),
    ],
)
def test_nonsense_is_an_error_of_ours(chunk: bytes) -> None:
    with pytest.raises(GatewayError):
        events(text("a"), chunk)


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("ThrottlingException", {"message": "slow"}, errors.RateLimited),
        ("ServiceQuotaExceededException", {"message": "m", "reason": "MONTHLY_REQUEST_COUNT"}, errors.QuotaExhausted),
        ("ValidationException", {"message": "m", "reason": "CONTENT_LENGTH_EXCEEDS_THRESHOLD"}, errors.ContextLength),
        ("InternalServerException", {"message": "m"}, errors.UpstreamServerError),
        ("SomethingNew", {}, errors.UpstreamServerError),
    ],
)
def test_exceptions_in_a_stream(name: str, said: object, kind: type[GatewayError]) -> None:
    with pytest.raises(kind) as raised:
        events(text("a"), frame(name, said, "exception"))
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, {"message": "Improperly formed request."}, errors.InvalidRequest),
        (400, {"message": "Input is too long."}, errors.ContextLength),
        (400, {"message": "Invalid model.", "reason": "INVALID_MODEL_ID"}, errors.NotFound),
        (400, {"message": "profileArn is required for this request."}, errors.CredentialRefused),
        (401, {"message": "The bearer token is invalid."}, errors.CredentialRefused),
        (402, {}, errors.QuotaExhausted),
        (403, {"message": "suspended", "reason": "TEMPORARILY_SUSPENDED"}, errors.CredentialRefused),
        (429, {"message": "m", "reason": "INSUFFICIENT_MODEL_CAPACITY"}, errors.Overloaded),
        (429, {"message": "m", "reason": "DAILY_REQUEST_COUNT"}, errors.QuotaExhausted),
        (429, {"message": "Too many requests"}, errors.RateLimited),
        (500, {"message": "Encountered unexpectedly high load when processing the request"}, errors.Overloaded),
        (500, {"message": "m"}, errors.UpstreamServerError),
        (503, "not JSON", errors.Overloaded),
    ],
)
def test_failures(status: int, said: object, kind: type[GatewayError]) -> None:
    error = WIRE.decode_error(status, {}, json.dumps(said).encode())
    assert type(error) is kind
    assert error.upstream_status == status


def test_used_up_until_the_month_or_the_day_ends() -> None:
    date = "Thu, 31 Dec 2026 23:00:00 GMT"
    monthly = WIRE.decode_error(402, {"date": date}, b'{"reason": "MONTHLY_REQUEST_COUNT"}')
    assert monthly.retry_after == 3600
    assert seconds_to_reset("Wed, 25 Nov 2026 00:00:00 GMT", by_the_month=True) == 6 * 86400
    assert seconds_to_reset("Wed, 25 Nov 2026 00:00:00 GMT", by_the_month=False) == 86400
    assert seconds_to_reset("yesterday", by_the_month=False) is None


def test_an_answer_that_is_no_stream_is_an_error() -> None:
    with pytest.raises(GatewayError):
        CODEC.decode_response(b'{"message": "no"}', Exchange(PLAIN, SEALER, "req", FOREIGN))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a", "{", "<thinking>"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.sampled_from(EVENTS), json_values), max_size=5))
def test_any_events_give_an_answer_or_an_error_of_ours(said: list[tuple[str, Any]]) -> None:
    with contextlib.suppress(GatewayError):
        answer(*(frame(name, payload) for name, payload in said), request=THINKS)
