"""What an answer of this protocol is for a client of another, and what interleaved answers of others are here."""

from typing import Any

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.grammar import check_events
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_responses import CODEC
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.collect import collect
from aiproxy.neutral.events import (
    CandidateFinished,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    RawEvent,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
)
from aiproxy.neutral.parts import HostedToolCallPart, Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import GenerateRequest, OutputFormat
from aiproxy.neutral.tools import FreeformTool, FunctionTool
from tests.codecs.bench import FOREIGN, SEALER
from tests.codecs.openai_responses.exchanges import events_of, exchange, sse, wire
from tests.grammars.openai_responses import check_stream

ASKED = GenerateRequest(
    "gpt-test",
    tools=(
        FreeformTool("patch"),
        FunctionTool("pick one", parameters={"type": "string", "enum": ["a", "b"]}),
        FunctionTool("plain", parameters={"type": "object", "properties": {}}),
    ),
    output_format=OutputFormat("json_schema", "list", {"type": "array", "items": {"type": "string"}}),
)


def call(place: int, name: str, text: str) -> list[dict[str, Any]]:
    item = {"type": "function_call", "id": f"fc_{place}", "call_id": f"c{place}", "name": name, "arguments": text}
    told = {"type": "response.function_call_arguments.delta", "item_id": f"fc_{place}", "output_index": place}
    return [
        {"type": "response.output_item.added", "output_index": place, "item": {**item, "arguments": ""}},
        *({**told, "delta": piece} for piece in (text[:4], text[4:])),
        {"type": "response.output_item.done", "output_index": place, "item": item},
    ]


def test_what_was_reshaped_for_the_upstream_is_shaped_back() -> None:
    asked = exchange(ASKED, source=FOREIGN, can=Capabilities(freeform_tools=False))
    message = {
        "type": "message",
        "id": "msg_3",
        "role": "assistant",
        "content": [{"type": "output_text", "text": '{"value":["x"]}', "annotations": []}],
    }
    output = [*call(0, "patch", '{"input":"*** Begin"}'), *call(1, "pick_one", '{"value":"a"}')]
    output += call(2, "plain", '{"n":1}')
    told = {"type": "response.output_text.delta", "item_id": "msg_3", "output_index": 3, "content_index": 0}
    output += [
        {**told, "delta": '{"value":'},
        {"type": "response.output_item.done", "output_index": 3, "item": message},
    ]
    whole = {"id": "resp_1", "model": "m", "created_at": 1, "status": "completed"}
    whole["output"] = [body["item"] for body in output if body["type"] == "response.output_item.done"]
    events = events_of(
        sse(
            {"type": "response.created", "response": {**whole, "output": []}},
            *output,
            {"type": "response.completed", "response": whole},
        ),
        asked,
    )
    check_events(events)
    response = collect(events)
    assert response == CODEC.decode_response(dump(whole), asked)
    patch, pick, plain, text = response.candidates[0].parts
    assert isinstance(patch, ToolCallPart)
    assert (patch.name, patch.arguments_kind, patch.arguments_text) == ("patch", "freeform", "*** Begin")
    assert isinstance(pick, ToolCallPart)
    assert (pick.name, pick.arguments_text) == ("pick one", '"a"')
    assert isinstance(plain, ToolCallPart)
    assert plain.arguments_text == '{"n":1}'
    assert isinstance(text, TextPart)
    assert text.text == '["x"]'
    grown = [event.fragment for event in events if isinstance(event, ToolCallArgumentsDelta)]
    assert grown == ['{"n"', ":1}"]


def test_parts_that_interleave_follow_one_another() -> None:
    one, two = ToolCallPart("c1", "a", '{"x":1}'), ToolCallPart("c2", "b", "{}")
    parts: tuple[Part, ...] = (TextPart("Hello"), one, two)
    events: list[StreamEvent] = [
        ResponseStarted("x", "m"),
        PartStarted(0, TextPart()),
        PartStarted(1, ToolCallPart("c1", "a")),
        PartStarted(2, ToolCallPart("c2", "b")),
        ToolCallArgumentsDelta(2, "{}"),
        TextDelta(0, "Hel"),
        ToolCallArgumentsDelta(1, '{"x"'),
        Heartbeat(),
        TextDelta(0, "lo"),
        *(PartFinished(index, part) for index, part in reversed(list(enumerate(parts)))),
        CandidateFinished("tool_calls"),
        ResponseFinished(),
    ]
    output = check_stream(wire(events))["output"]
    assert [item["type"] for item in output] == ["message", "function_call", "function_call"]
    assert [item.get("arguments") for item in output] == [None, '{"x":1}', "{}"]


def test_a_signature_stands_before_its_call_when_it_is_known_in_time() -> None:
    state = OpaqueState("google", "thought_signature", "c2ln")
    for early in (True, False):
        part = ToolCallPart("c1", "a", "{}", opaque=(state,))
        deltas: list[StreamEvent] = [OpaqueStateSet(0, state), ToolCallArgumentsDelta(0, "{}")]
        events: list[StreamEvent] = [
            ResponseStarted("x", "m"),
            PartStarted(0, ToolCallPart("c1", "a")),
            *(deltas if early else reversed(deltas)),
            PartFinished(0, part),
            CandidateFinished("tool_calls"),
            ResponseFinished(),
        ]
        kinds = [item["type"] for item in check_stream(wire(events))["output"]]
        assert kinds == (["reasoning", "function_call"] if early else ["function_call", "reasoning"])


def test_events_of_this_protocol_alone_reach_its_client_while_their_item_is_open() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}
    searching: dict[str, Any] = {"type": "response.web_search_call.searching", "item_id": "ws_1", "output_index": 7}
    part = HostedToolCallPart("web_search", "ws_1", item, id="ws_1", extensions={CODEC.name: {"~own": True}})
    events: list[StreamEvent] = [
        ResponseStarted("resp_1", "m"),
        RawEvent(CODEC.name, searching["type"], searching),
        PartStarted(0, part),
        RawEvent(CODEC.name, searching["type"], searching),
        RawEvent("gemini", "x", {}),
        PartFinished(0, part),
        CandidateFinished("stop"),
        ResponseFinished(),
    ]
    data = wire(events)
    check_stream(data)
    assert data.count(b"event: response.web_search_call.searching") == 1


def test_thinking_nobody_asked_to_see_is_carried_and_not_shown() -> None:
    thought = ReasoningPart("secret thought", opaque=(OpaqueState("anthropic", "thinking_signature", "sig"),))
    events: list[StreamEvent] = [
        ResponseStarted("x", "m"),
        PartStarted(0, ReasoningPart()),
        PartFinished(0, thought),
        CandidateFinished("stop"),
        ResponseFinished(),
    ]
    data = wire(events)
    assert b"secret thought" not in data
    (item,) = check_stream(data)["output"]
    assert item["summary"] == []
    opened = SEALER.open(item["encrypted_content"])
    assert opened is not None
    assert (opened.text, opened.state.data) == ("secret thought", "sig")
