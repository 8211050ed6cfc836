"""Which provider a call goes to, when the client says so: by path, by header, by the model's name."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Upstream, says, upstream


@pytest.fixture(scope="module")
def vendors() -> Iterator[tuple[Upstream, Upstream]]:
    with upstream(says("from one")) as one, upstream(says("from two")) as two:
        yield one, two


@pytest.fixture(scope="module")
def gateway(vendors: tuple[Upstream, Upstream], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    one, two = vendors
    configuration = f"""
routing: {{strategy: fill-first}}
openai-api-key: [{{api-key: key-of-one-0123456789, base-url: "{one.base_url}", models: [m]}}]
openai-compatibility:
  - {{name: two, base-url: "{two.base_url}", models: [m], headers: {{X-Copied: $X-Of-Client, X-Key: $Authorization}}}}
"""
    with daemon(tmp_path_factory.mktemp("routing"), configuration) as running:
        yield running


def ask(gateway: Daemon, path: str, model: str = "m", **headers: str) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
    return httpx2.post(f"{gateway.address}{path}", json=body, headers=headers, timeout=20)


@pytest.mark.parametrize(
    ("path", "model", "headers", "provider"),
    [
        ("/v1/chat/completions", "m", {}, "openai"),
        ("/two/v1/chat/completions", "m", {}, "two"),
        ("/TWO/chat/completions/", "m", {}, "two"),
        ("/openai/v1/chat/completions", "m", {}, "openai"),
        ("/openai-custom/v1/chat/completions", "m", {}, "openai"),
        ("/v1/chat/completions", "m", {"model-provider": "two"}, "two"),
        ("/v1/chat/completions", "[two] m", {}, "two"),
    ],
)
def test_the_named_provider_answers(
    gateway: Daemon, path: str, model: str, headers: dict[str, str], provider: str
) -> None:
    answer = ask(gateway, path, model, **headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-aiproxy-provider"] == provider


def test_an_unknown_provider_is_told_the_known_ones(gateway: Daemon) -> None:
    answer = ask(gateway, "/v1/chat/completions", **{"model-provider": "three"})
    assert answer.status_code == 404
    assert "openai, two" in answer.json()["error"]["message"]
    assert ask(gateway, "/three/v1/chat/completions").status_code == 404


def test_a_suffix_beats_the_body_and_is_taken_off_the_name(gateway: Daemon, vendors: tuple[Upstream, Upstream]) -> None:
    assert ask(gateway, "/v1/chat/completions", "m(high)").status_code == 200
    sent = vendors[0].received[-1].json
    assert (sent["model"], sent["reasoning_effort"]) == ("m", "high")


def test_a_copied_header_reaches_the_upstream_but_no_key_does(
    gateway: Daemon, vendors: tuple[Upstream, Upstream]
) -> None:
    ask(gateway, "/two/v1/chat/completions", **{"x-of-client": "copied", "authorization": "Bearer mine"})
    sent = vendors[1].received[-1].headers
    assert sent["x-copied"] == "copied"
    assert "x-key" not in sent
    ask(gateway, "/two/v1/chat/completions")
    assert "x-copied" not in vendors[1].received[-1].headers


def test_a_carrier_of_ours_never_reaches_an_upstream(gateway: Daemon, vendors: tuple[Upstream, Upstream]) -> None:
    """A conversation that began at another vendor brings its sealed state along; the upstream of the same protocol would
    not know what to do with it."""
    forged = "aipx1.e30.00000000000000000000000000000000"
    history = {
        "role": "assistant",
        "content": "x",
        "reasoning_details": [{"type": "reasoning.encrypted", "data": forged}],
    }
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}, history, {"role": "user", "content": "y"}]}
    assert httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=20).status_code == 200
    assert b"aipx1." not in vendors[0].received[-1].body
