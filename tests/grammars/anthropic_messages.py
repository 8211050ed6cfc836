"""Whether bytes are a Messages stream, to the letter. Source: Anthropic API reference, streaming messages.

    stream = message_start { ping | block } message_delta message_stop
    block  = content_block_start { ping | content_block_delta } content_block_stop      index 0, 1, 2 …, never two open
    failed = any beginning of a stream, then one error event and nothing more

It is stricter than clients are: what the official SDK only tolerates is refused here."""

from typing import Any

import orjson

STOP_REASONS = {
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    "compaction",
}

CUT_OFF = {"max_tokens", "model_context_window_exceeded"}
"""Reasons that may leave half an input behind."""

DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
    "mcp_tool_use": {"input_json_delta"},
}
"""The deltas of each kind of block; the others come whole."""

EMPTY: dict[str, dict[str, Any]] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "tool_use": {"input": {}},
    "server_tool_use": {"input": {}},
    "mcp_tool_use": {"input": {}},
}
"""What a block that grows starts with."""

ERROR_TYPES = {
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "conflict_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "overloaded_error",
    "timeout_error",
}


def payloads(data: bytes) -> list[dict[str, Any]]:
    """The events' data. Between events only comments may stand, each with its blank line."""
    assert data.endswith(b"\n\n"), f"the last event lacks its blank line: {data[-80:]!r}"
    assert b"\r" not in data
    found = []
    for block in data[:-2].split(b"\n\n"):
        if block.startswith(b":"):
            continue
        name, line_end, rest = block.partition(b"\n")
        assert name.startswith(b"event: "), f"an event without a name: {block[:80]!r}"
        assert line_end, f"an event without data: {block[:80]!r}"
        assert rest.startswith(b"data: "), f"not a data line: {rest[:80]!r}"
        assert b"\n" not in rest, f"an event of several data lines: {block[:80]!r}"
        event = orjson.loads(rest.removeprefix(b"data: "))
        assert event["type"] == name.removeprefix(b"event: ").decode(), f"{name!r} is a {event['type']}"
        found.append(event)
    return found


def check_stream(data: bytes) -> list[dict[str, Any]]:
    """The events of a complete stream. AssertionError says where it leaves the grammar."""
    events = payloads(data)
    *before, end, stop = events
    inputs = _check_blocks(before, may_be_open=False)
    assert end["type"] == "message_delta", f"before the end stands {end['type']}"
    assert end["delta"]["stop_reason"] in STOP_REASONS, end["delta"]
    assert "stop_sequence" in end["delta"], end["delta"]
    _check_usage(end["usage"])
    assert stop == {"type": "message_stop"}
    if end["delta"]["stop_reason"] not in CUT_OFF:
        for written in inputs:
            assert isinstance(orjson.loads(written), dict), f"the input of a tool is no object: {written}"
    if end["delta"]["stop_reason"] == "tool_use":
        assert any(_block_type(event) == "tool_use" for event in before), "tool_use without a tool call"
    return events


def check_failed_stream(data: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The events and the error of a stream that ends with an error event: nothing follows it."""
    *before, last = payloads(data)
    check_error(last)
    _check_blocks(before, may_be_open=True)
    return before, last["error"]


def check_error(body: dict[str, Any]) -> None:
    assert body["type"] == "error"
    assert set(body) <= {"type", "error", "request_id"}, body
    assert body["error"]["type"] in ERROR_TYPES, body
    assert isinstance(body["error"]["message"], str)
    assert body["error"]["message"]


def _check_blocks(events: list[dict[str, Any]], *, may_be_open: bool) -> list[str]:
    """The inputs of tools, as text."""
    inputs = []
    assert events, "an empty stream"
    _check_start(events[0])
    expected = 0
    block: dict[str, Any] | None = None
    text = ""
    for event in events[1:]:
        match event["type"]:
            case "ping":
                assert set(event) == {"type"}
            case "content_block_start":
                assert block is None, "a block starts inside another"
                assert event["index"] == expected, f"block {event['index']}, {expected} was next"
                block, text = event["content_block"], ""
                _check_block(block)
            case "content_block_delta":
                assert block is not None, "a delta outside a block"
                assert event["index"] == expected
                text += _check_delta(block, event["delta"])
            case "content_block_stop":
                assert block is not None, "a block ends that did not start"
                assert event == {"type": "content_block_stop", "index": expected}
                if block["type"] in ("tool_use", "server_tool_use") and text:
                    inputs.append(text)
                if block["type"] == "text":
                    assert text or block.get("cited"), "an empty text block"
                if block["type"] == "thinking":
                    assert block.get("signed"), "a thinking block without signature"
                block = None
                expected += 1
            case _:
                raise AssertionError(f"{event['type']} among the blocks")
    assert may_be_open or block is None, "a block that never ends"
    return inputs


def _check_start(event: dict[str, Any]) -> None:
    assert event["type"] == "message_start", f"the stream begins with {event['type']}"
    message = event["message"]
    assert message["type"] == "message"
    assert message["role"] == "assistant"
    assert message["content"] == []
    assert message["stop_reason"] is None
    assert message["stop_sequence"] is None
    assert isinstance(message["id"], str)
    assert message["id"]
    assert isinstance(message["model"], str)
    _check_usage(message["usage"])


def _check_block(block: dict[str, Any]) -> None:
    for name, value in EMPTY.get(block["type"], {}).items():
        assert block[name] == value, f"a {block['type']} block starts with {name} {block[name]!r}"
    if block["type"].endswith("tool_use"):
        assert block["id"]
        assert block["name"]


def _check_delta(block: dict[str, Any], delta: dict[str, Any]) -> str:
    """The text it brings. Marks the block as signed or cited."""
    kind = delta["type"]
    assert kind in DELTAS.get(block["type"], ()), f"a {kind} in a {block['type']} block"
    assert not block.get("signed"), "a delta after the signature"
    match kind:
        case "signature_delta":
            assert delta["signature"], "an empty signature"
            block["signed"] = True
            return ""
        case "citations_delta":
            assert delta["citation"]["type"]
            block["cited"] = True
            return ""
    (text,) = (value for name, value in delta.items() if name != "type")
    assert isinstance(text, str)
    assert text, "an empty delta"
    return text


def _check_usage(usage: dict[str, Any]) -> None:
    for name in ("input_tokens", "output_tokens"):
        assert isinstance(usage[name], int), usage
        assert usage[name] >= 0, usage


def _block_type(event: dict[str, Any]) -> str | None:
    return event["content_block"]["type"] if event["type"] == "content_block_start" else None
