"""A directory of CLIProxyAPI's files as it is: what we can call with is used, what we can't is told by name, nothing is harmed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.edges.test_vertex import Google
from tests.rig.daemon import daemon
from tests.rig.upstream import upstream
from tests.vendors.google_tokens import EMAIL, PROJECT, pem, service_account

LIVES = "2099-01-01T00:00:00Z"
TOKENS = {"access_token": "a", "refresh_token": "r", "expired": LIVES}


@pytest.fixture
def google() -> Iterator[Google]:
    made = Google()
    with upstream(made) as made.served:
        yield made


def files(google: Google) -> dict[str, Any]:
    """Of every kind that it writes, or wrote."""
    account = service_account(f"{google.address}/token")
    return {
        "vertex-stand-in-project.json": {
            "type": "vertex", "service_account": account, "project_id": PROJECT, "email": EMAIL, "location": "us-central1",
            "prefix": "", "disabled": False,
        },
        "gemini-a@x.example-one.json": {
            "type": "gemini", "email": "a@x.example", "project_id": "one", "auto": False, "checked": True,
            "token": {"access_token": "a", "refresh_token": "r", "expiry": LIVES, "token_type": "Bearer"},
        },
        "antigravity-a@x.example.json": {"type": "antigravity", "email": "a@x.example", "project_id": "p", **TOKENS},
        "codex-a@x.example-plus.json": {"type": "codex", "email": "a@x.example", "account_id": "1", "id_token": "", **TOKENS},
        "claude-a@x.example.json": {"type": "claude", "email": "a@x.example", "id_token": "", **TOKENS},
        "qwen-a.json": {"type": "qwen", "email": "a", "resource_url": "portal.qwen.ai", **TOKENS},
        "iflow-a.json": {"type": "iflow", "email": "a", "api_key": "k", **TOKENS},
        "kimi-1700000000.json": {"type": "kimi", "device_id": "d", **TOKENS},
        "kiro-google-a.json": {"type": "kiro", "auth_method": "social", "expires_at": LIVES, **TOKENS},
        "xai-a@x.example.json": {"type": "xai", "auth_kind": "oauth", "email": "a@x.example", **TOKENS},
        "plugin-a.json": {"type": "of-a-plugin", "token": "t"},
    }  # fmt: skip


def test_it_works_as_it_is(google: Google, tmp_path: Path) -> None:
    directory = tmp_path / "auth"
    directory.mkdir(mode=0o700)
    for name, content in files(google).items():
        (directory / name).write_text(json.dumps(content))
    (directory / "codex-a@x.example-plus.cds").write_text('{"version": 1}')
    (directory / ".oauth-gemini-state.oauth").write_text("{}")
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    settings = f"auth-dir: {directory}\nupstreams: {{vertex: {{base-url: '{google.address}'}}}}\n"
    with daemon(tmp_path, settings) as gateway:
        checks = {each["name"]: each for each in httpx2.get(f"{gateway.address}/readyz?verbose").json()["checks"]}
        detail = checks["credentials"]["detail"]
        assert detail.startswith("9 loaded")
        assert "auths/xai-a@x.example.json is of the type 'xai'" in detail
        assert "xAI is reached by an API key, in `xai-api-key`" in detail
        assert "auths/plugin-a.json is of the type 'of-a-plugin'" in detail
        asked = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        url = f"{gateway.address}/v1beta/models/gemini-3.7-flash:generateContent"
        assert httpx2.post(url, json=asked, timeout=20).status_code == 200
        log = gateway.output
    place = f"/v1/projects/{PROJECT}/locations/us-central1/publishers/google/models/gemini-3.7-flash:generateContent"
    assert [each.path for each in google.asked] == [place]
    assert pem().splitlines()[3] not in log
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_googles_own_file_does_and_a_broken_key_is_a_sentence(google: Google, tmp_path: Path) -> None:
    (tmp_path / "auth").mkdir()
    good = service_account(f"{google.address}/token")
    (tmp_path / "auth" / "good.json").write_text(json.dumps(good))
    for name, instead in (("no-key", {"private_key": "x"}), ("no-project", {"project_id": None})):
        (tmp_path / "auth" / f"{name}.json").write_text(json.dumps(service_account("https://x.example/", **instead)))
    settings = f"auth-dir: {tmp_path}/auth\nupstreams: {{vertex: {{base-url: '{google.address}'}}}}\n"
    with daemon(tmp_path, settings) as gateway:
        checks = {each["name"]: each for each in httpx2.get(f"{gateway.address}/readyz?verbose").json()["checks"]}
        detail = checks["credentials"]["detail"]
        assert detail.startswith("1 loaded")
        assert "auths/no-key.json has a `private_key` that is no PEM private key" in detail
        assert "auths/no-project.json names no `project_id`" in detail
        body = {"model": "gemini-3.7-flash", "messages": [{"role": "user", "content": "hi"}]}
        assert httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=20).status_code == 200
    assert "/locations/global/" in google.asked[0].path
