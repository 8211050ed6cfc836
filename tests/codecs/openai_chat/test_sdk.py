"""The official SDK as the judge of every answer and stream we render, and of every request we send."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import orjson
import pytest
from openai import OpenAI
from openai.types import Completion
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessageParam,
    ChatCompletionToolChoiceOptionParam,
    ChatCompletionToolUnionParam,
    completion_create_params,
)
from pydantic import TypeAdapter

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.openai_chat import CODEC
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.collect import explode
from aiproxy.neutral.errors import RateLimited
from aiproxy.neutral.events import StreamEvent, TextDelta
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import (
    AudioPart,
    Citation,
    HostedToolCallPart,
    ImagePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    TokenLogprob,
    ToolCallPart,
)
from aiproxy.neutral.response import Candidate, FinishReason, GenerateResponse
from aiproxy.neutral.usage import Usage
from tests.codecs.openai_chat.exchanges import ASKED, encoded, exchange
from tests.codecs.test_cases import ROOT, read_case
from tests.grammars.openai_chat import check_failed_stream, check_stream

USAGE = Usage(input_uncached=10, cache_read=5, output_visible=7, reasoning=2)


def answer_of(*parts: Part, finish: FinishReason = "stop", detail: str | None = None) -> GenerateResponse:
    return GenerateResponse("chatcmpl-1", "upstream", 1790000001, (Candidate(0, parts, finish, detail),), USAGE)


SIGNED = OpaqueState("anthropic", "thinking_signature", "sig")
ENCRYPTED = OpaqueState("openai", "encrypted_reasoning", "gAAA", "rs_1")

ANSWERS = {
    "text": answer_of(TextPart("Hello \U0001f600\u2028 there")),
    "nothing": answer_of(),
    "two texts": answer_of(TextPart("one "), TextPart("two")),
    "a refusal": answer_of(RefusalPart("No."), finish="refusal"),
    "thinking": answer_of(ReasoningPart("hm", opaque=(SIGNED,)), TextPart("Yes")),
    "thinking of many kinds": answer_of(
        ReasoningPart("a", opaque=(SIGNED,)),
        ReasoningPart(redacted=True, opaque=(ENCRYPTED,)),
        ReasoningPart(summaries=("b", "c"), opaque=(ENCRYPTED,)),
        ReasoningPart("d"),
        TextPart("Yes"),
    ),
    "parallel calls": answer_of(
        TextPart("Let me see."),
        ToolCallPart("call_1", "f", '{"a": 1}', opaque=(OpaqueState("google", "thought_signature", "c2ln"),)),
        ToolCallPart("call_2", "g"),
        finish="tool_calls",
    ),
    "citations": answer_of(
        TextPart("See", citations=(Citation("https://a", "A", start=0, end=3), Citation("https://b")))
    ),
    "logprobs": answer_of(TextPart("Hi", logprobs=(TokenLogprob("Hi", -0.5, (72, 105), (TokenLogprob("Yo", -1),)),))),
    "images": answer_of(ImagePart(InlineSource("image/png", "AAAA")), ImagePart(InlineSource("image/png", "BBBB"))),
    "audio": answer_of(AudioPart(InlineSource("audio/wav", "UklGRg=="), "Hi", id="audio_1")),
    "what has no place": answer_of(HostedToolCallPart("web_search", "ws_1", {}), TextPart("Found.")),
    "cut off": answer_of(TextPart("Hel"), finish="length"),
    "filtered": answer_of(TextPart("Hel"), finish="content_filter"),
    "stopped": answer_of(TextPart("Hel"), finish="stop_sequence", detail="END"),
    "two choices": GenerateResponse(
        "", "", 0, (Candidate(0, (TextPart("a"),)), Candidate(1, (ToolCallPart("c", "f"),), "tool_calls")), USAGE
    ),
}

WORDS = {"refusal": "stop", "stop_sequence": "stop"}


def sdk(body: bytes, content_type: str = "application/json") -> OpenAI:
    """The SDK, whatever it asks for answered with this body."""
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, content=body, headers={"content-type": content_type})
    )
    return OpenAI(api_key="k", base_url="http://test/v1", max_retries=0, http_client=httpx2.Client(transport=transport))


def streaming(**fields: Any) -> Exchange:
    return exchange(stream=True, stream_options={"include_usage": True}, **fields)


@pytest.mark.parametrize("name", ANSWERS)
def test_whole_answers(name: str) -> None:
    answer = CODEC.encode_response(ANSWERS[name], exchange())
    ChatCompletion.model_validate_json(answer.body, strict=True)
    with sdk(answer.body) as client:
        completion = client.chat.completions.create(model="alias", messages=[{"role": "user", "content": "hi"}])
    assert completion.model == "alias"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 24
    for choice, candidate in zip(completion.choices, ANSWERS[name].candidates, strict=True):
        assert choice.finish_reason == WORDS.get(candidate.finish, candidate.finish)
        texts = [part.text for part in candidate.parts if isinstance(part, TextPart)]
        assert (choice.message.content or "") == "".join(texts)


@pytest.mark.parametrize("name", ANSWERS)
def test_streams_add_up_to_the_whole_answer(name: str) -> None:
    wire = encoded(list(explode(ANSWERS[name])), streaming())
    for chunk in check_stream(wire, include_usage=True, choices=len(ANSWERS[name].candidates)):
        ChatCompletionChunk.model_validate_json(orjson.dumps(chunk), strict=True)
    with sdk(wire, CODEC.stream_content_type) as client:
        asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
        options: Any = {"include_usage": True}
        with client.chat.completions.stream(model="alias", messages=asked, stream_options=options) as stream:
            (*_, final) = (event.snapshot.to_dict() for event in stream if event.type == "chunk")
    whole = orjson.loads(CODEC.encode_response(ANSWERS[name], exchange()).body)
    assert final["usage"] == whole["usage"]
    for found, expected in zip(final["choices"], whole["choices"], strict=True):  # type: ignore[call-overload]
        assert said(found) == said(expected)


def said(choice: dict[str, Any]) -> dict[str, Any]:
    """A choice as accumulator and whole answer agree on it: empty is nothing, and helpers' own fields are left out."""
    message = {
        name: value for name, value in choice["message"].items() if value not in (None, "", []) and name != "parsed"
    }
    for call in message.get("tool_calls", ()):
        call["function"].pop("parsed_arguments", None)
        call.pop("index", None)
    message.get("audio", {}).pop("expires_at", None)
    logprobs = (choice.get("logprobs") or {}).get("content")
    return {"message": message, "finish_reason": choice["finish_reason"], "logprobs": logprobs}


def test_custom_calls_stream_in_the_official_form() -> None:
    """The accumulator doesn't know them; the chunks' own types do."""
    response = answer_of(ToolCallPart("c", "run", "ls", arguments_kind="freeform"), finish="tool_calls")
    wire = encoded(list(explode(response)), streaming())
    check_stream(wire, include_usage=True)
    with sdk(wire, CODEC.stream_content_type) as client:
        asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
        chunks = list(client.chat.completions.create(model="alias", messages=asked, stream=True))
    calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    assert "".join(call.to_dict()["custom"]["input"] for call in calls) == "ls"  # type: ignore[index]
    whole = CODEC.encode_response(response, exchange())
    ChatCompletion.model_validate_json(whole.body, strict=True)


@pytest.mark.parametrize("name", ["text", "nothing", "two texts", "logprobs", "cut off", "thinking", "parallel calls"])
def test_legacy_completions(name: str) -> None:
    asked = exchange(operation="completions", stream=True, stream_options={"include_usage": True})
    answer = CODEC.encode_response(ANSWERS[name], asked)
    whole = Completion.model_validate_json(answer.body, strict=True)
    wire = encoded(list(explode(ANSWERS[name])), asked)
    with sdk(wire, CODEC.stream_content_type) as client:
        chunks = list(client.completions.create(model="alias", prompt="hi", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == whole.choices[0].text
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == whole.choices[0].finish_reason
    assert chunks[-1].usage == whole.usage


def begun(response: GenerateResponse) -> Iterator[StreamEvent]:
    for event in explode(response):
        yield event
        if isinstance(event, TextDelta):
            return


@pytest.mark.parametrize("operation", ["", "completions"])
def test_a_failing_stream_raises_in_the_client(operation: str) -> None:
    encoder = CODEC.encoder(exchange(operation=operation))
    wire = b"".join(map(encoder.feed, begun(ANSWERS["text"]))) + encoder.fail(RateLimited("Slow down."))
    assert not encoder.feed(TextDelta(0, "more"))
    if not operation:
        check_failed_stream(wire)
    with sdk(wire, CODEC.stream_content_type) as client:
        stream: Any = (
            client.completions.create(model="alias", prompt="hi", stream=True)
            if operation
            else client.chat.completions.create(
                model="alias", messages=[{"role": "user", "content": "hi"}], stream=True
            )
        )
        with pytest.raises(openai.APIError, match="Slow down"):
            list(stream)


@pytest.mark.parametrize("finish", ["error", "cancelled", "malformed_tool_call"])
def test_an_end_that_is_none_is_an_error(finish: FinishReason) -> None:
    response = answer_of(TextPart("Hel"), finish=finish, detail="why")
    check_failed_stream(encoded(list(explode(response)), exchange()))
    answer = CODEC.encode_response(response, exchange())
    assert answer.status == 502
    assert "why" in orjson.loads(answer.body)["error"]["message"]


MESSAGE: TypeAdapter[Any] = TypeAdapter(ChatCompletionMessageParam)
TOOL: TypeAdapter[Any] = TypeAdapter(ChatCompletionToolUnionParam)
CHOICE: TypeAdapter[Any] = TypeAdapter(ChatCompletionToolChoiceOptionParam)
FORMAT: TypeAdapter[Any] = TypeAdapter(completion_create_params.ResponseFormat)
BODY: TypeAdapter[Any] = TypeAdapter(completion_create_params.CompletionCreateParamsBase)

SENT = sorted(path for path in ROOT.rglob("*.case") if "request" in path.name or "foreign" in path.name)

DIALECTS = {"request_image_as_string", "request_thinking_of_mistral", "request_unknown_fields_everywhere"}
"""Requests in other vendors' forms: they come out as they came in, which is not OpenAI's form."""


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.stem)
def test_requests_are_of_the_sdks_own_types(path: Path) -> None:
    """Every Chat Completions request of the golden cases, our translations from other protocols among them."""
    case = read_case(path.read_text())
    if (
        "openai-chat" not in case.sections
        or case.settings.get("raises")
        or case.settings.get("operation")
        or path.stem in DIALECTS
    ):
        return
    check_request(case.json("openai-chat"))


def check_request(body: dict[str, Any]) -> None:
    unknown = body.keys() - completion_create_params.CompletionCreateParamsStreaming.__annotations__.keys()
    BODY.validate_python({name: value for name, value in body.items() if name not in unknown})
    for message in body["messages"]:
        MESSAGE.validate_python(message)
    for tool in body.get("tools", ()):
        TOOL.validate_python(tool)
    if "tool_choice" in body:
        CHOICE.validate_python(body["tool_choice"])
    if "response_format" in body:
        FORMAT.validate_python(body["response_format"])
    assert ASKED.keys() <= body.keys()
