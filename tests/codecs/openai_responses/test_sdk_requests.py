"""What the SDK's types say of every request that the codec writes."""

import orjson
import pytest

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.openai_responses import CODEC
from aiproxy.codecs.report import Report
from aiproxy.neutral import errors
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.media import FileIdSource, InlineSource, TextSource, UrlSource
from aiproxy.neutral.parts import (
    DocumentPart,
    ImagePart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from aiproxy.neutral.request import (
    GenerateRequest,
    Identity,
    OutputFormat,
    ReasoningConfig,
    SamplingParams,
    StateRef,
    Turn,
)
from aiproxy.neutral.tools import FreeformTool, FunctionTool, Grammar, HostedTool, ToolChoice, WebSearchConfig
from tests.codecs.openai_responses.exchanges import check_params, decode, encode, exchange

PNG = InlineSource("image/png", "iVBORw0KGgo=")
CALL = ToolCallPart("call_1", "weather", '{"city":"Paris"}')
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}

REQUESTS = {
    "text": GenerateRequest("m", (Turn("user", (TextPart("hi"),)),)),
    "system": GenerateRequest("m", (Turn("system", (TextPart("Be kind."),)), Turn("user", (TextPart("hi"),)))),
    "several instructions": GenerateRequest(
        "m",
        (
            Turn("system", (TextPart("One."), TextPart("Two."))),
            Turn("user", (TextPart("hi"), TextPart("ho"))),
            Turn("assistant", (TextPart("yes"), RefusalPart("no"))),
            Turn("developer", (TextPart("Midway."),)),
        ),
    ),
    "media": GenerateRequest(
        "m",
        (
            Turn(
                "user",
                (
                    ImagePart(UrlSource("https://a/b.png"), "high"),
                    ImagePart(PNG),
                    ImagePart(FileIdSource("openai", "file_1")),
                    DocumentPart(InlineSource("application/pdf", "JVBERi0="), title="T"),
                    DocumentPart(UrlSource("https://a/b.pdf")),
                    DocumentPart(FileIdSource("openai", "file_2")),
                    DocumentPart(TextSource("plain")),
                ),
            ),
        ),
    ),
    "tools": GenerateRequest(
        "m",
        (
            Turn("user", (TextPart("hi"),)),
            Turn("assistant", (TextPart("see"), CALL, ToolCallPart("call_2", "patch", "x", arguments_kind="freeform"))),
            Turn(
                "tool",
                (
                    ToolResultPart("call_1", (TextPart("sun"), ImagePart(PNG))),
                    ToolResultPart("call_2", (TextPart("bad"),), is_error=True, kind="freeform"),
                ),
            ),
        ),
        tools=(
            FunctionTool("weather", "of a city", SCHEMA, strict=True),
            FunctionTool("now"),
            FreeformTool("patch", grammar=Grammar("lark", "start: x")),
            HostedTool("web_search", "anthropic", web_search=WebSearchConfig(("a.test",), location={"city": "Paris"})),
            HostedTool("code_execution", "anthropic"),
        ),
        tool_choice=ToolChoice("required", ("weather", "patch"), allow_parallel=False),
    ),
    "settings": GenerateRequest(
        "m",
        (Turn("user", (TextPart("hi"),)),),
        stream=True,
        sampling=SamplingParams(temperature=0.5, top_p=0.9, max_output_tokens=100, logprobs=True, top_logprobs=3),
        reasoning=ReasoningConfig(effort="high", visibility="summary"),
        output_format=OutputFormat("json_schema", "an answer", SCHEMA),
        verbosity="low",
        state=StateRef(store=True),
        identity=Identity("user_1", {"a": "b"}, "s" * 80),
        service_tier="flex",
    ),
    "own reasoning": GenerateRequest(
        "m",
        (
            Turn("user", (TextPart("hi"),)),
            Turn(
                "assistant",
                (
                    ReasoningPart("hm", opaque=(OpaqueState("openai", "encrypted_reasoning", "gAAA", "rs_1"),)),
                    ReasoningPart("hm", opaque=(OpaqueState("anthropic", "thinking_signature", "sig"),)),
                    CALL,
                ),
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_sdk_types_every_request(name: str) -> None:
    encode(REQUESTS[name])


@pytest.mark.parametrize("name", REQUESTS)
def test_the_sdk_types_every_request_to_a_plain_model(name: str) -> None:
    can = Capabilities(freeform_tools=False, thinking="none", developer_role=False)
    encode(REQUESTS[name], can=can)


def test_what_a_foreign_request_becomes() -> None:
    report = Report()
    body = encode(REQUESTS["tools"], report=report)
    kinds = [item["type"] for item in body["input"]]
    assert kinds == [
        "message",
        "message",
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "custom_tool_call_output",
    ]
    assert body["input"][4]["output"] == [
        {"type": "input_text", "text": "sun"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"},
    ]
    assert body["input"][5]["output"] == "Error: bad"
    assert [tool.get("strict") for tool in body["tools"]] == [True, False, None, None, None]
    assert body["store"] is False
    settings = encode(REQUESTS["settings"])
    assert settings["text"]["format"]["strict"] is True
    assert settings["text"]["format"]["name"] == "an_answer"
    assert settings["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]
    assert len(settings["safety_identifier"]) == 64
    thoughts = [item for item in encode(REQUESTS["own reasoning"])["input"] if item["type"] == "reasoning"]
    assert thoughts == [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}]


def test_images_of_tools_go_beside_the_results_where_these_are_text() -> None:
    items = encode(REQUESTS["tools"], can=Capabilities(tool_result_media=False))["input"]
    assert items[4]["output"] == "sun"
    assert items[6]["role"] == "user"
    assert [part["type"] for part in items[6]["content"]] == ["input_text", "input_image"]


def test_a_loss_is_told_by_the_name_of_the_client() -> None:
    from aiproxy.codecs.ollama import CODEC as OTHER

    file = {"type": "input_image", "file_id": "file_1"}
    report = Report()
    request = decode({"model": "m", "input": [{"role": "user", "content": [file]}]}, report)
    with pytest.raises(errors.Unsupported) as caught:
        OTHER.encode_request(exchange(request, report=report))
    assert caught.value.param == "input[].content[].file_id"


def test_the_requests_of_codex_keep_their_types() -> None:
    body = {
        "model": "gpt-5.5",
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "base"}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
            {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "apply_patch", "input": "*** Begin"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"},
        ],
        "tools": [
            {
                "type": "custom",
                "name": "apply_patch",
                "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
            }
        ],
    }
    sent = orjson.loads(CODEC.encode_request(exchange(decode(body))).body)
    assert sent == body
    check_params(sent)
