"""Whether bytes are a Chat Completions stream, to the letter. Source: OpenAI API reference, streaming.

    stream      = first-chunk { delta-chunk } finish-chunk [ usage-chunk ] "data: [DONE]"     per choice up to its finish
    first-chunk = delta {role: "assistant", content: "" | null, refusal?: null}               the role exactly once
    delta-chunk = delta of one kind: content | refusal | reasoning_content | tool_calls | audio | function_call | annotations
                | reasoning_details | images | extra_content                                  in OpenRouter's and Google's form
    fragment    = {index, id, type, function: {name, arguments: ""}}                          the first of an index
                | {index, function: {arguments}}                                              the later ones
                | {index, function: {arguments}, extra_content}                               a thought signature

It is stricter than clients are: what the official SDK only tolerates is refused here."""

from dataclasses import dataclass, field
from typing import Any

import orjson

CHUNK_KEYS = {
    "id",
    "object",
    "created",
    "model",
    "choices",
    "usage",
    "system_fingerprint",
    "service_tier",
    "obfuscation",
}
TEXT_KINDS = {"content", "refusal", "reasoning_content"}
INDEXED_KINDS = {"reasoning_details", "images"}
DELTA_KINDS = TEXT_KINDS | INDEXED_KINDS | {"tool_calls", "audio", "function_call", "annotations", "extra_content"}
FINISH_REASONS = {"stop", "length", "tool_calls", "content_filter", "function_call"}
INPUT = {"function": "arguments", "custom": "input"}


def payloads(data: bytes) -> list[bytes]:
    """The `data:` payloads. Between them only comments may stand, each with its blank line."""
    assert data.endswith(b"\n\n"), f"the last event lacks its blank line: {data[-80:]!r}"
    assert b"\r" not in data
    found = []
    for block in data[:-2].split(b"\n\n"):
        if not block.startswith(b":"):
            assert block.startswith(b"data: "), f"not a data line: {block[:80]!r}"
            found.append(block.removeprefix(b"data: "))
        assert b"\n" not in block, f"an event of several lines: {block[:80]!r}"
    return found


def check_stream(data: bytes, *, include_usage: bool = False, choices: int = 1) -> list[dict[str, Any]]:
    """The chunks of a complete stream. AssertionError says where it leaves the grammar."""
    *events, last = payloads(data)
    assert last == b"[DONE]", f"the stream ends with {last[:80]!r}"
    chunks = [orjson.loads(event) for event in events]
    states = _check_chunks(chunks, include_usage)
    assert sorted(states) == list(range(choices)), f"choices {sorted(states)}"
    assert all(state.finish for state in states.values()), "a choice without finish_reason"
    if include_usage:
        _check_usage(chunks[-1])
    return chunks


def check_failed_stream(data: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The chunks and the error of a stream that ends with an error event: nothing follows it."""
    *events, last = payloads(data)
    error = orjson.loads(last)["error"]
    check_error(error)
    chunks = [orjson.loads(event) for event in events]
    _check_chunks(chunks, include_usage=any("usage" in chunk for chunk in chunks))
    return chunks, error


def check_error(error: dict[str, Any]) -> None:
    assert {"message", "type", "param", "code"} <= set(error), error
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["type"], str)
    assert error["param"] is None or isinstance(error["param"], str)
    assert error["code"] is None or isinstance(error["code"], str)


@dataclass
class _Choice:
    begun: bool = False
    finish: str = ""
    calls: dict[int, str] = field(default_factory=dict)
    listed: dict[str, int] = field(default_factory=dict)

    def feed(self, delta: dict[str, Any], finish: str | None, logprobs: object) -> None:
        assert not self.finish, f"a delta after the finish: {delta}"
        if finish is not None:
            assert finish in FINISH_REASONS, finish
            assert delta == {}, f"the finish chunk has a delta: {delta}"
            assert self.begun, "a finish before the role"
            assert finish != "stop" or not self.calls, "tool calls that finish with stop"
            self.finish = finish
        elif not self.begun:
            assert delta.get("role") == "assistant", f"the first delta has no role: {delta}"
            assert delta.get("content") in ("", None), delta
            assert delta.get("refusal") is None, delta
            assert set(delta) <= {"role", "content", "refusal"}, delta
            self.begun = True
        else:
            assert len(delta) == 1, f"a delta of more than one kind, or none: {delta}"
            (kind,) = delta
            assert kind in DELTA_KINDS, kind
            if kind == "tool_calls":
                for fragment in delta["tool_calls"]:
                    self._fragment(fragment)
            elif kind in INDEXED_KINDS:
                self._entries(kind, delta[kind])
            elif kind == "annotations":
                assert kind not in self.listed, "the SDK's accumulator takes one delta of annotations"
                self.listed[kind] = len(delta[kind])
            elif kind in TEXT_KINDS:
                assert isinstance(delta[kind], str)
                assert delta[kind] or logprobs, f"an empty delta: {delta}"

    def _entries(self, kind: str, entries: list[dict[str, Any]]) -> None:
        """Each with an index of its own: the SDK's accumulator merges by it."""
        assert entries, f"an empty delta: {kind}"
        for entry in entries:
            assert entry["index"] == self.listed.get(kind, 0), f"{kind} {entry['index']} is out of turn"
            self.listed[kind] = entry["index"] + 1

    def _fragment(self, fragment: dict[str, Any]) -> None:
        index = fragment["index"]
        if index not in self.calls:
            assert index == len(self.calls), f"tool call {index} after {len(self.calls)} calls"
            kind = fragment["type"]
            assert set(fragment) == {"index", "id", "type", kind}, fragment
            assert isinstance(fragment["id"], str)
            assert fragment["id"]
            assert set(fragment[kind]) == {"name", INPUT[kind]}, fragment
            assert fragment[kind]["name"]
            self.calls[index] = kind
        else:
            kind = self.calls[index]
            assert {"index", kind} <= set(fragment) <= {"index", kind, "extra_content"}, fragment
            assert set(fragment[kind]) == {INPUT[kind]}, fragment
        assert isinstance(fragment[kind][INPUT[kind]], str)


def _check_chunks(chunks: list[dict[str, Any]], include_usage: bool) -> dict[int, _Choice]:
    states: dict[int, _Choice] = {}
    for place, chunk in enumerate(chunks):
        assert set(chunk) <= CHUNK_KEYS, set(chunk) - CHUNK_KEYS
        assert chunk["object"] == "chat.completion.chunk"
        assert isinstance(chunk["created"], int)
        assert all(chunk[name] == chunks[0][name] for name in ("id", "created", "model")), (
            "the chunks differ in their head"
        )
        usage_chunk = include_usage and place == len(chunks) - 1 and chunk["choices"] == []
        if usage_chunk:
            continue
        assert chunk["choices"], "a chunk without choices"
        assert chunk.get("usage") is None, "usage before the last chunk"
        assert ("usage" in chunk) is include_usage, "usage: null belongs in every chunk, or in none"
        for choice in chunk["choices"]:
            assert {"index", "delta", "finish_reason"} <= set(choice) <= {"index", "delta", "finish_reason", "logprobs"}
            assert choice["index"] <= len(states), f"choice {choice['index']} begins before choice {len(states)}"
            states.setdefault(choice["index"], _Choice()).feed(
                choice["delta"], choice["finish_reason"], choice.get("logprobs")
            )
    return states


def _check_usage(chunk: dict[str, Any]) -> None:
    assert chunk["choices"] == [], "the last chunk isn't one of usage"
    usage = chunk["usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"], usage
