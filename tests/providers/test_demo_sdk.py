"""The official SDK reads what the demo says."""

from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionToolParam
from pydantic import BaseModel

from aiproxy.transports.base import Request
from tests.providers.demo_calls import Caller, Reader

WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
def client() -> Iterator[openai.OpenAI]:
    caller = Caller()

    def answer(request: httpx2.Request) -> httpx2.Response:
        answers: list[Any] = []
        sent = caller.transport.send(Request(request.method, str(request.url), (), request.read()))
        sent.addCallback(answers.append)
        caller.clock.advance(0)
        reader = Reader(caller.clock)
        answers[0].deliver(reader)
        caller.clock.pump([0] * 100)
        return httpx2.Response(answers[0].status, headers=answers[0].headers, content=reader.data)

    with openai.OpenAI(
        api_key="any",
        base_url="https://demo.invalid/v1",
        http_client=httpx2.Client(transport=httpx2.MockTransport(answer)),
        max_retries=0,
    ) as client:
        yield client


def test_whole(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="demo-echo", messages=[{"role": "user", "content": "hi there"}])
    assert answer.choices[0].message.content == "hi there"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 4
    assert answer._request_id == "req_demo1"


def test_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="demo-echo",
        messages=[{"role": "user", "content": "hi there"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "hi there"
    assert chunks[-1].usage is not None


def test_accumulated_text_of_several_choices(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        model="demo-echo", messages=[{"role": "user", "content": "hi there"}], n=2
    ) as stream:
        final = stream.get_final_completion()
    assert [choice.message.content for choice in final.choices] == ["hi there", "hi there"]
    assert [choice.finish_reason for choice in final.choices] == ["stop", "stop"]


def test_accumulated_tool_calls(client: openai.OpenAI) -> None:
    other: ChatCompletionToolParam = {**WEATHER, "function": {**WEATHER["function"], "name": "clock"}}
    with client.chat.completions.stream(
        model="demo-echo", messages=[{"role": "user", "content": "weather, clock"}], tools=[WEATHER, other]
    ) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert calls is not None
    assert [(call.function.name, call.function.parsed_arguments) for call in calls] == [
        ("weather", {"city": "city"}),
        ("clock", {"city": "city"}),
    ]


class Place(BaseModel):
    city: str
    population: int


def test_structured_output(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(
        model="demo", messages=[{"role": "user", "content": "where?"}], response_format=Place
    )
    assert answer.choices[0].message.parsed == Place(city="city", population=1)


def test_embeddings_in_both_encodings(client: openai.OpenAI) -> None:
    by_base64 = client.embeddings.create(model="demo-embed", input="hi").data[0].embedding
    by_float = client.embeddings.create(model="demo-embed", input="hi", encoding_format="float").data[0].embedding
    assert by_base64 == pytest.approx(by_float, abs=1e-6)
    assert len(client.embeddings.create(model="demo-embed", input="hi", dimensions=3).data[0].embedding) == 3


def test_completions_and_models(client: openai.OpenAI) -> None:
    assert client.completions.create(model="demo-echo", prompt="once upon").choices[0].text == "once upon"
    assert "demo-echo" in [model.id for model in client.models.list()]
    assert client.models.retrieve("demo-echo@cut=1").owned_by == "aiproxy"


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("demo@status=400", openai.BadRequestError),
        ("demo@status=401", openai.AuthenticationError),
        ("demo@status=403", openai.PermissionDeniedError),
        ("demo@status=429", openai.RateLimitError),
        ("demo@status=503", openai.InternalServerError),
        ("demo@nonsense", openai.BadRequestError),
        ("demo-nobody", openai.NotFoundError),
    ],
)
def test_error_classes(client: openai.OpenAI, model: str, error: type[openai.APIStatusError]) -> None:
    with pytest.raises(error):
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])


def test_an_error_in_the_stream_is_raised(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="demo@error=3", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    with pytest.raises(openai.APIError, match="The demo failed here"):
        list(stream)
