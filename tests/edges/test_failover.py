"""Two accounts at real upstreams of which one misbehaves: what the client is told besides, and when. That it gets a right answer or
an error, whatever happens, is the fault wall's (`tests/faults`)."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import (
    Received,
    Upstream,
    Wire,
    begin_stream,
    events,
    fails,
    hangs_up,
    says,
    upstream,
)

PATIENCE = 20.0
"""Seconds that an upstream waits for its client to see something. No test passes by it."""

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


def two_accounts(first: str, second: str, more: str = "") -> str:
    return f"""
request-retry: 0
routing: {{strategy: fill-first}}
openai-api-key:
  - {{api-key: first-key-0123456789, name: first, base-url: "{first}"}}
  - {{api-key: second-key-0123456789, name: second, base-url: "{second}"}}
{more}
"""


@pytest.fixture(scope="module")
def bad() -> Iterator[Upstream]:
    with upstream(says("never")) as running:
        yield running


@pytest.fixture(scope="module")
def good() -> Iterator[Upstream]:
    with upstream(says("from", " the", " second")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(bad: Upstream, good: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon(
        tmp_path_factory.mktemp("failover"),
        two_accounts(bad.base_url, good.base_url, "disable-cooling: true"),
    ) as running:
        yield running


@pytest.fixture
def client(gateway: Daemon) -> Iterator[OpenAI]:
    with OpenAI(base_url=gateway.base_url, api_key="any", max_retries=0) as made:
        yield made


def test_a_refused_connection_fails_over(good: Upstream, tmp_path_factory: pytest.TempPathFactory) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    with daemon(tmp_path_factory.mktemp("refused"), two_accounts(nobody, good.base_url)) as gateway:
        with OpenAI(base_url=gateway.base_url, api_key="any", max_retries=0) as client:
            answer = client.chat.completions.with_raw_response.create(model="m", messages=ASK)
        assert answer.headers["x-aiproxy-attempts"] == "2"
        assert answer.headers["x-aiproxy-provider"] == "openai"
        assert gateway.wait_for_access(answer.headers["x-request-id"])["attempts"] == 2


def test_what_was_good_in_a_read_arrives_before_its_error(client: OpenAI, bad: Upstream) -> None:
    seen = threading.Event()

    def all_at_once(_request: Received, wire: Wire) -> None:
        begin_stream(wire)
        first, *rest = events("partial", " text")
        wire.chunk(first + rest[0])
        assert seen.wait(PATIENCE)
        wire.chunk(rest[1] + b"data: {broken\n\n")
        wire.chunk(b"")

    bad.script.append(all_at_once)
    said = ""
    stream = client.chat.completions.create(model="m", messages=ASK, stream=True)
    with suppress(openai.APIError):
        for chunk in stream:
            said += chunk.choices[0].delta.content or ""
            seen.set()
        pytest.fail("the stream ended cleanly")
    assert said == "partial text"


@pytest.mark.parametrize("without", [b"", b"data: [DONE]\n\n"])
def test_an_upstream_that_forgets_to_close_is_closed(client: OpenAI, bad: Upstream, without: bytes) -> None:
    """Complete is complete: the client doesn't wait for a connection that stays open, nor get an error for it."""
    closed = threading.Event()

    def stays(_request: Received, wire: Wire) -> None:
        begin_stream(wire)
        for event in events("all", " said"):
            if event != without:
                wire.chunk(event)
        if wire.wait_for_close():
            closed.set()

    bad.script.append(stays)
    stream = client.chat.completions.create(model="m", messages=ASK, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "all said"
    assert closed.wait(10)


def test_a_whole_answer_larger_than_we_hold_is_cut_when_its_upstream_is(client: OpenAI, bad: Upstream) -> None:
    def two_of_three_megabytes(_request: Received, wire: Wire) -> None:
        wire.head(200, {"content-type": "application/json", "content-length": str(3 << 20)})
        wire.send(b'{"x": "' + b"a" * (2 << 20))
        wire.cut()

    bad.script.append(two_of_three_megabytes)
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="m", messages=ASK)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_a_request_fault_is_returned_at_once(client: OpenAI, bad: Upstream, good: Upstream, status: int) -> None:
    bad.script.append(fails(status, "this request is wrong", code="the_code"))
    answered = len(good.received)
    with pytest.raises(openai.APIStatusError, match="this request is wrong") as caught:
        client.chat.completions.create(model="m", messages=ASK)
    assert caught.value.status_code == (400 if status == 422 else status)
    assert len(good.received) == answered


def test_when_all_fail_the_last_error_is_told_without_any_key(client: OpenAI, bad: Upstream, good: Upstream) -> None:
    for vendor in (bad, good):
        vendor.script.append(fails(401, "Incorrect API key provided: first-key-0123456789 second-key-0123456789"))
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="m", messages=ASK)
    assert caught.value.status_code == 502
    assert "-key-0123456789" not in caught.value.response.text


def test_an_echoed_key_is_scrubbed_from_an_upstreams_message(client: OpenAI, bad: Upstream) -> None:
    bad.script.append(fails(400, "you sent first-key-0123456789"))
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="m", messages=ASK)
    assert "first-key" not in caught.value.response.text


def test_cooling_accounts_are_left_alone_and_the_retry_time_is_told(
    good: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        upstream(fails(429, headers={"retry-after": "77"})) as limited,
        daemon(
            tmp_path_factory.mktemp("cooling"),
            f"request-retry: 0\nmax-retry-interval: 1\nopenai-api-key: [{{api-key: k-0123456789abcdef, base-url: '{limited.base_url}'}}]",
        ) as gateway,
        OpenAI(base_url=gateway.base_url, api_key="any", max_retries=0) as client,
    ):
        for _ in range(2):
            with pytest.raises(openai.RateLimitError) as caught:
                client.chat.completions.create(model="m", messages=ASK)
            assert 70 <= int(caught.value.response.headers["retry-after"]) <= 78


def test_rounds_go_on_until_an_account_recovers(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        upstream(says("at last")) as flaky,
        daemon(
            tmp_path_factory.mktemp("rounds"),
            f"openai-api-key: [{{api-key: k-0123456789abcdef, base-url: '{flaky.base_url}'}}]",
        ) as gateway,
        OpenAI(base_url=gateway.base_url, api_key="any", max_retries=0) as client,
    ):
        flaky.script.extend([fails(500), hangs_up, hangs_up])
        answer = client.chat.completions.with_raw_response.create(model="m", messages=ASK)
        assert answer.parse().choices[0].message.content == "at last"
        assert answer.headers["x-aiproxy-attempts"] == "3"
