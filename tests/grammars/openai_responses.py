"""Whether bytes are a Responses stream, to the letter. Source: OpenAI API reference, responses streaming.

    stream    = created in_progress { item } terminal                numbered 0, 1, 2 … by `sequence_number`
    item      = output_item.added body output_item.done              one at a time, `output_index` 0, 1, 2 …
    message   = { content_part.added { delta | annotation } done content_part.done }     `content_index` 0, 1, 2 …
    reasoning = { summary_part.added { delta } text.done part.done } [ { reasoning_text.delta } reasoning_text.done ]
    call      = { delta } done
    terminal  = completed | incomplete | failed                      its output holds the items that were done

Other items may have events of their own in between, with their `item_id` and `output_index`. It is stricter than clients are."""

from dataclasses import dataclass, field
from typing import Any

import orjson

TERMINAL = {
    "response.completed": {"completed"},
    "response.incomplete": {"incomplete", "cancelled"},
    "response.failed": {"failed"},
}
CALLS = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
}
TEXTS = {"output_text": ("response.output_text", "text"), "refusal": ("response.refusal", "refusal")}


def payloads(data: bytes) -> list[dict[str, Any]]:
    """The events. Between them only comments may stand, each with its blank line."""
    assert data.endswith(b"\n\n"), f"the last event lacks its blank line: {data[-80:]!r}"
    found: list[dict[str, Any]] = []
    for block in data[:-2].split(b"\n\n"):
        if block.startswith(b":"):
            continue
        name, _, value = block.partition(b"\n")
        assert name.startswith(b"event: "), block[:80]
        assert value.startswith(b"data: "), block[:80]
        assert b"\n" not in value, f"an event of several lines: {block[:80]!r}"
        body = orjson.loads(value.removeprefix(b"data: "))
        assert body["type"] == name.removeprefix(b"event: ").decode()
        assert body["sequence_number"] == len(found), f"{body['type']} is {body['sequence_number']}, not {len(found)}"
        found.append(body)
    return found


def check_stream(data: bytes) -> dict[str, Any]:
    """The last response of a complete stream. AssertionError says where it leaves the grammar."""
    response = _check(payloads(data))
    assert response["status"] != "failed", response["error"]
    return response


def check_failed_stream(data: bytes) -> dict[str, Any]:
    """The error of a stream that ends with `response.failed`; an item may have been open."""
    response = _check(payloads(data), broken=True)
    assert response["status"] == "failed", response["status"]
    assert isinstance(response["error"]["code"], str)
    assert isinstance(response["error"]["message"], str)
    error: dict[str, Any] = response["error"]
    return error


def check_error(error: dict[str, Any]) -> None:
    assert {"message", "type", "param", "code"} <= set(error), error
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["type"], str)


def _check(events: list[dict[str, Any]], *, broken: bool = False) -> dict[str, Any]:
    created, progress, *middle, last = events
    assert created["type"] == "response.created"
    assert progress["type"] == "response.in_progress"
    assert last["type"] in TERMINAL, f"the stream ends with {last['type']}"
    response: dict[str, Any] = last["response"]
    assert response["status"] in TERMINAL[last["type"]], response["status"]
    heads = [(event["response"]["id"], event["response"]["model"]) for event in (created, progress, last)]
    assert len(set(heads)) == 1, f"the responses differ in their head: {heads}"
    assert created["response"]["status"] == "in_progress"
    assert created["response"]["output"] == []
    items: list[_Item] = []
    for event in middle:
        assert event["type"] not in TERMINAL, "an event after the end"
        if event["type"] == "response.output_item.added":
            assert not items or items[-1].done, "an item began inside another"
            assert event["output_index"] == len(items)
            items.append(_Item(event["item"], len(items)))
        else:
            assert items, f"{event['type']} before the first item"
            items[-1].feed(event)
    if not broken:
        assert all(item.done for item in items), "an item that was never done"
    assert response["output"] == [item.done for item in items if item.done], "the output is not the items"
    keys = [item.get("id") for item in response["output"]]
    assert len(set(keys)) == len(keys), f"ids occur twice: {keys}"
    _check_usage(response.get("usage"))
    return response


@dataclass
class _Item:
    added: dict[str, Any]
    index: int
    done: dict[str, Any] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(default_factory=list)
    open: dict[str, Any] | None = None
    text: str = ""
    annotations: list[Any] = field(default_factory=list)
    summaries: list[str] = field(default_factory=list)
    raw: str | None = None
    ended: bool = False

    def feed(self, event: dict[str, Any]) -> None:
        assert not self.done, f"{event['type']} after its item was done"
        assert event["output_index"] == self.index
        kind = self.added["type"]
        if event["type"] == "response.output_item.done":
            self._finish(event["item"])
            return
        assert event["item_id"] == self.added["id"], event
        if kind == "message":
            self._message(event)
        elif kind == "reasoning":
            self._reasoning(event)
        elif kind in CALLS:
            self._call(event, *CALLS[kind])

    def _message(self, event: dict[str, Any]) -> None:
        assert event["content_index"] == len(self.parts), event
        if event["type"] == "response.content_part.added":
            assert self.open is None
            self.open, self.text, self.annotations, self.ended = event["part"], "", [], False
            return
        assert self.open is not None, f"{event['type']} without its part"
        kind = self.open["type"]
        if event["type"] == "response.content_part.done":
            part = event["part"]
            assert part["type"] == kind
            if kind in TEXTS:
                assert self.ended, "a part ended before its text"
                assert part[TEXTS[kind][1]] == self.text
                assert part.get("annotations", []) == self.annotations
            self.parts.append(part)
            self.open = None
            return
        name, slot = TEXTS[kind]
        assert not self.ended
        if event["type"] == f"{name}.delta":
            assert event["delta"], "an empty delta"
            assert kind == "refusal" or isinstance(event["logprobs"], list)
            self.text += event["delta"]
        elif event["type"] == "response.output_text.annotation.added":
            assert event["annotation_index"] == len(self.annotations)
            self.annotations.append(event["annotation"])
        else:
            assert event["type"] == f"{name}.done", event["type"]
            assert event[slot] == self.text
            self.ended = True

    def _reasoning(self, event: dict[str, Any]) -> None:
        match event["type"].removeprefix("response."):
            case "reasoning_summary_part.added":
                assert self.open is None
                assert event["summary_index"] == len(self.summaries)
                self.open, self.text, self.ended = event["part"], "", False
            case "reasoning_summary_text.delta":
                assert self.open is not None
                assert event["delta"]
                assert event["summary_index"] == len(self.summaries)
                self.text += event["delta"]
            case "reasoning_summary_text.done":
                assert event["text"] == self.text
                self.ended = True
            case "reasoning_summary_part.done":
                assert self.ended
                assert event["part"] == {"type": "summary_text", "text": self.text}
                assert event["summary_index"] == len(self.summaries)
                self.summaries.append(self.text)
                self.open = None
            case "reasoning_text.delta":
                assert self.open is None
                assert event["content_index"] == 0
                assert event["delta"]
                self.raw = (self.raw or "") + event["delta"]
            case "reasoning_text.done":
                assert event["text"] == self.raw
            case other:
                raise AssertionError(f"{other} in a reasoning item")

    def _call(self, event: dict[str, Any], name: str, slot: str) -> None:
        assert not self.ended
        if event["type"] == f"{name}.delta":
            assert event["delta"], "an empty delta"
            self.text += event["delta"]
        else:
            assert event["type"] == f"{name}.done", event["type"]
            assert event[slot] == self.text
            self.ended = True

    def _finish(self, item: dict[str, Any]) -> None:
        kind = item["type"]
        assert kind == self.added["type"]
        assert item.get("id") == self.added.get("id")
        assert self.open is None, "an item ended inside a part"
        if kind == "message":
            assert item["content"] == self.parts
            assert item["role"] == "assistant"
            assert self.parts, "a message without content"
        elif kind == "reasoning":
            assert [part["text"] for part in item["summary"]] == self.summaries
        elif kind in CALLS:
            assert self.ended
            assert item[CALLS[kind][1]] == self.text
            assert item["call_id"] == self.added["call_id"]
            assert item["name"] == self.added["name"]
        self.done = item


def _check_usage(usage: dict[str, Any] | None) -> None:
    if usage is not None:
        assert usage["input_tokens"] + usage["output_tokens"] == usage["total_tokens"], usage
        assert isinstance(usage["input_tokens_details"]["cached_tokens"], int)
        assert isinstance(usage["output_tokens_details"]["reasoning_tokens"], int)
