"""A running gateway whose accounts fail: who answers, what clients are told, what the log tells of it."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Upstream, fails, says, upstream


@pytest.fixture(scope="module")
def first() -> Iterator[Upstream]:
    with upstream(says("from the first")) as running:
        yield running


@pytest.fixture(scope="module")
def spare() -> Iterator[Upstream]:
    with upstream(says("from the spare")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(first: Upstream, spare: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    configuration = f"""
logging: {{level: debug}}
request-retry: 0
max-retry-interval: 3
provider-fallback-chain: {{openai: [spare]}}
model-fallback: {{m: [other]}}
health-check: {{startup: true, providers: [openai]}}
openai-api-key: [{{api-key: key-of-the-first-0123, name: first, base-url: "{first.base_url}", models: [m, alone], check-model: m}}]
openai-compatibility:
  - {{name: spare, base-url: "{spare.base_url}", models: [{{name: m-there, alias: m}}, other]}}
"""
    with daemon(tmp_path_factory.mktemp("pools"), configuration) as running:
        yield running


def ask(gateway: Daemon, model: str = "m") -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=20)


def test_the_account_is_checked_at_the_start(gateway: Daemon, first: Upstream) -> None:
    deadline = time.monotonic() + 20
    while not first.received and time.monotonic() < deadline:
        assert httpx2.get(f"{gateway.address}/healthz", timeout=5).status_code == 200
    assert first.received[0].json["messages"] == [{"role": "user", "content": "Hi"}]


def test_another_provider_stands_in_and_the_log_tells_why(gateway: Daemon, first: Upstream, spare: Upstream) -> None:
    first.script.append(fails(429, headers={"retry-after": "1"}))
    answer = ask(gateway)
    assert answer.status_code == 200
    assert (answer.headers["x-aiproxy-provider"], answer.headers["x-aiproxy-model"]) == ("spare", "m-there")
    assert answer.headers["x-aiproxy-attempts"] == "2"
    told = gateway.wait_for(f"{answer.headers['x-request-id']} complete: ")["msg"]
    assert "first m by turn; " in told
    assert "first failed rate_limit 429" in told
    assert "spare-1 m-there by turn (provider-fallback)" in told


def test_a_refusal_says_who_rests_and_the_recovery_is_found_long_before_its_end(
    gateway: Daemon, first: Upstream
) -> None:
    first.script.append(fails(429, headers={"retry-after": "600"}))
    assert ask(gateway, "alone").status_code == 429
    first.script.append(fails(429, headers={"retry-after": "600"}))
    refused = ask(gateway, "alone")
    assert refused.status_code == 429
    assert 590 <= int(refused.headers["retry-after"]) <= 600
    back = ask(gateway, "alone")
    assert back.json()["choices"][0]["message"]["content"] == "from the first"
