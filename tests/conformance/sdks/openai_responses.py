"""The `openai` SDK's Responses, with the history kept by the client (`store: false`), or by whoever answers."""

import base64
import json
from collections.abc import Sequence
from threading import Event
from typing import Any

import openai
from openai.types.responses import Response, ResponseError, ResponseUsage

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
)
from tests.conformance.sdks.openai_chat import failures


class Responses:
    def __init__(self, address: str, model: str, question: Question, *, streamed: bool, begun: Event) -> None:
        self._headers = Headers(begun)
        http = openai.DefaultHttpxClient(event_hooks={"response": [self._headers.hook]})
        self._client = openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0, http_client=http)
        self._streamed = streamed
        self._input: list[Any] = [{"role": "user", "content": _content(question)}]
        self._calls: list[str] = []
        self._parameters: dict[str, Any] = {"model": model, "instructions": question.instructions, "store": False}
        if question.tools:
            function = {"type": "function", "name": TOOL, "description": DESCRIPTION, "parameters": PARAMETERS}
            self._parameters["tools"] = [{**function, "strict": False}]
        if question.thinks:
            self._parameters["reasoning"] = {"effort": "medium", "summary": "auto"}
            self._parameters["include"] = ["reasoning.encrypted_content"]
        if question.structured:
            shape = {"type": "json_schema", "name": "forecast", "schema": SCHEMA, "strict": True}
            self._parameters["text"] = {"format": shape}

    def close(self) -> None:
        self._client.close()

    def ask(self) -> Seen:
        pieces: list[str] = []
        with failures(pieces):
            answer = self._stream(pieces) if self._streamed else self._whole(pieces)
        if answer.error:
            raise _failed(answer.error, pieces)
        self._input += (item.model_dump(exclude_none=True) for item in answer.output)
        self._input = [_without_parsed(item) for item in self._input]
        calls = [item for item in answer.output if item.type == "function_call"]
        self._calls = [call.call_id for call in calls]
        if self._streamed:
            assert "".join(pieces) == _text(answer), "the deltas tell another text than the final response"
        return Seen(
            tuple(pieces),
            answer.incomplete_details.reason or "" if answer.incomplete_details else answer.status or "",
            _usage(answer.usage),
            "".join(part.text for item in answer.output if item.type == "reasoning" for part in item.summary),
            tuple(CallSeen(call.name, json.loads(call.arguments)) for call in calls),
            self._headers.warnings,
        )

    def give(self, results: Sequence[str]) -> Seen:
        for call, result in zip(self._calls, results, strict=True):
            self._input.append({"type": "function_call_output", "call_id": call, "output": result})
        return self.ask()

    def _whole(self, pieces: list[str]) -> Response:
        answer: Response = self._client.responses.create(input=self._input, **self._parameters)
        pieces += filter(None, [_text(answer)])
        return answer

    def _stream(self, pieces: list[str]) -> Response:
        last: Response | None = None
        with self._client.responses.stream(input=self._input, **self._parameters) as stream:
            for event in stream:
                assert last is None, f"{event.type} after the end"
                match event.type:
                    case "response.output_text.delta" | "response.refusal.delta":
                        pieces.append(event.delta)
                    case "error":
                        raise Failed(None, event.message, pieces=pieces)
                    case "response.completed" | "response.incomplete" | "response.failed":
                        last = event.response
        if last is None:
            raise AssertionError("a stream without its terminal event")
        return last


class ReferringResponses(Responses):
    """Each turn says only what is new, and which answer it continues."""

    def __init__(self, address: str, model: str, question: Question, *, streamed: bool, begun: Event) -> None:
        super().__init__(address, model, question, streamed=streamed, begun=begun)
        del self._parameters["store"]

    def give(self, results: Sequence[str]) -> Seen:
        self._input = []
        return super().give(results)

    def _whole(self, pieces: list[str]) -> Response:
        return self._referred(super()._whole(pieces))

    def _stream(self, pieces: list[str]) -> Response:
        return self._referred(super()._stream(pieces))

    def _referred(self, answer: Response) -> Response:
        assert answer.previous_response_id == self._parameters.get("previous_response_id")
        self._parameters["previous_response_id"] = answer.id
        return answer


def _content(question: Question) -> Any:
    if not question.image:
        return question.text
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    return [
        {"type": "input_text", "text": question.text},
        {"type": "input_image", "image_url": url, "detail": "auto"},
    ]


def _text(answer: Response) -> str:
    parts = [part for item in answer.output if item.type == "message" for part in item.content]
    return "".join(part.refusal if part.type == "refusal" else part.text for part in parts)


def _without_parsed(item: dict[str, Any]) -> dict[str, Any]:
    """What the SDK's stream helper adds for its users is not sent."""
    item.pop("parsed_arguments", None)
    for part in item["content"] if item.get("type") == "message" else ():
        part.pop("parsed", None)
    return item


def _usage(found: ResponseUsage | None) -> Usage:
    if found is None:
        return Usage()
    assert found.total_tokens == found.input_tokens + found.output_tokens
    return Usage(
        found.input_tokens,
        found.output_tokens,
        found.input_tokens_details.cached_tokens,
        found.output_tokens_details.reasoning_tokens,
    )


def _failed(error: ResponseError, pieces: list[str]) -> Failed:
    return Failed(None, error.message, pieces=pieces)
