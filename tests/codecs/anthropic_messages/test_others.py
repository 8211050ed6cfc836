"""The other protocols' golden cases in ours: what their clients ask is of the API's types, what their upstreams answer is read
by the SDK, streamed or not."""

from pathlib import Path

import orjson
import pytest

from aiproxy.codecs.anthropic_messages import CODEC
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.report import Report
from aiproxy.codecs.translation import account_for_extensions
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import StreamEvent
from tests.codecs.anthropic_messages.exchanges import check_params, exchange, sdk, wire
from tests.codecs.anthropic_messages.test_sdk import ASK
from tests.codecs.bench import SEALER
from tests.codecs.test_cases import ROOT, Case, codec, decoded, read_case
from tests.grammars.anthropic_messages import check_failed_stream, check_stream


def cases(*kinds: str) -> list[Path]:
    found = []
    for path in sorted(ROOT.glob("*/*.case")):
        case = read_case(path.read_text())
        foreign = bool(case.protocols) and case.first != CODEC.name and not case.from_neutral
        if foreign and case.settings["kind"] in kinds and "raises" not in case.settings:
            found.append(path)
    return found


@pytest.mark.parametrize("path", cases("request"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_request_becomes_one_of_the_apis_types_or_is_refused_by_name(path: Path) -> None:
    case = read_case(path.read_text())
    source, report = codec(case.first), Report()
    incoming = Incoming(
        orjson.dumps(case.json(case.first)),
        model=case.settings.get("model"),
        stream=orjson.loads(case.settings.get("stream", "null")),
        operation=case.settings.get("operation", ""),
        headers=orjson.loads(case.settings.get("headers", "{}")),
    )
    request = source.decode_request(incoming, SEALER, report)
    try:
        account_for_extensions(request, source, CODEC, report)
        sent = CODEC.encode_request(exchange(request, source=source.name, report=report))
    except GatewayError as error:
        assert error.param  # noqa: PT017 - refusing is one of two right outcomes
        return
    check_params(orjson.loads(sent.body))


def events_in(case: Case) -> list[StreamEvent]:
    if case.settings["kind"] == "stream":
        return decoded(case, case.exchange(), case.first, case.sections[case.first])
    body = orjson.dumps(case.json(case.first))
    return [*explode(codec(case.first).decode_response(body, case.exchange()))]


@pytest.mark.parametrize("path", cases("answer", "stream"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_answer_reads_the_same_streamed_and_whole(path: Path) -> None:
    events = events_in(read_case(path.read_text()))
    data = wire(events)
    try:
        answer = CODEC.encode_response(collect(events), exchange())
    except GatewayError:
        check_failed_stream(data)
        return
    check_stream(data)
    whole = sdk(answer).messages.create(**ASK)
    with sdk(data).messages.stream(**ASK) as stream:
        final = stream.get_final_message()
    assert [block.type for block in final.content] == [block.type for block in whole.content]
    assert final.stop_reason == whole.stop_reason
    assert final.usage.output_tokens == whole.usage.output_tokens
