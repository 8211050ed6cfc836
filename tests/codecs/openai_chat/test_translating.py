"""What an answer means to a client of another protocol: names, freeform calls and wrapped schemas turned back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from aiproxy.codecs import anthropic_messages
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.grammar import check_events
from aiproxy.codecs.openai_chat import CODEC
from aiproxy.codecs.openai_chat.table import TABLE
from aiproxy.codecs.report import Report
from aiproxy.codecs.translation import account_for_extensions
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import InvalidRequest, Unsupported
from aiproxy.neutral.events import StreamEvent, TextDelta, ToolCallArgumentsDelta
from aiproxy.neutral.media import FileIdSource, UrlSource
from aiproxy.neutral.parts import (
    AudioPart,
    CompactionPart,
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    RawPart,
    TextPart,
    ToolCallPart,
    VideoPart,
)
from aiproxy.neutral.request import GenerateRequest, OutputFormat, Turn
from aiproxy.neutral.response import Candidate, GenerateResponse
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolChoice
from tests.codecs.openai_chat import strategies
from tests.codecs.openai_chat.exchanges import ASKED, SEALER, decoded, encoded, exchange, request_of, written
from tests.codecs.openai_chat.test_sdk import check_request
from tests.grammars.openai_chat import payloads

SAID = (Turn("user", (TextPart("hi"),)),)


def streamed(deltas: Sequence[dict[str, Any]], asked: Exchange) -> list[StreamEvent]:
    last = [{"delta": {}, "finish_reason": "stop"}]
    lines = [{"id": "c", "choices": [{"delta": delta}]} for delta in deltas] + [{"choices": last}]
    events = decoded([orjson.dumps(line) for line in lines], asked)
    check_events(events)
    return events


def parts_of(events: list[StreamEvent]) -> tuple[Part, ...]:
    return collect(events).candidates[0].parts


def call(name: str, *pieces: str) -> list[dict[str, Any]]:
    first = {"index": 0, "id": "c", "type": "function", "function": {"name": name, "arguments": ""}}
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
    return [{"tool_calls": [fragment]} for fragment in (first, *rest)]


def test_a_freeform_call_comes_back_as_text() -> None:
    request = GenerateRequest("m", SAID, tools=(FreeformTool("patch"),))
    asked = exchange(request, "openai-responses", Capabilities(freeform_tools=False))
    events = streamed(call("patch", '{"in', 'put":"a\\n', 'b"}'), asked)
    (part,) = parts_of(events)
    assert isinstance(part, ToolCallPart)
    assert (part.arguments_kind, part.arguments_text) == ("freeform", "a\nb")
    assert not [event for event in events if isinstance(event, ToolCallArgumentsDelta)]


def test_arguments_of_a_wrapped_schema_come_back_bare() -> None:
    tool = FunctionTool("sum", parameters={"type": "array", "items": {"type": "number"}})
    asked = exchange(GenerateRequest("m", SAID, tools=(tool,)), "ollama")
    sent = written(asked)["tools"][0]["function"]["parameters"]
    assert sent["properties"]["value"] == tool.parameters
    (part,) = parts_of(streamed(call("sum", '{"value":[1,', "2]}"), asked))
    assert isinstance(part, ToolCallPart)
    assert part.arguments_text == "[1,2]"


def test_an_answer_of_a_wrapped_format_comes_back_bare() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    asked = exchange(GenerateRequest("m", SAID, output_format=OutputFormat("json_schema", schema=schema)), "ollama")
    assert written(asked)["response_format"]["json_schema"]["name"] == "answer"
    events = streamed([{"content": '{"value":["a'}, {"content": '"]}'}], asked)
    assert parts_of(events) == (TextPart('["a"]'),)
    assert not [event for event in events if isinstance(event, TextDelta)]


def test_tools_that_only_their_vendor_runs() -> None:
    report = Report()
    request = GenerateRequest("m", SAID, tools=(HostedTool("mcp", "anthropic"), HostedTool("code_execution", "gemini")))
    body = CODEC.encode_request(exchange_of(request, report)).body
    assert "tools" not in orjson.loads(body)
    assert report.warnings == ("drop:tool.hosted", "drop:tool.code_execution")
    forced = GenerateRequest("m", SAID, tool_choice=ToolChoice("required", hosted_kind="mcp"))
    with pytest.raises(Unsupported):
        CODEC.encode_request(exchange_of(forced, report))


def exchange_of(request: GenerateRequest, report: Report, can: Capabilities | None = None) -> Exchange:
    return Exchange(request, SEALER, "req_1", "anthropic", 1, can or Capabilities(), report)


@pytest.mark.parametrize(
    ("can", "choice", "sent", "warning"),
    [
        ({"tool_choices": frozenset({"auto"})}, ToolChoice("required"), None, "drop:tool_choice.required"),
        ({"parallel_tools": False}, ToolChoice(allow_parallel=False), None, "drop:tool_choice.allow_parallel"),
        ({}, ToolChoice("required"), "required", ""),
    ],
)
def test_a_model_that_takes_fewer_choices(can: dict[str, Any], choice: ToolChoice, sent: Any, warning: str) -> None:
    report = Report()
    request = GenerateRequest("m", SAID, tools=(FunctionTool("f"),), tool_choice=choice)
    body = orjson.loads(CODEC.encode_request(exchange_of(request, report, Capabilities(**can))).body)
    assert body.get("tool_choice") == sent
    assert "parallel_tool_calls" not in body
    assert ", ".join(report.warnings) == warning


def test_other_vendors_fields_are_told_to_foreign_upstreams() -> None:
    """Fields that were understood are not named again; those that were not are."""
    fields = {"top_k": 4, "thinking": {"type": "disabled"}, "stream_options": {"include_usage": True}, "new_field": 1}
    report = Report()
    account_for_extensions(request_of({**ASKED, **fields}, report=report), CODEC, anthropic_messages.CODEC, report)
    assert report.warnings == ("drop:new_field",)


def test_the_legacy_defaults_bother_nobody() -> None:
    request = request_of({"model": "m", "prompt": "x", "echo": False, "best_of": 1}, "completions")
    assert not {"echo", "best_of"} & request.extensions["openai-chat"].keys()
    assert TABLE.own("echo").action == "refuse"


@given(strategies.requests)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_translated_requests_are_of_the_sdks_own_types(body: dict[str, Any]) -> None:
    """Whatever came in: what goes to an upstream after fitting is what OpenAI's own types allow."""
    try:
        request = request_of(body)
        stripped = GenerateRequest(request.model, tuple(Turn(turn.role, turn.parts) for turn in request.turns))
        found = written(exchange(stripped, "other", Capabilities(vendor="openai")))
    except (InvalidRequest, Unsupported):
        return
    check_request({"messages": found["messages"], "model": found["model"]})


def test_code_a_vendor_ran_is_told_as_text() -> None:
    """Gemini's code execution, for clients that have no part for it."""
    code = HostedToolCallPart("code_execution", "", {"language": "PYTHON", "code": "print(1)"})
    result = HostedToolResultPart("code_execution", "", {"outcome": "OUTCOME_OK", "output": "1\n"})
    response = GenerateResponse("c", "m", 1, (Candidate(0, (TextPart("So:"), code, result, TextPart("One."))),))
    body = orjson.loads(CODEC.encode_response(response, exchange()).body)
    text = body["choices"][0]["message"]["content"]
    assert text == "So:\n```python\nprint(1)\n```\n\n```\n1\n\n```\nOne."
    wire = encoded(list(explode(response)), exchange())
    assert collect(decoded(payloads(wire), exchange())).candidates[0].parts == (TextPart(text),)


@pytest.mark.parametrize(
    ("part", "warning"),
    [
        (HostedToolCallPart("web_search", "w", {}), "drop:part.hosted_tool"),
        (VideoPart(UrlSource("https://v")), "drop:part.video"),
        (DocumentPart(UrlSource("https://d")), "drop:part.document.inline"),
        (ImagePart(FileIdSource("openai", "f")), "drop:part.image.file"),
        (AudioPart(UrlSource("https://a")), "drop:part.audio"),
        (CompactionPart("x"), "drop:part.compaction"),
        (RawPart("gemini", "newPart", {}), "drop:gemini.newPart"),
    ],
)
def test_what_an_answer_cannot_show_is_told(part: Part, warning: str) -> None:
    response = GenerateResponse("c", "m", 1, (Candidate(0, (part, TextPart("a"))),))
    for write in (
        lambda asked: CODEC.encode_response(response, asked),
        lambda asked: encoded(list(explode(response)), asked),
    ):
        report = Report()
        write(replace(exchange(), report=report))
        assert report.warnings == (warning,)
