"""Client keys over HTTP: who is refused, and what answers tell."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import says, upstream

OPEN, GONE, OFF, QUIET, FEW = (f"key-of-{name}-0123456789" for name in ("open", "gone", "off", "quiet", "few"))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with upstream(says("hello")) as vendor:
        configuration = f"""
api-keys:
  - {{name: open, key: {OPEN}}}
  - {{name: gone, key: {GONE}, expires: 2020-01-01}}
  - {{name: off, key: {OFF}, disabled: true}}
  - {{name: few, key: {FEW}, limits: {{requests-per-day: 2, tokens-per-minute: 100000}}}}
  - {{name: quiet, key: {QUIET}, answer-headers: false, providers: [openai]}}
openai-api-key: [{{api-key: key-of-vendor-0123456789, base-url: "{vendor.base_url}", models: [m]}}]
openai-compatibility: [{{name: two, base-url: "{vendor.base_url}", models: [n]}}]
"""
        with daemon(tmp_path_factory.mktemp("keys"), configuration) as running:
            yield running


def ask(gateway: Daemon, key: str, path: str = "/v1/chat/completions", model: str = "m") -> httpx2.Response:
    body = {"model": model, "max_tokens": 10, "messages": [{"role": "user", "content": "x"}]}
    return httpx2.post(f"{gateway.address}{path}", json=body, headers={"authorization": f"Bearer {key}"}, timeout=20)


@pytest.mark.parametrize(("key", "words"), [(GONE, "expired at 2020-01-02 00:00 UTC"), (OFF, "is disabled")])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_key_that_is_no_good_any_more_is_told_why(gateway: Daemon, key: str, words: str, path: str) -> None:
    answer = ask(gateway, key, path)
    assert answer.status_code == 401
    assert f"The API key {words}." in answer.json()["error"]["message"]
    assert gateway.wait_for_access(answer.headers["x-request-id"])["client"] in ("gone", "off")


def test_what_answers_tell_is_the_keys_affair(gateway: Daemon) -> None:
    told, quiet = ask(gateway, OPEN), ask(gateway, QUIET)
    assert told.status_code == quiet.status_code == 200
    names = {"x-aiproxy-provider", "x-aiproxy-model", "x-aiproxy-attempts", "server-timing"}
    assert names <= set(told.headers)
    assert not names & set(quiet.headers)


def test_a_list_of_models_is_the_keys_own(gateway: Daemon) -> None:
    def names(key: str) -> list[str]:
        listed = httpx2.get(f"{gateway.base_url}/models", headers={"x-api-key": key}, timeout=20)
        return [model["id"] for model in listed.json()["data"]]

    assert (names(OPEN), names(QUIET)) == (["m", "n"], ["m"])
    assert ask(gateway, QUIET, model="n").status_code == 404


def test_a_limit_is_told_before_it_is_reached_and_when_it_is(gateway: Daemon) -> None:
    first, second = ask(gateway, FEW), ask(gateway, FEW, "/v1/messages")
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in (first, second)] == ["1", "0"]
    used = sum(first.json()["usage"][name] for name in ("prompt_tokens", "completion_tokens"))
    used += sum(second.json()["usage"][name] for name in ("input_tokens", "output_tokens"))
    for path in (
        "/v1/chat/completions",
        "/v1/messages",
        "/v1/responses",
        "/v1beta/models/m:generateContent",
        "/api/chat",
    ):
        refused = ask(gateway, FEW, path)
        assert refused.status_code == 429, path
        assert "may use 2 requests per day (requests-per-day), of which 0 are left" in refused.text
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["x-ratelimit-limit-requests"] == "2"
    quota = httpx2.get(f"{gateway.base_url}/quota", headers={"x-api-key": FEW}, timeout=20).json()
    by_name = {each["limit"]: each for each in quota["limits"]}
    assert quota["client"] == "few"
    assert (by_name["requests-per-day"]["used"], by_name["requests-per-day"]["remaining"]) == (2, 0)
    assert by_name["tokens-per-minute"]["used"] <= used
    assert "x-ratelimit-limit-requests" not in ask(gateway, OPEN).headers


def test_what_was_used_of_a_day_and_a_month_outlives_the_process(tmp_path: Path) -> None:
    with upstream(says("hello")) as vendor:
        configuration = f"""
api-keys: [{{name: few, key: {FEW}, limits: {{requests-per-day: 2}}, budget: {{tokens-per-month: 100000}}}}]
openai-api-key: [{{api-key: key-of-vendor-0123456789, base-url: "{vendor.base_url}", models: [m]}}]
"""
        with daemon(tmp_path, configuration) as first:
            used = ask(first, FEW).json()["usage"]["total_tokens"]
        with daemon(tmp_path, configuration) as second:
            assert ask(second, FEW).status_code == 200
            assert ask(second, FEW).status_code == 429
            quota = httpx2.get(f"{second.base_url}/quota", headers={"x-api-key": FEW}, timeout=20).json()
            assert [each["used"] for each in quota["limits"]] == [2, 2 * used]


def test_the_ledger_says_who_asked_for_what_and_what_it_cost(tmp_path: Path) -> None:
    with upstream(says("hello")) as vendor:
        configuration = f"""
api-keys: [{{name: few, key: {FEW}}}]
prices: {{"real-*": {{input: 1000000, output: 2000000}}}}
openai-api-key: [{{api-key: key-of-vendor-0123456789, base-url: "{vendor.base_url}", models: [{{name: real-1, alias: m}}, n]}}]
"""
        with daemon(tmp_path, configuration) as gateway:
            used = ask(gateway, FEW).json()["usage"]
            assert ask(gateway, FEW, model="n").status_code == 200
        with sqlite3.connect(tmp_path / ".aiproxy" / "state.db") as kept:
            sql = "SELECT client, asked, model, cost, prices <> '', first_byte > 0, session FROM usage ORDER BY id"
            priced, other = kept.execute(sql).fetchall()
        kept.close()
    cost = used["prompt_tokens"] + 2 * used["completion_tokens"]
    assert priced[:6] == ("few", "m", "real-1", cost, 1, 1)
    assert other[:6] == ("few", "n", "n", None, 1, 1)
    assert priced[6] == other[6] != ""
