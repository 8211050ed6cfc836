"""What holds for every body and every stream."""

from contextlib import suppress
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.grammar import check_events
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_responses import CODEC, WIRE
from aiproxy.codecs.report import Report
from aiproxy.framing import Frame
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.parts import Citation, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig
from aiproxy.neutral.response import Candidate, GenerateResponse
from aiproxy.neutral.usage import Usage
from tests.codecs.bench import SEALER
from tests.codecs.openai_responses import strategies
from tests.codecs.openai_responses.exchanges import decode, events_of, exchange, sse, through, wire
from tests.grammars.openai_responses import check_stream


@given(strategies.requests)
def test_a_request_comes_back_as_it_came(body: dict[str, Any]) -> None:
    assert through(body) == body


@given(strategies.answers)
def test_an_answer_comes_back_as_it_came(body: dict[str, Any]) -> None:
    response = CODEC.decode_response(dump(body), exchange())
    assert orjson.loads(CODEC.encode_response(response, exchange()).body) == body


@given(strategies.answers, st.data())
def test_a_stream_is_read_as_its_whole_answer(body: dict[str, Any], data: st.DataObject) -> None:
    events = events_of(streamed(body, data))
    check_events(events)
    assert collect(events) == CODEC.decode_response(dump(body), exchange())


@given(strategies.answers, st.data())
def test_a_stream_goes_through_to_a_client_of_the_same_protocol(body: dict[str, Any], data: st.DataObject) -> None:
    events = events_of(streamed(body, data))
    assert collect(events_of(wire(events))) == collect(events)


def streamed(body: dict[str, Any], data: st.DataObject) -> bytes:
    """The answer as OpenAI streams it, its texts cut anywhere. What other servers leave out is in the last response only: the end
    of one item, and all later ones."""
    created = {**body, "status": "in_progress", "output": []}
    bodies: list[dict[str, Any]] = [{"type": "response.created", "response": created}]
    whole = data.draw(st.integers(0, len(body["output"])))
    for place, item in enumerate(body["output"][: whole + 1]):
        bodies += grown(item, place, data)
        if place < whole:
            bodies.append({"type": "response.output_item.done", "output_index": place, "item": item})
    status = body.get("status", "completed")
    return sse(*bodies, {"type": f"response.{status}", "response": body})


def grown(item: dict[str, Any], place: int, data: st.DataObject) -> list[dict[str, Any]]:
    head = {"output_index": place, "item_id": item["id"]}
    match item["type"]:
        case "message":
            opened, bodies = {**item, "content": []}, []
            for index, part in enumerate(item["content"]):
                slot, kind = ("text", "output_text") if part["type"] == "output_text" else ("refusal", "refusal")
                bodies += pieces(part[slot], data, f"response.{kind}.delta", {**head, "content_index": index})
        case "reasoning":
            opened, bodies = {**item, "summary": []}, []
            for index, part in enumerate(item["summary"]):
                named = {**head, "summary_index": index}
                bodies += pieces(part["text"], data, "response.reasoning_summary_text.delta", named)
            for part in item.get("content") or ():
                bodies += pieces(part["text"], data, "response.reasoning_text.delta", {**head, "content_index": 0})
        case "function_call":
            opened = {**item, "arguments": ""}
            bodies = pieces(item["arguments"], data, "response.function_call_arguments.delta", head)
        case "custom_tool_call":
            opened = {**item, "input": ""}
            bodies = pieces(item["input"], data, "response.custom_tool_call_input.delta", head)
        case _:
            opened, bodies = item, []
    return [{"type": "response.output_item.added", "output_index": place, "item": opened}, *bodies]


def pieces(text: str, data: st.DataObject, kind: str, head: dict[str, Any]) -> list[dict[str, Any]]:
    """Some of the text; what is left out comes with the item."""
    first, second = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    return [{"type": kind, **head, "delta": piece, "logprobs": []} for piece in (text[:first], text[first:second])]


EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.output_item.done",
    "response.content_part.added",
    "response.output_text.delta",
    "response.refusal.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_text.delta",
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
    "response.output_text.annotation.added",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.web_search_call.searching",
    "error",
    "keepalive",
    "later",
]
anything = strategies.json_values
junk_items = strategies.output_items | strategies.items | anything
junk_bodies = st.fixed_dictionaries(
    {"type": st.sampled_from(EVENTS) | anything},
    optional={
        "output_index": st.integers(0, 2) | anything,
        "content_index": st.integers(0, 1) | anything,
        "summary_index": st.integers(0, 1) | anything,
        "item_id": strategies.ids | anything,
        "item": junk_items,
        "delta": strategies.short | anything,
        "logprobs": strategies.logprobs | anything,
        "annotation": anything | strategies.annotations.map(lambda found: found[0] if found else None),
        "response": strategies.answers
        | anything
        | st.fixed_dictionaries({"output": st.lists(junk_items, max_size=2) | anything}, optional={"usage": anything}),
        "error": anything,
        "code": anything,
        "message": anything,
    },
)
frames = st.builds(
    Frame,
    st.sampled_from(["", ":", *EVENTS]),
    st.binary(max_size=20) | junk_bodies.map(dump) | st.just(b"[DONE]"),
)
START = Frame("response.created", dump({"type": "response.created", "response": {"id": "resp_1"}}))


@given(st.booleans(), st.lists(frames, max_size=12))
def test_junk_gives_events_or_our_errors(begun: bool, junk: list[Frame]) -> None:
    decoder, observer, encoder = CODEC.decoder(exchange()), WIRE.observer(), CODEC.encoder(exchange())
    events = []
    with suppress(GatewayError):
        for frame in [START, *junk] if begun else junk:
            for event in decoder.feed(frame):
                events.append(event)
                encoder.feed(event)
        events += decoder.close()
        check_events(events)
    with suppress(GatewayError):
        for frame in junk:
            observer.feed(frame)
            assert observer.seen is not None


@given(st.binary(max_size=40) | anything.map(dump) | strategies.answers.map(dump) | st.lists(junk_items).map(dump))
def test_junk_answers_give_answers_or_our_errors(body: bytes) -> None:
    with suppress(GatewayError):
        CODEC.decode_response(body, exchange())
    with suppress(GatewayError):
        WIRE.observe(body)


@given(
    st.fixed_dictionaries(
        {"model": strategies.names},
        optional={
            "input": st.lists(junk_items, max_size=4) | anything,
            "tools": st.lists(strategies.tools | anything, max_size=2) | anything,
            "tool_choice": anything,
            "text": anything,
            "instructions": anything,
            "reasoning": anything,
            "stream": anything,
            "conversation": anything,
            "metadata": anything,
        },
    )
)
def test_junk_requests_are_read_or_refused(body: dict[str, Any]) -> None:
    """What is read goes back as it came, however strange."""
    with suppress(GatewayError):
        request = CODEC.decode_request(Incoming(dump(body)), SEALER, Report())
        assert orjson.loads(CODEC.encode_request(exchange(request)).body) == body
        CODEC.encode_request(exchange(request, source="openai-chat"))


citations = st.builds(Citation, url=st.just("https://a"), title=st.just("t"), start=st.just(0), end=st.just(1))
states = st.sampled_from(
    [
        OpaqueState("anthropic", "thinking_signature", "sig"),
        OpaqueState("openai", "encrypted_reasoning", "gAAA", "rs_1"),
        OpaqueState("google", "thought_signature", "c2ln"),
    ]
)
neutral_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(TextPart, strategies.short, st.lists(citations, max_size=2).map(tuple)),
    st.builds(RefusalPart, strategies.short),
    st.builds(
        ReasoningPart,
        strategies.short,
        st.lists(strategies.short, max_size=2).map(tuple),
        opaque=st.lists(states, max_size=1).map(tuple),
    ),
    st.builds(
        ToolCallPart,
        strategies.ids,
        strategies.names,
        st.sampled_from(["", "{}", '{"a":1}', '{"a":']),
        arguments_kind=st.sampled_from(["json", "freeform"]),
        opaque=st.lists(st.just(OpaqueState("google", "thought_signature", "c2ln")), max_size=1).map(tuple),
    ),
)
neutral_answers = st.builds(
    GenerateResponse,
    st.sampled_from(["resp_1", "msg_1", "chatcmpl-1"]),
    st.just("m"),
    st.integers(0, 2**31),
    st.lists(neutral_parts, max_size=4).map(lambda parts: (Candidate(0, tuple(parts)),)),
    st.none() | st.just(Usage(input_uncached=3, cache_read=2, output_visible=5, reasoning=1)),
)


@given(neutral_answers, st.booleans())
def test_every_answer_obeys_the_grammar(response: GenerateResponse, thoughts_shown: bool) -> None:
    shown = ReasoningConfig(visibility="summary" if thoughts_shown else None)
    asked = GenerateRequest("alias", reasoning=shown)
    last = check_stream(wire(explode(response), asked))
    assert last == orjson.loads(CODEC.encode_response(response, exchange(asked)).body)
    read = collect(events_of(wire(explode(response), asked)))
    spoken = [part for part in response.candidates[0].parts if isinstance(part, TextPart | RefusalPart)]
    said = [part for part in spoken if part.text or (isinstance(part, TextPart) and part.citations)]
    heard = [part for part in read.candidates[0].parts if isinstance(part, TextPart | RefusalPart)]
    assert [part.text for part in heard] == [part.text for part in said]
    called = [part for part in response.candidates[0].parts if isinstance(part, ToolCallPart)]
    understood = [part for part in read.candidates[0].parts if isinstance(part, ToolCallPart)]
    assert [(call.name, call.arguments_kind) for call in understood] == [
        (call.name, call.arguments_kind) for call in called
    ]
    assert read.usage == response.usage or response.usage is None or read.usage is not None


@given(strategies.requests)
def test_what_an_answer_repeats_never_breaks_it(body: dict[str, Any]) -> None:
    response = GenerateResponse("x", "m", 0, (Candidate(0, (TextPart("hi"),)),))
    assert check_stream(wire(explode(response), decode(body)))["output"]
