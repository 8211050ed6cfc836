"""What the gateway itself does between two protocols: stop sequences the upstream can't take, warnings, strictness, token
counts, and errors in the client's own words."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import Anthropic

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Upstream, Wire, events, fails, says, stream_then, upstream
from tests.vendors.stand_in import StandIn, vendors


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with upstream(says("hello")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    entries = f"request-retry: 0\ndisable-cooling: true\nopenai-compatibility: [{{name: v, base-url: '{vendor.base_url}', models: [m]}}]"
    with daemon(tmp_path_factory.mktemp("translating"), entries) as running:
        yield running


@pytest.fixture
def client(gateway: Daemon) -> Iterator[Anthropic]:
    with Anthropic(base_url=gateway.address, api_key="-", max_retries=0) as made:
        yield made


STOPS = ["one", "two", "three", "four", "STOP"]


def goes_on_for_ever(wire: Wire) -> None:
    assert wire.wait_for_close()


def test_a_stop_sequence_too_many_is_watched_for_here(client: Anthropic, vendor: Upstream) -> None:
    """Chat takes four; the fifth ends the answer all the same, and the upstream is let go at once."""
    said = events("before ", "ST", "OP and after")[:4]
    vendor.script.extend([stream_then(said, goes_on_for_ever)] * 2)
    with client.messages.stream(
        model="m", max_tokens=9, stop_sequences=STOPS, messages=[{"role": "user", "content": "x"}]
    ) as stream:
        assert "".join(stream.text_stream) == "before "
        answer = stream.get_final_message()
    assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "STOP")
    assert vendor.received[-1].json["stop"] == STOPS[:4]
    whole = client.messages.with_raw_response.create(
        model="m", max_tokens=9, stop_sequences=STOPS, messages=[{"role": "user", "content": "x"}]
    )
    assert [block.text for block in whole.parse().content if block.type == "text"] == ["before "]
    assert whole.headers["x-aiproxy-warnings"] == "emulate:stop_sequences"


def test_losses_are_named_or_refused(
    gateway: Daemon, vendor: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    body = {"model": "m", "max_tokens": 9, "top_k": 5, "messages": [{"role": "user", "content": "x"}]}
    answer = httpx2.post(f"{gateway.address}/v1/messages", json=body)
    assert answer.status_code == 200
    assert answer.headers["x-aiproxy-warnings"] == "drop:top_k"
    strict = f"translation: strict\nopenai-compatibility: [{{name: v, base-url: '{vendor.base_url}', models: [m]}}]"
    with daemon(tmp_path_factory.mktemp("strict"), strict) as refusing:
        refused = httpx2.post(f"{refusing.address}/v1/messages", json=body)
    assert refused.status_code == 400
    assert "top_k" in refused.json()["error"]["message"]


def test_tokens_are_estimated_where_nobody_counts_them(client: Anthropic) -> None:
    asked = client.messages.with_raw_response.count_tokens(
        model="m", messages=[{"role": "user", "content": "word " * 100}]
    )
    assert 100 <= asked.parse().input_tokens <= 250
    assert asked.headers["x-aiproxy-warnings"] == "emulate:count_tokens"


@pytest.mark.parametrize(
    ("status", "raised"),
    [(400, anthropic.BadRequestError), (429, anthropic.RateLimitError), (500, anthropic.InternalServerError)],
)
def test_an_upstreams_error_in_the_clients_words(
    client: Anthropic, vendor: Upstream, status: int, raised: type[anthropic.APIStatusError]
) -> None:
    vendor.script.append(fails(status, "what the upstream said", {"retry-after": "7"}))
    with pytest.raises(raised, match="what the upstream said") as caught:
        client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}])
    assert json.loads(caught.value.response.text)["type"] == "error"
    assert status == 400 or caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("asked", "vendor", "said"),
    [
        ({"reasoning_effort": "high"}, "gemini", {"includeThoughts": True}),
        ({"reasoning_effort": "none"}, "gemini", {"includeThoughts": False}),
        ({"reasoning_effort": "high", "include_reasoning": False}, "gemini", {"includeThoughts": False}),
        ({}, "gemini", None),
        ({"reasoning_effort": "high"}, "responses", {"effort": "high", "summary": "auto"}),
        ({"reasoning_effort": "none"}, "responses", {"effort": "none"}),
        ({}, "responses", None),
    ],
)
def test_chat_clients_see_the_thinking_they_ask_for(
    thinking: tuple[StandIn, Daemon], asked: dict[str, Any], vendor: str, said: dict[str, Any] | None
) -> None:
    stand_in, running = thinking
    body = {"model": f"{vendor}.thought", "messages": [{"role": "user", "content": "x"}], **asked}
    answer = httpx2.post(f"{running.base_url}/chat/completions", json=body, timeout=20)
    assert answer.status_code == 200, answer.text
    sent = stand_in.upstream.received[-1].json
    found = sent.get("generationConfig", {}).get("thinkingConfig") if vendor == "gemini" else sent.get("reasoning")
    if said is None or found is None:
        assert found == said
    else:
        assert {key: found[key] for key in said} == said
        assert ("summary" in found) == ("summary" in said)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"type": "enabled", "budget_tokens": 2000}, True),
        ({"type": "adaptive"}, True),
        ({"type": "adaptive", "display": "omitted"}, False),
    ],
)
def test_messages_clients_see_the_thinking_they_ask_for(
    thinking: tuple[StandIn, Daemon], asked: dict[str, Any], shown: bool
) -> None:
    stand_in, running = thinking
    question = [{"role": "user", "content": "x"}]
    body = {"model": "gemini.thought", "max_tokens": 9000, "messages": question, "thinking": asked}
    assert httpx2.post(f"{running.address}/v1/messages", json=body, timeout=20).status_code == 200
    assert stand_in.upstream.received[-1].json["generationConfig"]["thinkingConfig"]["includeThoughts"] is shown


@pytest.fixture(scope="module")
def thinking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, Daemon]]:
    with vendors() as stand_in:
        entries = f"""
gemini-api-key:
  - {{api-key: gemini-key-0123456789, base-url: "{stand_in.address}", models: [{{name: thought-text, alias: gemini.thought}}]}}
codex-api-key:
  - {{api-key: codex-key-0123456789, base-url: "{stand_in.address}/v1", models: [{{name: thought-text, alias: responses.thought}}]}}
"""
        with daemon(tmp_path_factory.mktemp("thinking"), entries) as running:
            yield stand_in, running
