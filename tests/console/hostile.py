"""A gateway whose every secret is a canary, and whose every word from outside would be a script if a page took it for HTML."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import httpx2

from aiproxy.config.names import hints, kebab
from aiproxy.config.schema import Settings
from aiproxy.secrets import Secret
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import KEY, MANAGED
from tests.rig.upstream import Received, Wire, completion, fails, upstream
from tests.vendors.google_tokens import service_account

CANARY = "canary-of-"
SCRIPT = "<img src=x onerror=alert(1)>"
QUOTES = "\"'><script>alert(2)</script>"
LINK = "javascript:alert(3)"


def canary(of: str) -> str:
    return f"{CANARY}{of}-0123456789"


CLIENT_KEY = canary("client")

CONFIGURATION = """{managed}auth-dir: auth
state: state.db
request-retry: 0
logging: {{level: debug}}
proxy-url: http://me:{canary}proxy@127.0.0.1:9
prompt-log: {{mode: file, directory: prompts}}
demo: {{enabled: true}}
api-keys:
  - {canary}first-client-0123456789   # {canary}first-client-0123456789 is mine
  - {{name: {script}, key: {canary}client-0123456789, tags: [{quotes}, {script}], models: [{script}, "*"]}}
notices: {{url: "http://127.0.0.1:9/", secret: {canary}notices-0123456789}}
tracing: {{headers: {{authorization: Bearer {canary}tracing-0123456789}}}}
oauth-clients: {{iflow: {{client-id: me, client-secret: {canary}oauth-client-0123456789}}}}
store:
  postgres: {{dsn: "postgresql://me:{canary}dsn-0123456789@127.0.0.1:9/x"}}
  git: {{token: {canary}git-0123456789}}
  s3: {{secret-key: {canary}s3-0123456789}}
openai-api-key:
  - name: {script}
    api-key: {canary}openai-0123456789
    base-url: "{good}"
    proxy-url: direct
    headers: {{x-my-key: {canary}header-0123456789}}
    models: [{{name: {script}, alias: {quotes}}}, {script}]
  - {{name: {quotes}, api-key: {canary}bad-0123456789, base-url: "{bad}", proxy-url: direct, models: [{link}]}}
claude-api-key: [{canary}claude-0123456789]
gemini-api-key: [{canary}gemini-0123456789]
codex-api-key: [{{api-key: {canary}codex-0123456789}}]
xai-api-key: [{canary}xai-0123456789]
ollama: [{{api-key: {canary}ollama-0123456789, base-url: "http://127.0.0.1:9", models: [x]}}]
vertex-api-key:
  - {{api-key: {canary}vertex-0123456789}}
  - {{service-account: {{file: {service_account}}}}}
openai-compatibility:
  - {{name: other, base-url: "{good}", api-key-entries: [{{api-key: {canary}compatible-0123456789, proxy-url: "http://me:{canary}entry@127.0.0.1:9"}}], models: [x]}}
"""

LOGINS: dict[str, Any] = {
    "kimi-x": {
        "type": "kimi",
        "access_token": canary("access"),
        "refresh_token": canary("refresh"),
        "email": SCRIPT,
        "note": QUOTES,
        "plan_type": SCRIPT,
    },
    "kiro-x": {
        "type": "kiro",
        "accessToken": canary("kiro-access"),
        "refreshToken": canary("kiro-refresh"),
        "clientId": "c",
        "clientSecret": canary("kiro-client"),
        "authMethod": SCRIPT,
    },
    SCRIPT.replace("/", ""): {"type": SCRIPT, "api_key": canary("stranger")},
    "refused": {"type": "kimi", "note": SCRIPT},
}


def secret_settings(cls: type = Settings, before: str = "") -> Iterator[str]:
    """The paths of all settings that are secrets, without the places in lists and mappings."""
    for name, wanted in hints(cls).items():
        path = f"{before}{kebab(name)}"
        for inner in _within(wanted):
            if inner is Secret:
                yield path
            elif hasattr(inner, "__dataclass_fields__"):
                yield from secret_settings(inner, f"{path}.")


def _within(wanted: Any) -> Iterator[type]:
    if args := get_args(wanted):
        for each in (
            args if isinstance(wanted, UnionType) else args[-1:] if len(args) == 2 and args[0] is str else args[:1]
        ):
            yield from _within(each)
    elif isinstance(wanted, type):
        yield wanted


@contextmanager
def hostile(directory: Path) -> Iterator[Daemon]:
    """With calls that went well and badly behind it."""

    def echoes(received: Received, wire: Wire) -> None:
        if received.method == "GET":
            listed = {"object": "list", "data": [{"id": QUOTES, "object": "model", "created": 1, "owned_by": SCRIPT}]}
            wire.answer(200, json.dumps(listed).encode())
        else:
            wire.answer(200, completion(SCRIPT, model=QUOTES))

    shown = f"{SCRIPT} your key {canary('bad')} is wrong"
    with upstream(echoes) as good, upstream(fails(429, shown, {"retry-after": "600"}, code=SCRIPT)) as bad:
        (directory / "auth").mkdir(mode=0o700)
        account = {**service_account("http://127.0.0.1:9/token"), "private_key_id": canary("key-id")}
        _write(directory / "service.json", account)
        for name, content in LOGINS.items():
            _write(directory / "auth" / f"{name}.json", content)
        text = CONFIGURATION.format(
            managed=MANAGED,
            canary=CANARY,
            script=json.dumps(SCRIPT),
            quotes=json.dumps(QUOTES),
            link=json.dumps(LINK),
            good=good.base_url,
            bad=bad.base_url,
            service_account=directory / "service.json",
        )
        with daemon(directory, text) as gateway:
            strange_calls(gateway)
            yield gateway


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))
    path.chmod(0o600)


def strange_calls(gateway: Daemon) -> None:
    headers = {"authorization": f"Bearer {CLIENT_KEY}", "user-agent": SCRIPT}
    with httpx2.Client(base_url=gateway.address, headers=headers, timeout=30) as client:
        for model in (SCRIPT, QUOTES, LINK, "no-such-model"):
            body = {
                "model": model,
                "messages": [{"role": "user", "content": SCRIPT}],
                "user": SCRIPT,
                "logit_bias": {"1": 1},
            }
            client.post("/v1/chat/completions", json=body)
            client.post("/v1/messages", json={**body, "max_tokens": 9})
        client.get(f"/v1/{SCRIPT}")
        client.get("/v1/models", params={"key": CLIENT_KEY})
        client.post("/v1/chat/completions", headers={"authorization": f"Bearer {canary('unknown')}"}, json={})
        client.get("/v0/management/config", headers={"authorization": f"Bearer {canary('guess')}"})
        client.get("/v0/management/config", headers={"authorization": f"Bearer {KEY}"})
