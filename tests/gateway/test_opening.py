"""What a streaming client gets while nobody has anything to say, in virtual time: signs of life, and then whoever can answer."""

import json

import pytest

from aiproxy.codecs import ollama
from aiproxy.gateway.opening import KEEP_ALIVE_SECONDS, OPENING_SECONDS
from aiproxy.neutral import errors
from aiproxy.usage import Outcome
from tests.rig.scripted import SILENT, Rig, Streams, fails
from tests.rig.upstream import events

TWO = """
request-retry: 0
max-retry-interval: 0
routing: {strategy: fill-first}
openai-api-key:
  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1"}
  - {api-key: key-two-0123456789, name: two, base-url: "http://two.test/v1"}
"""
ALIVE = b": keep-alive\n\n"


def test_signs_of_life_and_then_the_answer() -> None:
    rig, stream = Rig(TWO), Streams()
    rig["one"].otherwise = stream
    asked = rig.ask(stream=True, stream_options={"include_usage": True})
    rig.wait(OPENING_SECONDS - 1)
    assert (asked.sink.status, asked.sink.body) == (0, b""), "an error could still have a status"
    rig.wait(1 + KEEP_ALIVE_SECONDS)
    assert (asked.sink.status, asked.sink.body) == (200, 2 * ALIVE)
    assert asked.sink.headers["x-accel-buffering"] == "no"
    said = events("here")
    stream.say(*said)
    stream.end()
    assert asked.done.called
    late = b": x-aiproxy-provider: openai, x-aiproxy-model: m, x-aiproxy-attempts: 1\n\n"
    assert asked.sink.body == 2 * ALIVE + late + b"".join(said)
    assert asked.record.outcome is Outcome.COMPLETE
    rig.gateway.ended.now()
    assert rig.clock.getDelayedCalls() == []


def test_another_account_answers_a_stream_that_has_only_shown_life() -> None:
    rig, first, second = Rig(TWO), Streams(), Streams()
    rig["one"].otherwise, rig["two"].otherwise = first, second
    asked = rig.ask(stream=True, stream_options={"include_usage": True})
    first.say(events("x")[0])  # a role: nothing that anybody waits for
    rig.wait(OPENING_SECONDS)
    first.end(clean=False)
    second.say(*events("from", " two"))
    second.end()
    assert asked.accounts == ["one", "two"]
    late = b": x-aiproxy-provider: openai, x-aiproxy-model: m, x-aiproxy-attempts: 2\n\n"
    assert asked.sink.body == ALIVE + late + b"".join(events("from", " two"))


def test_ollamas_clients_get_blanks_between_lines() -> None:
    rig, stream = Rig(TWO), Streams()
    rig["one"].otherwise = stream
    asked = rig.ask(codec=ollama.CODEC, stream=True)
    rig.wait(OPENING_SECONDS + KEEP_ALIVE_SECONDS)
    first, rest = events("here")[:2], events("here")[2:]
    stream.say(*first)
    rig.wait(KEEP_ALIVE_SECONDS)
    stream.say(*rest)
    stream.end()
    body = asked.sink.body
    assert body.startswith(b"  {")
    assert b"\n {" in body
    lines = body.decode().splitlines()
    assert "".join(json.loads(line)["message"]["content"] for line in lines) == "here"
    assert json.loads(lines[-1])["done"] is True


def test_when_nobody_can_the_begun_stream_says_so() -> None:
    rig, stream = Rig(TWO), Streams()
    rig["one"].otherwise, rig["two"].otherwise = stream, fails(500, "two is broken")
    asked = rig.ask(stream=True)
    rig.wait(OPENING_SECONDS)
    stream.end(clean=False)
    assert isinstance(asked.error, errors.UpstreamServerError)
    alive, _, told = asked.sink.body.partition(b"data: ")
    assert alive == ALIVE
    assert json.loads(told)["error"]["message"] == asked.error.message
    assert (asked.record.outcome, asked.record.error) == (Outcome.FAILED, "server_error")


def test_a_call_that_is_not_streamed_waits_for_its_status() -> None:
    rig = Rig(TWO)
    rig["one"].otherwise = SILENT
    asked = rig.ask()
    rig.wait(60.0)
    assert (asked.sink.status, asked.sink.body) == (0, b"")


@pytest.mark.parametrize("headers", [False, True])
def test_a_first_token_that_is_late_is_asked_of_another(headers: bool) -> None:
    rig, first, second = Rig(TWO + "timeouts: {first-token: 20}\n"), Streams(), Streams()
    rig["one"].otherwise, rig["two"].otherwise = first if headers else SILENT, second
    asked = rig.ask(stream=True)
    if headers:
        first.say(events("x")[0])
    rig.wait(19.0)
    assert asked.accounts == []
    rig.wait(1.0)
    assert (asked.accounts, asked.record.attempts[0].error) == (["one"], "timeout")
    assert rig["one"].cancelled or first.aborted
    second.say(*events("quick", "er")[:3])
    rig.wait(60.0)
    assert not asked.done.called, "only the first word has this deadline"
    second.say(*events("quick", "er")[3:])
    second.end()
    assert asked.record.outcome is Outcome.COMPLETE


def test_what_a_cancelled_attempt_used_is_known() -> None:
    rig, stream = Rig(TWO), Streams()
    rig["one"].otherwise = stream
    asked = rig.ask(stream=True)
    counted = events("said")
    stream.say(counted[1], counted[3])
    asked.done.cancel()
    (attempt,) = asked.record.attempts
    assert attempt.outcome is Outcome.CANCELLED
    assert attempt.usage is not None
    assert attempt.usage.output_total == 1
    assert stream.aborted
