"""What Ollama's own client asks besides answers: which models there are, what they can, loading one."""

from collections.abc import Iterator

import ollama
import pytest

from tests.rig.daemon import Daemon, daemon


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon(
        tmp_path_factory.mktemp("ollama"), "demo: {enabled: true, latency: 0, tokens-per-second: 0}"
    ) as running:
        yield running


@pytest.fixture(params=["", "/ollama"])
def client(gateway: Daemon, request: pytest.FixtureRequest) -> Iterator[ollama.Client]:
    made = ollama.Client(host=gateway.address + request.param)
    yield made
    made._client.close()


def test_list_show_and_running(client: ollama.Client) -> None:
    assert "demo-echo" in [model.model for model in client.list().models]
    assert "completion" in (client.show("demo-echo").capabilities or ())
    assert "demo-echo" in [model.model for model in client.ps().models]


def test_an_unknown_model_is_404(client: ollama.Client) -> None:
    for ask in (client.show, client.chat, client.generate):
        with pytest.raises(ollama.ResponseError) as caught:
            ask("no-such-model")
        assert caught.value.status_code == 404


def test_loading_a_model_asks_no_upstream(client: ollama.Client) -> None:
    assert client.chat("demo-echo").done_reason == "load"
    assert client.generate("demo-echo", keep_alive=0).done_reason == "unload"


def test_generate(client: ollama.Client) -> None:
    assert client.generate("demo-echo", "said again").response == "said again"
    assert (
        "".join(part.response or "" for part in client.generate("demo-echo", "and again", stream=True)) == "and again"
    )
