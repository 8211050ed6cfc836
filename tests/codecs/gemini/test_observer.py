"""The relay lane: what an observer makes of a Gemini stream it only watches."""

import json
from typing import Any

import pytest

from aiproxy.codecs.base import Standing
from aiproxy.codecs.gemini import ARRAY_WIRE, WIRE
from aiproxy.framing import Frame
from aiproxy.neutral import errors
from tests.grammars import gemini as grammar

HEAD = {"modelVersion": "gemini-test", "responseId": "r"}


def frames(*bodies: Any) -> list[Frame]:
    return [Frame("", json.dumps(body).encode()) for body in bodies]


def piece(*parts: Any, **candidate: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, **candidate}], **HEAD}


THOUGHT = {"text": "Hm.", "thought": True}


@pytest.mark.parametrize(
    ("bodies", "useful", "finished"),
    [
        ([], False, False),
        ([piece({"text": ""})], False, False),
        ([piece({"text": "x"})], True, False),
        ([piece({"text": "x"}), piece(finishReason="STOP")], True, True),
        ([piece({"text": "x"}, finishReason="STOP"), {"usageMetadata": {}}], True, True),
        ([piece({"functionCall": {"name": "f"}})], True, False),
        ([piece({"text": "x"}), piece({"text": "y"}, index=1), piece(finishReason="STOP")], True, False),
        ([{"promptFeedback": {"blockReason": "SAFETY"}}], True, True),
        (
            [
                {
                    **piece(THOUGHT),
                    "usageMetadata": {"promptTokenCount": 1, "thoughtsTokenCount": 2, "totalTokenCount": 3},
                }
            ],
            True,
            True,
        ),
        (
            [
                {
                    **piece(THOUGHT),
                    "usageMetadata": {"promptTokenCount": 1, "thoughtsTokenCount": 2, "totalTokenCount": 9},
                }
            ],
            True,
            False,
        ),
    ],
)
def test_when_a_stream_is_useful_and_finished(bodies: list[Any], useful: bool, finished: bool) -> None:
    observer = WIRE.observer()
    for frame in frames(*bodies):
        observer.feed(frame)
    assert (observer.useful, observer.standing is Standing.FINISHED) == (useful, finished)


def test_the_last_counts_win_and_the_model_is_seen() -> None:
    observer = WIRE.observer()
    first = {**piece({"text": "x"}), "usageMetadata": {"promptTokenCount": 9, "cachedContentTokenCount": 4}}
    last = {
        **piece(finishReason="STOP"),
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3, "thoughtsTokenCount": 2},
    }
    for frame in frames(first, last):
        observer.feed(frame)
    usage = observer.seen.usage
    assert usage
    assert (usage.input_total, usage.cache_read, usage.output_total, usage.reasoning) == (9, 4, 5, 2)
    assert observer.seen.model == "gemini-test"


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"candidates": 1}', b'{"candidates": [{"index": "x"}]}'])
def test_what_cannot_be_read_is_a_failure(data: bytes) -> None:
    with pytest.raises(errors.UpstreamFailed):
        WIRE.observer().feed(Frame("", data))


def test_an_error_in_the_stream_is_raised() -> None:
    body = {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}
    with pytest.raises(errors.RateLimited):
        WIRE.observer().feed(frames(body)[0])
    with pytest.raises(errors.RateLimited):
        WIRE.observe(json.dumps(body).encode())


def test_whole_answers_are_observed() -> None:
    body = {**piece({"text": "x"}, finishReason="STOP"), "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1}}
    assert WIRE.observe(json.dumps(body).encode()).model == "gemini-test"
    assert WIRE.observe(b'{"totalTokens": 3}').usage is None
    with pytest.raises(errors.UpstreamFailed):
        WIRE.observe(b"[]")


def test_a_stream_is_ended_with_an_error() -> None:
    _, error = grammar.check_failed_stream(WIRE.observer().fail(errors.UpstreamTruncated("cut")))
    assert error["status"] == "UNAVAILABLE"
    observer = ARRAY_WIRE.observer()
    begun = b"[" + json.dumps(piece({"text": "x"})).encode()
    for frame in ARRAY_WIRE.framer().feed(begun):
        observer.feed(frame)
    assert json.loads(begun + observer.fail(errors.UpstreamTruncated("cut")))[1]["error"]["code"] == 503
    assert json.loads(ARRAY_WIRE.observer().fail(errors.Internal("x")))[0]["error"]["code"] == 500
