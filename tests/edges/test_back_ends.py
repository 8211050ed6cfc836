"""Back ends of logins in a running gateway: what differs from their protocols, beyond what every client sees alike."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.until import until
from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.vendors import back_ends
from tests.vendors.kiro import KIRO
from tests.vendors.scenarios import Answer
from tests.vendors.usage import Meter, UsageEndpoints
from tests.vendors.vendor import Asked, Vendor

PLAIN = Answer(("Hello", ", ", "world", "."))


class BackEnd:
    """Answers `plain` in the vendor's words, unless the next of `instead` does."""

    def __init__(self) -> None:
        self.vendor: Vendor = back_ends.GEMINI_CLI
        self.asked: list[Received] = []
        self.instead: list[Callable[[Received, Wire], None]] = []
        self.renewed = 0
        self.usage = UsageEndpoints()
        self.served: Upstream

    def __call__(self, received: Received, wire: Wire) -> None:
        if received.path.endswith(("/token", "/refreshToken")):
            self.renewed += 1
            token = f"access-{self.renewed}"
            wire.answer(200, json.dumps({"access_token": token, "accessToken": token, "expires_in": 3600}).encode())
            return
        if self.usage.serve(received, wire):
            return
        self.asked.append(received)
        if self.instead:
            self.instead.pop(0)(received, wire)
            return
        wire.head(200, {"content-type": self.vendor.stream_type, "connection": "close"})
        for event in self.vendor.events(Asked("m", streamed=True), PLAIN):
            wire.send(event)
        wire.cut()

    @property
    def address(self) -> str:
        return self.served.base_url.removesuffix("/v1")


def failing(status: int, body: object) -> Callable[[Received, Wire], None]:
    return lambda _received, wire: wire.answer(status, json.dumps(body).encode())


@pytest.fixture
def back_end() -> Iterator[BackEnd]:
    made = BackEnd()
    with upstream(made) as made.served:
        yield made


Run = Callable[..., Daemon]


@pytest.fixture
def run(back_end: BackEnd, tmp_path: Path) -> Iterator[Run]:
    running = []

    def start(provider: str, *records: dict[str, Any], more: str = "request-retry: 0") -> Daemon:
        (tmp_path / "auth").mkdir(mode=0o700)
        for number, record in enumerate(records):
            path = tmp_path / "auth" / f"{provider}-{number}.json"
            tokens = {
                "access_token": f"token-of-{number}-0123456789",
                "refresh_token": f"refresh-of-{number}-0123456789",
            }
            path.write_text(json.dumps({**tokens, "expired": "2099-01-01T00:00:00Z", **record}))
            path.chmod(0o600)
        urls = ", ".join(f"{name}-url: {back_end.address}/{name}" for name in ("token", "social"))
        text = f"auth-dir: auth\n{more}\nupstreams:\n  {provider}: {{base-url: {back_end.address}, {urls}}}\n"
        running.append(daemon(tmp_path, text))
        return running[-1].__enter__()

    yield start
    for each in running:
        each.__exit__(None, None, None)


def chat(gateway: Daemon, model: str, **more: Any) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=30)


def text(answer: httpx2.Response) -> str:
    said: str = answer.json()["choices"][0]["message"]["content"]
    return said


def used_up(_received: Received, wire: Wire) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "QUOTA_EXHAUSTED"}
    said = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Used up.", "details": [detail]}
    wire.answer(429, json.dumps({"error": said}).encode())


@pytest.mark.parametrize(("switches", "projects"), [("true", ["p-1", "p-2"]), ("false", ["p-1"])])
def test_another_project_of_the_login(back_end: BackEnd, run: Run, switches: str, projects: list[str]) -> None:
    back_end.instead = [used_up]
    more = f"request-retry: 0\nmax-retry-interval: 0\nquota-exceeded: {{switch-project: {switches}}}"
    gateway = run("gemini-cli", {"type": "gemini", "project_id": "p-1,p-2"}, more=more)
    answer = chat(gateway, "gemini-2.5-pro")
    assert [received.json["project"] for received in back_end.asked] == projects
    assert answer.status_code == (200 if len(projects) == 2 else 429)


def test_the_preview_of_a_model_that_is_used_up(back_end: BackEnd, run: Run) -> None:
    back_end.instead = [used_up]
    gateway = run("gemini-cli", {"type": "gemini", "project_id": "p-1"}, more="request-retry: 0\nmax-retry-interval: 0")
    assert text(chat(gateway, "gemini-3.1-pro")) == PLAIN.text
    assert [received.json["model"] for received in back_end.asked] == ["gemini-3.1-pro", "gemini-3.1-pro-preview"]


def test_claude_through_antigravity(back_end: BackEnd, run: Run) -> None:
    back_end.vendor = back_ends.ANTIGRAVITY
    gateway = run("antigravity", {"type": "antigravity", "project_id": "p-1"})
    tool = {"name": "look", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
    body = {
        "model": "claude-sonnet-4-6", "max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [tool], "messages": [{"role": "user", "content": "hi"}],
    }  # fmt: skip
    answer = httpx2.post(f"{gateway.base_url}/messages", json=body, timeout=30)
    assert answer.json()["content"][0]["text"] == PLAIN.text
    (received,) = back_end.asked
    assert received.path == "/v1internal:streamGenerateContent?alt=sse", "whole answers are made of streams"
    request = received.json["request"]
    assert request["toolConfig"]["functionCallingConfig"]["mode"] == "VALIDATED"
    assert request["tools"][0]["functionDeclarations"][0]["parameters"]["type"] == "OBJECT"
    config = request["generationConfig"]
    assert config["thinkingConfig"]["thinkingBudget"] < config["maxOutputTokens"]


@pytest.mark.parametrize("model", ["claude-sonnet-4-6", "gemini-3-flash"])
@pytest.mark.parametrize("allowed", [True, False])
def test_antigravity_pays_with_credits_when_nothing_else_is_left(
    back_end: BackEnd, run: Run, model: str, allowed: bool
) -> None:
    back_end.vendor = back_ends.ANTIGRAVITY
    back_end.instead = [used_up, used_up]
    more = f"request-retry: 0\nmax-retry-interval: 0\nquota-exceeded: {{antigravity-credits: {str(allowed).lower()}}}"
    record = {"type": "antigravity"}
    gateway = run("antigravity", {**record, "project_id": "p-1"}, {**record, "project_id": "p-2"}, more=more)
    answer = chat(gateway, model)
    pays = allowed and model.startswith("claude-")
    assert answer.status_code == (200 if pays else 429)
    asked = [received.json.get("enabledCreditTypes") for received in back_end.asked]
    assert asked == ([None, None, ["GOOGLE_ONE_AI"]] if pays else [None, None])


def test_codex_is_told_what_it_takes_and_the_client_what_it_lost(back_end: BackEnd, run: Run) -> None:
    back_end.vendor = back_ends.CODEX
    gateway = run("codex", {"type": "codex", "account_id": "acct"})
    body = {"model": "gpt-5.5", "input": "hi", "temperature": 0.5, "store": False, "stream": True}
    answer = httpx2.post(f"{gateway.base_url}/responses", json=body, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["x-aiproxy-warnings"] == "drop:temperature"
    sent = back_end.asked[0]
    assert "temperature" not in sent.json
    assert sent.headers["chatgpt-account-id"] == "acct"
    assert "originator" not in sent.headers


def test_codex_under_strict_translation(back_end: BackEnd, run: Run) -> None:
    gateway = run("codex", {"type": "codex"}, more="translation: strict")
    body = {"model": "gpt-5.5", "input": "hi", "temperature": 0.5, "store": False}
    answer = httpx2.post(f"{gateway.base_url}/responses", json=body, timeout=30)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "temperature")
    assert not back_end.asked


@pytest.mark.parametrize("told", [1.0, 0.2], ids=["the usage endpoint agrees", "it is behind"])
def test_a_plan_that_is_used_up_rests_with_all_its_models(back_end: BackEnd, run: Run, told: float) -> None:
    back_end.vendor = back_ends.CODEX
    back_end.usage.meters.default_factory = lambda: Meter(told)
    said = {"error": {"type": "usage_limit_reached", "message": "Used up.", "resets_in_seconds": 900}}
    back_end.instead = [failing(429, said)]
    gateway = run("codex", {"type": "codex", "account_id": "one"}, {"type": "codex", "account_id": "two"})
    assert text(chat(gateway, "gpt-5.5")) == PLAIN.text
    assert text(chat(gateway, "gpt-5.4")) == PLAIN.text
    first, *others = (received.headers["chatgpt-account-id"] for received in back_end.asked)
    assert others == ["two" if first == "one" else "one"] * 2
    (asked,) = until(lambda: back_end.usage.asked)
    assert (asked.path, asked.headers["chatgpt-account-id"]) == ("/wham/usage", first)


def test_claudes_betas_are_the_clients_and_the_logins(back_end: BackEnd, run: Run) -> None:
    back_end.vendor = back_ends.CLAUDE
    gateway = run("claude", {"type": "claude"})
    body = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "stream": True,
        "messages": [{"role": "user", "content": "hi"}],
    }
    content = json.dumps(body).encode()
    headers = {"anthropic-beta": "files-api-2025-04-14", "content-type": "application/json"}
    answer = httpx2.post(f"{gateway.base_url}/messages", content=content, headers=headers, timeout=30)
    assert answer.status_code == 200
    (received,) = back_end.asked
    assert received.headers["anthropic-beta"] == "files-api-2025-04-14,oauth-2025-04-20"
    assert received.headers["authorization"] == "Bearer token-of-0-0123456789"
    assert received.body == content, "the client's own words"


def test_kiro_says_by_403_that_a_token_is_stale(back_end: BackEnd, run: Run) -> None:
    back_end.vendor = KIRO
    back_end.instead = [failing(403, {"message": "The bearer token included in the request is invalid."})]
    arn = "arn:aws:codewhisperer:us-east-1:123456789012:profile/A"
    record = {
        "type": "kiro",
        "authMethod": "social",
        "accessToken": "a-token-0123456789",
        "refreshToken": "r",
        "profileArn": arn,
    }
    gateway = run("kiro", {**record, "expiresAt": "2099-01-01T00:00:00Z"})
    assert (
        text(chat(gateway, "claude-sonnet-4-5", extra_body={"anthropic": {"thinking": {"type": "enabled"}}}))
        == PLAIN.text
    )
    first, second = back_end.asked
    assert back_end.renewed == 1
    assert second.headers["authorization"] == "Bearer access-1"
    assert first.json["profileArn"] == arn
    assert first.json["conversationState"]["currentMessage"]["userInputMessage"]["modelId"] == "claude-sonnet-4.5"
    said = first.json["conversationState"]["currentMessage"]["userInputMessage"]["content"]
    assert said == "<thinking_mode>enabled</thinking_mode><max_thinking_length>20000</max_thinking_length>\n\nhi"


@pytest.mark.parametrize(
    ("provider", "record", "new", "foreign"),
    [
        ("antigravity", {"type": "antigravity", "project_id": "p"}, "gemini-9-new", "chat_20706"),
        ("kiro", {"type": "kiro", "authMethod": "social"}, "claude-sonnet-9", "deepseek-9"),
        ("copilot", {"type": "copilot", "github_token": "ghu-0123456789", "copilot_token": "tid=0123456789",
                     "copilot_expire": "2099-01-01T00:00:00Z"}, "gpt-9", "gpt-10"),
    ],
)  # fmt: skip
def test_what_a_vendor_lists_for_the_account(
    back_end: BackEnd, run: Run, provider: str, record: dict[str, Any], new: str, foreign: str
) -> None:
    gateway = run(provider, record)
    for _ in range(2):
        listed = {model["id"] for model in httpx2.get(f"{gateway.base_url}/models", timeout=30).json()["data"]}
        assert new in listed
        assert foreign not in listed
    assert len(back_end.usage.asked) == 1, "the list is kept for a while"


def test_what_is_listed(back_end: BackEnd, run: Run) -> None:
    gateway = run("gemini-cli", {"type": "gemini", "project_id": "p-1"})
    listed = {model["id"] for model in httpx2.get(f"{gateway.base_url}/models").json()["data"]}
    assert "gemini-2.5-pro" in listed
    assert chat(gateway, "gemini-9-new").status_code == 200, "a new one of the family is passed on"
    assert chat(gateway, "gpt-5.5").status_code == 404
    assert len(back_end.asked) == 1


def test_codex_shortens_a_conversation(back_end: BackEnd, run: Run) -> None:
    back_end.vendor = back_ends.CODEX
    item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"}
    usage = {
        "input_tokens": 9, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 11,
    }  # fmt: skip
    shortened = {"id": "resp_1", "object": "response.compaction", "created_at": 1, "output": [item], "usage": usage}
    back_end.instead = [lambda _received, wire: wire.answer(200, json.dumps(shortened).encode())]
    gateway = run("codex", {"type": "codex", "account_id": "acct"})
    body = {"model": "gpt-5.5", "input": [{"role": "user", "content": "hi"}], "instructions": "Be brief."}
    answer = httpx2.post(f"{gateway.base_url}/responses/compact", json=body, timeout=30)
    assert answer.json()["output"] == [item]
    (sent,) = back_end.asked
    assert sent.path == "/responses/compact"
    assert sent.json == body


def test_a_model_of_copilots_that_answers_on_responses_alone(back_end: BackEnd, run: Run) -> None:
    back_end.vendor = back_ends.CODEX
    tokens = {
        "github_token": "ghu-0123456789",
        "copilot_token": "tid=0123456789",
        "copilot_expire": "2099-01-01T00:00:00Z",
    }
    refusal = {
        "message": 'model "gpt-9" is not accessible via the /chat/completions endpoint',
        "code": "unsupported_api_for_model",
    }
    back_end.instead = [failing(400, {"error": refusal})]
    gateway = run("copilot", {"type": "copilot", **tokens})
    assert text(chat(gateway, "gpt-9")) == PLAIN.text
    assert text(chat(gateway, "gpt-5.3-codex")) == PLAIN.text
    assert [received.path for received in back_end.asked] == ["/chat/completions", "/responses", "/responses"]
    assert back_end.asked[1].headers["x-initiator"] == "user"


GROUNDED = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "It is sunny."}]},
            "finishReason": "STOP",
            "groundingMetadata": {
                "webSearchQueries": ["weather"],
                "groundingChunks": [{"web": {"uri": "https://weather.example/", "title": "Weather"}}],
                "groundingSupports": [
                    {
                        "segment": {"startIndex": 0, "endIndex": 12, "text": "It is sunny."},
                        "groundingChunkIndices": [0],
                    }
                ],
            },
        }
    ],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7},
}


def test_antigravity_searches_the_web(back_end: BackEnd, run: Run) -> None:
    def grounded(_received: Received, wire: Wire) -> None:
        wire.head(200, {"content-type": "text/event-stream", "connection": "close"})
        wire.send(b"data: " + json.dumps({"response": GROUNDED}).encode() + b"\r\n\r\n")
        wire.cut()

    back_end.instead = [grounded]
    gateway = run("antigravity", {"type": "antigravity", "project_id": "p-1"})
    tool = {"type": "web_search_20250305", "name": "web_search"}
    said = {"model": "gemini-3-flash", "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]}
    answer = httpx2.post(f"{gateway.base_url}/messages", json={**said, "tools": [tool]}, timeout=30)
    assert answer.status_code == 200, answer.text
    (sent,) = back_end.asked
    assert sent.json["requestType"] == "web_search"
    assert "requestId" not in sent.json
    assert sent.json["request"]["tools"] == [{"googleSearch": {}}]
    (block,) = [block for block in answer.json()["content"] if block["type"] == "text"]
    assert block["text"] == "It is sunny."
    assert [cited["url"] for cited in block["citations"]] == ["https://weather.example/"]


@pytest.mark.parametrize(
    ("provider", "record", "model", "path", "told"),
    [
        ("claude", {"type": "claude"}, "claude-sonnet-4-6", "/v1/messages/count_tokens", {"input_tokens": 77}),
        ("kimi", {"type": "kimi"}, "kimi-k2", "/v1/messages/count_tokens", {"input_tokens": 77}),
        ("gemini-cli", {"type": "gemini", "project_id": "p"}, "gemini-2.5-pro", "/v1internal:countTokens", {"totalTokens": 77}),
        ("antigravity", {"type": "antigravity", "project_id": "p"}, "claude-sonnet-4-6", "/v1internal:countTokens", {"totalTokens": 77}),
    ],
)  # fmt: skip
def test_tokens_are_counted_by_who_counts_them(
    back_end: BackEnd, run: Run, provider: str, record: dict[str, Any], model: str, path: str, told: dict[str, int]
) -> None:
    back_end.instead = [lambda _received, wire: wire.answer(200, json.dumps(told).encode())] * 2
    gateway = run(provider, record)
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    answer = httpx2.post(f"{gateway.base_url}/messages/count_tokens", json=body, timeout=30)
    assert answer.json() == {"input_tokens": 77}
    of_gemini = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    answer = httpx2.post(f"{gateway.address}/v1beta/models/{model}:countTokens", json=of_gemini, timeout=30)
    assert answer.json()["totalTokens"] == 77
    for sent in back_end.asked:
        assert sent.path == path
        if "v1internal" in path:
            assert {"project", "model"}.isdisjoint(sent.json), "the envelope says nothing but what is counted"
            assert sent.json["request"]["contents"]


@pytest.mark.parametrize("provider", ["codex", "qwen", "iflow", "copilot", "kiro"])
def test_tokens_are_estimated_where_nobody_counts(back_end: BackEnd, run: Run, provider: str) -> None:
    record = {"type": provider, "api_key": "key-0123456789", "github_token": "ghu-0123456789",
              "copilot_token": "tid=0123456789", "copilot_expire": "2099-01-01T00:00:00Z", "authMethod": "social"}  # fmt: skip
    models = {
        "codex": "gpt-5.5",
        "qwen": "coder-model",
        "iflow": "kimi-k2",
        "copilot": "gpt-4.1",
        "kiro": "claude-sonnet-4-5",
    }
    gateway = run(provider, record)
    body = {"model": models[provider], "messages": [{"role": "user", "content": "hi there"}]}
    answer = httpx2.post(f"{gateway.base_url}/messages/count_tokens", json=body, timeout=30)
    assert 0 < answer.json()["input_tokens"] < 30
    assert not back_end.asked
