"""The grammar that streams are held to refuses each way to leave it: one good stream, spoilt."""

import pytest

from tests.grammars.openai_chat import check_stream
from tests.providers.demo_calls import Caller

WEATHER = {"type": "function", "function": {"name": "weather"}}


def stream(include_usage: bool = False) -> bytes:
    options = {"include_usage": include_usage}
    return Caller().chat(stream=True, tools=[WEATHER], tool_choice="required", stream_options=options)[1].data


def test_the_good_stream() -> None:
    check_stream(stream())
    check_stream(stream(include_usage=True), include_usage=True)
    check_stream(b": keep-alive\n\n" + stream())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"data: [DONE]\n\n", b""),
        (b"data: [DONE]\n\n", b"data: [DONE]\n"),
        (b"data: ", b"data:"),
        (b"data: ", b"event: chunk\ndata: "),
        (b"\n", b"\r\n"),
        (b'"index":0,"id"', b'"index":1,"id"'),
        (b'"type":"function",', b""),
        (b'"function":{"arguments":"{}"', b'"function":{"name":"weather","arguments":"{}"'),
        (b'"delta":{},"finish_reason":"tool_calls"', b'"delta":{},"finish_reason":null'),
        (b'"delta":{},"finish_reason":"tool_calls"', b'"delta":{"content":"a"},"finish_reason":"tool_calls"'),
        (b'"finish_reason":"tool_calls"', b'"finish_reason":"stop"'),
        (b'"finish_reason":"tool_calls"', b'"finish_reason":"end_turn"'),
        (b'"role":"assistant",', b""),
        (b'"tool_calls":[', b'"role":"assistant","tool_calls":['),
        (b'{"arguments":"{}"}', b'{"arguments":{}}'),
        (b'"choices":[{"index":0,"delta":{"role"', b'"choices":[{"index":1,"delta":{"role"'),
        (b'"model":"demo-echo","choices":[{"index":0,"delta":{}', b'"model":"other","choices":[{"index":0,"delta":{}'),
        (b'"object"', b'"extra":1,"object"'),
    ],
)
def test_spoilt_streams(old: bytes, new: bytes) -> None:
    good = stream()
    assert old in good
    with pytest.raises((AssertionError, KeyError)):
        check_stream(good.replace(old, new))


def test_usage_where_it_does_not_belong() -> None:
    with pytest.raises(AssertionError, match="in every chunk, or in none"):
        check_stream(stream(include_usage=True))
    with pytest.raises(AssertionError, match="in every chunk, or in none"):
        check_stream(stream(), include_usage=True)
