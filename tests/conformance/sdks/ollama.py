"""The `ollama` package's chat. It forgets the ids of calls: what answers a call is known by its place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import httpx
import ollama

from tests.conformance.sdks.conversation import (
    DESCRIPTION,
    KEY,
    PARAMETERS,
    PNG,
    SCHEMA,
    TOOL,
    CallSeen,
    Failed,
    Headers,
    Question,
    Seen,
    Usage,
    seconds,
)


class OllamaChat:
    def __init__(self, host: str, model: str, question: Question, *, streamed: bool, begun: Event) -> None:
        self._headers = Headers(begun)
        self._client = ollama.Client(
            host, headers={"authorization": f"Bearer {KEY}"}, event_hooks={"response": [self._headers.hook]}
        )
        self._streamed = streamed
        asked: dict[str, Any] = {"role": "user", "content": question.text}
        if question.image:
            asked["images"] = [PNG]
        self._messages: list[Any] = [{"role": "system", "content": question.instructions}, asked]
        self._calls: list[ollama.Message.ToolCall] = []
        self._parameters: dict[str, Any] = {"model": model}
        if question.tools:
            function = {"name": TOOL, "description": DESCRIPTION, "parameters": PARAMETERS}
            self._parameters["tools"] = [{"type": "function", "function": function}]
        if question.thinks:
            self._parameters["think"] = True
        if question.structured:
            self._parameters["format"] = SCHEMA

    def close(self) -> None:
        self._client.close()

    def ask(self) -> Seen:
        pieces: list[str] = []
        lines: list[ollama.ChatResponse] = []
        with self._failures(pieces):
            for line in self._lines():
                lines.append(line)
                pieces += filter(None, [line.message.content])
        last = lines[-1]
        assert last.done, "the last line is not done"
        assert not any(line.done for line in lines[:-1])
        phases = (last.load_duration, last.prompt_eval_duration, last.eval_duration)
        assert all(phases), "clients divide by the durations"
        assert sum(phase or 0 for phase in phases) <= (last.total_duration or 0)
        thought = "".join(line.message.thinking or "" for line in lines)
        self._calls = [call for line in lines for call in line.message.tool_calls or ()]
        self._messages.append(
            ollama.Message(
                role="assistant",
                content="".join(pieces),
                thinking=thought or None,
                tool_calls=self._calls or None,
            )
        )
        return Seen(
            tuple(pieces),
            last.done_reason or "",
            Usage(last.prompt_eval_count, last.eval_count),
            thought,
            tuple(CallSeen(call.function.name, call.function.arguments) for call in self._calls),
            self._headers.warnings,
        )

    def give(self, results: Sequence[str]) -> Seen:
        for call, result in zip(self._calls, results, strict=True):
            self._messages.append({"role": "tool", "tool_name": call.function.name, "content": result})
        return self.ask()

    def _lines(self) -> Iterator[ollama.ChatResponse]:
        if self._streamed:
            yield from self._client.chat(messages=self._messages, stream=True, **self._parameters)
        else:
            yield self._client.chat(messages=self._messages, **self._parameters)

    @contextmanager
    def _failures(self, pieces: list[str]) -> Iterator[None]:
        try:
            yield
        except ollama.ResponseError as error:
            # The package's status of an error amid a stream is -1.
            status = None if error.status_code < 0 else error.status_code
            raise Failed(status, error.error, seconds(self._headers.last), pieces) from error
        except httpx.HTTPError as error:
            raise Failed(None, str(error), pieces=pieces) from error
