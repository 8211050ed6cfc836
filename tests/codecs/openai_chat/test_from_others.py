"""Every golden case of the other protocols, told in this one: by its grammar and by the types of OpenAI's SDK."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.openai_chat import CODEC
from aiproxy.codecs.report import Report
from aiproxy.neutral.errors import InvalidRequest
from tests.codecs.openai_chat.exchanges import SEALER, encoded, exchange
from tests.codecs.openai_chat.test_sdk import check_request
from tests.codecs.test_cases import ROOT, codec, decoded, read_case
from tests.grammars.openai_chat import check_failed_stream, check_stream


def cases(kind: str) -> list[Any]:
    found = []
    for path in sorted(ROOT.rglob("*.case")):
        case = read_case(path.read_text())
        readable = "raises" not in case.settings and not case.from_neutral
        translated = case.first != CODEC.name and case.settings.get("operation") in (None, "chat", "generate")
        if case.settings["kind"] == kind and readable and translated:
            found.append(pytest.param(path, id=f"{case.first}-{path.stem}"))
    return found


@pytest.mark.parametrize("path", cases("request"))
def test_requests(path: Path) -> None:
    """What can be said at all is said in OpenAI's own types; the rest is refused."""
    case = read_case(path.read_text())
    incoming = Incoming(
        orjson.dumps(case.json(case.first)),
        model=case.settings.get("model"),
        stream=orjson.loads(case.settings.get("stream", "null")),
        operation=case.settings.get("operation", ""),
        headers=orjson.loads(case.settings.get("headers", "{}")),
    )
    report = Report()
    request = codec(case.first).decode_request(incoming, SEALER, report)
    asked = replace(exchange(request, case.first), report=report)
    try:
        body = orjson.loads(CODEC.encode_request(asked).body)
    except InvalidRequest:
        return
    check_request(body)


@pytest.mark.parametrize("path", cases("answer"))
def test_answers(path: Path) -> None:
    case = read_case(path.read_text())
    response = codec(case.first).decode_response(orjson.dumps(case.json(case.first)), case.exchange())
    answer = CODEC.encode_response(response, exchange())
    if answer.status == 200:
        ChatCompletion.model_validate_json(answer.body, strict=True)
    else:
        assert {candidate.finish for candidate in response.candidates} & {"error", "cancelled", "malformed_tool_call"}


@pytest.mark.parametrize("path", cases("stream"))
def test_streams(path: Path) -> None:
    case = read_case(path.read_text())
    events = decoded(case, case.exchange(), case.first, case.sections[case.first])
    wire = encoded(events, exchange(stream=True))
    if b'"error"' in wire.rpartition(b"data: ")[2]:
        chunks, _ = check_failed_stream(wire)
    else:
        chunks = check_stream(wire, choices=choices(events))
    for chunk in chunks:
        if '"custom"' not in (told := orjson.dumps(chunk).decode()):  # its type of chunks doesn't know custom calls
            ChatCompletionChunk.model_validate_json(told, strict=True)


def choices(events: Any) -> int:
    return max(1, len({getattr(event, "candidate", 0) for event in events}))
