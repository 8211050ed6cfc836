"""The other protocols' golden cases, sent here: every request is one the SDK's types know, every answer a stream by the grammar."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.openai_responses import CODEC
from aiproxy.codecs.report import Report
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import Unsupported
from aiproxy.neutral.plain import from_plain
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig
from aiproxy.neutral.response import GenerateResponse
from tests.codecs.openai_responses.exchanges import check_params, exchange, wire
from tests.codecs.test_cases import SEALER, Case, codec, decoded, paths, read_case
from tests.grammars.openai_responses import check_failed_stream, check_stream


def foreign(*kinds: str) -> list[Any]:
    found = []
    for param in paths():
        (path,) = param.values
        assert isinstance(path, Path)
        case = read_case(path.read_text())
        if case.settings["kind"] in kinds and case.first != CODEC.name and "raises" not in case.settings:
            found.append(param)
    return found


@pytest.mark.parametrize("path", foreign("request"))
def test_a_request_of_another_protocol(path: Path) -> None:
    case = read_case(path.read_text())
    if case.from_neutral:
        request = from_plain(GenerateRequest, case.json("neutral"))
    else:
        settings = case.settings
        body, streams = orjson.dumps(case.json(case.first)), orjson.loads(settings.get("stream", "null"))
        incoming = Incoming(body, settings.get("model"), streams, settings.get("operation", ""))
        request = codec(case.first).decode_request(incoming, SEALER, Report())
    with suppress(Unsupported):
        sent = orjson.loads(CODEC.encode_request(exchange(request, source=case.first)).body)
        check_params({**sent, "input": [known(item) for item in sent["input"]]})


def known(item: dict[str, Any]) -> dict[str, Any]:
    """Without what the API takes and the SDK's types leave out: sound, and thought whose id nobody knows."""
    if item["type"] == "reasoning":
        return {"id": "rs", **item}
    if isinstance(item.get("content"), list):
        return {**item, "content": [part for part in item["content"] if part["type"] != "input_audio"]}
    return item


@pytest.mark.parametrize("path", foreign("answer", "stream"))
def test_an_answer_of_another_protocol(path: Path) -> None:
    response = answered(read_case(path.read_text()))
    asked = GenerateRequest("alias", reasoning=ReasoningConfig(visibility="summary"))
    told = (event for event in explode(replace(response, candidates=response.candidates[:1])))
    data = wire(told, asked)
    if response.candidates and response.candidates[0].finish in ("error", "malformed_tool_call"):
        check_failed_stream(data)
    else:
        check_stream(data)


def answered(case: Case) -> GenerateResponse:
    if case.from_neutral:
        return from_plain(GenerateResponse, case.json("neutral"))
    if case.settings["kind"] == "stream":
        return collect(decoded(case, case.exchange(), case.first, case.sections[case.first]))
    return codec(case.first).decode_response(orjson.dumps(case.json(case.first)), case.exchange())
