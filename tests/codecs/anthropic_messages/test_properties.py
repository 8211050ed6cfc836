"""What holds for every body and every stream."""

from contextlib import suppress
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.anthropic_messages import CODEC, WIRE
from aiproxy.codecs.arguments import as_text
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.grammar import check_events
from aiproxy.codecs.report import Report
from aiproxy.codecs.serializer import Serializer
from aiproxy.framing import Frame
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.parts import Citation, Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.response import Candidate, GenerateResponse
from aiproxy.neutral.usage import Usage
from tests.codecs.anthropic_messages import strategies
from tests.codecs.anthropic_messages.exchanges import decode, events_of, exchange, sse, wire
from tests.codecs.bench import SEALER
from tests.grammars.anthropic_messages import check_stream


@given(strategies.requests)
def test_a_request_comes_back_as_it_came(body: dict[str, Any]) -> None:
    request = decode(body)
    assert orjson.loads(CODEC.encode_request(exchange(request)).body) == body


@given(strategies.answers)
def test_an_answer_comes_back_as_it_came(body: dict[str, Any]) -> None:
    response = CODEC.decode_response(orjson.dumps(body), exchange())
    assert orjson.loads(CODEC.encode_response(response, exchange()).body) == body


@given(strategies.answers, st.data())
def test_a_stream_is_read_as_its_whole_answer(body: dict[str, Any], data: st.DataObject) -> None:
    events = events_of(streamed(body, data))
    check_events(events)
    assert collect(events) == CODEC.decode_response(orjson.dumps(body), exchange())


@given(strategies.answers, st.data())
def test_a_stream_goes_through_to_a_client_of_the_same_protocol(body: dict[str, Any], data: st.DataObject) -> None:
    events = events_of(streamed(body, data))
    shown = wire(events)
    assert collect(events_of(shown)) == collect(events)


def streamed(body: dict[str, Any], data: st.DataObject) -> bytes:
    """The answer as Anthropic streams it, its text cut anywhere."""
    ends = {name: body[name] for name in ("stop_reason", "stop_sequence", "stop_details") if name in body}
    head = {name: value for name, value in body.items() if name not in ends}
    start = {**head, "content": [], "stop_reason": None, "stop_sequence": None}
    bodies: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(body["content"]):
        opened, deltas = grown(block, data)
        bodies.append({"type": "content_block_start", "index": index, "content_block": opened})
        bodies += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        bodies.append({"type": "content_block_stop", "index": index})
    bodies.append({"type": "message_delta", "delta": ends, "usage": body["usage"]})
    return sse(*bodies, {"type": "message_stop"})


def grown(block: dict[str, Any], data: st.DataObject) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    match block["type"]:
        case "text":
            cited = [{"type": "citations_delta", "citation": found} for found in block.get("citations") or ()]
            opened = {**block, "text": ""} if not cited else {**block, "text": "", "citations": []}
            return opened, [*pieces(block["text"], data, "text_delta", "text"), *cited]
        case "thinking":
            deltas = pieces(block["thinking"], data, "thinking_delta", "thinking")
            signed = [{"type": "signature_delta", "signature": block["signature"]}]
            return {**block, "thinking": "", "signature": ""}, [*deltas, *signed]
        case "tool_use" | "server_tool_use":
            written = as_text(block["input"])
            return {**block, "input": {}}, pieces(written, data, "input_json_delta", "partial_json")
        case _:
            return block, []


def pieces(text: str, data: st.DataObject, kind: str, slot: str) -> list[dict[str, Any]]:
    cut = data.draw(st.integers(0, len(text)))
    return [{"type": kind, slot: piece} for piece in (text[:cut], text[cut:])]


KINDS = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
    "later",
]

junk_bodies = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS) | strategies.anything},
    optional={
        "index": st.integers(0, 2) | strategies.anything,
        "message": strategies.answers | strategies.anything,
        "content_block": strategies.texts | strategies.tool_uses | strategies.thinking | strategies.anything,
        "delta": st.fixed_dictionaries(
            {"type": st.sampled_from(["text_delta", "input_json_delta", "signature_delta", "citations_delta", "x"])},
            optional={
                "text": strategies.anything,
                "partial_json": strategies.anything,
                "signature": strategies.anything,
                "citation": strategies.anything,
                "stop_reason": strategies.anything,
            },
        )
        | strategies.anything,
        "usage": strategies.usages | strategies.anything,
        "error": strategies.anything,
    },
)
frames = st.builds(
    Frame,
    st.sampled_from(["", ":", *KINDS]),
    st.binary(max_size=20) | junk_bodies.map(orjson.dumps) | st.just(b"[DONE]"),
)
START = Frame("message_start", orjson.dumps({"type": "message_start", "message": {"id": "m", "usage": {}}}))


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


@given(st.binary(max_size=40) | strategies.anything.map(orjson.dumps) | junk_bodies.map(orjson.dumps))
def test_junk_answers_give_answers_or_our_errors(body: bytes) -> None:
    for read in (CODEC.decode_response, lambda body, _: WIRE.observe(body)):
        with suppress(GatewayError):
            read(body, exchange())


junk_requests = st.fixed_dictionaries(
    {},
    optional={
        name: strategies.anything
        | st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": strategies.anything}), max_size=2)
        for name in ("model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking", "output_config")
    },
)


@given(st.binary(max_size=40) | junk_requests.map(orjson.dumps))
def test_junk_requests_give_requests_or_our_errors(body: bytes) -> None:
    with suppress(GatewayError):
        CODEC.decode_request(Incoming(body), SEALER, Report())


citations = st.builds(Citation, st.just("https://a.test/"), strategies.text | st.none(), strategies.text | st.none())
signed = st.builds(
    lambda vendor, data: (OpaqueState(vendor, "thinking_signature", data),),
    st.sampled_from(["anthropic", "openai", "google"]),
    strategies.said,
)
neutral_parts: st.SearchStrategy[Part] = (
    st.builds(TextPart, strategies.said, st.tuples() | st.tuples(citations))
    | st.builds(ReasoningPart, strategies.said, opaque=signed | st.just(()))
    | st.builds(lambda text, opaque: ReasoningPart("", (text, text), opaque=opaque), strategies.said, signed)
    | st.builds(
        lambda call_id, name, found, opaque: ToolCallPart(call_id, name, orjson.dumps(found).decode(), opaque=opaque),
        strategies.ids,
        strategies.words,
        strategies.objects,
        st.just(()) | st.builds(lambda data: (OpaqueState("google", "thought_signature", data),), strategies.said),
    )
)
neutral_answers = st.builds(
    lambda parts, usage: GenerateResponse(
        "msg_1", "claude-test", 0, (Candidate(0, tuple(parts), finish_of(parts)),), usage
    ),
    st.lists(neutral_parts, max_size=5),
    st.just(Usage(input_uncached=3, output_visible=4)),
)


def finish_of(parts: list[Part]) -> Any:
    return "tool_calls" if any(isinstance(part, ToolCallPart) for part in parts) else "stop"


@given(neutral_answers)
def test_every_stream_we_write_obeys_the_grammar_and_says_what_was_said(answer: GenerateResponse) -> None:
    data = wire(explode(answer))
    check_stream(data)
    assert plainly(collect(events_of(data))) == plainly(answer)


@given(neutral_answers)
def test_parts_that_interleave_are_shown_one_by_one(answer: GenerateResponse) -> None:
    ordered = [*explode(answer)]
    inside = [event for event in ordered if hasattr(event, "part_index")]
    by_part = sorted(range(len(inside)), key=lambda i: (type(inside[i]).__name__ != "PartStarted", i % 3, i))
    mixed = [inside[i] for i in sorted(by_part, key=lambda i: rank(inside[i]))]
    serial = [e for event in [ordered[0], *mixed, *ordered[-2:]] for e in Serializer().feed(event)]
    check_stream(wire(serial))


def rank(event: Any) -> int:
    return {"PartStarted": 0, "PartFinished": 2}.get(type(event).__name__, 1)


def plainly(answer: GenerateResponse) -> list[tuple[str, Any]]:
    """What a client sees, without the carriers of opaque state."""
    seen: list[tuple[str, Any]] = []
    for part in answer.candidates[0].parts:
        match part:
            case TextPart(text=text, citations=cited):
                seen.append(("text", (text, tuple(c.url for c in cited))))
            case ReasoningPart(text=text, summaries=summaries) if text or summaries:
                seen.append(("thinking", text or "\n\n".join(summaries)))
            case ToolCallPart(call_id=call_id, name=name, arguments_text=arguments):
                seen.append(("call", (call_id, name, orjson.loads(arguments or "{}"))))
            case _:
                pass
    return [*seen, ("finish", answer.candidates[0].finish), ("usage", answer.usage)]
