"""Embeddings by every SDK that knows them, from every vendor that makes them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx2
import ollama
import openai
import pytest
from google import genai

from aiproxy.catalogue.cannot import can
from tests.rig.daemon import Daemon, daemon
from tests.vendors.embeddings import TOKENS, Embedders, embedders, vector

KEY = "client-key-of-the-embedding-tests"
TEXTS = ("Grüße", "日本語 🌍")
VENDORS = ("openai", "gemini", "vertex", "ollama")


def configuration(address: str) -> str:
    return f"""
api-keys: [{KEY}]
request-retry: 0
disable-cooling: true
openai-compatibility:
  - name: local
    base-url: {address}/v1
    api-key-entries: [openai-key-0123456789]
    models: [{{name: real-openai, alias: openai}}]
gemini-api-key:
  - {{api-key: gemini-key-0123456789, base-url: "{address}", models: [{{name: real-gemini, alias: gemini}}, gemini-embedding-001]}}
ollama:
  - {{base-url: "{address}", models: [{{name: real-ollama, alias: ollama}}, both]}}
vertex-api-key:
  - {{api-key: vertex-key-0123456789, base-url: "{address}", models: [{{name: real-vertex, alias: vertex}}]}}
claude-api-key:
  - {{api-key: claude-key-0123456789, base-url: "{address}", priority: 1, models: [claude, both]}}
codex-api-key:
  - {{api-key: codex-key-0123456789, base-url: "{address}/v1", models: [codex]}}
"""


@pytest.fixture(scope="module")
def vendors() -> Iterator[Embedders]:
    with embedders() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendors: Embedders, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon(tmp_path_factory.mktemp("embeddings"), configuration(vendors.address)) as running:
        yield running


@pytest.fixture(autouse=True)
def none_refused(vendors: Embedders) -> Iterator[None]:
    yield
    assert vendors.refused == []


@pytest.fixture(scope="module")
def openai_client(gateway: Daemon) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=gateway.base_url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def google_client(gateway: Daemon) -> genai.Client:
    return genai.Client(api_key=KEY, http_options=genai.types.HttpOptions(base_url=gateway.address))


@pytest.fixture(scope="module")
def ollama_client(gateway: Daemon) -> Iterator[ollama.Client]:
    client = ollama.Client(f"{gateway.address}/ollama", headers={"authorization": f"Bearer {KEY}"})
    yield client
    client._client.close()


def same(found: Sequence[Sequence[float] | None], wanted: Sequence[Sequence[float]]) -> None:
    assert [list(one or ()) for one in found] == [pytest.approx(list(one), abs=1e-6) for one in wanted]


@pytest.mark.parametrize("model", VENDORS)
@pytest.mark.parametrize("encoding", [openai.omit, "float", "base64"], ids=["the SDK's choice", "float", "base64"])
def test_openai(openai_client: openai.OpenAI, model: str, encoding: Any) -> None:
    raw = openai_client.embeddings.with_raw_response.create(
        model=model, input=list(TEXTS), dimensions=4, encoding_format=encoding
    )
    found = raw.parse()
    if encoding == "base64":  # the SDK leaves to its user what its user asked for
        assert all(isinstance(one.embedding, str) for one in found.data)
    else:
        same([one.embedding for one in found.data], [vector(text, 4) for text in TEXTS])
    assert [one.index for one in found.data] == [0, 1]
    if model == "gemini":  # Google doesn't count
        assert found.usage.prompt_tokens > 0
        assert raw.headers["x-aiproxy-warnings"] == "emulate:usage"
    else:
        assert found.usage.prompt_tokens == found.usage.total_tokens == TOKENS
        assert "x-aiproxy-warnings" not in raw.headers


@pytest.mark.parametrize("model", VENDORS)
def test_openai_of_one_text(openai_client: openai.OpenAI, model: str) -> None:
    (one,) = openai_client.embeddings.create(model=model, input="one").data
    same([one.embedding], [vector("one")])


def test_tokens_go_only_where_their_tokenizer_is(openai_client: openai.OpenAI) -> None:
    assert len(openai_client.embeddings.create(model="openai", input=[[1, 2], [3]]).data) == 2
    assert can("openai-chat", "openai-chat", "tokens")
    for model in ("gemini", "ollama"):
        assert not can("openai-chat", model, "tokens")
        with pytest.raises(openai.BadRequestError, match="send `input` as text") as caught:
            openai_client.embeddings.create(model=model, input=[1, 2, 3])
        assert caught.value.param == "input"


@pytest.mark.parametrize("model", VENDORS)
def test_parts_of_one_content_make_one_vector(google_client: genai.Client, vendors: Embedders, model: str) -> None:
    """As google-genai sends lists for models whose names begin with gemini, but for the first of them."""
    contents = genai.types.Content(parts=[genai.types.Part(text=text) for text in TEXTS])
    found = google_client.models.embed_content(model=model, contents=contents)
    same([one.values for one in found.embeddings or ()], [vector("\n".join(TEXTS))])


def test_media_are_embedded_by_google_only(google_client: genai.Client) -> None:
    image = genai.types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
    with pytest.raises(genai.errors.ClientError, match=r"content\.parts"):
        google_client.models.embed_content(model="openai", contents=genai.types.Content(parts=[image]))


@pytest.mark.parametrize("model", ["openai", "gemini-embedding-001", "ollama"])
def test_gemini(google_client: genai.Client, vendors: Embedders, model: str) -> None:
    config = genai.types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=4)
    found = google_client.models.embed_content(model=model, contents=list(TEXTS), config=config)
    same([one.values for one in found.embeddings or ()], [vector(text, 4) for text in TEXTS])
    if model.startswith("gemini"):
        assert [one["taskType"] for one in vendors.asked[-1]["requests"]] == ["RETRIEVAL_QUERY"] * 2


@pytest.mark.parametrize("model", VENDORS)
@pytest.mark.parametrize("snake", [False, True], ids=["camelCase", "snake_case"])
def test_gemini_of_one_content(gateway: Daemon, model: str, snake: bool) -> None:
    asked = {"content": {"parts": [{"text": "one"}]}, "output_dimensionality" if snake else "outputDimensionality": 4}
    found = httpx2.post(
        f"{gateway.address}/v1beta/models/{model}:embedContent", json=asked, headers={"x-goog-api-key": KEY}
    )
    same([found.json()["embedding"]["values"]], [vector("one", 4)])


def test_a_task_that_only_google_knows_is_named_as_lost(gateway: Daemon) -> None:
    asked = {"content": {"parts": [{"text": "one"}]}, "taskType": "CLUSTERING"}
    found = httpx2.post(
        f"{gateway.address}/v1beta/models/openai:embedContent", json=asked, headers={"x-goog-api-key": KEY}
    )
    assert found.headers["x-aiproxy-warnings"] == "drop:taskType"


def test_an_empty_batch_names_its_field(gateway: Daemon) -> None:
    url = f"{gateway.address}/v1beta/models/openai:batchEmbedContents"
    found = httpx2.post(url, json={"requests": []}, headers={"x-goog-api-key": KEY})
    assert found.status_code == 400
    assert "`requests`" in found.json()["error"]["message"]


def test_a_batch_of_several_tasks_is_not_made_one(gateway: Daemon) -> None:
    requests = [{"content": {"parts": [{"text": "a"}]}, "taskType": task} for task in ("CLUSTERING", "CLASSIFICATION")]
    found = httpx2.post(
        f"{gateway.address}/v1beta/models/openai:batchEmbedContents",
        json={"requests": requests},
        headers={"x-goog-api-key": KEY},
    )
    assert found.status_code == 400
    assert "requests[].taskType" in found.json()["error"]["message"]


@pytest.mark.parametrize("model", VENDORS)
def test_ollama(ollama_client: ollama.Client, model: str) -> None:
    found = ollama_client.embed(model=model, input=list(TEXTS), dimensions=4)
    same(found.embeddings, [vector(text, 4) for text in TEXTS])
    assert found.prompt_eval_count == (None if model == "gemini" else TOKENS)
    same([ollama_client.embeddings(model=model, prompt="one").embedding], [vector("one")])


def test_ollama_of_nothing(ollama_client: ollama.Client, vendors: Embedders) -> None:
    before = len(vendors.asked)
    assert ollama_client.embed(model="openai", input=[]).embeddings == []
    assert ollama_client.embeddings(model="openai", prompt="").embedding == []
    assert len(vendors.asked) == before


Ask = Callable[[openai.OpenAI, genai.Client, ollama.Client, str], Any]
ASKS: dict[str, Ask] = {
    "openai": lambda client, _google, _ollama, model: client.embeddings.create(model=model, input="x"),
    "gemini": lambda _openai, client, _ollama, model: client.models.embed_content(model=model, contents="x"),
    "ollama": lambda _openai, _google, client, model: client.embed(model=model, input="x"),
}
RAISED = (openai.APIStatusError, genai.errors.APIError, ollama.ResponseError)


def status_of(error: BaseException) -> int:
    return int(error.code) if isinstance(error, genai.errors.APIError) else int(error.status_code)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("model", "protocol"), [("claude", "anthropic"), ("codex", "openai-responses")])
@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_who_has_none_says_so(
    openai_client: openai.OpenAI,
    google_client: genai.Client,
    ollama_client: ollama.Client,
    ask: Ask,
    model: str,
    protocol: str,
) -> None:
    assert not can("openai-chat", protocol, "embeddings")
    with pytest.raises(RAISED, match="has no embedding") as caught:
        ask(openai_client, google_client, ollama_client, model)
    assert status_of(caught.value) == 400


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_who_has_none_is_passed_over(
    openai_client: openai.OpenAI, google_client: genai.Client, ollama_client: ollama.Client, ask: Ask
) -> None:
    ask(openai_client, google_client, ollama_client, "both")


@pytest.mark.parametrize("model", VENDORS)
@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_vendor_out_of_patience(
    vendors: Embedders,
    openai_client: openai.OpenAI,
    google_client: genai.Client,
    ollama_client: ollama.Client,
    ask: Ask,
    model: str,
) -> None:
    vendors.busy = True
    try:
        with pytest.raises(RAISED, match="Slow down") as caught:
            ask(openai_client, google_client, ollama_client, model)
    finally:
        vendors.busy = False
    assert status_of(caught.value) == 429
