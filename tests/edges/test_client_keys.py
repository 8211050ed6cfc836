"""Client keys over HTTP: who is refused, and what answers tell."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import says, upstream

OPEN, GONE, OFF, QUIET = (f"key-of-{name}-0123456789" for name in ("open", "gone", "off", "quiet"))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with upstream(says("hello")) as vendor:
        configuration = f"""
api-keys:
  - {{name: open, key: {OPEN}}}
  - {{name: gone, key: {GONE}, expires: 2020-01-01}}
  - {{name: off, key: {OFF}, disabled: true}}
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
