"""The official OpenAI SDK, sync and async, through the running daemon: over HTTP and over real TLS."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest
import trustme
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageFunctionToolCall, ChatCompletionMessageParam, ChatCompletionToolParam

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Upstream, fails, says, upstream

KEY = "client-key-of-the-sdk-tests"

WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with upstream(says("Hello", " ", "wörld", " 🌍")) as running:
        yield running


@pytest.fixture(scope="module", params=["http", "https"])
def gateway(
    request: pytest.FixtureRequest, vendor: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Daemon]:
    directory = tmp_path_factory.mktemp(request.param)
    configuration = f"""
api-keys: [{KEY}]
demo: {{enabled: true, latency: 0, tokens-per-second: 0}}
request-retry: 0
openai-compatibility:
  - name: vendor
    base-url: {vendor.base_url}
    api-key-entries: [upstream-key-0123456789]
    models: [{{name: upstream-model, alias: alias-model}}, upstream-model]
"""
    if request.param == "https":
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1", "localhost")
        certificate.private_key_and_cert_chain_pem.write_to_path(directory / "server.pem")
        authority.cert_pem.write_to_path(directory / "ca.pem")
        configuration += "tls: {enable: true, cert: server.pem, key: server.pem}\n"
        (directory / "server.pem").chmod(0o600)
    with daemon(directory, configuration) as running:
        running.directory = directory  # type: ignore[attr-defined]
        yield running


def trust(gateway: Daemon) -> ssl.SSLContext | bool:
    authority: Path = gateway.directory / "ca.pem"  # type: ignore[attr-defined]
    return ssl.create_default_context(cafile=authority) if authority.exists() else True


@pytest.fixture
def client(gateway: Daemon) -> Iterator[OpenAI]:
    with (
        httpx2.Client(verify=trust(gateway)) as http,
        OpenAI(base_url=gateway.base_url, api_key=KEY, http_client=http, max_retries=0) as made,
    ):
        yield made


def test_a_whole_answer(client: OpenAI, vendor: Upstream) -> None:
    answer = client.chat.completions.create(model="alias-model", messages=[{"role": "user", "content": "hi"}])
    assert answer.choices[0].message.content == "Hello wörld 🌍"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 11
    sent = vendor.received[-1]
    assert sent.json["model"] == "upstream-model"
    assert sent.headers["authorization"] == "Bearer upstream-key-0123456789"
    assert KEY not in str(sent)


def test_a_streamed_answer(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="alias-model", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text == "Hello wörld 🌍"


def test_the_stream_accumulator(client: OpenAI) -> None:
    with client.chat.completions.stream(model="alias-model", messages=[{"role": "user", "content": "hi"}]) as stream:
        answer = stream.get_final_completion()
    assert answer.choices[0].message.content == "Hello wörld 🌍"
    assert answer.choices[0].finish_reason == "stop"


def test_async_calls_side_by_side(gateway: Daemon) -> None:
    async def ask() -> list[str]:
        async with (
            httpx2.AsyncClient(verify=trust(gateway)) as http,
            AsyncOpenAI(base_url=gateway.base_url, api_key=KEY, http_client=http, max_retries=0) as client,
        ):

            async def one(number: int) -> str:
                stream = await client.chat.completions.create(
                    model="demo-echo", messages=[{"role": "user", "content": f"number {number}"}], stream=True
                )
                return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

            return await asyncio.gather(*(one(number) for number in range(20)))

    assert asyncio.run(ask()) == [f"number {number}" for number in range(20)]


@pytest.mark.parametrize("streamed", [False, True])
def test_tools(client: OpenAI, streamed: bool) -> None:
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": "How is the weather in Paris?"}]
    create = client.chat.completions
    if streamed:
        with create.stream(model="demo-echo@tool", messages=asked, tools=[WEATHER]) as stream:
            calls = stream.get_final_completion().choices[0].message.tool_calls
            assert calls is not None
            name, arguments = calls[0].function.name, calls[0].function.arguments
    else:
        answer = create.create(model="demo-echo@tool", messages=asked, tools=[WEATHER])
        (call,) = answer.choices[0].message.tool_calls or []
        assert isinstance(call, ChatCompletionMessageFunctionToolCall)
        name, arguments = call.function.name, call.function.arguments
    assert name == "get_weather"
    assert "city" in json.loads(arguments)


def test_embeddings(client: OpenAI) -> None:
    answer = client.embeddings.create(model="demo-embed", input=["one", "two"])
    assert len(answer.data) == 2
    assert all(isinstance(number, float) for number in answer.data[0].embedding)


@pytest.mark.parametrize("streamed", [False, True])
def test_legacy_completions(client: OpenAI, streamed: bool) -> None:
    if streamed:
        stream = client.completions.create(model="demo-echo", prompt="again", stream=True)
        text = "".join(chunk.choices[0].text for chunk in stream if chunk.choices)
    else:
        text = client.completions.create(model="demo-echo", prompt="again").choices[0].text
    assert "again" in text


def test_models(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {"alias-model", "upstream-model", "demo-echo"} <= set(names)
    assert client.models.retrieve("alias-model").owned_by == "vendor"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody/has-this")


@pytest.mark.parametrize(
    ("model", "raised"),
    [
        ("demo@status=400", openai.BadRequestError),
        ("demo@status=401", openai.InternalServerError),
        ("demo@status=404", openai.NotFoundError),
        ("demo@status=409", openai.ConflictError),
        ("demo@status=422", openai.BadRequestError),
        ("demo@status=429@retry-after=60", openai.RateLimitError),
        ("demo@status=500", openai.InternalServerError),
        ("demo@status=503", openai.InternalServerError),
        ("alias-mode", openai.NotFoundError),
    ],
)
def test_error_classes(client: OpenAI, model: str, raised: type[openai.APIStatusError]) -> None:
    with pytest.raises(raised) as caught:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
    assert caught.value.request_id
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"]


def test_an_unknown_model_is_told_its_neighbours(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="alias-model") as caught:
        client.chat.completions.create(model="alias-mdoel", messages=[{"role": "user", "content": "hi"}])
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


def test_a_wrong_key(gateway: Daemon) -> None:
    with httpx2.Client(verify=trust(gateway)) as http:
        client = OpenAI(base_url=gateway.base_url, api_key="wrong-key-wrong-key", http_client=http, max_retries=0)
        with pytest.raises(openai.AuthenticationError) as caught:
            client.models.list()
    assert "wrong-key" not in str(caught.value)


def test_the_sdk_retries_what_we_say_is_worth_it(gateway: Daemon, vendor: Upstream) -> None:
    before = len(vendor.received)
    vendor.script.append(fails(503, headers={"retry-after-ms": "1"}))
    with httpx2.Client(verify=trust(gateway)) as http:
        client = OpenAI(base_url=gateway.base_url, api_key=KEY, http_client=http, max_retries=3)
        answer = client.chat.completions.create(model="upstream-model", messages=[{"role": "user", "content": "hi"}])
    assert answer.choices[0].message.content
    assert len(vendor.received) == before + 2


@pytest.mark.parametrize("fault", ["cut=1", "cut=3", "malformed=3", "error=1", "error=3", "short=4"])
def test_a_stream_that_breaks_says_so(client: OpenAI, fault: str) -> None:
    """Never a clean end to an unclean answer: an honest status before the first byte, an error in the stream after it."""
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model=f"demo@tps=50@{fault}", messages=asked, stream=True))


def test_unknown_fields_reach_the_upstream_untouched(client: OpenAI, vendor: Upstream) -> None:
    client.chat.completions.create(
        model="alias-model",
        messages=[{"role": "user", "content": "hi"}],
        extra_body={"vendor_field": {"deep": [1.50, 12345678901234567890]}},
        metadata={"a": "b"},
    )
    assert b'"vendor_field":{"deep":[1.5,12345678901234567890]}' in vendor.received[-1].body.replace(b" ", b"")
