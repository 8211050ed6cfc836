"""Whether bytes are an Ollama stream, to the letter. Source: Ollama's `docs/api.md` and `api/types.go`.

    stream = { line } last-line                      one JSON object and LF each, nothing between, no end mark
    line   = {model, created_at, message, done: false, logprobs?}
    message = {role: "assistant", content, thinking?, tool_calls?, images?}
    last-line = {model, created_at, message (of empty content), done: true, done_reason, counts, durations}

Lines of generate have `response`, `thinking` and `tool_calls` at the top in place of `message`. A call is whole: its arguments are
an object, and `index` counts the calls of the answer. It is stricter than clients are."""

from datetime import datetime
from typing import Any

import orjson

HEAD = {"model", "created_at", "done"}
SAID = {"thinking", "tool_calls"}
COUNTS = {"prompt_eval_count", "eval_count"}
DURATIONS = {"total_duration", "load_duration", "prompt_eval_duration", "eval_duration"}
REASONS = {"stop", "length", "load", "unload"}


def check_stream(data: bytes, *, generate: bool = False) -> list[dict[str, Any]]:
    """The lines of a complete stream. AssertionError says where it leaves the grammar."""
    *lines, last = _lines(data)
    _check_lines([*lines, last], generate)
    assert all(line["done"] is False for line in lines), "a line after the last one"
    assert last["done"] is True, f"the stream ends with {last}"
    assert last["done_reason"] in REASONS, last
    said = last if generate else last["message"]
    assert said["response" if generate else "content"] == "", f"the last line says something: {last}"
    assert set(last) <= HEAD | COUNTS | DURATIONS | {"message", "response", "done_reason", "context"}, last
    for name in COUNTS | DURATIONS:
        assert isinstance(last.get(name, 0), int), f"{name}: {last[name]!r}"
    return [*lines, last]


def check_failed_stream(data: bytes, *, generate: bool = False) -> tuple[list[dict[str, Any]], str]:
    """The lines and the error of a stream that ends with one."""
    *lines, last = _lines(data)
    _check_lines(lines, generate)
    assert all(line["done"] is False for line in lines), "an error after the last line"
    assert set(last) == {"error"}, last
    assert isinstance(last["error"], str)
    assert last["error"]
    return lines, last["error"]


def check_call(call: dict[str, Any], index: int) -> None:
    assert set(call) == {"id", "function"}, call
    assert isinstance(call["id"], str)
    assert call["id"]
    function = call["function"]
    assert set(function) == {"index", "name", "arguments"}, call
    assert function["index"] == index, f"call {function['index']} where {index} was next"
    assert isinstance(function["name"], str)
    assert function["name"]
    assert isinstance(function["arguments"], dict), call


def _lines(data: bytes) -> list[dict[str, Any]]:
    assert data.endswith(b"\n"), f"the last line lacks its end: {data[-80:]!r}"
    written = data[:-1].split(b"\n")
    assert len(data.decode().splitlines()) == len(written), "a character that Python's `splitlines` splits at"
    return [orjson.loads(line) for line in written]


def _check_lines(lines: list[dict[str, Any]], generate: bool) -> None:
    calls = 0
    for line in lines:
        assert line["model"] == lines[0]["model"], "the lines differ in their model"
        assert line["model"], "a line without a model"
        assert datetime.fromisoformat(line["created_at"]).tzinfo is not None, line["created_at"]
        said = _said(line, generate)
        thinking, found = said.get("thinking"), said.get("tool_calls", [])
        assert thinking is None or (isinstance(thinking, str) and thinking), f"an empty thinking: {line}"
        assert "tool_calls" not in said or found, f"an empty list of calls: {line}"
        content = said["response" if generate else "content"]
        assert isinstance(content, str)
        kinds = [bool(content), thinking is not None, bool(found), "image" in said]
        assert sum(kinds) <= 1, f"a line of more than one kind: {line}"
        for call in found:
            check_call(call, calls)
            calls += 1


def _said(line: dict[str, Any], generate: bool) -> dict[str, Any]:
    if generate:
        assert "message" not in line, line
        assert line["done"] or set(line) <= HEAD | SAID | {"response", "logprobs", "image"}, line
        return line
    assert line["done"] or set(line) <= HEAD | {"message", "logprobs"}, line
    message: dict[str, Any] = line["message"]
    assert {"role", "content"} <= set(message) <= SAID | {"role", "content"}, message
    assert message["role"] == "assistant"
    return message
