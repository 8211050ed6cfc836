"""Requests of other protocols' clients as the Messages API takes them; the SDK's request types are the judge."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.anthropic_messages import CODEC
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Envelope
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.errors import GatewayError, InvalidRequest
from aiproxy.neutral.media import FileIdSource, InlineSource, TextSource, UrlSource
from aiproxy.neutral.parts import (
    AudioPart,
    CompactionPart,
    DocumentPart,
    ImagePart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)
from aiproxy.neutral.plain import from_plain, to_plain
from aiproxy.neutral.request import GenerateRequest, OutputFormat, Role, Turn
from aiproxy.neutral.tools import FunctionTool, HostedTool, ToolChoice
from tests.codecs.anthropic_messages import strategies
from tests.codecs.anthropic_messages.exchanges import check_params, decode, encode, events_of, exchange, sse
from tests.codecs.bench import SEALER
from tests.codecs.test_cases import ROOT, read_case

HI = Turn("user", (TextPart("Hi"),))

CASES = sorted((ROOT / "anthropic_messages").glob("to_anthropic_*.case"))


@pytest.mark.parametrize("path", [path for path in CASES if "refuses" not in path.name], ids=lambda path: path.stem)
def test_golden_requests_are_of_the_sdks_types(path: Path) -> None:
    check_params(read_case(path.read_text()).json("anthropic"))


def test_the_judge_judges() -> None:
    with pytest.raises(ValueError):
        check_params({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "text"}]}]})


@given(strategies.requests)
def test_any_request_of_ours_sent_as_anothers_gives_one_the_api_takes(body: dict[str, Any]) -> None:
    try:
        sent = encode(without_extensions(decode(body)), can=Capabilities(system_turns_midway=True))
    except GatewayError:
        return
    roles = [message["role"] for message in sent["messages"]]
    assert roles[:1] in ([], ["user"])
    assert all(one != two for one, two in pairwise(roles))
    calls: list[str] = []
    for message in sent["messages"]:
        found = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
        assert found == calls
        assert [block["type"] for block in message["content"][: len(found)]] == ["tool_result"] * len(found)
        calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        assert all(block["text"] for block in message["content"] if block["type"] == "text")


OWN = ("RawPart", "HostedToolCallPart", "HostedToolResultPart")


def without_extensions(request: GenerateRequest) -> GenerateRequest:
    """As if it had come by another protocol: without what only ours can say."""

    def stripped(found: Any) -> Any:
        if isinstance(found, list):
            return [stripped(item) for item in found if not isinstance(item, dict) or item.get("is") not in OWN]
        if not isinstance(found, dict):
            return found
        return {name: stripped(value) for name, value in found.items() if name != "extensions" or "is" not in found}

    return from_plain(GenerateRequest, stripped(to_plain(request)))


turns = st.lists(
    st.builds(
        lambda role, parts: Turn(role, tuple(parts)),
        st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
        st.lists(
            st.builds(TextPart, strategies.text)
            | st.builds(ToolCallPart, strategies.text, strategies.text, strategies.text)
            | st.builds(lambda i, t: ToolResultPart(i, (TextPart(t),)), strategies.text, strategies.text)
            | st.builds(lambda: ImagePart(InlineSource("image/png", "aGk="))),
            max_size=3,
        ),
    ),
    max_size=6,
)


@given(turns)
def test_any_turns_become_turns_the_api_takes(found: list[Turn]) -> None:
    roles = {"assistant": ToolResultPart, "user": ToolCallPart, "system": ToolCallPart | ToolResultPart | ImagePart}
    clean = tuple(
        Turn(turn.role, tuple(part for part in turn.parts if not isinstance(part, roles.get(turn.role, ToolCallPart))))
        for turn in found
        if turn.role != "developer"
    )
    sent = encode(GenerateRequest("m", clean))
    spoken = [message["role"] for message in sent["messages"]]
    assert spoken == ["user", "assistant"] * (len(spoken) // 2) + ["user"] * (len(spoken) % 2)


def test_an_envelope_goes_back_to_its_vendor_and_to_no_one_else() -> None:
    state = OpaqueState("google", "thought_signature", "CiQB", model="gemini")
    sealed = SEALER.seal(Envelope(OpaqueState("google", "thought_signature", "", model="gemini"), ((0, state.data),)))
    own = SEALER.seal(Envelope(OpaqueState("openai", "encrypted_reasoning", "gAAA", "rs_1"), text="hidden"))
    request = decode(
        {
            "model": "m",
            "max_tokens": 5,
            "messages": [
                {"role": "user", "content": "x"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "", "signature": own},
                        {"type": "thinking", "thinking": "", "signature": sealed},
                        {"type": "tool_use", "id": "t", "name": "f", "input": {}},
                        {"type": "thinking", "thinking": "forged", "signature": "aipx1.e30." + "0" * 32},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "r"}]},
            ],
        }
    )
    reasoning, call, forged = request.turns[1].parts
    assert reasoning == ReasoningPart("hidden", opaque=(OpaqueState("openai", "encrypted_reasoning", "gAAA", "rs_1"),))
    assert isinstance(call, ToolCallPart)
    assert call.opaque == (state,)
    assert forged == ReasoningPart("forged")
    sent = encode(request, source="anthropic")
    assert [block["type"] for block in sent["messages"][1]["content"]] == ["tool_use"]
    assert b"aipx1" not in orjson.dumps(sent)


def test_thinking_nobody_signed_goes_back_to_who_thought_it() -> None:
    body = {"id": "m", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "x"}]}
    kimi = Capabilities(vendor="moonshot")
    answer = CODEC.decode_response(orjson.dumps(body), exchange(can=kimi))
    shown = orjson.loads(CODEC.encode_response(answer, exchange()).body)["content"]
    assert shown[0]["signature"].startswith("aipx1.")
    request = decode({"model": "claude-test", "max_tokens": 1, "messages": [{"role": "assistant", "content": shown}]})
    back = encode(request, source="anthropic", can=kimi)["messages"][0]["content"]
    assert back[0] == {"type": "thinking", "thinking": "hm", "signature": ""}
    assert [block["type"] for block in encode(request, source="anthropic")["messages"][0]["content"]] == ["text"]


def test_the_version_that_takes_sampling_is_asked_for_it() -> None:
    headers = {"anthropic-version": "2026-10-21", "anthropic-beta": "a-1, b-2"}
    body = {"model": "m", "max_tokens": 5, "messages": [], "temperature": 0.5}
    warm, cold = (decode(found, headers=headers) for found in (body, {**body, "temperature": None}))
    assert outgoing(exchange(warm)) == {"anthropic-version": "2023-06-01", "anthropic-beta": "a-1,b-2"}
    assert outgoing(exchange(cold))["anthropic-version"] == "2026-10-21"
    foreign = GenerateRequest("m", (Turn("user", (ImagePart(FileIdSource("anthropic", "f")),)),))
    assert outgoing(exchange(foreign, source="openai-chat"))["anthropic-beta"] == "files-api-2025-04-14"


def outgoing(asked: Exchange) -> dict[str, str]:
    return dict(CODEC.encode_request(asked).headers)


def test_a_count_asks_for_what_counts_only() -> None:
    counting = CODEC.token_counting
    assert counting is not None
    request = decode(
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": [{"name": "f"}]},
        operation="count_tokens",
    )
    for source in ("anthropic", "openai-chat"):
        body = orjson.loads(counting.encode_request(exchange(request, source=source)).body)
        assert set(body) == {"model", "messages", "tools"}
    for junk in (
        b"{}",
        b'{"input_tokens":true}',
        b"[]",
        b'{"type":"error","error":{"type":"api_error","message":"x"}}',
    ):
        with pytest.raises(GatewayError):
            counting.decode_answer(junk)


def test_a_tool_whose_schema_is_no_object_is_wrapped_and_its_calls_are_unwrapped() -> None:
    tool = FunctionTool("list", parameters={"type": "array", "items": {"type": "string"}})
    history = (HI, Turn("assistant", (ToolCallPart("c", "list", '["a"]'),)), Turn("tool", (ToolResultPart("c"),)))
    request = GenerateRequest("m", history, tools=(tool,))
    sent = encode(request)
    assert sent["tools"][0]["input_schema"]["properties"]["value"]["type"] == "array"
    assert sent["messages"][1]["content"][0]["input"] == {"value": ["a"]}
    data = sse(
        {"type": "message_start", "message": {"id": "m", "model": "m", "content": [], "usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "list"}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": '{"value":["b"]}'},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    )
    events = events_of(data, exchange(request, source="openai-chat"))
    calls = [event.part for event in events if hasattr(event, "part")]
    assert calls[-1] == ToolCallPart("t", "list", '["b"]')


def test_strict_tools_are_sent_strict_where_the_model_can() -> None:
    tool = FunctionTool("f", parameters={"type": "object", "properties": {}}, strict=True, defer=True, namespace="ns")
    request = GenerateRequest("m", (HI,), tools=(tool,))
    assert encode(request, can=Capabilities(json_schema=True))["tools"][0]["strict"] is True
    report = Report()
    sent = encode(request, report=report)["tools"][0]
    assert "strict" not in sent
    assert sent["name"] == "ns__f"
    assert report.warnings == (
        "emulate:tool.function.namespace",
        "drop:tool.function.strict",
        "drop:tool.function.defer",
    )


REFUSED: list[tuple[GenerateRequest, Capabilities]] = [
    (GenerateRequest("m", (HI,), tools=(FunctionTool("f"),)), Capabilities(tools=False)),
    (
        GenerateRequest(
            "m",
            (HI,),
            tools=(HostedTool("file_search", "openai-responses"),),
            tool_choice=ToolChoice("named", hosted_kind="file_search"),
        ),
        Capabilities(),
    ),
    (GenerateRequest("m", (HI, Turn("user", (CompactionPart(),)))), Capabilities()),
    (GenerateRequest("m", (Turn("user", (DocumentPart(InlineSource("application/zip", "aGk=")),)),)), Capabilities()),
    (GenerateRequest("m", (HI,), modalities=("audio",)), Capabilities()),
]


@pytest.mark.parametrize(("request_", "can"), REFUSED)
def test_what_can_not_be_said_is_refused(request_: GenerateRequest, can: Capabilities) -> None:
    with pytest.raises(InvalidRequest):
        encode(request_, can=can)


REDACTED = OpaqueState("anthropic", "redacted_thinking", "Emw")
ODDS: list[tuple[Role, Any, list[dict[str, Any]]]] = [
    ("user", VideoPart(UrlSource("https://a.test/v.mp4")), []),
    ("user", AudioPart(InlineSource("audio/wav", "aGk=")), []),
    ("user", ImagePart(InlineSource("image/tiff", "aGk=")), []),
    ("user", ImagePart(FileIdSource("openai", "f")), []),
    ("user", DocumentPart(FileIdSource("openai", "f")), []),
    ("user", DocumentPart(InlineSource("text/plain", "/w==")), []),
    ("user", CompactionPart(), []),
    ("user", CompactionPart("So far."), [{"type": "text", "text": "So far."}]),
    ("assistant", DocumentPart(TextSource("x")), [{"type": "text", "text": "[a document]"}]),
    ("assistant", ReasoningPart(opaque=(REDACTED,)), [{"type": "redacted_thinking", "data": "Emw"}]),
]


@pytest.mark.parametrize(("role", "part", "blocks"), ODDS)
def test_what_is_tolerated_is_left_out_and_the_rest_is_told(
    role: Role, part: Any, blocks: list[dict[str, Any]]
) -> None:
    tolerated = frozenset({"part.video", "part.audio", "part.compaction", "part.image.inline", "part.image.file"})
    report = Report(tolerated=tolerated | {"part.document.file", "part.document.inline"})
    sent = encode(GenerateRequest("m", (HI, Turn(role, (part, TextPart("x"))))), report=report)
    found = [block for message in sent["messages"] for block in message["content"]]
    assert found == [{"type": "text", "text": "Hi"}, *blocks, {"type": "text", "text": "x"}]


def test_documents_of_pictures_are_ours_alone() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://a.test/i.png"}}
    content = [
        {"type": "document", "source": {"type": "content", "content": [picture]}},
        {"type": "search_result", "source": "s", "title": "t", "content": [picture]},
    ]
    parts = decode({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": content}]}).turns[0].parts
    assert [type(part).__name__ for part in parts] == ["RawPart", "RawPart"]


def test_a_forced_tool_the_model_refuses_becomes_its_own_choice() -> None:
    request = GenerateRequest("m", (HI,), tools=(FunctionTool("f"),), tool_choice=ToolChoice("required"))
    report = Report()
    assert encode(request, can=Capabilities(tool_choices=frozenset({"auto"})), report=report)["tool_choice"] == {
        "type": "auto"
    }
    assert report.warnings == ("drop:tool_choice.required",)


def test_media_the_model_made_is_named_in_its_turn() -> None:
    made = (ImagePart(InlineSource("image/png", "aGk=")), AudioPart(InlineSource("audio/wav", "aGk="), "spoken"))
    sent = encode(GenerateRequest("m", (HI, Turn("assistant", made), HI)))
    assert [block["text"] for block in sent["messages"][1]["content"]] == ["[an image]", "spoken"]


def test_a_schema_beside_other_tools_leaves_the_choice_among_them() -> None:
    wanted = OutputFormat("json_schema", schema={"type": "array"}, description="Names.")
    request = GenerateRequest("m", (HI,), tools=(FunctionTool("f"),), output_format=wanted)
    sent = encode(request, can=Capabilities(json_schema=False))
    assert sent["tool_choice"] == {"type": "any"}
    assert sent["tools"][1]["description"] == "Names."
    body = {
        "id": "m",
        "content": [{"type": "tool_use", "id": "t", "name": "json_output", "input": {"value": [1]}}],
        "stop_reason": "tool_use",
    }
    asked = exchange(request, source="openai-chat", can=Capabilities(json_schema=False))
    candidate = CODEC.decode_response(orjson.dumps(body), asked).candidates[0]
    assert candidate.parts == (TextPart("[1]"),)
    assert candidate.finish == "stop"


@pytest.mark.parametrize("role", ["system", "assistant", "user"])
def test_a_wrong_block_is_named_by_its_path(role: Role) -> None:
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": role, "content": [{"type": "image"}]}]}
    with pytest.raises(InvalidRequest) as caught:
        decode(body)
    assert caught.value.param == "messages.0.content.0.source"
