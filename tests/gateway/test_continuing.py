"""An answer that breaks off and goes on at another account, in virtual time."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from aiproxy.neutral import errors
from aiproxy.usage import Outcome, story
from tests.rig.scripted import Asked, Rig, Streams, fails
from tests.rig.upstream import events

TWO = """
request-retry: 0
max-retry-interval: 0
routing: {strategy: fill-first}
continue-streams: [m]
openai-api-key:
  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1"}
  - {api-key: key-two-0123456789, name: two, base-url: "http://two.test/v1"}
"""
CALL = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":'
    b'[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{"}}]},"finish_reason":null}]}\n\n'
)


def chunks(asked: Asked) -> Sequence[Any]:
    lines = [line[6:] for line in asked.sink.body.split(b"\n\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def text(asked: Asked) -> str:
    return "".join(
        choice["delta"].get("content") or "" for chunk in chunks(asked) for choice in chunk.get("choices", ())
    )


def begun(configuration: str = TWO) -> tuple[Rig, Streams, Streams, Asked]:
    """A stream of which the first account has said some words."""
    rig, first, second = Rig(configuration), Streams(), Streams()
    rig["one"].otherwise, rig["two"].otherwise = first, second
    asked = rig.ask(stream=True, stream_options={"include_usage": True})
    first.say(*events("So ", "far")[:3])
    assert text(asked) == "So far"
    return rig, first, second, asked


def test_another_account_goes_on() -> None:
    rig, first, second, asked = begun()
    first.end(clean=False)
    assert not asked.done.called
    (request,) = rig["two"].asked
    assert json.loads(request.body)["messages"][-1] == {"role": "assistant", "content": "So far"}
    second.say(*events(", so ", "good"))
    second.end()
    assert text(asked) == "So far, so good"
    assert asked.sink.body.count(b"\n: ") == 1, "the comment that marks it"
    assert asked.sink.body.endswith(b"data: [DONE]\n\n")
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks(asked) if chunk["choices"]][-1] == "stop"
    record = asked.record
    assert (record.outcome, record.continued) == (Outcome.COMPLETE, True)
    assert [attempt.outcome for attempt in record.attempts] == [Outcome.CUT, Outcome.COMPLETE]
    broken_off, went_on = record.attempts
    assert broken_off.estimated, "it never told its usage: what was heard of it is counted, and marked"
    assert broken_off.usage is not None
    assert broken_off.usage.output_total
    assert not went_on.estimated
    assert "went on" in story(record)
    assert rig.gateway.pool.in_use("two") == 0


def test_it_goes_on_once() -> None:
    _, first, second, asked = begun()
    first.end(clean=False)
    second.say(*events(", so")[:2])
    second.end(clean=False)
    assert isinstance(asked.error, errors.UpstreamTruncated)
    assert text(asked) == "So far, so"
    assert "error" in chunks(asked)[-1]
    assert asked.sink.body.count(b'"error"') == 1
    assert b"[DONE]" not in asked.sink.body


@pytest.mark.parametrize("answer", [fails(500, "two is broken"), errors.Unreachable("two is away")])
def test_when_nobody_can_go_on_the_client_is_told_once(answer: Any) -> None:
    rig, first, _, asked = begun()
    rig["two"].otherwise = answer
    first.end(clean=False)
    assert asked.error is not None
    assert asked.sink.body.count(b'"error"') == 1
    assert asked.record.outcome is Outcome.CUT
    assert not asked.record.continued


def test_never_inside_a_tool_call() -> None:
    rig, first, _, asked = begun()
    first.say(CALL)
    first.end(clean=False)
    assert isinstance(asked.error, errors.UpstreamTruncated)
    assert rig["two"].asked == []
    assert asked.sink.body.count(b'"error"') == 1


def test_only_where_it_is_asked_for() -> None:
    rig, first, _, asked = begun(TWO.replace("[m]", "[other]"))
    first.end(clean=False)
    assert isinstance(asked.error, errors.UpstreamTruncated)
    assert rig["two"].asked == []


def test_a_shutdown_between_the_two_is_told_once() -> None:
    rig, first, second, asked = begun()
    first.end(clean=False)
    assert second.readers
    rig.gateway.interrupt_all(errors.Draining("The gateway is shutting down."))
    assert isinstance(asked.error, errors.Draining)
    assert asked.sink.body.count(b'"error"') == 1


@pytest.mark.parametrize(
    ("so_far", "prefix", "more", "whole"),
    [
        ("So far, ", "So far,", [" so", " good"], "So far, so good"),
        ("So far, ", "So far,", ["so", " good"], "So far, so good"),
        ("So far,\n\n", "So far,", ["\n", "\n", "so good"], "So far,\n\nso good"),
        ("So far,\n", "So far,", ["\n\n so good"], "So far,\n\n so good"),
        ("So far", "So far", [" so good"], "So far so good"),
    ],
)
def test_blanks_at_the_break_are_said_once(so_far: str, prefix: str, more: Sequence[str], whole: str) -> None:
    """Anthropic takes no beginning of an answer that ends with a blank."""
    rig, first, second = Rig(TWO), Streams(), Streams()
    rig["one"].otherwise, rig["two"].otherwise = first, second
    asked = rig.ask(stream=True)
    first.say(*events(so_far)[:2])
    first.end(clean=False)
    (request,) = rig["two"].asked
    assert json.loads(request.body)["messages"][-1] == {"role": "assistant", "content": prefix}
    second.say(*events(*more))
    second.end()
    assert text(asked) == whole


def test_an_answer_of_nothing_but_blanks_is_no_beginning() -> None:
    rig, first = Rig(TWO), Streams()
    rig["one"].otherwise = first
    asked = rig.ask(stream=True)
    first.say(*events("\n ")[:2])
    first.end(clean=False)
    assert isinstance(asked.error, errors.UpstreamTruncated)
    assert rig["two"].asked == []
