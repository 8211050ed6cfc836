"""Chat Completions: a request's body → an answer → its bytes, whole or as the events of a stream.

Grammar of the stream (OpenAI API reference, streaming): per choice a chunk with the role, chunks of content or tool
calls, a chunk with the finish reason; then, if asked for, one of usage; then `[DONE]`. Choices take turns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from aiproxy.providers.demo.faults import Send
from aiproxy.providers.demo.reading import integer, invalid, mapping, mappings, stops
from aiproxy.providers.demo.script import Script
from aiproxy.providers.demo.tools import Tool, arguments, chosen, example_text
from aiproxy.providers.demo.wire import DONE, json_event
from aiproxy.providers.demo.words import cut_at, say, tokens

MOST_CHOICES = 8
"""Choices of one answer: enough to see them take turns."""

MOST_TOKENS = 1_000_000
"""Tokens a request may ask for; it only has to be a number that makes sense."""

NOT_PLAYED: Mapping[str, str] = {
    "functions": "Send `tools` instead.",
    "function_call": "Send `tool_choice` instead.",
    "audio": "The demo has no voice.",
}


@dataclass(frozen=True, slots=True)
class ToolCall:
    id: str
    kind: str
    name: str
    pieces: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What every choice says: `pieces` are its tokens, each an event of a stream."""

    id: str
    created: int
    model: str
    choices: int
    pieces: Sequence[str]
    calls: Sequence[ToolCall]
    finish: str
    prompt_tokens: int

    @property
    def usage(self) -> dict[str, int]:
        written = self.choices * (len(self.pieces) + sum(len(call.pieces) for call in self.calls))
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": self.prompt_tokens + written,
        }


def answer(body: Mapping[str, Any], script: Script, serial: int, now: float) -> Answer:
    for param, advice in NOT_PLAYED.items():
        if body.get(param) is not None:
            raise invalid(param, f"The demo doesn't play `{param}`. {advice}", code="unsupported_parameter")
    messages = mappings(body, "messages")
    if not messages:
        raise invalid("messages", "`messages` must be an array of at least one message.")
    heard, answered = _heard(messages)
    limit = integer(body, "max_completion_tokens", 1, MOST_TOKENS) or integer(body, "max_tokens", 1, MOST_TOKENS)
    tools = chosen(body, script, heard, answered=answered)
    calls, pieces = _call(tools, heard, serial), []
    if not calls:
        pieces = tokens(cut_at(_formatted(body, say(script, heard)), stops(body)))
    finish = "tool_calls" if calls else "stop"
    if limit is not None and limit < len(pieces) + sum(len(call.pieces) for call in calls):
        calls, pieces, finish = _within(limit, calls), pieces[:limit], "length"
    return Answer(
        id=f"chatcmpl-demo{serial}",
        created=int(now),
        model=str(body["model"]),
        choices=integer(body, "n", 1, MOST_CHOICES) or 1,
        pieces=pieces,
        calls=calls,
        finish=finish,
        prompt_tokens=sum(len(tokens(_text(message))) for message in messages),
    )


def _heard(messages: Sequence[Mapping[str, Any]]) -> tuple[str, bool]:
    """The text of the last message of the user or of a tool, and whether a tool spoke last."""
    for message in reversed(messages):
        if message.get("role") in ("user", "tool"):
            return _text(message), messages[-1].get("role") == "tool"
    return "", False


def _text(message: Mapping[str, Any]) -> str:
    match message.get("content"):
        case str() as text:
            return text
        case list() as parts:
            texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
            return "".join(texts)
        case None:
            return ""
        case _:
            raise invalid("messages", "A message's `content` must be a string or an array of parts.")


def _formatted(body: Mapping[str, Any], said: str) -> str:
    wanted = mapping(body, "response_format")
    match wanted.get("type"):
        case None | "text":
            return said
        case "json_object":
            return orjson.dumps({"text": said}).decode()
        case "json_schema":
            return example_text(mapping(mapping(wanted, "json_schema"), "schema"))
        case _:
            raise invalid("response_format", "`response_format.type` must be text, json_object or json_schema.")


def _call(tools: Sequence[Tool], heard: str, serial: int) -> list[ToolCall]:
    return [
        ToolCall(
            id=f"call_demo{serial}_{place}",
            kind="custom" if tool.schema is None else "function",
            name=tool.name,
            pieces=tokens(arguments(tool, heard)),
        )
        for place, tool in enumerate(tools)
    ]


def _within(limit: int, calls: Sequence[ToolCall]) -> list[ToolCall]:
    """The calls as far as `limit` tokens go: like a model's, the last one breaks off."""
    kept: list[ToolCall] = []
    for call in calls:
        if limit <= 0:
            break
        kept.append(replace(call, pieces=call.pieces[:limit]))
        limit -= len(call.pieces)
    return kept


def whole(answer: Answer) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(answer.pieces), "refusal": None}
    if answer.calls:
        message["content"] = None
        message["tool_calls"] = [
            {"id": call.id, "type": call.kind, call.kind: {"name": call.name, _INPUT[call.kind]: "".join(call.pieces)}}
            for call in answer.calls
        ]
    choices = [
        {"index": index, "message": message, "finish_reason": answer.finish, "logprobs": None}
        for index in range(answer.choices)
    ]
    head = {"id": answer.id, "object": "chat.completion", "created": answer.created, "model": answer.model}
    return orjson.dumps({**head, "choices": choices, "usage": answer.usage})


_INPUT: Mapping[str, str] = {"function": "arguments", "custom": "input"}
"""What a tool call's kind calls its text."""


def events(answer: Answer, *, include_usage: bool) -> Iterator[Send]:
    head = {"id": answer.id, "object": "chat.completion.chunk", "created": answer.created, "model": answer.model}
    tail = {"usage": None} if include_usage else {}
    for delta, finish, tokens_in_it in _deltas(answer):
        for index in range(answer.choices):
            choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
            yield Send(json_event({**head, "choices": [choice], **tail}), tokens_in_it)
    if include_usage:
        yield Send(json_event({**head, "choices": [], "usage": answer.usage}))
    yield Send(DONE)


def _deltas(answer: Answer) -> Iterator[tuple[dict[str, Any], str | None, int]]:
    """A choice's deltas in order: the delta, the finish reason with the last one, the tokens in it."""
    first: dict[str, Any] = {"role": "assistant", "content": None if answer.calls else "", "refusal": None}
    yield first, None, 0
    for piece in answer.pieces:
        yield {"content": piece}, None, 1
    for place, call in enumerate(answer.calls):
        field = _INPUT[call.kind]
        named = {"index": place, "id": call.id, "type": call.kind, call.kind: {"name": call.name, field: ""}}
        yield {"tool_calls": [named]}, None, 0
        for piece in call.pieces:
            yield {"tool_calls": [{"index": place, call.kind: {field: piece}}]}, None, 1
    yield {}, answer.finish, 0
