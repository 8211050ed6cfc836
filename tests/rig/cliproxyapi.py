"""CLIProxyAPI's management API as rows: what its tools send, path by path, and the answers they were written for.

Every row is a documented path and method with a documented status and shape (`tests.rig.shapes`); those of one table are asked from top to
bottom at one gateway. What is left out on purpose stands in `aiproxy.web.management.left_out`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.vendors.google_tokens import service_account

OK = {"status": "ok"}
ERROR = {"error": str, "code": str, "request_id": str}
NOTHING = type(None)
TEXT = str
"""A body that is no JSON."""

SAME_KEY = "key-of-two-0123456789"
"""Of two accounts at different addresses."""


@dataclass(frozen=True)
class Row:
    """`template` is the path as the OpenAPI document has it, where that differs; `sends` what httpx is given besides."""

    method: str
    path: str
    answers: Any
    status: int = 200
    sends: Mapping[str, Any] = field(default_factory=dict)
    template: str = ""

    @property
    def operation(self) -> tuple[str, str]:
        return self.method, self.template or self.path.partition("?")[0]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def row(method: str, path: str, answers: Any = OK, *, template: str = "", **sends: Any) -> Row:
    return Row(method, path, answers, 200, sends, template)


def refused(status: int, method: str, path: str, *, template: str = "", **sends: Any) -> Row:
    return Row(method, path, ERROR, status, sends, template)


# -- single values


def scalar(path: str, value: Any, wrong: Any, name: str = "") -> Iterator[Row]:
    """`value` is another one than is set."""
    name = name or path.rpartition("/")[2]
    yield row("GET", path, {name: type(value)})
    for method in ("PUT", "PATCH"):
        yield row(method, path, json={"value": value})
        yield row("GET", path, {name: value})
        yield refused(400, method, path, json={"value": wrong})
        yield refused(400, method, path, json={})
        yield refused(400, method, path, content=b"{")


def fixed(path: str, value: Any, other: Any) -> Iterator[Row]:
    """What is only told: it can be set to what it is."""
    yield row("GET", path, {path[1:]: value})
    for method in ("PUT", "PATCH"):
        yield row(method, path, json={"value": value})
        yield refused(400, method, path, json={"value": other})


SCALARS = (
    *scalar("/debug", True, "often"),
    *scalar("/request-log", True, "often"),
    *scalar("/ws-auth", False, "often"),
    *scalar("/force-model-prefix", True, "often"),
    *scalar("/quota-exceeded/switch-project", False, "often"),
    *scalar("/quota-exceeded/switch-preview-model", False, "often"),
    *fixed("/usage-statistics-enabled", True, False),
    *fixed("/logging-to-file", False, True),
    *scalar("/logs-max-total-size-mb", 50, "many"),
    *scalar("/error-logs-max-files", 20, "many"),
    *scalar("/request-retry", 7, "many"),
    *scalar("/max-retry-credentials", 5, "many"),
    *scalar("/max-retry-interval", 9, "long"),
    *scalar("/proxy-url", "http://127.0.0.1:9", "gopher://127.0.0.1"),
    row("DELETE", "/proxy-url"),
    row("GET", "/proxy-url", {"proxy-url": ""}),
    *scalar("/routing/strategy", "fill-first", "at-random"),
    row("PUT", "/routing/strategy", json={"value": "rr"}),
    row("GET", "/routing/strategy", {"strategy": "round-robin"}),
    row("PUT", "/routing/strategy", json={"value": "wrr"}),
    row("GET", "/routing/strategy", {"strategy": "weighted-round-robin"}),
    row("PATCH", "/routing/strategy", json={"value": "ff"}),
    row("GET", "/routing/strategy", {"strategy": "fill-first"}),
)

# -- lists


def account(key: str, **more: Any) -> dict[str, Any]:
    return {"api-key": key, **{name.replace("_", "-"): value for name, value in more.items()}}


def accounts(path: str) -> Iterator[Row]:
    name = path[1:]
    entry = {"api-key": str, "auth-index": str}
    one = account("key-of-one-0123456789", base_url="https://one.example/v1")
    two = [account(SAME_KEY, base_url=f"https://{each}.example/v1") for each in "ab"]
    yield row("PUT", path, json=[one])
    yield row("GET", path, {name: [{**entry, "base-url": "https://one.example/v1"}]})
    yield row("PUT", path, json={"items": [one, *two]})
    yield row("PATCH", path, json={"index": 0, "value": {"prefix": "first"}})
    yield row("PATCH", path, json={"match": one["api-key"], "value": {"excluded-models": ["*-mini"]}})
    yield refused(400, "PATCH", path, json={"match": SAME_KEY, "value": {"prefix": "x"}})
    yield row("PATCH", f"{path}?base-url=https://a.example/v1", json={"match": SAME_KEY, "value": {"prefix": "a"}})
    yield refused(404, "PATCH", path, json={"match": "nobody", "value": {"prefix": "x"}})
    yield refused(404, "PATCH", path, json={"index": 9, "value": {"prefix": "x"}})
    yield refused(400, "PATCH", path, json={"index": 0})
    yield refused(400, "PATCH", path, json={"index": 0, "value": {"prefix": 7}})
    yield row("GET", path, {name: [entry]})
    yield refused(400, "DELETE", f"{path}?api-key={SAME_KEY}")
    yield refused(404, "DELETE", f"{path}?api-key=nobody")
    yield refused(404, "DELETE", f"{path}?index=9")
    yield refused(400, "DELETE", path)
    yield row("DELETE", f"{path}?api-key={SAME_KEY}&base-url=https://a.example/v1")
    yield row("DELETE", f"{path}?index=1")
    yield row("GET", path, {name: [{**entry, "prefix": "first", "excluded-models": ["*-mini"]}]})
    yield row("PATCH", path, json={"match": one["api-key"], "value": {"api-key": ""}})
    yield row("GET", path, {name: []})
    yield refused(400, "PUT", path, json={"api-key": "x"})


OPENROUTER = {"name": "or", "base-url": "https://or.example/v1", "api-key-entries": [account("key-of-or-0123456789")]}

LISTS = (
    row("PUT", "/api-keys", json=["first-key-0123456789"]),
    row("PUT", "/api-keys", json={"items": ["first-key-0123456789", "second-key-0123456789"]}),
    row("GET", "/api-keys", {"api-keys": [str]}),
    row("PATCH", "/api-keys", json={"old": "second-key-0123456789", "new": "third-key-0123456789"}),
    row("PATCH", "/api-keys", json={"old": "nobody", "new": "appended-key-0123456789"}),
    row("PATCH", "/api-keys", json={"index": 0, "value": "fourth-key-0123456789"}),
    refused(404, "PATCH", "/api-keys", json={"index": 9, "value": "fifth-key-0123456789"}),
    refused(400, "PATCH", "/api-keys", json={"value": "fifth-key-0123456789"}),
    refused(400, "PATCH", "/api-keys", json={}),
    refused(400, "PUT", "/api-keys", json="x"),
    row("DELETE", "/api-keys?index=0"),
    row("DELETE", "/api-keys?value=third-key-0123456789"),
    row("DELETE", "/api-keys?value=appended-key-0123456789"),
    row("GET", "/api-keys", {"api-keys": []}),
    refused(404, "DELETE", "/api-keys?value=nobody"),
    refused(404, "DELETE", "/api-keys?index=0"),
    refused(400, "DELETE", "/api-keys"),
    *accounts("/gemini-api-key"),
    *accounts("/claude-api-key"),
    *accounts("/codex-api-key"),
    *accounts("/xai-api-key"),
    *accounts("/vertex-api-key"),
    row("PUT", "/openai-compatibility", json=[OPENROUTER]),
    row("GET", "/openai-compatibility", {"openai-compatibility": [{"name": "or", "base-url": str, "api-key-entries": [dict]}]}),
    row("PATCH", "/openai-compatibility", json={"name": "or", "value": {"prefix": "or"}}),
    row("PATCH", "/openai-compatibility", json={"index": 0, "value": {"disabled": True}}),
    refused(404, "PATCH", "/openai-compatibility", json={"name": "nobody", "value": {"prefix": "x"}}),
    refused(404, "DELETE", "/openai-compatibility?name=nobody"),
    refused(400, "DELETE", "/openai-compatibility"),
    row("DELETE", "/openai-compatibility?name=or"),
    row("PUT", "/openai-compatibility", json=[OPENROUTER]),
    row("PATCH", "/openai-compatibility", json={"name": "or", "value": {"base-url": ""}}),
    row("GET", "/openai-compatibility", {"openai-compatibility": []}),
    row("PUT", "/openai-compatibility", json=[OPENROUTER]),
    row("DELETE", "/openai-compatibility?index=0"),
)  # fmt: skip


def by_channel(path: str, name: str, entry: Any, shape: Any) -> Iterator[Row]:
    section = path[1:]
    yield row("GET", path, {section: {}})
    yield row("PUT", path, json={"codex": [entry]})
    yield row("PUT", path, json={"items": {"codex": [entry]}})
    yield row("GET", path, {section: {"codex": [shape]}})
    yield row("PATCH", path, json={"channel": "kimi", name: [entry]})
    yield row("PATCH", path, json={"provider": "claude", name: [entry]})
    yield row("GET", path, {section: {"codex": [shape], "kimi": [shape], "claude": [shape]}})
    yield row("PATCH", path, json={"provider": "claude", name: []})
    yield row("DELETE", f"{path}?channel=kimi")
    yield row("DELETE", f"{path}?provider=codex")
    yield row("GET", path, {section: {}})
    yield refused(404, "DELETE", f"{path}?channel=kimi")
    yield refused(404, "PATCH", path, json={"channel": "kimi", name: []})
    yield refused(400, "DELETE", path)
    yield refused(400, "PATCH", path, json={name: [entry]})
    yield refused(400, "PUT", path, json={"codex": 7})
    yield refused(400, "PUT", path, json=[])


CHANNELS = (
    *by_channel("/oauth-excluded-models", "models", "*-mini", "*-mini"),
    *by_channel("/oauth-model-alias", "aliases", {"name": "gpt-5", "alias": "five", "fork": True}, {"name": str, "alias": str}),
    *by_channel(
        "/oauth-request-scoped-errors", "rules", {"status": 400, "match": ["x"], "action": "continue"},
        {"status": int, "match": [str], "match-regexr": list, "action": str},
    ),
)  # fmt: skip

CONFIGURATION = (
    row("GET", "/config", {"port": int, "request-retry": int, "openai-api-key": [dict]}),
    row("GET", "/config.yaml", TEXT),
    refused(400, "PUT", "/config.yaml", content="a: ["),
    refused(422, "PUT", "/config.yaml", content="request-retry: many\n"),
    row("GET", "/latest-version", {"latest-version": str}),
)

# -- credential files and logins

KIMI = {
    "type": "kimi", "access_token": "access-of-mine-0123456789", "refresh_token": "refresh-of-mine-0123456789",
    "email": "me@example.com",
}  # fmt: skip
CODEX = {
    "type": "codex", "access_token": "access-of-codex-0123456789", "refresh_token": "r", "account_id": "a-1",
    "expired": "2099-01-01T00:00:00Z",
}  # fmt: skip

TENTHS = [{"time": str, "success": int, "failed": int}]
FILE = {
    "id": str, "auth_index": str, "name": str, "type": str, "provider": str, "label": str, "status": str, "status_message": str,
    "disabled": bool, "unavailable": bool, "runtime_only": bool, "source": "file", "path": str, "size": int,
    "last_refresh": (str, NOTHING), "next_retry_after": (str, NOTHING), "success": int, "failed": int, "recent_requests": TENTHS,
    "email": str, "project_id": str, "account_type": str, "account": str, "id_token": dict, "priority": int, "weight": int,
    "note": str, "websockets": bool, "request_retry": (int, NOTHING),
}  # fmt: skip
"""Without `modtime`, `created_at` and `updated_at`: a store needn't know times."""


def file(name: str, content: Any) -> tuple[str, tuple[str, str]]:
    return "file", (name, content if isinstance(content, str) else json.dumps(content))


GOOGLE = {**service_account("https://token.example/token"), "project_id": "p-1", "client_email": "a@p-1.example"}

FILES = (
    row("GET", "/auth-files", {"files": []}),
    row("POST", "/auth-files?name=kimi-1.json", json=KIMI),
    row("POST", "/auth-files", files=[file("codex-1.json", CODEX)]),
    Row("POST", "/auth-files", {"status": "partial", "uploaded": 1, "files": ["kimi-2.json"], "failed": [{"name": "bad.json", "error": str}]},
        207, {"files": [file("kimi-2.json", KIMI), file("bad.json", "{")]}),
    refused(400, "POST", "/auth-files", files=[file("bad.json", "{")]),
    refused(400, "POST", "/auth-files?name=../x.json", json=KIMI),
    row("GET", "/auth-files", {"files": [FILE]}),
    row("GET", "/auth-files?name=codex-1.json", {"files": [{**FILE, "id_token": {"chatgpt_account_id": "a-1", "plan_type": str}}]}),
    row("GET", "/auth-files?name=nobody.json", {"files": []}),
    row("GET", "/auth-files/download?name=kimi-1.json", KIMI),
    refused(404, "GET", "/auth-files/download?name=nobody.json"),
    refused(400, "GET", "/auth-files/download?name=a%5Cb.json"),
    refused(404, "GET", "/auth-files/download?name=a/b.json"),  # a directory of auth-dir, where there is one
    refused(400, "GET", "/auth-files/download?name=kimi-1.txt"),
    row("PATCH", "/auth-files/status", {"status": "ok", "disabled": True}, json={"name": "kimi-1.json", "disabled": True}),
    row("PATCH", "/auth-files/status", {"status": "ok", "disabled": False}, json={"name": "kimi-1.json", "disabled": False}),
    row("PATCH", "/auth-files/status", {"status": "ok", "disabled": True}, json={"name": "one", "disabled": True}),
    row("PATCH", "/auth-files/status", {"status": "ok", "disabled": False}, json={"name": "one", "disabled": False}),
    refused(404, "PATCH", "/auth-files/status", json={"name": "nobody.json", "disabled": True}),
    refused(400, "PATCH", "/auth-files/status", json={"name": "kimi-1.json"}),
    row("PATCH", "/auth-files/fields", json={
        "name": "kimi-1.json", "prefix": "p", "proxy_url": "direct", "priority": 3, "weight": 2, "note": "ours", "headers": {"X-A": "1"},
        "websockets": False, "disabled": False, "request_retry": None, "mine.deep": 1,
    }),
    row("GET", "/auth-files?name=kimi-1.json", {"files": [{**FILE, "priority": 3, "weight": 2, "note": "ours"}]}),
    refused(404, "PATCH", "/auth-files/fields", json={"name": "nobody.json", "note": "x"}),
    refused(400, "PATCH", "/auth-files/fields", json={"name": "kimi-1.json", "weight": "x"}),
    row("POST", "/vertex/import", {"status": "ok", "auth-file": str, "project_id": "p-1", "email": str, "location": "eu"},
        files={"file": ("key.json", json.dumps(GOOGLE)), "location": (None, "eu")}),
    refused(400, "POST", "/vertex/import", files=[file("key.json", "{}")]),
    row("DELETE", "/auth-files?name=kimi-2.json", {"status": "ok", "deleted": 1}),
    row("DELETE", "/auth-files", {"status": "ok", "deleted": 1}, json=["kimi-1.json"]),
    refused(404, "DELETE", "/auth-files", json={"name": "kimi-1.json"}),
    row("DELETE", "/auth-files", {"status": "ok", "deleted": 1}, json={"names": ["codex-1.json"]}),
    row("DELETE", "/auth-files?all=true", {"status": "ok", "deleted": 1}),
    refused(400, "DELETE", "/auth-files"),
)  # fmt: skip

PAGE = {"status": "ok", "url": str, "state": str}
DEVICE = {**PAGE, "flow": "device", "user_code": str, "expires_in": int}

LOGINS = (
    row("GET", "/anthropic-auth-url", PAGE),
    row("GET", "/codex-auth-url?is_webui=true", PAGE),
    row("GET", "/antigravity-auth-url", PAGE),
    row("GET", "/gemini-cli-auth-url?project_id=p", PAGE),
    row("GET", "/iflow-auth-url", PAGE),
    row("GET", "/kimi-auth-url", DEVICE),
    row("GET", "/qwen-auth-url", DEVICE),
    refused(400, "POST", "/iflow-auth-url", json={"cookie": 7}),
    row("GET", "/get-auth-status", OK),
    row("GET", "/get-auth-status?state=nobody", {"status": "error", "error": str}),
    refused(400, "GET", "/get-auth-status?state=a%2Fb"),
    row("DELETE", "/oauth-session?state=nobody", {"status": "ok", "cancelled": False}),
    refused(400, "DELETE", "/oauth-session"),
    refused(404, "POST", "/oauth-callback", json={"provider": "codex", "code": "c", "state": "nobody"}),
    refused(404, "GET", "/oauth-callback?code=c&state=nobody"),
)

# -- calls

CALLED = 3
"""Calls before these are asked, of which one has failed."""

TOKENS = dict.fromkeys(("input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "total_tokens"), int)
DETAIL = {"timestamp": str, "latency_ms": int, "source": str, "auth_index": str, "tokens": TOKENS, "failed": bool}
MODELS = {...: {"total_requests": int, "total_tokens": int, "details": [DETAIL]}}
USAGE = {
    "total_requests": CALLED, "success_count": 2, "failure_count": 1, "total_tokens": int,
    "apis": {...: {"total_requests": int, "total_tokens": int, "models": MODELS}},
    "requests_by_day": {...: int}, "requests_by_hour": {...: int}, "tokens_by_day": {...: int}, "tokens_by_hour": {...: int},
}  # fmt: skip
QUEUED = {
    **DETAIL,
    "tokens": {**TOKENS, "cache_read_tokens": int, "cache_creation_tokens": int},
    "ttft_ms": (int, NOTHING), "fail": {"status_code": int, "body": str}, "accounting_version": 2,
    "token_breakdown": {
        "quality": str, "total": int, "input": dict.fromkeys(("total", "uncached", "cache_read", "cache_write"), int),
        "output": dict.fromkeys(("total", "non_reasoning", "reasoning"), int), "unclassified": int,
    },
    "provider": "openai", "model": "m", "alias": "m", "endpoint": str, "auth_type": "apikey", "api_key": str, "request_id": str,
}  # fmt: skip
"""Without what no ledger should hold (addresses, `user_agent`, headers, a token's digest) or this one doesn't (`executor_type`,
`reasoning_effort`, service tiers, `generate`)."""

USED = {"success": int, "failed": int, "recent_requests": TENTHS}

CALLS = (
    row("GET", "/usage-queue", [QUEUED]),
    row("GET", "/usage-queue?count=9", [QUEUED]),
    row("GET", "/usage-queue?count=9", []),
    refused(400, "GET", "/usage-queue?count=0"),
    refused(400, "GET", "/usage-queue?count=many"),
    row("GET", "/usage", {"usage": USAGE, "failed_requests": 1}),
    row("GET", "/usage/export", {"version": 1, "exported_at": str, "usage": USAGE}),
    row("POST", "/usage/import", {"added": 0, "skipped": 0, "total_requests": CALLED, "failed_requests": 1}, json={"version": 1, "usage": {"apis": {}}}),
    refused(400, "POST", "/usage/import", json={"version": 2}),
    row("GET", "/api-key-usage", {"openai": {...: USED}}),
    row("GET", "/logs", {"lines": [str], "line-count": int, "latest-timestamp": int, "next-cursor": int}),
    row("GET", "/logs?after=1&limit=1&cursor=0", {"lines": [str], "line-count": 1, "latest-timestamp": int, "next-cursor": int}),
    refused(400, "GET", "/logs?limit=0"),
    row("DELETE", "/logs", {"success": True, "message": str, "removed": int}),
    row("GET", "/request-error-logs", {"files": [{"name": str, "size": int, "modified": int}]}),
    refused(404, "GET", "/request-error-logs/error-nobody.log", template="/request-error-logs/{name}"),
    refused(404, "GET", "/request-log-by-id/nobody", template="/request-log-by-id/{request_id}"),
    refused(404, "POST", "/reset-quota", json={"auth_index": "nobody"}),
    refused(400, "POST", "/reset-quota", json={}),
    row("GET", "/model-definitions/claude", {"models": list}, template="/model-definitions/{channel}"),
    refused(404, "GET", "/model-definitions/nobody", template="/model-definitions/{channel}"),
)  # fmt: skip

FOUND: Sequence[Row] = (
    row("GET", "/request-error-logs/{name}", TEXT),
    row("GET", "/request-log-by-id/{request_id}", TEXT),
    row("POST", "/reset-quota", {"status": "ok", "auth_index": str, "models": list}, json={"auth_index": "{auth_index}"}),
    row("GET", "/auth-files/models?name={file}", {"models": [{"id": str, "display_name": str, "type": "kimi", "owned_by": str}]}),
    row("PATCH", "/auth-files/status", {"status": "ok", "disabled": True}, json={"auth_index": "{auth_index}", "disabled": True}),
    row("PATCH", "/auth-files/status", {"status": "ok", "disabled": False}, json={"auth_index": "{auth_index}", "disabled": False}),
    row("PUT", "/config.yaml", {"ok": True, "changed": ["config"]}, content="{text}# edited\n"),
    row("GET", "/get-auth-status?state={state}", {"status": "wait"}),
    row("POST", "/oauth-callback", json={"provider": "codex", "redirect_url": "http://localhost:1455/auth/callback?code=c&state={state}"}),
    row("GET", "/get-auth-status?state={other}", {"status": "wait"}),
    row("DELETE", "/oauth-session?state={other}", {"status": "ok", "cancelled": True}),
    row("GET", "/get-auth-status?state={other}", {"status": "error", "error": str}),
    refused(409, "POST", "/oauth-callback", json={"provider": "codex", "code": "c", "state": "{other}"}),
    refused(409, "GET", "/oauth-callback?code=c&state={other}"),
)  # fmt: skip
"""What is asked by names that only a running gateway gives."""

TABLES: Mapping[str, Sequence[Row]] = {
    "scalars": SCALARS,
    "lists": LISTS,
    "channels": CHANNELS,
    "files": FILES,
    "logins": LOGINS,
    "calls": CALLS,
    "configuration": CONFIGURATION,
}
