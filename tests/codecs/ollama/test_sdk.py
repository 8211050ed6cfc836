"""The official client as the judge: what we answer it parses, what it sends we read, and what we send its types accept."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import ollama
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ollama import _types as types
from pydantic import TypeAdapter

from aiproxy.codecs.base import Answer, ModelCard
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.ollama import CODEC, WIRE, models
from aiproxy.codecs.ollama.load import encode_load, is_load
from aiproxy.codecs.report import Report
from aiproxy.neutral import errors
from aiproxy.neutral.collect import explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.parts import ReasoningPart, TextPart, TokenLogprob, ToolCallPart
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.response import Candidate, GenerateResponse
from aiproxy.neutral.usage import Usage
from tests.codecs.ollama.exchanges import GENERATE, decode, encode, exchange, wire
from tests.codecs.ollama.strategies import chat_requests
from tests.neutral.strategies import responses

RESPONSE = GenerateResponse(
    "x",
    "upstream-model",
    1790000000,
    (
        Candidate(
            0,
            (
                ReasoningPart(text="Let me see."),
                TextPart(
                    "Hello\u2028world", logprobs=(TokenLogprob("Hello", -0.1, (72,), (TokenLogprob("Hi", -2.0),)),)
                ),
                ToolCallPart("call_1", "get_weather", '{"city":"Tokyo"}'),
                ToolCallPart("call_2", "get_time", "{}"),
            ),
            "tool_calls",
        ),
    ),
    Usage(input_uncached=10, cache_read=5, output_visible=7, reasoning=3),
)


def client(answer: Answer | Callable[[httpx.Request], Answer], path: str = "") -> ollama.Client:
    def served(request: httpx.Request) -> httpx.Response:
        found = answer if isinstance(answer, Answer) else answer(request)
        return httpx.Response(found.status, content=found.body, headers={"content-type": found.content_type})

    return ollama.Client(f"http://gateway{path}", transport=httpx.MockTransport(served))


def streamed(response: GenerateResponse, extensions: Mapping[str, Mapping[str, Any]] | None = None) -> Answer:
    request = GenerateRequest("m", extensions=extensions or {})
    return Answer(200, wire(explode(response), exchange(request)), CODEC.stream_content_type)


def test_a_chat_stream() -> None:
    parts = list(client(streamed(RESPONSE)).chat("m", [{"role": "user", "content": "hi"}], stream=True))
    assert "".join(part.message.content or "" for part in parts) == "Hello\u2028world"
    assert "".join(part.message.thinking or "" for part in parts) == "Let me see."
    calls = [call.function for part in parts for call in part.message.tool_calls or ()]
    assert [(call.name, call.arguments) for call in calls] == [("get_weather", {"city": "Tokyo"}), ("get_time", {})]
    assert [part.logprobs[0].token for part in parts if part.logprobs] == ["Hello"]
    last = parts[-1]
    assert (last.done, last.done_reason, last.prompt_eval_count, last.eval_count) == (True, "stop", 15, 10)
    assert all(part.model == "m" and part.created_at for part in parts)


def test_a_generate_stream() -> None:
    parts = list(client(streamed(RESPONSE, GENERATE)).generate("m", "hi", stream=True))
    assert "".join(part.response or "" for part in parts) == "Hello\u2028world"
    assert "".join(part.thinking or "" for part in parts) == "Let me see."
    assert parts[-1].done_reason == "stop"


def test_whole_answers() -> None:
    chat = client(CODEC.encode_response(RESPONSE, exchange())).chat("m", [], stream=False)
    assert (chat.message.content, chat.message.thinking) == ("Hello\u2028world", "Let me see.")
    assert [call.function.name for call in chat.message.tool_calls or ()] == ["get_weather", "get_time"]
    assert (chat.done_reason, chat.eval_count) == ("stop", 10)
    asked = exchange(GenerateRequest("m", extensions=GENERATE))
    generated = client(CODEC.encode_response(RESPONSE, asked)).generate("m", "hi", stream=False)
    assert (generated.response, generated.thinking, generated.done) == ("Hello\u2028world", "Let me see.", True)


@given(responses(), st.booleans())
def test_any_answer_is_parsed(response: GenerateResponse, generate: bool) -> None:
    extensions = GENERATE if generate else {}
    answer = CODEC.encode_response(response, exchange(GenerateRequest("m", extensions=extensions)))
    if generate:
        assert list(client(streamed(response, extensions)).generate("m", "hi", stream=True))[-1].done
        assert client(answer).generate("m", "hi").done
    else:
        assert list(client(streamed(response)).chat("m", [], stream=True))[-1].done
        assert client(answer).chat("m", []).done


EVERY_ERROR = [
    (errors.InvalidRequest, 400),
    (errors.ContextLength, 400),
    (errors.Unsupported, 400),
    (errors.Authentication, 401),
    (errors.Billing, 402),
    (errors.Permission, 403),
    (errors.EndedByOperator, 403),
    (errors.NotFound, 404),
    (errors.MethodNotAllowed, 405),
    (errors.Conflict, 409),
    (errors.TooLarge, 413),
    (errors.RateLimited, 429),
    (errors.QuotaExhausted, 429),
    (errors.Internal, 500),
    (errors.UpstreamFailed, 502),
    (errors.Overloaded, 503),
    (errors.Timeout, 504),
]


@pytest.mark.parametrize(("kind", "status"), EVERY_ERROR)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_answer(kind: type[GatewayError], status: int, stream: bool) -> None:
    answer = WIRE.encode_error(kind("It is not found here."), "req_1")
    with pytest.raises(ollama.ResponseError) as caught:
        list(client(answer).chat("m", [], stream=stream))  # type: ignore[call-overload]
    assert (caught.value.error, caught.value.status_code) == ("It is not found here.", status)


def test_an_error_in_a_stream() -> None:
    encoder = CODEC.encoder(exchange())
    events = list(explode(RESPONSE))[:6]
    body = b"".join(map(encoder.feed, events)) + encoder.fail(errors.UpstreamTruncated("It broke off."))
    parts = client(Answer(200, body, CODEC.stream_content_type)).chat("m", [], stream=True)
    assert next(parts).message.thinking == "Let me see."
    with pytest.raises(ollama.ResponseError, match="It broke off"):
        list(parts)


CARD = ModelCard("claude-x", "anthropic", 1750000000)
CAN = Capabilities(context_tokens=200000, thinking="adaptive", input_modalities=frozenset({"text", "image"}))


def test_the_model_list() -> None:
    (listed,) = client(Answer(200, WIRE.encode_models([CARD]))).list().models
    assert listed.model == "claude-x"
    assert listed.modified_at is not None
    assert listed.modified_at.timestamp() == 1750000000
    assert listed.digest is not None
    assert len(listed.digest) == 64
    assert listed.details is not None
    assert (listed.details.format, listed.details.family) == ("gguf", "anthropic")
    assert types.ListResponse.Model(**orjson.loads(WIRE.encode_model(CARD))) == listed


def test_a_models_page() -> None:
    def shown(request: httpx.Request) -> Answer:
        assert models.read_show(request.content) == "claude-x"
        return Answer(200, models.encode_show(CARD, CAN))

    page = client(shown, "/ollama").show("claude-x")
    assert page.capabilities == ["completion", "tools", "vision", "thinking"]
    assert page.modelinfo == {
        "general.architecture": "anthropic",
        "general.basename": "claude-x",
        "anthropic.context_length": 200000,
    }
    assert page.parameters == "num_ctx 200000"


def test_running_models_and_the_version() -> None:
    running = client(Answer(200, models.encode_running([CARD], 1790000300))).ps().models
    assert [(model.name, model.expires_at and model.expires_at.timestamp()) for model in running] == [
        ("claude-x", 1790000300.0)
    ]
    assert orjson.loads(models.encode_version("0.13.0")) == {"version": "0.13.0"}


def asked_by_sdk(ask: Callable[[ollama.Client], object], operation: str = "chat") -> GenerateRequest:
    """What we read of a request the client really makes."""
    found: list[GenerateRequest] = []

    def served(request: httpx.Request) -> Answer:
        found.append(decode(request.content, operation))
        assert orjson.loads(CODEC.encode_request(exchange(found[0])).body) == orjson.loads(request.content)
        return CODEC.encode_response(RESPONSE, exchange(found[0]))

    ask(client(served))
    return found[0]


def get_weather(city: str) -> str:
    """Tells the weather.

    Args:
      city: Where
    """
    return city


def test_what_the_client_asks_for_in_a_chat() -> None:
    history: list[Mapping[str, Any] | ollama.Message] = [
        {"role": "system", "content": "Be short."},
        ollama.Message(role="user", content="Look", images=[types.Image(value=b"\x89PNG\r\n\x1a\n....")]),
        ollama.Message(
            role="assistant",
            tool_calls=[
                ollama.Message.ToolCall(
                    function=ollama.Message.ToolCall.Function(name="get_weather", arguments={"city": "Ulm"})
                )
            ],
        ),
        {"role": "tool", "tool_name": "get_weather", "content": "rain"},
    ]
    request = asked_by_sdk(
        lambda sdk: sdk.chat(
            "m",
            history,
            tools=[get_weather],
            think="low",
            format={"type": "object"},
            options=ollama.Options(temperature=0.5, num_ctx=8192, stop=["END"]),
            keep_alive="5m",
            logprobs=True,
            top_logprobs=2,
        )
    )
    assert request.stream is False
    assert [turn.role for turn in request.turns] == ["system", "user", "assistant", "tool"]
    assert request.sampling.temperature == 0.5
    assert request.sampling.stop == ("END",)
    assert request.reasoning.effort == "low"
    assert request.tools[0].name == "get_weather"  # type: ignore[union-attr]
    foreign = encode(request, source="elsewhere")
    call, result = foreign["messages"][2]["tool_calls"][0], foreign["messages"][3]
    assert call["id"] == result["tool_call_id"]
    assert result["tool_name"] == "get_weather"


def test_what_the_client_asks_for_in_a_completion() -> None:
    request = asked_by_sdk(
        lambda sdk: sdk.generate("m", "Why?", system="Be short.", options={"num_predict": 9}), "generate"
    )
    assert [turn.role for turn in request.turns] == ["system", "user"]
    assert request.sampling.max_output_tokens == 9


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("keep_alive", "reason"), [("5m", "load"), (0, "unload")])
def test_a_request_that_only_loads(stream: bool, keep_alive: str | int, reason: str) -> None:
    def served(request: httpx.Request) -> Answer:
        generate = request.url.path == "/api/generate"
        asked = decode(request.content, "generate" if generate else "chat")
        assert is_load(asked)
        return encode_load(exchange(asked))

    sdk = client(served)
    chat = sdk.chat("m", [], stream=stream, keep_alive=keep_alive)  # type: ignore[call-overload]
    assert [part.done_reason for part in (chat if stream else [chat])] == [reason]
    generated = sdk.generate("m", stream=stream, keep_alive=keep_alive)  # type: ignore[call-overload]
    assert [part.done_reason for part in (generated if stream else [generated])] == [reason]


CHAT_REQUEST = TypeAdapter(types.ChatRequest)


@given(chat_requests)
def test_the_clients_types_accept_what_we_send(body: dict[str, Any]) -> None:
    request = decode({**body, "raw": None, "template": None, "context": None})
    tolerant = Report(tolerated=frozenset({"part.audio", "part.document.inline"}))
    sent = encode(request, source="elsewhere", report=tolerant)
    CHAT_REQUEST.validate_python({**sent, "format": None if sent.get("format") == {} else sent.get("format")})
    for message in sent["messages"]:
        types.Message.model_validate({**message, "images": None})
