"""What the observer sees in relayed chat streams: the commit point, the end, usage, hidden errors."""

from collections.abc import Sequence
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.base import Standing
from aiproxy.codecs.openai_chat.observer import ChatObserver, observe
from aiproxy.framing import Frame
from aiproxy.framing.sse import SseFramer
from aiproxy.neutral import errors
from aiproxy.neutral.usage import Usage


def chunk(delta: object = None, finish: str | None = None, index: int = 0, **more: object) -> bytes:
    choice = {"index": index, "delta": {} if delta is None else delta, "finish_reason": finish}
    return orjson.dumps({"id": "c", "model": "m-1", "choices": [choice], **more})


ROLE = chunk({"role": "assistant", "content": ""})
TEXT = chunk({"content": "hi"})
STOP = chunk(finish="stop")
USAGE = orjson.dumps(
    {
        "choices": [],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    }
)
DONE = b"[DONE]"


@pytest.mark.parametrize(
    ("frames", "useful", "standing"),
    [
        ([], False, Standing.OPEN),
        ([ROLE], False, Standing.OPEN),
        ([ROLE, TEXT], True, Standing.OPEN),
        ([ROLE, TEXT, STOP], True, Standing.FINISHED),
        ([ROLE, TEXT, STOP, USAGE], True, Standing.COMPLETE),
        ([USAGE, ROLE, TEXT, STOP], True, Standing.FINISHED),
        ([DONE], True, Standing.COMPLETE),
        ([STOP], True, Standing.FINISHED),
        ([chunk({"tool_calls": [{"index": 0, "id": "x"}]})], True, Standing.OPEN),
        ([chunk({"reasoning_content": "hm"})], True, Standing.OPEN),
        (
            [chunk({"content": "a"}, index=0), chunk({"content": "b"}, index=1), chunk(finish="stop")],
            True,
            Standing.OPEN,
        ),
        ([orjson.dumps({"choices": [{"index": 0, "text": "legacy"}]})], True, Standing.OPEN),
        ([orjson.dumps({"choices": None})], False, Standing.OPEN),
        ([ROLE, TEXT, STOP, USAGE, DONE, b"not json after the end"], True, Standing.COMPLETE),
    ],
)
def test_commit_point_and_end(frames: Sequence[bytes], useful: bool, standing: Standing) -> None:
    observer = ChatObserver()
    for data in frames:
        observer.feed(Frame("", data))
    assert (observer.useful, observer.standing) == (useful, standing)


def test_usage_is_split_into_disjoint_buckets() -> None:
    observer = ChatObserver()
    for data in (TEXT, USAGE, DONE):
        observer.feed(Frame("", data))
    usage = observer.seen.usage
    assert usage is not None
    assert (usage.input_total, usage.cache_read, usage.output_total, usage.reasoning) == (10, 4, 7, 2)
    assert observer.seen.model == "m-1"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"error": {"message": "slow down", "code": 429}}', errors.RateLimited),
        (b'{"error": {"message": "broke"}}', errors.UpstreamFailed),
        (b'{"error": "text"}', errors.UpstreamFailed),
        (b"not json", errors.UpstreamFailed),
        (b"[]", errors.UpstreamFailed),
        (b'{"choices": [3]}', errors.UpstreamFailed),
    ],
)
def test_hidden_errors(data: bytes, kind: type[errors.GatewayError]) -> None:
    with pytest.raises(kind):
        ChatObserver().feed(Frame("", data))
    if data != b'{"choices": [3]}':
        with pytest.raises(kind):
            observe(data)


def test_a_whole_answer() -> None:
    seen = observe(b'{"model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": null}}')
    assert seen.model == "m"
    assert seen.usage is not None
    assert seen.usage.input_total == 3
    assert seen.usage.output_total is None
    assert observe(b'{"data": []}').usage is None
    for nothing in (b"{}", b'{"choices": null, "status": "439", "msg": "Your API Token has expired."}'):
        with pytest.raises(errors.UpstreamFailed, match="no choices"):
            observe(nothing)


def test_an_error_ends_the_stream_in_frames_the_sdk_knows() -> None:
    (frame,) = SseFramer().feed(ChatObserver().fail(errors.UpstreamTruncated("broke off")))
    assert orjson.loads(frame.data)["error"]["code"] == "upstream_truncated"


@given(st.lists(st.binary(max_size=60) | st.sampled_from([ROLE, TEXT, STOP, USAGE, DONE]), max_size=6))
def test_junk_raises_only_ours(frames: list[bytes]) -> None:
    observer = ChatObserver()
    with suppress(errors.GatewayError):
        for data in frames:
            observer.feed(Frame("", data))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["choices", "usage", "delta", "index", "finish_reason", "prompt_tokens", "error", "model"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_strange_json_raises_only_ours(value: object) -> None:
    for read in (observe, lambda data: ChatObserver().feed(Frame("", data))):
        with suppress(errors.GatewayError):
            read(orjson.dumps(value))


def test_usage_type_is_shared() -> None:
    assert isinstance(observe(b'{"choices": [], "usage": {"prompt_tokens": 1}}').usage, Usage)
