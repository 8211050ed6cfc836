"""Which provider a call goes to, when the client says so: by path, by header, by the model's name."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Upstream, fails, says, upstream


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
        ("/v1/chat/completions", "[Two]  m", {}, "two"),
        ("/v1/chat/completions", "two:m", {}, "two"),
        ("/v1/chat/completions", "OpenAI-Custom:m", {}, "openai"),
        ("/auto/v1/chat/completions", "m", {}, "openai"),
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
    assert ask(gateway, "/v1/chat/completions", **{"model-provider": "gemini-antigravity"}).status_code == 404


@pytest.mark.parametrize("name", ["three", "gemini-cli-oauth", "claude-kiro-oauth", "openai-qwen-oauth", "claude"])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/chat/completions", lambda said: said["error"]["message"]),
        ("/v1/messages", lambda said: said["error"]["message"] if said["type"] == "error" else ""),
        ("/v1beta/models/m:generateContent", lambda said: said["error"]["message"] if said["error"]["status"] else ""),
        ("/ollama/api/chat", lambda said: said["error"]),
    ],
)
def test_a_path_of_an_unknown_provider_is_told_so_in_its_protocol(
    gateway: Daemon, name: str, path: str, message: Callable[[Any], str]
) -> None:
    answer = ask(gateway, f"/{name}{path}")
    assert answer.status_code == 404
    assert f"no provider {name!r}" in message(answer.json())
    assert "openai, two" in message(answer.json())


def test_a_path_of_nothing_at_all_is_still_that(gateway: Daemon) -> None:
    assert "nothing at /three/chat" in ask(gateway, "/three/chat").json()["error"]["message"]


@pytest.fixture(scope="module")
def named(vendors: tuple[Upstream, Upstream], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    one, two = vendors
    configuration = f"""
routing: {{strategy: fill-first, default-provider: two}}
force-model-prefix: true
request-retry: 0
disable-cooling: true
model-alias: {{one: [{{name: big, alias: smart}}, {{name: small, alias: quick, fork: true}}]}}
openai-compatibility:
  - {{name: one, base-url: "{one.base_url}", priority: 1}}
  - name: two
    base-url: "{two.base_url}"
    models:
      - {{name: shared}}
      - {{name: real, alias: other, fork: true}}
      - {{name: a, alias: pool}}
      - {{name: b, alias: pool}}
      - {{name: c, alias: pool}}
  - {{name: three, base-url: "{two.base_url}", prefix: p3, models: [shared, own]}}
"""
    with daemon(tmp_path_factory.mktemp("named"), configuration) as running:
        yield running


@pytest.mark.parametrize(
    ("model", "provider", "upstreams_name"),
    [
        ("shared", "two", "shared"),
        ("p3/shared", "three", "shared"),
        ("other", "two", "real"),
        ("real", "two", "real"),
        ("own", "one", "own"),
        ("smart", "one", "big"),
        ("quick", "one", "small"),
        ("small", "one", "small"),
        ("auto:shared", "two", "shared"),
    ],
)
def test_which_names_lead_where(named: Daemon, model: str, provider: str, upstreams_name: str) -> None:
    answer = ask(named, "/v1/chat/completions", model)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-aiproxy-provider"] == provider
    assert answer.headers["x-aiproxy-model"] == upstreams_name


def test_an_alias_hides_the_upstreams_name(named: Daemon) -> None:
    assert ask(named, "/v1/chat/completions", "big").status_code == 404
    listed = [model["id"] for model in httpx2.get(f"{named.base_url}/models").json()["data"]]
    assert {"smart", "quick", "shared", "other", "real", "pool", "p3/shared", "p3/own"} <= set(listed)
    assert listed.count("pool") == 1
    assert not {"big", "own", "a", "b", "c"} & set(listed)


@pytest.mark.parametrize("path", ["show", "generate"])
def test_ollama_clients_find_a_model_by_its_provider_too(named: Daemon, path: str) -> None:
    answer = httpx2.post(f"{named.address}/ollama/api/{path}", json={"model": "[TWO] shared"}, timeout=20)
    assert answer.status_code == 200, answer.text
    assert httpx2.post(f"{named.address}/api/{path}", json={"model": "[two] smart"}, timeout=20).status_code == 404


def test_a_provider_that_does_not_offer_a_model_is_told_so_with_its_own_names(named: Daemon) -> None:
    message = ask(named, "/v1/chat/completions", "[two] smart").json()["error"]["message"]
    assert "at the provider 'two'" in message
    assert "'smart'" not in message.partition("Did you mean")[2]
    listed = httpx2.get(f"{named.address}/two/v1/models", timeout=20).json()["data"]
    assert {model["owned_by"] for model in listed} == {"two"}


def test_the_models_of_an_alias_take_turns_and_stand_in_for_one_another(
    named: Daemon, vendors: tuple[Upstream, Upstream]
) -> None:
    two = vendors[1]
    two.received.clear()
    for _ in range(3):
        assert ask(named, "/v1/chat/completions", "pool").status_code == 200
    assert sorted(request.json["model"] for request in two.received) == ["a", "b", "c"]
    two.received.clear()
    two.script.extend([fails(500), fails(503)])
    answer = ask(named, "/v1/chat/completions", "pool")
    assert (answer.status_code, answer.headers["x-aiproxy-attempts"]) == (200, "3")
    assert len({request.json["model"] for request in two.received}) == 3
    assert answer.headers["x-aiproxy-model"] == two.received[-1].json["model"]
    two.script.append(fails(404, "no such model"))
    assert ask(named, "/v1/chat/completions", "pool").headers["x-aiproxy-attempts"] == "2"
    two.received.clear()
    two.script.append(fails(400, "your fault"))
    assert ask(named, "/v1/chat/completions", "pool").status_code == 400
    assert len(two.received) == 1


def test_one_model_at_several_providers(vendors: tuple[Upstream, Upstream], tmp_path: Path) -> None:
    """The better tier serves while it can; within a tier they take turns."""
    one, two = vendors
    configuration = f"""
request-retry: 0
openai-api-key: [{{api-key: key-of-one-0123456789, base-url: "{one.base_url}", models: [m], priority: 5}}]
openai-compatibility:
  - {{name: two, base-url: "{two.base_url}", models: [{{name: deep, alias: m}}], priority: 5}}
  - {{name: last, base-url: "{two.base_url}", models: [m], priority: 9}}
"""
    with daemon(tmp_path, configuration) as gateway:

        def serving() -> str:
            return ask(gateway, "/v1/chat/completions").headers["x-aiproxy-provider"]

        assert sorted([serving(), serving()]) == ["openai", "two"]
        one.script.append(fails(503, headers={"retry-after": "600"}))
        two.script.append(fails(503, headers={"retry-after": "600"}))
        assert serving() == "last"
        assert serving() == "last"


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
