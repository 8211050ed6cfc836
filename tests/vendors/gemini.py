"""generateContent, as Google's Gemini API speaks it: calls whole, signatures on parts, STOP for everything that ends well.

Source: Gemini API reference, generateContent; Gemini docs, thought signatures."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from google.genai import types

from tests.rig.upstream import Received
from tests.vendors.scenarios import THOUGHT, Answer, Counts, Failure
from tests.vendors.vendor import Asked, Vendor, dumps, escaped

FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "calls": "STOP", "filtered": "SAFETY", "refused": "SAFETY"}
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}
BYPASS = "skip_thought_signature_validator"


def asked(received: Received) -> Asked:
    url = urlsplit(received.path)
    version, _, rest = url.path.removeprefix("/").partition("/models/")
    assert version in ("v1beta", "v1"), received.path
    model, _, verb = rest.rpartition(":")
    assert verb in ("generateContent", "streamGenerateContent"), received.path
    assert received.headers["x-goog-api-key"]
    body = received.json
    contents = [types.Content.model_validate(content) for content in body["contents"]]
    config = types.GenerationConfig.model_validate(body.get("generationConfig") or {})
    tools = [types.Tool.model_validate(tool) for tool in body.get("tools", ())]
    types.ToolConfig.model_validate(body.get("toolConfig") or {})
    _check_contents(body["contents"], contents)
    parts = [part for content in contents for part in content.parts or ()]
    instruction = types.Content.model_validate(body.get("systemInstruction") or {})
    return Asked(
        model,
        verb == "streamGenerateContent",
        tuple(
            part.text for content in contents if content.role != "model" for part in content.parts or () if part.text
        ),
        tuple(part.text for part in instruction.parts or () if part.text),
        {
            declared.name or "": declared.parameters_json_schema or declared.parameters
            for tool in tools
            for declared in tool.function_declarations or ()
        },
        tuple(_results(parts)),
        tuple(filter(None, ["".join(_said(contents))])),
        tuple(_states(body["contents"])),
        tuple(part.inline_data.data or b"" for part in parts if part.inline_data),
        config.response_json_schema or config.response_schema,
        as_array=verb == "streamGenerateContent" and parse_qs(url.query).get("alt") != ["sse"],
    )


def _results(parts: list[types.Part]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if found := part.function_response:
            assert isinstance(found.response, dict)
            (said,) = found.response.values()
            yield found.id or found.name or "", said


def _said(contents: list[types.Content]) -> Iterator[str]:
    """Neighbouring contents of the model are one turn to it."""
    for content in contents:
        if content.role == "model":
            yield from (part.text for part in content.parts or () if part.text and not part.thought)


def _states(contents: list[dict[str, Any]]) -> Iterator[str]:
    """In the standard alphabet: the wire takes both."""
    for content in contents:
        for part in content["parts"]:
            state = part.get("thoughtSignature", part.get("thought_signature", BYPASS))
            if state != BYPASS:
                data = base64.urlsafe_b64decode(state.replace("+", "-").replace("/", "_"))
                assert data == base64.b64decode(THOUGHT.state), "Corrupted thought signature."
                yield base64.b64encode(data).decode()


def _check_contents(wire: list[dict[str, Any]], contents: list[types.Content]) -> None:
    assert contents, "no contents"
    assert contents[0].role != "model", "contents must begin with the user's"
    assert contents[-1].role != "model", "contents must end with the user's"
    asked_for: list[str] = []
    for content, raw in zip(contents, wire, strict=True):
        assert content.parts, "a content without parts"
        assert all(part != types.Part() for part in content.parts), f"an empty part in {raw}"
        answers = [part.function_response.name or "" for part in content.parts if part.function_response]
        assert len(answers) == len(asked_for), "as many function responses as function calls, please"
        assert answers == asked_for, f"functions {asked_for} are answered by {answers}"
        asked_for = [part.function_call.name or "" for part in content.parts if part.function_call]
    assert not asked_for


def usage(counts: Counts) -> dict[str, Any]:
    found = {
        "promptTokenCount": counts.input,
        "cachedContentTokenCount": counts.cached,
        "candidatesTokenCount": counts.output - counts.reasoning,
        "thoughtsTokenCount": counts.reasoning,
        "totalTokenCount": counts.input + counts.output,
    }
    return {name: count for name, count in found.items() if count}


def _thoughts(answer: Answer) -> list[dict[str, Any]]:
    return [{"text": piece, "thought": True} for piece in answer.thought.pieces] if answer.thought else []


def _calls(answer: Answer) -> list[dict[str, Any]]:
    """The first call of a step carries the signature."""
    found: list[dict[str, Any]] = [
        {"functionCall": {"id": call.id, "name": call.name, "args": dict(call.arguments)}} for call in answer.calls
    ]
    if answer.thought and found:
        found[0]["thoughtSignature"] = answer.thought.state
    return found


def _last_text(answer: Answer, text: str) -> dict[str, Any]:
    """Without a call, the last part carries the signature."""
    signed = answer.thought is not None and not answer.calls
    return {"text": text, **({"thoughtSignature": answer.thought.state} if signed and answer.thought else {})}


def _chunk(request: Asked, answer: Answer, parts: list[dict[str, Any]], finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": usage(answer.counts),
        "modelVersion": request.model,
        "responseId": "response-7",
    }


def whole(request: Asked, answer: Answer) -> bytes:
    thoughts = [{"text": answer.thought.text, "thought": True}] if answer.thought else []
    texts = [_last_text(answer, answer.text)] if answer.pieces else []
    return escaped(_chunk(request, answer, [*thoughts, *texts, *_calls(answer)], FINISH[answer.stop]))


def events(request: Asked, answer: Answer) -> list[bytes]:
    steps: list[list[dict[str, Any]]] = [[part] for part in _thoughts(answer)]
    steps += ([{"text": piece}] for piece in answer.pieces[:-1])
    steps += ([_last_text(answer, piece)] for piece in answer.pieces[-1:])
    steps += [_calls(answer)] if answer.calls else []
    *first, last = steps
    chunks = [
        *(_chunk(request, answer, parts) for parts in first),
        _chunk(request, answer, last, FINISH[answer.stop]),
    ]
    if not request.as_array:
        return [b"data: " + escaped(chunk) + b"\r\n\r\n" for chunk in chunks]
    opened = [b"[" + escaped(chunks[0]), *(b",\r\n" + escaped(chunk) for chunk in chunks[1:])]
    return [*opened, b"]"]


def _error(status: int, message: str, *details: Mapping[str, Any]) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": STATUS[status], "details": list(details)}}


def error(failure: Failure) -> tuple[Mapping[str, str], bytes]:
    """The retry time stands in the body alone."""
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{failure.retry_after}s"}
    details = [] if failure.retry_after is None else [retry]
    return {}, dumps(_error(failure.status, failure.message, *details))


def broken(message: str) -> bytes:
    return b"data: " + dumps(_error(500, message)) + b"\r\n\r\n"


GEMINI = Vendor("gemini", "text/event-stream", asked, whole, events, error, broken)
