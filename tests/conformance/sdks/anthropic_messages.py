"""The `anthropic` SDK's Messages."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import anthropic
import httpx2
from anthropic.types import Message
from anthropic.types import Usage as Counted

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


class Messages:
    def __init__(self, address: str, model: str, question: Question, *, streamed: bool, begun: Event) -> None:
        self._headers = Headers(begun)
        http = anthropic.DefaultHttpxClient(event_hooks={"response": [self._headers.hook]})
        self._client = anthropic.Anthropic(base_url=address, api_key=KEY, max_retries=0, http_client=http)
        self._streamed = streamed
        self._messages: list[Any] = [{"role": "user", "content": _content(question)}]
        self._calls: list[str] = []
        self._parameters: dict[str, Any] = {"model": model, "max_tokens": 4000, "system": question.instructions}
        if question.tools:
            self._parameters["tools"] = [{"name": TOOL, "description": DESCRIPTION, "input_schema": PARAMETERS}]
        if question.thinks:
            self._parameters["thinking"] = {"type": "adaptive", "display": "summarized"}
        if question.structured:
            self._parameters["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}

    def close(self) -> None:
        self._client.close()

    def ask(self) -> Seen:
        pieces: list[str] = []
        with _failures(pieces):
            answer = self._stream(pieces) if self._streamed else self._whole(pieces)
        assert answer.role == "assistant"
        self._messages.append({"role": "assistant", "content": [_sent(block) for block in answer.content]})
        calls = [block for block in answer.content if block.type == "tool_use"]
        self._calls = [call.id for call in calls]
        return Seen(
            tuple(pieces),
            answer.stop_reason or "",
            _usage(answer.usage),
            "".join(block.thinking for block in answer.content if block.type == "thinking"),
            tuple(CallSeen(call.name, call.input) for call in calls),
            self._headers.warnings,
        )

    def give(self, results: Sequence[str]) -> Seen:
        blocks = [
            {"type": "tool_result", "tool_use_id": call, "content": result}
            for call, result in zip(self._calls, results, strict=True)
        ]
        self._messages.append({"role": "user", "content": blocks})
        return self.ask()

    def _whole(self, pieces: list[str]) -> Message:
        answer: Message = self._client.messages.create(messages=self._messages, **self._parameters)
        pieces += (block.text for block in answer.content if block.type == "text")
        return answer

    def _stream(self, pieces: list[str]) -> Message:
        with self._client.messages.stream(messages=self._messages, **self._parameters) as stream:
            pieces.extend(stream.text_stream)
            answer: Message = stream.get_final_message()
        assert "".join(pieces) == "".join(block.text for block in answer.content if block.type == "text")
        return answer


def _content(question: Question) -> Any:
    if not question.image:
        return question.text
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
    return [{"type": "image", "source": source}, {"type": "text", "text": question.text}]


def _sent(block: Any) -> Any:
    return block.model_dump(exclude_none=True, exclude={"parsed_output"})


def _usage(found: Counted) -> Usage:
    cached = found.cache_read_input_tokens
    details = found.output_tokens_details
    return Usage(
        found.input_tokens + (found.cache_creation_input_tokens or 0) + (cached or 0),
        found.output_tokens,
        cached,
        details.thinking_tokens if details else None,
    )


@contextmanager
def _failures(pieces: list[str]) -> Iterator[None]:
    try:
        yield
    except anthropic.APIStatusError as error:
        # An error amid a stream comes with the stream's own status.
        status = None if error.status_code == 200 else error.status_code
        raise Failed(status, error.message, seconds(error.response.headers), pieces) from error
    except (anthropic.APIError, httpx2.HTTPError) as error:
        raise Failed(None, str(error), pieces=pieces) from error
