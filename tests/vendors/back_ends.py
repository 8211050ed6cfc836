"""The back ends of logins, each strict about what is its own, over the writers of the protocols they took over.

Source: the provider sheets; bodies captured from AIClient-2-API (Kiro) and Gemini CLI (Code Assist)."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from tests.rig.upstream import Received
from tests.vendors.anthropic_messages import ANTHROPIC_MESSAGES
from tests.vendors.gemini import GEMINI
from tests.vendors.kiro import KIRO
from tests.vendors.logins import LoginVendor
from tests.vendors.openai_chat import OPENAI_CHAT
from tests.vendors.openai_responses import OPENAI_RESPONSES
from tests.vendors.scenarios import SCENARIOS, Answer
from tests.vendors.vendor import Asked, Vendor, dumps

PROJECT = "project-1"
ACCOUNT = "account-1"
"""Which the login side tells, too."""
DEVICE = "device-7"

CLIENTS = ("openai-chat", "openai-responses", "anthropic-messages", "gemini", "ollama")

CODEX_REFUSES = {
    "temperature", "top_p", "max_output_tokens", "previous_response_id", "truncation", "user", "safety_identifier",
    "stream_options", "context_management",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Served:
    """A back end under its provider's name as the first step of the path, for clients of these protocols. `record` is what
    the credential file of its account says besides its tokens."""

    vendor: Vendor
    provider: str
    record: Mapping[str, Any] = field(default_factory=dict)
    clients: tuple[str, ...] = CLIENTS
    begins: str = ""
    """What the names of its models begin with."""
    path: str = ""
    """What its requests end with, where a provider has several."""

    @property
    def name(self) -> str:
        return self.vendor.name


def honest(received: Received) -> None:
    """Nobody passes for another."""
    assert received.headers["user-agent"].startswith("aiproxy/")


def elsewhere(received: Received, path: str, body: object = None, **headers: str) -> Received:
    return Received(
        received.method, path, {**received.headers, **headers}, received.body if body is None else dumps(body)
    )


# -- Code Assist


def code_assist(check: Callable[[dict[str, Any]], None]) -> Callable[[Received], Asked]:
    def asked(received: Received) -> Asked:
        honest(received)
        url = urlsplit(received.path)
        verb = url.path.removeprefix("/v1internal:")
        body = received.json
        assert body["project"] == PROJECT, "Permission denied on the project."
        assert body.keys() <= {"project", "model", "request", "requestId", "requestType"}, body.keys()
        check(body)
        path = f"/v1beta/models/{body['model']}:{verb}?{url.query}"
        found = GEMINI.asked(elsewhere(received, path, body["request"], **{"x-goog-api-key": "none"}))
        declared = [each for tool in body["request"].get("tools", ()) for each in tool.get("functionDeclarations", ())]
        return replace(found, tools={each["name"]: plain(each) for each in declared})

    return asked


def plain(declared: dict[str, Any]) -> Any:
    """The parameters as JSON Schema, by whichever field they came."""
    if "parametersJsonSchema" in declared:
        return declared["parametersJsonSchema"]
    return json.loads(re.sub(r'"type": "[A-Z]+"', lambda found: found[0].lower(), json.dumps(declared["parameters"])))


def no_more(body: dict[str, Any]) -> None:
    assert body.keys() == {"project", "model", "request"}


def antigravitys(body: dict[str, Any]) -> None:
    request = body["request"]
    kind = "image_gen" if "image" in body["model"] else "agent"
    if request.get("tools") == [{"googleSearch": {}}]:
        assert body["requestType"] == "web_search"
        assert "requestId" not in body
    else:
        assert body["requestType"] == kind
        assert body["requestId"].startswith(f"{kind}-")
    assert request["sessionId"].startswith("-")
    assert "safetySettings" not in request
    assert "maxOutputTokens" not in request.get("generationConfig", {})
    assert "parametersJsonSchema" not in json.dumps(request)


def enveloped_whole(request: Asked, answer: Answer) -> bytes:
    return b'{"response": %b, "traceId": "t"}' % GEMINI.whole(request, answer)


def enveloped_events(request: Asked, answer: Answer) -> list[bytes]:
    found = GEMINI.events(replace(request, as_array=False), answer)
    return [
        b'data: {"response": %b, "traceId": "t"}\r\n\r\n' % event.removeprefix(b"data: ").strip() for event in found
    ]


# -- Codex


def codex(received: Received) -> Asked:
    honest(received)
    body = received.json
    assert received.headers["chatgpt-account-id"] == ACCOUNT
    assert not body.keys() & CODEX_REFUSES, f"Unsupported parameter: {body.keys() & CODEX_REFUSES}"
    assert (body["stream"], body["store"]) == (True, False)
    assert body["include"] == ["reasoning.encrypted_content"]
    assert isinstance(body["instructions"], str)
    assert isinstance(body["input"], list), "Input must be a list"
    assert all(item.get("role") != "system" for item in body["input"]), "System messages are not allowed"
    return OPENAI_RESPONSES.asked(elsewhere(received, "/v1/responses"))


# -- Claude


def claude(received: Received) -> Asked:
    assert "x-api-key" not in received.headers
    betas = received.headers.get("anthropic-beta", "").replace(" ", "").split(",")
    assert betas.count("oauth-2025-04-20") == 1, "OAuth authentication is currently not supported."
    return ANTHROPIC_MESSAGES.asked(received)


# -- Chat Completions of their own


def chat(
    check: Callable[[Received, dict[str, Any]], None], path: str = "/chat/completions"
) -> Callable[[Received], Asked]:
    def asked(received: Received) -> Asked:
        honest(received)
        assert received.path == path, received.path
        body = received.json
        if body.get("stream"):
            assert body["stream_options"]["include_usage"] is True
        check(received, body)
        return OPENAI_CHAT.asked(elsewhere(received, "/v1/chat/completions"))

    return asked


def qwens(received: Received, body: dict[str, Any]) -> None:
    assert received.headers["x-dashscope-authtype"] == "qwen-oauth"
    first, *rest = body["messages"]
    assert first["role"] == "system"
    assert first["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert all(message["role"] != "system" for message in rest)


def iflows(received: Received, body: dict[str, Any]) -> None:
    assert len(received.headers["x-iflow-signature"]) == 64
    assert received.headers["session-id"].startswith("session-")
    assert received.headers["x-iflow-timestamp"].isdecimal()
    assert "reasoning_effort" not in body


def kimis(received: Received, body: dict[str, Any]) -> None:
    assert received.headers["x-msh-device-id"] == DEVICE
    assert received.headers["x-msh-platform"] == "aiproxy"
    assert "reasoning_effort" not in body
    for message in body["messages"]:
        assert not message.get("tool_calls") or message["reasoning_content"]


def kimis_messages(received: Received) -> Asked:
    honest(received)
    assert received.headers["x-msh-device-id"] == DEVICE
    return ANTHROPIC_MESSAGES.asked(received)


def copilots_responses(received: Received) -> Asked:
    honest(received)
    body = received.json
    assert "codex" in body["model"], "unsupported_api_for_model"
    assert body["store"] is False
    last = body["input"][-1]
    assert received.headers["x-initiator"] == ("user" if last.get("role") == "user" else "agent")
    sees = "input_image" in json.dumps(body["input"])
    assert (received.headers.get("copilot-vision-request") == "true") is sees
    found = OPENAI_RESPONSES.asked(elsewhere(received, "/v1/responses"))
    return replace(found, model=found.model.removeprefix("codex-"))


def copilots(received: Received, body: dict[str, Any]) -> None:
    last = body["messages"][-1]["role"]
    assert received.headers["x-initiator"] == ("user" if last == "user" else "agent")
    sees = "image_url" in json.dumps(body["messages"])
    assert (received.headers.get("copilot-vision-request") == "true") is sees
    assert received.headers["editor-version"].startswith("aiproxy/")


GEMINI_CLI = replace(
    GEMINI, name="gemini-cli", asked=code_assist(no_more), whole=enveloped_whole, events=enveloped_events
)
ANTIGRAVITY = replace(GEMINI_CLI, name="antigravity", asked=code_assist(antigravitys))
CODEX = replace(OPENAI_RESPONSES, name="codex", asked=codex)
CLAUDE = replace(ANTHROPIC_MESSAGES, name="claude", protocol="anthropic-messages", asked=claude)
QWEN = replace(OPENAI_CHAT, name="qwen", protocol="openai-chat", asked=chat(qwens))
IFLOW = replace(OPENAI_CHAT, name="iflow", protocol="openai-chat", asked=chat(iflows))
KIMI = replace(OPENAI_CHAT, name="kimi", protocol="openai-chat", asked=chat(kimis, "/v1/chat/completions"))
KIMI_MESSAGES = replace(ANTHROPIC_MESSAGES, name="kimi-messages", protocol="anthropic-messages", asked=kimis_messages)
COPILOT_RESPONSES = replace(
    OPENAI_RESPONSES, name="copilot-responses", protocol="openai-responses", asked=copilots_responses
)
COPILOT = replace(OPENAI_CHAT, name="copilot", protocol="openai-chat", asked=chat(copilots))

LOGINS = (
    Served(GEMINI_CLI, "gemini-cli", {"type": "gemini", "project_id": PROJECT}),
    Served(ANTIGRAVITY, "antigravity", {"type": "antigravity", "project_id": PROJECT}),
    Served(CODEX, "codex", {"type": "codex", "account_id": ACCOUNT}),
    Served(CLAUDE, "claude", {"type": "claude"}),
    Served(QWEN, "qwen", {"type": "qwen", "per_minute": 100_000}),
    Served(IFLOW, "iflow", {"type": "iflow"}),
    Served(KIMI, "kimi", {"type": "kimi", "device_id": DEVICE}, clients=tuple({*CLIENTS} - {"anthropic-messages"})),
    Served(KIMI_MESSAGES, "kimi", clients=("anthropic-messages",), path="/messages"),
    Served(COPILOT, "copilot", {"type": "copilot"}),
    Served(COPILOT_RESPONSES, "copilot", begins="codex-", path="/responses"),
    Served(KIRO, "kiro", {"type": "kiro", "authMethod": "social", "region": "eu-central-1"}),
)


PROVIDERS = tuple(dict.fromkeys(served.provider for served in LOGINS))


def credential_file(provider: str) -> dict[str, Any]:
    """Of its account, with the tokens that are good at first, and every scenario under the back end's name."""
    served = [each for each in LOGINS if each.provider == provider]
    aliases = [
        {"name": f"{each.begins}{name}", "alias": f"{each.name}.{name}"} for each in served for name in SCENARIOS
    ]
    tokens = {
        "access_token": "access-0",
        "refresh_token": "refresh-0",
        "expired": "2099-01-01T00:00:00Z",
        "api_key": "key-0",
    }
    if provider == "copilot":
        tokens = {"github_token": "ghu-0", "copilot_token": copilot_token(0), "copilot_expire": tokens["expired"]}
    return {**served[0].record, **tokens, "model_aliases": aliases}


def copilot_token(number: int) -> str:
    return f"tid=copilot-{number};exp=1"


def good_token(provider: str, login: LoginVendor) -> str:
    """What calls must bear now."""
    match provider:
        case "iflow":
            return f"key-{login.number}"
        case "copilot":
            return copilot_token(login.number)
        case _:
            return login.access


def withdraw(login: LoginVendor) -> None:
    """No token that was given out is good any more; the refresh token is."""
    login.number += 100
    login.access = "withdrawn"


def settings_of(address: str) -> str:
    """The configuration by which the accounts' calls and logins go to the stand-ins."""
    urls = ("token", "userinfo", "exchange", "social")
    paths = {"userinfo": "userinfo", "exchange": "copilot_internal/v2/token", "token": "token", "social": "social"}
    lines = ["upstreams:"]
    for provider in PROVIDERS:
        login = ", ".join(f"{url}-url: {address}/login/{provider}/{paths[url]}" for url in urls)
        lines.append(f"  {provider}: {{base-url: {address}/{provider}, {login}}}")
    clients = (
        f"  {each}: {{client-secret: a-client-secret-of-the-tests}}" for each in ("gemini-cli", "antigravity", "iflow")
    )
    return "\n".join([*lines, "oauth-clients:", *clients, ""])
