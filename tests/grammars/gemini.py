"""Whether bytes are a `streamGenerateContent?alt=sse` stream, to the letter. Source: Gemini API reference, and what Google's own
SDKs can read: they are no general SSE parsers.

    stream  = { event | blank } last-event
    event   = "data: " JSON-on-one-line CR LF CR LF          no comment, no `event:`, no `[DONE]`
    piece   = {candidates?, promptFeedback?, usageMetadata?, modelVersion, responseId}      in camelCase; the head never changes
    parts   = one data field each, never none                                                text may be empty
    end     = every candidate that was seen has a finishReason in the last piece, which alone has usageMetadata"""

from typing import Any

import orjson

DATA_FIELDS = {
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
}
LINE_ENDS = ("\u2028".encode(), "\u2029".encode(), "\x85".encode())
"""What the Python SDK takes for the end of a line, although JSON may hold it bare."""


def payloads(data: bytes) -> list[bytes]:
    found = []
    for event in data.split(b"\r\n\r\n"):
        line = event.lstrip(b"\r\n")
        if not line:
            continue
        assert line.startswith(b"data: "), f"not a data line: {line[:80]!r}"
        assert b"\n" not in line, f"an event of several lines: {line[:80]!r}"
        assert b"\r" not in line
        assert not any(end in line for end in LINE_ENDS), "a line end the Python SDK would cut at"
        found.append(line.removeprefix(b"data: "))
    return found


def check_stream(data: bytes) -> list[dict[str, Any]]:
    """The pieces of a complete stream. AssertionError says where it leaves the grammar."""
    assert data.endswith(b"\r\n\r\n"), f"the last event lacks its blank line: {data[-80:]!r}"
    pieces = [orjson.loads(payload) for payload in payloads(data)]
    assert pieces, "a stream without pieces"
    *before, last = pieces
    seen: set[int] = set()
    for piece in pieces:
        assert isinstance(piece["modelVersion"], str)
        assert piece["responseId"] == pieces[0]["responseId"]
        assert piece["modelVersion"] == pieces[0]["modelVersion"]
        for candidate in piece.get("candidates", ()):
            seen.add(candidate["index"])
            _check_candidate(candidate, ended=piece is last)
    for piece in before:
        assert "usageMetadata" not in piece
        assert len(piece["candidates"]) == 1
    ended = {candidate["index"] for candidate in last.get("candidates", ())}
    assert ended == seen, f"candidates {seen - ended} have no end"
    assert ended or "blockReason" in last.get("promptFeedback", {}), "neither a candidate nor a reason why"
    return pieces


def check_failed_stream(data: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The pieces and the error of a stream that breaks off: a bare JSON line, and nothing after it."""
    *events, last, rest = data.split(b"\r\n\r\n")
    assert rest == b""
    assert b"\n" not in last
    error = orjson.loads(last)["error"]
    check_error(error)
    return [orjson.loads(payload) for event in events for payload in payloads(event + b"\r\n\r\n")], error


def check_error(error: dict[str, Any]) -> None:
    assert {"code", "message", "status"} <= set(error) <= {"code", "message", "status", "details"}, error
    assert isinstance(error["code"], int)
    assert error["message"]
    assert error["status"].isupper()
    assert all(detail["@type"].startswith("type.googleapis.com/google.rpc.") for detail in error.get("details", ()))


def _check_candidate(candidate: dict[str, Any], *, ended: bool) -> None:
    assert ("finishReason" in candidate) is ended, candidate
    content = candidate["content"]
    assert content["role"] == "model", content
    assert content["parts"], "chat sessions of the Python SDK drop a turn with a part-less piece"
    for part in content["parts"]:
        named = DATA_FIELDS & set(part)
        assert named or "xNew" in part or "future" in part or "thoughtSignature" in part, f"an empty part: {part}"
        if "functionCall" in part:
            assert part["functionCall"]["name"]
            assert isinstance(part["functionCall"].get("args", {}), dict)
