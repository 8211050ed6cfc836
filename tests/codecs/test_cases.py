"""Golden cases: `tests/cases/<codec>/<what>.case`, each one thing in the words of several protocols.

Lines of `key: value` first, `kind` among them; then sections, each under `--- <protocol>` or `--- neutral`. The first protocol is
the one the thing comes in: it is decoded to `neutral`, encoded back to itself, and encoded to every other protocol named. Where
`neutral` stands first, the thing is encoded from there to every protocol named; `source` says whose client it is from.

    kind: request    bodies. `neutral` is a GenerateRequest
    kind: answer     bodies. `neutral` is a GenerateResponse
    kind: stream     the wire's text. `neutral` is the whole GenerateResponse, or the list of events
    kind: error      a body; elsewhere `{"status", "body"}`. `neutral` is `{"kind", "message", …}`

`--- asked` is the neutral request an answer, a stream or an error belongs to. Further keys: `source` (whose client asked, where it
isn't the first protocol's), `capabilities` (JSON), `operation`, `status` and `headers` (JSON) of an upstream's error, `raises` (the
kind of error that reading must end with), `param` (what that error names), `warnings` (of the translation to the last protocol)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.codec import Codec, Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.report import Report
from aiproxy.framing import Frame
from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.plain import from_plain, to_plain
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.response import GenerateResponse
from aiproxy.secrets import Secret

ROOT = Path(__file__).parent.parent / "cases"

PACKAGES = {
    "openai-chat": "openai_chat",
    "openai-responses": "openai_responses",
    "anthropic": "anthropic_messages",
    "gemini": "gemini",
    "ollama": "ollama",
}

SEALER = Sealer(Secret("the key of the golden cases"), "tenant")


@dataclass(frozen=True)
class Case:
    settings: dict[str, str]
    sections: dict[str, str]
    protocols: list[str] = field(default_factory=list)

    @property
    def from_neutral(self) -> bool:
        return next(iter(self.sections)) == "neutral"

    @property
    def first(self) -> str:
        return self.protocols[0]

    def json(self, section: str) -> Any:
        return orjson.loads(self.sections[section])

    def exchange(self, *, report: Report | None = None, request: GenerateRequest | None = None) -> Exchange:
        if request is None:
            request = GenerateRequest("the-model")
            if "asked" in self.sections:
                request = from_plain(GenerateRequest, self.json("asked"))
        return Exchange(
            request,
            SEALER,
            "req_case",
            source=self.settings.get("source", self.first),
            now=1790000000,
            capabilities=_capabilities(self.settings),
            report=report or Report(),
        )


def _capabilities(settings: dict[str, str]) -> Capabilities:
    found = orjson.loads(settings.get("capabilities", "{}"))
    sets = ("refused_sampling", "tool_choices", "hosted_tools", "input_modalities", "output_modalities")
    values: dict[str, Any] = {
        name: frozenset(value) if name in sets else tuple(value) if isinstance(value, list) else value
        for name, value in found.items()
    }
    return Capabilities(**values)


def read_case(text: str) -> Case:
    head, *blocks = ("\n" + text).split("\n--- ")
    settings = dict(line.split(": ", 1) for line in head.strip().splitlines() if line)
    sections = {}
    for block in blocks:
        name, _, content = block.partition("\n")
        sections[name.strip()] = content
    return Case(settings, sections, [name for name in sections if name in PACKAGES])


def codec(name: str) -> Codec:
    found: Codec = import_module(f"aiproxy.codecs.{PACKAGES[name]}").CODEC
    return found


def frames(name: str, wire: str) -> Iterator[Frame]:
    framer = codec(name).wire.framer()
    yield from framer.feed(wire.encode("utf-8", "surrogatepass"))
    yield from framer.close()


def decoded(case: Case, exchange: Exchange, name: str, wire: str) -> list[StreamEvent]:
    decoder = codec(name).decoder(exchange)
    events = [event for frame in frames(name, wire) for event in decoder.feed(frame)]
    return [*events, *decoder.close()]


def shown(name: str, wire: str) -> list[Any]:
    """A stream's frames, comparable: JSON payloads as objects."""
    found: list[Any] = []
    for frame in frames(name, wire):
        try:
            found.append((frame.event, orjson.loads(frame.data)))
        except ValueError:
            found.append((frame.event, frame.data))
    return found


def paths() -> list[Any]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in sorted(ROOT.rglob("*.case"))]


@pytest.mark.parametrize("path", paths())
def test_a_golden_case_holds_in_every_direction_it_names(path: Path) -> None:
    case = read_case(path.read_text())
    check = {"request": check_request, "answer": check_answer, "stream": check_stream, "error": check_error}
    raises = case.settings.get("raises")
    if raises is None:
        check[case.settings["kind"]](case)
        return
    with pytest.raises(GatewayError) as caught:
        check[case.settings["kind"]](case)
    assert caught.value.kind == raises, caught.value
    assert caught.value.param == case.settings.get("param", caught.value.param)


def check_request(case: Case) -> None:
    first, report = case.first, Report()
    if case.from_neutral:
        request = from_plain(GenerateRequest, case.json("neutral"))
        assert to_plain(request) == case.json("neutral")
        for name in case.protocols:
            exchange = case.exchange(report=report, request=request)
            assert orjson.loads(codec(name).encode_request(exchange).body) == case.json(name), name
        assert ", ".join(report.warnings) == case.settings.get("warnings", ", ".join(report.warnings))
        return
    incoming = Incoming(
        orjson.dumps(case.json(first)),
        model=case.settings.get("model"),
        stream=orjson.loads(case.settings.get("stream", "null")),
        operation=case.settings.get("operation", ""),
        headers=orjson.loads(case.settings.get("headers", "{}")),
    )
    request = codec(first).decode_request(incoming, SEALER, report)
    if "neutral" in case.sections:
        assert to_plain(request) == case.json("neutral")
        assert from_plain(GenerateRequest, case.json("neutral")) == request
    warnings: tuple[str, ...] = ()
    for name in case.protocols:
        told = report.fork()
        exchange = replace(case.exchange(report=told, request=request), source=first)
        if name == first:
            exchange = replace(exchange, capabilities=Capabilities())
        assert orjson.loads(codec(name).encode_request(exchange).body) == case.json(name), name
        warnings = told.warnings
    assert ", ".join(warnings) == case.settings.get("warnings", ", ".join(warnings))


def check_answer(case: Case) -> None:
    first = case.first
    if case.from_neutral:
        response = from_plain(GenerateResponse, case.json("neutral"))
        for name in case.protocols:
            assert orjson.loads(codec(name).encode_response(response, case.exchange()).body) == case.json(name), name
        return
    response = codec(first).decode_response(orjson.dumps(case.json(first)), case.exchange())
    if "neutral" in case.sections:
        assert to_plain(response) == case.json("neutral")
        assert from_plain(GenerateResponse, case.json("neutral")) == response
    for name in case.protocols:
        if name != first or case.settings.get("source", first) == first:
            answer = codec(name).encode_response(response, case.exchange())
            assert orjson.loads(answer.body) == case.json(name), name


def check_stream(case: Case) -> None:
    first, exchange = case.first, case.exchange()
    if case.from_neutral:
        for name in case.protocols:
            encoder = codec(name).encoder(exchange)
            told = explode(from_plain(GenerateResponse, case.json("neutral")))
            wire = b"".join(map(encoder.feed, told)).decode("utf-8", "surrogatepass")
            assert shown(name, wire) == shown(name, case.sections[name]), name
        return
    events = decoded(case, exchange, first, case.sections[first])
    response = collect(events)
    if "neutral" in case.sections:
        neutral = case.json("neutral")
        assert (to_plain(events) if isinstance(neutral, list) else to_plain(response)) == neutral
    for name in case.protocols:
        encoder = codec(name).encoder(case.exchange())
        wire = b"".join(map(encoder.feed, events)).decode("utf-8", "surrogatepass")
        if name != first:
            assert shown(name, wire) == shown(name, case.sections[name]), name
        elif case.settings.get("source", first) == first:
            assert collect(decoded(case, exchange, first, wire)) == response


def check_error(case: Case) -> None:
    first = case.first
    status = int(case.settings["status"])
    headers = orjson.loads(case.settings.get("headers", "{}"))
    error = codec(first).wire.decode_error(status, headers, case.sections[first].strip().encode())
    if "neutral" in case.sections:
        told = {name: getattr(error, name) for name in ("kind", "message", "code", "param", "retry_after")}
        assert {name: value for name, value in told.items() if value is not None} == case.json("neutral")
    for name in case.protocols[1:]:
        answer = codec(name).wire.encode_error(error, "req_case")
        assert {"status": answer.status, "body": orjson.loads(answer.body)} == case.json(name), name
