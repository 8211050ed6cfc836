"""Upstreams that lack what their protocol has: an endpoint, or the right to show thinking. What can be done without it is done."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.vendors.anthropic_messages import ANTHROPIC_MESSAGES
from tests.vendors.openai_chat import OPENAI_CHAT
from tests.vendors.openai_responses import OPENAI_RESPONSES
from tests.vendors.scenarios import SCENARIOS, Answer
from tests.vendors.vendor import Vendor

ONLY = {"/v1/chat/completions": OPENAI_CHAT, "/v1/responses": OPENAI_RESPONSES, "/v1/messages": ANTHROPIC_MESSAGES}
"""The endpoints there are."""

CHAT_ONLY = "This is a chat model and not supported in the v1/completions endpoint."
UNVERIFIED = "Your organization must be verified to generate reasoning summaries."


def behave(received: Received, wire: Wire) -> None:
    vendor = ONLY.get(received.path)
    if received.json.get("model") == "nonesuch":
        refuse(wire, 404, "The model `nonesuch` does not exist", code="model_not_found")
    elif vendor is None:
        refuse(wire, 404, CHAT_ONLY if received.path == "/v1/completions" else "Not Found")
    elif "summary" in (received.json.get("reasoning") or {}):
        refuse(wire, 400, UNVERIFIED, param="reasoning.summary", code="unsupported_value")
    else:
        say(vendor, received, wire)


def say(vendor: Vendor, received: Received, wire: Wire) -> None:
    asked, plain = vendor.asked(received), SCENARIOS["plain"].first
    assert isinstance(plain, Answer)
    if not asked.streamed:
        wire.answer(200, vendor.whole(asked, plain))
        return
    wire.head(200, {"content-type": vendor.stream_type, "transfer-encoding": "chunked"})
    for event in (*vendor.events(asked, plain), b""):
        wire.chunk(event)


def refuse(wire: Wire, status: int, message: str, **more: str) -> None:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}
    wire.answer(status, json.dumps({"error": error}).encode())


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with upstream(behave) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon(tmp_path_factory.mktemp("lacking"), configuration(vendor)) as running:
        yield running


def configuration(vendor: Upstream, more: str = "") -> str:
    base = vendor.base_url
    return f"""
request-retry: 0
disable-cooling: true
{more}
openai-compatibility:
  - {{name: chat, base-url: "{base}", api-key-entries: [chat-key-0123456789], models: [{{name: plain, alias: chat}}]}}
codex-api-key: [{{api-key: codex-key-0123456789, base-url: "{base}", models: [{{name: plain, alias: responses}}, nonesuch]}}]
claude-api-key: [{{api-key: claude-key-0123456789, base-url: "{base.removesuffix("/v1")}", models: [{{name: plain, alias: messages}}]}}]
"""


def ask(gateway: Daemon, path: str, **body: Any) -> httpx2.Response:
    return httpx2.post(f"{gateway.address}{path}", json=body, timeout=20)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_chat_model_completes_by_chat(gateway: Daemon, streamed: bool) -> None:
    answer = ask(gateway, "/v1/completions", model="chat", prompt="Say", stream=streamed)
    assert (answer.status_code, answer.headers["x-aiproxy-attempts"]) == (200, "1")
    assert "text_completion" in answer.text
    assert streamed == ("data: [DONE]" in answer.text)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages/count_tokens", {"model": "messages", "messages": [{"role": "user", "content": "Say it"}]}),
        ("/v1/messages/count_tokens", {"model": "responses", "messages": [{"role": "user", "content": "Say it"}]}),
        ("/v1/responses/input_tokens", {"model": "responses", "input": "Say it"}),
    ],
)
def test_tokens_that_an_upstream_does_not_count_are_estimated(gateway: Daemon, path: str, body: dict[str, Any]) -> None:
    answer = ask(gateway, path, **body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-aiproxy-warnings"] == "emulate:count_tokens"
    assert 0 < answer.json()["input_tokens"] < 20


def test_a_model_that_is_not_there_is_not_counted(gateway: Daemon) -> None:
    answer = ask(gateway, "/v1/responses/input_tokens", model="nonesuch", input="Say it")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_a_history_is_summed_up_where_compactions_are_unknown(gateway: Daemon) -> None:
    answer = ask(gateway, "/v1/responses/compact", model="responses", input=[{"role": "user", "content": "Say it"}])
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-aiproxy-warnings"] == "emulate:compaction"
    assert answer.json()["output"][-1]["type"] == "compaction"


@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_that_may_not_be_shown_is_not_asked_to_be_seen(
    gateway: Daemon, vendor: Upstream, streamed: bool
) -> None:
    said = [{"role": "user", "content": "Think"}]
    answer = ask(
        gateway, "/v1/chat/completions", model="responses", messages=said, reasoning_effort="high", stream=streamed
    )
    assert answer.status_code == 200, answer.text
    assert "x-aiproxy-warnings" not in answer.headers, "nobody asked to see it"
    assert [received.json["reasoning"] for received in vendor.received[-2:]] == [
        {"effort": "high", "summary": "auto"},
        {"effort": "high"},
    ]
    thinking = {"type": "adaptive", "display": "summarized"}
    answer = ask(gateway, "/v1/messages", model="responses", messages=said, max_tokens=9000, thinking=thinking)
    assert answer.status_code == 200, answer.text
    assert "drop:thinking.display" in answer.headers["x-aiproxy-warnings"]


def test_a_client_of_the_upstreams_own_protocol_is_told(gateway: Daemon, vendor: Upstream) -> None:
    before = len(vendor.received)
    answer = ask(gateway, "/v1/responses", model="responses", input="x", reasoning={"summary": "auto"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "reasoning.summary")
    assert len(vendor.received) == before + 1


def test_with_a_system_prompt_of_the_operator_completions_go_where_it_has_a_place(
    vendor: Upstream, tmp_path: Path
) -> None:
    with daemon(tmp_path, configuration(vendor, "system-prompt: {text: Be polite.}")) as running:
        assert ask(running, "/v1/completions", model="chat", prompt="Say").status_code == 200
    received = vendor.received[-1]
    assert received.path == "/v1/chat/completions"
    assert received.json["messages"][0] == {"role": "system", "content": "Be polite."}
