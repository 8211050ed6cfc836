"""The relay lane: usage, completion and hidden errors of answers that pass unread."""

from typing import Any

import orjson
import pytest

from aiproxy.codecs.anthropic_messages import WIRE
from aiproxy.codecs.base import Observation, Observer, Standing
from aiproxy.framing import Frame
from aiproxy.neutral.errors import GatewayError, Overloaded, RateLimited, UpstreamFailed
from aiproxy.neutral.usage import Usage
from tests.grammars.anthropic_messages import check_error, payloads

START = {"type": "message_start", "message": {"model": "claude-x", "usage": {"input_tokens": 9, "output_tokens": 1}}}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}}
END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"input_tokens": None, "cache_read_input_tokens": 4, "output_tokens": 7},
}


def watched(*bodies: dict[str, Any]) -> Observer:
    observer = WIRE.observer()
    for body in bodies:
        observer.feed(Frame(body["type"], orjson.dumps(body)))
    return observer


def test_usage_is_cumulative_and_nulls_change_nothing() -> None:
    assert watched(START, TEXT, END).seen == Observation(
        Usage(input_uncached=9, cache_read=4, output_visible=7), "claude-x"
    )
    assert watched().seen == Observation()


def test_a_stream_is_useful_with_its_first_block_and_complete_with_its_reason() -> None:
    begun = watched(START, {"type": "ping"})
    assert not begun.useful
    assert begun.standing is Standing.OPEN
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    assert watched(START, block).useful
    assert watched(START, block, TEXT).standing is Standing.OPEN
    assert watched(START, END).standing is Standing.COMPLETE
    assert watched(START, {"type": "message_stop"}).standing is Standing.COMPLETE


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (Frame("error", b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}'), Overloaded),
        (Frame("", b'{"type":"error","error":{"type":"rate_limit_error","message":"x"}}'), RateLimited),
        (Frame("", b'{"error":{"message":"x"}}'), GatewayError),
        (Frame("message_start", b"{"), UpstreamFailed),
        (Frame("message_start", b"[]"), UpstreamFailed),
    ],
)
def test_an_error_frame_is_raised(frame: Frame, kind: type[GatewayError]) -> None:
    with pytest.raises(kind):
        WIRE.observer().feed(frame)


def test_comments_and_an_end_mark_of_openais_are_passed_over() -> None:
    observer = watched(START, END)
    observer.feed(Frame(":", b"keep-alive"))
    observer.feed(Frame("", b"[DONE]"))
    assert observer.standing is Standing.COMPLETE


def test_a_failed_stream_ends_with_an_error_event() -> None:
    (event,) = payloads(WIRE.observer().fail(Overloaded("Try again.")))
    check_error(event)
    assert event == {"type": "error", "error": {"type": "overloaded_error", "message": "Try again."}}


def test_a_whole_answer_says_its_usage() -> None:
    body = orjson.dumps({"model": "claude-x", "usage": {"input_tokens": 3, "output_tokens": 4}})
    assert WIRE.observe(body) == Observation(Usage(input_uncached=3, output_visible=4), "claude-x")
    assert WIRE.observe(b'{"input_tokens":3}') == Observation()
    with pytest.raises(Overloaded):
        WIRE.observe(b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}')
