"""What the operator changes, through a running gateway, from every client protocol to every vendor's: fields of bodies, the
system prompt, the model's name in answers. In the relay lane everything else passes byte for byte."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import pytest

from aiproxy.codecs import openai_chat
from aiproxy.gateway.quiet import QuietLane
from tests.rig.daemon import Daemon, daemon
from tests.vendors.scenarios import SCENARIOS, Answer
from tests.vendors.stand_in import VENDORS, StandIn, vendors
from tests.vendors.vendor import Vendor

ALIAS = "what-clients-call-it"
OURS = "Say it in verse."
KINDS = ("ruled", "prompted", "shown", "plain")


@dataclass(frozen=True, slots=True)
class Client:
    """How a protocol asks, in raw bytes. `{model}` and `{verb}` stand in paths that tell these."""

    path: str
    body: Mapping[str, Any]
    models: Callable[[Any], Any]
    """The model's names in one JSON object of an answer."""


SYSTEM, HELLO = {"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}

CLIENTS = {
    "openai-chat": Client("/v1/chat/completions", {"messages": [SYSTEM, HELLO]}, lambda said: said.get("model")),
    "openai-responses": Client(
        "/v1/responses",
        {"instructions": "Be kind.", "input": [HELLO]},
        lambda said: said["response"].get("model") if "response" in said else said.get("model"),
    ),
    "anthropic-messages": Client(
        "/v1/messages",
        {"max_tokens": 99, "system": "Be kind.", "messages": [HELLO]},
        lambda said: said["message"]["model"] if "message" in said else said.get("model"),
    ),
    "gemini": Client(
        "/v1beta/models/{model}:{verb}",
        {
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
            "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        },
        lambda said: said.get("modelVersion"),
    ),
    "ollama": Client("/ollama/api/chat", {"messages": [SYSTEM, HELLO]}, lambda said: said.get("model")),
}
PAIRS = list(product(CLIENTS, VENDORS))
OF_CLIENTS = [vendor for vendor in VENDORS if vendor.name in CLIENTS]


def named(each: object) -> str:
    return each.name if isinstance(each, Vendor) else str(each)


def ask(address: str, client: str, model: str, *, stream: bool) -> httpx2.Response:
    asks = CLIENTS[client]
    path = asks.path.format(model=model, verb="streamGenerateContent?alt=sse" if stream else "generateContent")
    body = dict(asks.body) if client == "gemini" else {"model": model, "stream": stream, **asks.body}
    answer = httpx2.post(f"{address}{path}", json=body, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer


def objects(answer: httpx2.Response) -> list[Any]:
    """Every JSON object of an answer, whole or streamed."""
    lines = answer.text.splitlines()
    said = [line.removeprefix("data: ") for line in lines if line.startswith(("data: {", "{"))]
    return [json.loads(line) for line in said]


RULES = """
payload:
  default:
    - {models: ['*.ruled'], params: {extra.kept: 1}}
    - {models: ['*.plain'], params: {model: never-missing}}
  override:
    - {models: [{name: '*.ruled', protocol: openai}, {name: '*.ruled', protocol: responses}, {name: '*.ruled', protocol: claude}], params: {temperature: 0.25}}
    - {models: [{name: '*.ruled', protocol: gemini}], params: {generationConfig.temperature: 0.25}}
    - {models: [{name: '*.ruled', protocol: ollama}], params: {options.temperature: 0.25}}
    - {models: [{name: '*.ruled', from-protocol: gemini}], params: {extra.from: gemini}}
  filter:
    - {models: [{name: '*.ruled', exist: [max_tokens], protocol: openai}], params: [max_tokens]}
"""


def configuration(address: str, more: str) -> str:
    def models(vendor: str) -> str:
        names = [
            f"{{name: plain, alias: {vendor}.{kind}, force-mapping: {str(kind == 'shown').lower()}}}" for kind in KINDS
        ]
        return f"[{', '.join(names)}]"

    return f"""
request-retry: 0
disable-cooling: true
openai-compatibility:
  - {{name: chat, base-url: "{address}/v1", api-key-entries: [chat-key-0123456789], models: {models("openai-chat")}}}
codex-api-key:
  - {{api-key: responses-key-0123456789, base-url: "{address}/v1", models: {models("openai-responses")}}}
claude-api-key:
  - {{api-key: messages-key-0123456789, base-url: "{address}", models: {models("anthropic-messages")}}}
gemini-api-key: [{{api-key: gemini-key-0123456789, base-url: "{address}", models: {models("gemini")}}}]
vertex-api-key: [{{api-key: vertex-key-0123456789, base-url: "{address}", models: {models("vertex")}}}]
ollama: [{{base-url: "{address}", models: {models("ollama")}}}]
{more}
"""


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with vendors() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon(tmp_path_factory.mktemp("ruled"), configuration(stand_in.address, RULES)) as running:
        yield running


@pytest.fixture(scope="module", params=["append", "overwrite"])
def prompted(
    request: pytest.FixtureRequest, stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Daemon, str]]:
    directory = tmp_path_factory.mktemp("prompted")
    (directory / "prompt.txt").write_text(f"{OURS}\n")
    prompt = f"system-prompt: {{file: prompt.txt, mode: {request.param}, replacements: [{{old: kind, new: brief}}]}}"
    with daemon(directory, configuration(stand_in.address, prompt)) as running:
        yield running, OURS if request.param == "overwrite" else f"Be brief.\n{OURS}"


@pytest.mark.parametrize(("client", "vendor"), PAIRS, ids=named)
def test_rules_speak_the_protocol_of_the_upstream(
    client: str, vendor: Vendor, stand_in: StandIn, gateway: Daemon
) -> None:
    ask(gateway.address, client, f"{vendor.name}.ruled", stream=False)
    sent = stand_in.upstream.received[-1].json
    where = {"gemini": "generationConfig", "ollama": "options"}.get(vendor.protocol or vendor.name)
    assert (sent[where] if where else sent)["temperature"] == 0.25
    assert sent["extra"] == ({"kept": 1, "from": "gemini"} if client == "gemini" else {"kept": 1})
    assert vendor.name != "openai-chat" or "max_tokens" not in sent


def test_a_request_that_does_not_pass_as_it_came_is_counted(stand_in: StandIn, tmp_path: Path) -> None:
    more = "logging: {level: debug}\npayload: {default: [{models: ['*.ruled'], params: {temperature: 0.25}}]}"
    with daemon(tmp_path, configuration(stand_in.address, more)) as running:
        for model, client, told in (
            ("ruled", "openai-chat", True),
            ("plain", "openai-chat", False),
            ("ruled", "gemini", False),
        ):
            answer = ask(running.address, client, f"openai-chat.{model}", stream=False)
            story = running.wait_for(f"{answer.headers['x-request-id']} complete")["msg"]
            assert ("1 written anew" in story) is told


@pytest.mark.parametrize(
    ("path", "model", "options"),
    [("/v1/completions", "openai-chat.ruled", ""), ("/ollama/api/generate", "ollama.ruled", "options")],
)
def test_rules_hold_for_a_prompt_alone(path: str, model: str, options: str, stand_in: StandIn, gateway: Daemon) -> None:
    httpx2.post(f"{gateway.address}{path}", json={"model": model, "prompt": "x", "stream": False}, timeout=20)
    sent = next(received.json for received in reversed(stand_in.upstream.received) if "prompt" in received.json)
    assert (sent[options] if options else sent)["temperature"] == 0.25


def unasked(vendor: Vendor, events: Iterable[bytes]) -> bytes:
    """A stream without the usage that the gateway asks for and the client didn't."""
    said = b"".join(events)
    return QuietLane(openai_chat.WIRE).feed(said) if vendor.name == openai_chat.WIRE.name else said


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "vendor"), PAIRS, ids=named)
def test_the_prompt_is_where_the_vendor_looks_for_it(
    client: str, vendor: Vendor, stream: bool, stand_in: StandIn, prompted: tuple[Daemon, str]
) -> None:
    gateway, expected = prompted
    answer = ask(gateway.address, client, f"{vendor.name}.plain", stream=stream)
    who, asked = stand_in.asked[-1]
    assert who is vendor
    assert asked.instructions == (expected,)
    assert asked.texts == ("hello",)
    if client == vendor.name:
        assert asked.streamed == stream
        told = SCENARIOS["plain"].first
        assert isinstance(told, Answer)
        assert answer.content == (unasked(vendor, vendor.events(asked, told)) if stream else vendor.whole(asked, told))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "vendor"), PAIRS, ids=named)
def test_answers_name_the_model_as_the_client_did(
    client: str, vendor: Vendor, stream: bool, stand_in: StandIn, gateway: Daemon
) -> None:
    name = f"{vendor.name}.shown"
    answer = ask(gateway.address, client, name, stream=stream)
    shown = {CLIENTS[client].models(said) for said in objects(answer)} - {None}
    assert shown == {name}
    assert answer.headers["x-aiproxy-model"] == "plain"
    if client == vendor.name:
        _, asked = stand_in.asked[-1]
        told = SCENARIOS["plain"].first
        assert isinstance(told, Answer)
        said = unasked(vendor, vendor.events(asked, told)) if stream else vendor.whole(asked, told)
        assert answer.content == said.replace(b'"plain"', json.dumps(name).encode())


@pytest.mark.parametrize("vendor", OF_CLIENTS, ids=named)
def test_without_a_rule_that_changes_it_a_body_passes_byte_for_byte(
    vendor: Vendor, stand_in: StandIn, gateway: Daemon
) -> None:
    asks = CLIENTS[vendor.name]
    model = f"{vendor.name}.plain"
    path = asks.path.format(model=model, verb="generateContent")
    named = {} if vendor.name == "gemini" else {"model": model, "stream": False}
    written = json.dumps({**named, **asks.body}, indent=3).replace("hello", "h\\u00ebllo")
    assert httpx2.post(f"{gateway.address}{path}", content=written.encode(), timeout=20).status_code == 200
    # A default may find nothing missing; in Gemini's bodies the model is missing indeed.
    if vendor.name == "gemini":
        assert stand_in.upstream.received[-1].json == {**json.loads(written), "model": "never-missing"}
    else:
        assert stand_in.upstream.received[-1].body == written.replace(f'"{model}"', '"plain"').encode()


@pytest.mark.parametrize("strict", [False, True])
def test_a_field_nobody_else_knows_is_told_or_refused_by_its_name(
    strict: bool, stand_in: StandIn, tmp_path: Path
) -> None:
    more = "translation: strict" if strict else ""
    with daemon(tmp_path, configuration(stand_in.address, more)) as gateway:
        for client, vendor in PAIRS:
            model = f"{vendor.name}.plain"
            asks = CLIENTS[client]
            path = asks.path.format(model=model, verb="generateContent")
            named = {} if client == "gemini" else {"model": model, "stream": False}
            body = {**named, **asks.body, "never_heard_of": 1}
            answer = httpx2.post(f"{gateway.address}{path}", json=body, timeout=20)
            if client in (vendor.name, vendor.protocol):
                assert (answer.status_code, "x-aiproxy-warnings" in answer.headers) == (200, False)
            elif strict:
                assert answer.status_code == 400, (client, vendor.name)
                assert "`never_heard_of`" in answer.text
            else:
                assert answer.headers["x-aiproxy-warnings"] == "drop:never_heard_of"


def test_a_prompt_file_is_read_again_when_it_changes(stand_in: StandIn, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("First.")
    with daemon(tmp_path, configuration(stand_in.address, "system-prompt: {file: prompt.txt}")) as gateway:
        ask(gateway.address, "ollama", "ollama.plain", stream=False)
        assert stand_in.asked[-1][1].instructions == ("Be kind.\nFirst.",)
        prompt.write_text("Second, and longer.")
        gateway.wait_for("configuration reloaded")
        ask(gateway.address, "ollama", "ollama.plain", stream=False)
        assert stand_in.asked[-1][1].instructions == ("Be kind.\nSecond, and longer.",)
        prompt.unlink()
        assert "unreadable-file" in gateway.wait_for("not reloaded")["msg"]
        ask(gateway.address, "ollama", "ollama.plain", stream=False)
        assert stand_in.asked[-1][1].instructions == ("Be kind.\nSecond, and longer.",)
