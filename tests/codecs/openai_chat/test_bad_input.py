"""Upstreams and clients that break the rules: a typed error or a right answer, in bounded time."""

from typing import Any

import orjson
import pytest

from aiproxy.codecs.grammar import check_events
from aiproxy.codecs.openai_chat import CODEC
from aiproxy.codecs.openai_chat.decoder import MOST_CHOICES
from aiproxy.codecs.openai_chat.open_calls import MOST_CALLS
from aiproxy.framing import Frame
from aiproxy.neutral import errors
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.parts import TextPart, ToolCallPart
from aiproxy.neutral.request import GenerateRequest, Turn
from aiproxy.neutral.response import Candidate, GenerateResponse
from tests.codecs.openai_chat.exchanges import ASKED, decoded, encoded, exchange, request_of, written

DONE = b"[DONE]"


def chunk(delta: Any, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return orjson.dumps({"id": "c", "model": "m", "choices": [choice], **more})


ROLE, TEXT, STOP = chunk({"role": "assistant"}), chunk({"content": "hi"}), chunk({}, "stop")


def fragment(**fields: Any) -> bytes:
    return chunk({"tool_calls": [fields]})


@pytest.mark.parametrize(
    ("frames", "kind"),
    [
        ([], errors.UpstreamTruncated),
        ([ROLE, TEXT], errors.UpstreamTruncated),
        ([DONE], errors.UpstreamFailed),
        ([b'{"choices": []}', DONE], errors.UpstreamFailed),
        ([b"null"], errors.UpstreamFailed),
        ([b"[]"], errors.UpstreamFailed),
        ([b'"text"'], errors.UpstreamFailed),
        ([b"{"], errors.UpstreamFailed),
        ([b"\xff\xfe"], errors.UpstreamFailed),
        ([b"[" * 100_000], errors.UpstreamFailed),
        ([b'{"choices": {"index": 0}}'], errors.UpstreamFailed),
        ([b'{"choices": [null]}'], errors.UpstreamFailed),
        ([b'{"choices": [{"delta": []}]}'], errors.UpstreamFailed),
        ([b'{"choices": [{"index": "0", "delta": {}}]}'], errors.UpstreamFailed),
        ([b'{"choices": [{"index": -1, "delta": {}}]}'], errors.UpstreamFailed),
        ([b'{"choices": [{"index": %d, "delta": {}}]}' % MOST_CHOICES], errors.UpstreamFailed),
        ([chunk({"tool_calls": {"index": 0}})], errors.UpstreamFailed),
        ([chunk({"tool_calls": [5]})], errors.UpstreamFailed),
        ([fragment(index=0, function={"arguments": "{}"}), STOP, DONE], errors.UpstreamFailed),
        ([b'{"error": {"message": "m", "code": 429}}'], errors.RateLimited),
        ([b'{"error": {"message": "m", "code": "context_length_exceeded"}}'], errors.ContextLength),
        ([b'{"error": "text"}'], errors.UpstreamFailed),
        ([TEXT, b'{"error": {}}'], errors.UpstreamFailed),
    ],
)
def test_streams_that_are_none(frames: list[bytes], kind: type[GatewayError]) -> None:
    with pytest.raises(GatewayError) as caught:
        decoded(frames, exchange())
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([ROLE, TEXT, STOP, DONE, DONE, b"junk after the end"], id="more after the end"),
        pytest.param([ROLE, TEXT, STOP, STOP], id="two finishes"),
        pytest.param([TEXT, STOP, ROLE, DONE], id="the role last"),
        pytest.param([TEXT, DONE], id="no finish, but the end mark"),
        pytest.param([ROLE, STOP, TEXT, DONE], id="content after the finish"),
        pytest.param([chunk({"content": "hi"}, "a_word_of_tomorrow"), DONE], id="an unknown finish"),
        pytest.param([b"", TEXT, STOP], id="an empty frame"),
        pytest.param([chunk({"content": "hi", "x_new": {"a": 1}, "y": 2}), STOP], id="unknown delta fields"),
        pytest.param([b'{"choices": null, "id": "c"}', TEXT, STOP], id="null choices"),
        pytest.param([chunk({"content": "hi", "tool_calls": None, "refusal": None, "audio": None}), STOP], id="nulls"),
        pytest.param([chunk({"content": [{"type": "text", "text": "hi"}, {"type": "new"}, 5]}), STOP], id="a list"),
        pytest.param(
            [
                b'{"id": 5, "model": null, "created": "x", "choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}'
            ],
            id="a strange head",
        ),
        pytest.param(
            [chunk({"content": "hi"}, usage={"prompt_tokens": None, "prompt_tokens_details": []}), STOP],
            id="strange usage",
        ),
        pytest.param([chunk({"content": "hi"}, "stop", usage=5)], id="usage that is none"),
    ],
)
def test_streams_that_say_hi_all_the_same(frames: list[bytes]) -> None:
    events = decoded(frames, exchange())
    check_events(events)
    (candidate,) = collect(events).candidates
    assert candidate.parts == (TextPart("hi"),)
    assert candidate.finish == "stop"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", ""),
        ('{"a": ', '{"a": '),
        ("not json", "not json"),
        ('{"n": 123456789012345678901234567890, "f": 1.50}', '{"n": 123456789012345678901234567890, "f": 1.50}'),
        ('{"s": "\\ud83d"}', '{"s": "\\ud83d"}'),
        ({"a": 1}, '{"a":1}'),
        (None, ""),
        ([1], "[1]"),
    ],
)
def test_arguments_stay_as_the_model_wrote_them(arguments: Any, told: str) -> None:
    frames = [fragment(index=0, id="c", function={"name": "f", "arguments": arguments}), chunk({}, "tool_calls"), DONE]
    (part,) = collect(decoded(frames, exchange())).candidates[0].parts
    assert isinstance(part, ToolCallPart)
    assert part.arguments_text == told
    body = {
        **ASKED,
        "messages": [
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": told}}],
            }
        ],
    }
    assert written(exchange(request_of(body))) == body


def test_half_a_character_reaches_the_client_as_it_came() -> None:
    halves = [
        b'{"id": "c", "choices": [{"delta": {"content": "\\uD83D"}}]}',
        b'{"choices": [{"delta": {"content": "\\ude00"}}]}',
    ]
    wire = encoded(decoded([*halves, STOP, DONE], exchange()), exchange())
    assert rb'"content": "\ud83d"' in wire.replace(b'":"', b'": "')
    assert rb"\ude00" in wire


def test_cut_inside_a_call_is_length_and_incomplete() -> None:
    frames = [fragment(index=0, id="c", function={"name": "f", "arguments": '{"a'}), chunk({}, "length"), DONE]
    (candidate,) = collect(decoded(frames, exchange())).candidates
    assert candidate.finish == "length"
    assert isinstance(candidate.parts[0], ToolCallPart)
    assert not candidate.parts[0].complete


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [None]},
        {"messages": {"role": "user"}},
        {"messages": [{"content": "x"}]},
        {"messages": [{"role": ["user"], "content": "x"}]},
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [{"role": "user", "content": [5]}]},
        {"messages": [{"role": "user", "content": [{"text": "no type"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:nothing"}}]}]},
        {"messages": [{"role": "assistant", "tool_calls": 5}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "x"}]}]},
        {"messages": [{"role": "assistant", "function_call": "f"}]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"tools": 5},
        {"tools": [None]},
        {"tools": [{"type": "function"}]},
        {"functions": [{}]},
        {"stop": 5},
        {"stop": [None]},
        {"stream": "yes"},
        {"n": 1.5},
        {"max_tokens": True},
        {"model": ""},
        {"model": 7},
        {"logit_bias": []} | {"logit_bias": [1]},
    ],
)
def test_requests_that_cannot_be_read_name_the_field(body: Any) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        request_of({**ASKED, **body})
    assert (caught.value.param or "").split("[")[0].split(".")[0] in body


def test_a_delta_of_ten_megabytes() -> None:
    text = "x" * 10_000_000
    events = decoded([chunk({"content": text}), STOP, DONE], exchange())
    assert len(encoded(events, exchange())) > len(text)


def test_thousands_of_calls_and_parts() -> None:
    calls = [fragment(index=i, id=f"c{i}", function={"name": "f", "arguments": "{}"}) for i in range(3000)]
    events = decoded([*calls, STOP, DONE], exchange())
    assert len(collect(events).candidates[0].parts) == 3000
    one_too_many = [fragment(index=i, function={"name": "f"}) for i in range(MOST_CALLS + 1)]
    with pytest.raises(errors.UpstreamFailed):
        decoded(one_too_many, exchange())
    content = [{"type": "text", "text": str(i)} for i in range(5000)]
    body = {**ASKED, "messages": [{"role": "user", "content": content}]}
    assert written(exchange(request_of(body))) == body


def test_parts_in_turn_are_told_in_turn() -> None:
    """A stream of thousands of short parts, as a Responses upstream may give it."""
    response = GenerateResponse("r", "m", 1, (Candidate(0, tuple(TextPart(str(i)) for i in range(3000))),))
    wire = encoded(list(explode(response)), exchange())
    assert wire.count(b'"content"') == 3001


def test_a_frame_after_an_error_is_no_accident() -> None:
    decoder = CODEC.decoder(exchange())
    with pytest.raises(errors.UpstreamFailed):
        decoder.feed(Frame("", b"junk"))
    assert list(decoder.feed(Frame("", TEXT)))


def test_an_event_named_error_is_one() -> None:
    with pytest.raises(errors.UpstreamFailed, match="overheated"):
        CODEC.decoder(exchange()).feed(Frame("error", b'{"message": "overheated"}'))


def test_an_empty_conversation_is_not_sent() -> None:
    empty = GenerateRequest("m", (Turn("system", (TextPart(""),)),))
    with pytest.raises(errors.InvalidRequest):
        CODEC.encode_request(exchange(empty, source="gemini"))
