"""The `google-genai` SDK's chats."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import httpx
import httpx2
from google import genai
from google.genai import errors, types

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


class GenerateContent:
    def __init__(self, address: str, model: str, question: Question, *, streamed: bool, begun: Event) -> None:
        self._headers = Headers(begun)
        hooks = {"event_hooks": {"response": [self._headers.hook]}}
        self._client = self.client(types.HttpOptions(base_url=address, client_args=hooks))
        self._streamed = streamed
        self._next: list[Any] = [question.text]
        if question.image:
            self._next.append(types.Part.from_bytes(data=PNG, mime_type="image/png"))
        self._calls: list[types.FunctionCall] = []
        config = types.GenerateContentConfig(system_instruction=question.instructions)
        if question.tools:
            declared = types.FunctionDeclaration(name=TOOL, description=DESCRIPTION, parameters_json_schema=PARAMETERS)
            config.tools = [types.Tool(function_declarations=[declared])]
        if question.thinks:
            config.thinking_config = types.ThinkingConfig(include_thoughts=True)
        if question.structured:
            config.response_mime_type = "application/json"
            config.response_json_schema = SCHEMA
        self._chat = self._client.chats.create(model=model, config=config)

    def client(self, options: types.HttpOptions) -> genai.Client:
        return genai.Client(api_key=KEY, http_options=options)

    def close(self) -> None:
        self._client.close()

    def ask(self) -> Seen:
        pieces: list[str] = []
        chunks: list[types.GenerateContentResponse] = []
        with _failures(pieces):
            if self._streamed:
                for chunk in self._chat.send_message_stream(self._next):
                    chunks.append(chunk)
                    pieces += _texts(chunk)
            else:
                chunks.append(self._chat.send_message(self._next))
                pieces += _texts(chunks[0])
        parts = [part for chunk in chunks for part in _parts(chunk)]
        self._calls = [part.function_call for part in parts if part.function_call]
        finishes = [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates]
        assert not any(finishes[:-1]), finishes
        last = chunks[-1]
        return Seen(
            tuple(pieces),
            finishes[-1].value if finishes[-1] else "",
            _usage(last.usage_metadata),
            "".join(part.text or "" for part in parts if part.thought),
            tuple(CallSeen(call.name or "", call.args or {}) for call in self._calls),
            self._headers.warnings,
        )

    def give(self, results: Sequence[str]) -> Seen:
        self._next = []
        for call, result in zip(self._calls, results, strict=True):
            answer = types.FunctionResponse(id=call.id, name=call.name, response={"output": result})
            self._next.append(types.Part(function_response=answer))
        return self.ask()


def _parts(chunk: types.GenerateContentResponse) -> list[types.Part]:
    (candidate,) = chunk.candidates or (types.Candidate(),)
    return candidate.content.parts or [] if candidate.content else []


def _texts(chunk: types.GenerateContentResponse) -> list[str]:
    return [part.text for part in _parts(chunk) if part.text and not part.thought]


def _usage(found: types.GenerateContentResponseUsageMetadata | None) -> Usage:
    if found is None:
        return Usage()
    thoughts = found.thoughts_token_count or 0
    output = (found.candidates_token_count or 0) + thoughts
    assert found.total_token_count == (found.prompt_token_count or 0) + output
    return Usage(found.prompt_token_count, output, found.cached_content_token_count, thoughts)


def _retry_after(error: errors.APIError) -> float | None:
    for detail in error.details.get("error", {}).get("details", ()):
        if detail["@type"] == "type.googleapis.com/google.rpc.RetryInfo":
            return float(detail["retryDelay"].removesuffix("s"))
    return None


@contextmanager
def _failures(pieces: list[str]) -> Iterator[None]:
    try:
        yield
    except errors.APIError as error:
        # An error amid a stream bears a code of its own too.
        raise Failed(None if pieces else error.code, error.message or "", _retry_after(error), pieces) from error
    except (httpx.HTTPError, httpx2.HTTPError, errors.UnknownApiResponseError) as error:
        raise Failed(None, str(error), pieces=pieces) from error
