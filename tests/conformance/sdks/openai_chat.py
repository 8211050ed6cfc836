"""The `openai` SDK's Chat Completions."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import httpx2
import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

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

NOT_SENT: Any = {"parsed": True, "tool_calls": {"__all__": {"index": True, "function": {"parsed_arguments"}}}}
"""What the SDK's stream helper adds to a message for its users."""


class Chat:
    def __init__(self, address: str, model: str, question: Question, *, streamed: bool, begun: Event) -> None:
        self._headers = Headers(begun)
        http = openai.DefaultHttpxClient(event_hooks={"response": [self._headers.hook]})
        self._client = openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0, http_client=http)
        self._streamed = streamed
        self._messages: list[Any] = [
            {"role": "system", "content": question.instructions},
            {"role": "user", "content": _content(question)},
        ]
        self._calls: list[str] = []
        self._parameters: dict[str, Any] = {"model": model}
        if question.tools:
            function = {"name": TOOL, "description": DESCRIPTION, "parameters": PARAMETERS}
            self._parameters["tools"] = [{"type": "function", "function": function}]
        if question.thinks:
            self._parameters["reasoning_effort"] = "medium"
        if question.structured:
            schema = {"name": "forecast", "schema": SCHEMA, "strict": True}
            self._parameters["response_format"] = {"type": "json_schema", "json_schema": schema}

    def close(self) -> None:
        self._client.close()

    def ask(self) -> Seen:
        pieces: list[str] = []
        with failures(pieces):
            answer = self._stream(pieces) if self._streamed else self._whole(pieces)
        (choice,) = answer.choices
        message = choice.message
        assert message.role == "assistant"
        calls: list[Any] = list(message.tool_calls or ())
        self._calls = [call.id for call in calls]
        self._messages.append(message.model_dump(exclude_none=True, exclude=NOT_SENT))
        return Seen(
            tuple(pieces),
            choice.finish_reason,
            _usage(answer.usage),
            (message.model_extra or {}).get("reasoning_content") or "",
            tuple(CallSeen(call.function.name, json.loads(call.function.arguments)) for call in calls),
            self._headers.warnings,
        )

    def give(self, results: Sequence[str]) -> Seen:
        for call, result in zip(self._calls, results, strict=True):
            self._messages.append({"role": "tool", "tool_call_id": call, "content": result})
        return self.ask()

    def _whole(self, pieces: list[str]) -> ChatCompletion:
        answer: ChatCompletion = self._client.chat.completions.create(messages=self._messages, **self._parameters)
        pieces += filter(None, [answer.choices[0].message.content, answer.choices[0].message.refusal])
        return answer

    def _stream(self, pieces: list[str]) -> ChatCompletion:
        counted: Any = {"include_usage": True}
        with self._client.chat.completions.stream(
            messages=self._messages, stream_options=counted, **self._parameters
        ) as stream:
            for event in stream:
                if event.type in ("content.delta", "refusal.delta"):
                    pieces += filter(None, [event.delta])
            # `get_final_completion` would raise on every finish but `stop` and `tool_calls`.
            return stream.current_completion_snapshot


class ForgetfulChat(Chat):
    """Sends back what the API's own reference knows of a message, as most clients do."""

    def give(self, results: Sequence[str]) -> Seen:
        last = self._messages[-1]
        calls = [
            {"id": call["id"], "type": "function", "function": call["function"]} for call in last.get("tool_calls", ())
        ]
        self._messages[-1] = {"role": "assistant", "content": last.get("content"), "tool_calls": calls}
        return super().give(results)


def _content(question: Question) -> Any:
    if not question.image:
        return question.text
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    return [{"type": "text", "text": question.text}, {"type": "image_url", "image_url": {"url": url}}]


def _usage(found: CompletionUsage | None) -> Usage:
    if found is None:
        return Usage()
    assert found.total_tokens == found.prompt_tokens + found.completion_tokens
    prompt, completion = found.prompt_tokens_details, found.completion_tokens_details
    return Usage(
        found.prompt_tokens,
        found.completion_tokens,
        prompt.cached_tokens if prompt else None,
        completion.reasoning_tokens if completion else None,
    )


@contextmanager
def failures(pieces: list[str]) -> Iterator[None]:
    """What the SDK raises, told as `Failed`."""
    try:
        yield
    except openai.APIStatusError as error:
        raise Failed(error.status_code, error.message, seconds(error.response.headers), pieces) from error
    except (openai.APIError, httpx2.HTTPError) as error:
        raise Failed(None, str(error), pieces=pieces) from error
