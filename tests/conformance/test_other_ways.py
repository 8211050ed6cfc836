"""What the matrix doesn't ask: older endpoints, the forms a protocol has besides its usual one, lists of models."""

import json
from collections.abc import Iterator

import httpx2
import ollama
import openai
import pytest
from anthropic import Anthropic
from google import genai

from aiproxy.framing.json_array import JsonArrayFramer
from aiproxy.framing.sse import SseFramer
from tests.conformance.sdks.conversation import KEY, PARAMETERS, TOOL
from tests.rig.daemon import Daemon
from tests.vendors.scenarios import CALL, OUT_OF_PATIENCE, SCENARIOS, Answer
from tests.vendors.stand_in import VENDORS

FOREIGN_TO_CHAT = [vendor.name for vendor in VENDORS if vendor.name != "openai-chat"]
ALL = [vendor.name for vendor in VENDORS]


def answer_of(scenario: str) -> Answer:
    found = SCENARIOS[scenario].first
    assert isinstance(found, Answer)
    return found


PLAIN = answer_of("plain")

pytestmark = pytest.mark.usefixtures("stand_in")


@pytest.fixture
def chat(gateway: Daemon) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=gateway.base_url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def ollama_client(gateway: Daemon) -> Iterator[ollama.Client]:
    client = ollama.Client(f"{gateway.address}/ollama", headers={"authorization": f"Bearer {KEY}"})
    yield client
    client._client.close()


@pytest.mark.parametrize("vendor", FOREIGN_TO_CHAT)
def test_legacy_completions(chat: openai.OpenAI, vendor: str) -> None:
    """At an OpenAI-compatible vendor they are passed on as they are."""
    whole = chat.completions.create(model=f"{vendor}.plain", prompt="How is the weather?")
    assert whole.choices[0].text == PLAIN.text
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (PLAIN.counts.input, PLAIN.counts.output)
    cut = list(chat.completions.create(model=f"{vendor}.length", prompt="How is the weather?", stream=True))
    assert "".join(chunk.choices[0].text for chunk in cut if chunk.choices) == answer_of("length").text
    assert [chunk.choices[0].finish_reason for chunk in cut if chunk.choices][-1] == "length"
    with pytest.raises(openai.RateLimitError, match=OUT_OF_PATIENCE):
        chat.completions.create(model=f"{vendor}.status-429", prompt="How is the weather?")


@pytest.mark.parametrize("vendor", ALL)
def test_generate(ollama_client: ollama.Client, vendor: str) -> None:
    whole = ollama_client.generate(f"{vendor}.plain", "How is the weather?", system="Be brief.")
    assert (whole.response, whole.done_reason, whole.eval_count) == (PLAIN.text, "stop", PLAIN.counts.output)
    assert whole.total_duration
    *lines, last = ollama_client.generate(f"{vendor}.plain", "How is the weather?", stream=True)
    assert "".join(line.response or "" for line in lines) == PLAIN.text
    assert last.eval_duration
    with pytest.raises(ollama.ResponseError, match=OUT_OF_PATIENCE) as caught:
        ollama_client.generate(f"{vendor}.status-429", "How is the weather?")
    assert caught.value.status_code == 429


CAMEL = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [{"role": "user", "parts": [{"text": "How is the weather?"}]}],
    "tools": [{"functionDeclarations": [{"name": TOOL, "description": "Weather", "parametersJsonSchema": PARAMETERS}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
    "generationConfig": {"maxOutputTokens": 99, "stopSequences": ["!"]},
}
SNAKE = {
    "system_instruction": {"parts": [{"text": "Be brief."}]},
    "contents": [{"role": "user", "parts": [{"text": "How is the weather?"}]}],
    "tools": [
        {"function_declarations": [{"name": TOOL, "description": "Weather", "parameters_json_schema": PARAMETERS}]}
    ],
    "tool_config": {"function_calling_config": {"mode": "AUTO"}},
    "generation_config": {"max_output_tokens": 99, "stop_sequences": ["!"]},
}


@pytest.mark.parametrize("alt", ["?alt=sse", ""], ids=["sse", "array"])
@pytest.mark.parametrize("asked", [CAMEL, SNAKE], ids=["camelCase", "snake_case"])
@pytest.mark.parametrize("vendor", ALL)
def test_gemini_in_all_its_forms(gateway: Daemon, vendor: str, asked: dict[str, object], alt: str) -> None:
    url = f"{gateway.address}/v1beta/models/{vendor}.call:streamGenerateContent{alt}"
    answer = httpx2.post(url, json=asked, headers={"x-goog-api-key": KEY})
    assert answer.headers["content-type"].startswith("text/event-stream" if alt else "application/json")
    framer = SseFramer() if alt else JsonArrayFramer()
    frames = [*framer.feed(answer.content), *framer.close()]
    chunks = [genai.types.GenerateContentResponse.model_validate(json.loads(frame.data)) for frame in frames]
    if not alt:
        assert len(answer.json()) == len(chunks)
    (call,) = [call for chunk in chunks for call in chunk.function_calls or ()]
    assert (call.name, call.args) == (CALL.name, CALL.arguments)
    assert (chunks[-1].candidates or [])[0].finish_reason == "STOP"


def test_each_client_lists_models_in_its_own_shape(
    gateway: Daemon, chat: openai.OpenAI, ollama_client: ollama.Client
) -> None:
    name = "gemini.plain"
    assert name in [model.id for model in chat.models.list()]
    assert chat.models.retrieve(name).id == name
    with Anthropic(base_url=gateway.address, api_key=KEY, max_retries=0) as anthropic:
        assert name in [model.id for model in anthropic.models.list(limit=1000)]
        assert anthropic.models.retrieve(name).id == name
    google = genai.Client(api_key=KEY, http_options=genai.types.HttpOptions(base_url=gateway.address))
    assert f"models/{name}" in [model.name for model in google.models.list()]
    assert google.models.get(model=name).name == f"models/{name}"
    assert name in [model.model for model in ollama_client.list().models]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ({"authorization": f"Bearer {KEY}"}, {"object", "data"}),
        ({"x-api-key": KEY, "anthropic-version": "2023-06-01"}, {"data", "has_more", "first_id", "last_id"}),
        ({"x-goog-api-key": KEY}, {"models"}),
    ],
)
def test_one_path_for_three_lists(gateway: Daemon, header: dict[str, str], names: set[str]) -> None:
    assert set(httpx2.get(f"{gateway.base_url}/models", headers=header).json()) == names


def test_a_gemini_client_that_has_its_key_in_the_url(gateway: Daemon) -> None:
    assert "models" in httpx2.get(f"{gateway.address}/v1beta/models?key={KEY}").json()
    assert "models" in httpx2.get(f"{gateway.address}/v1/models?key={KEY}").json()


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent", "countTokens", "batchEmbedContents"])
def test_a_gemini_method_is_not_fetched(gateway: Daemon, verb: str) -> None:
    url = f"{gateway.address}/v1beta/models/gemini.plain:{verb}"
    refused = httpx2.get(url, headers={"x-goog-api-key": KEY})
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert "use POST" in refused.json()["error"]["message"]


def test_capabilities_as_agents_read_them(ollama_client: ollama.Client) -> None:
    shown = ollama_client.show("gemini.plain")
    assert "completion" in (shown.capabilities or ())
