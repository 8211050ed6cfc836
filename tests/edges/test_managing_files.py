"""Credential files, logins, logs and the rest by CLIProxyAPI's paths, in a real gateway."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.edges.test_managing_accounts import call, two_accounts
from tests.rig.daemon import daemon
from tests.rig.managing import MANAGED, Api
from tests.rig.until import until
from tests.rig.upstream import fails, upstream
from tests.vendors.google_tokens import service_account
from tests.vendors.logins import LoginVendor

CANARY = "access-of-mine-0123456789"

KIMI = {
    "type": "kimi",
    "access_token": CANARY,
    "refresh_token": "refresh-of-mine-0123456789",
    "email": "me@example.com",
}


@contextmanager
def gateway(tmp_path: Path) -> Iterator[tuple[Api, Path]]:
    vendor = LoginVendor(pending=0)
    with upstream(vendor.serve) as server:
        origin = server.base_url.removesuffix("/v1")
        configuration = f"""{MANAGED}
auth-dir: {tmp_path}/auth
upstreams:
  kimi: {{base-url: "{origin}/coding", token-url: "{origin}/api/oauth/token", device-url: "{origin}/api/oauth/device_authorization"}}
  codex: {{authorize-url: "{origin}/oauth/authorize", token-url: "{origin}/oauth/token"}}
"""
        with daemon(tmp_path, configuration) as running:
            yield Api(running), tmp_path / "auth"
            assert CANARY not in "".join(running.output)


def file(api: Api, name: str = "kimi-1.json") -> Any:
    found = api.get("/auth-files", name=name)["files"]
    return found[0] if found else None


def test_a_file_comes_is_changed_and_goes(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, directory):
        uploaded = api.ask("POST", "/auth-files?name=kimi-1.json", content=json.dumps(KIMI))
        assert uploaded.json() == {"status": "ok", "files": ["kimi-1.json"]}
        assert json.loads((directory / "kimi-1.json").read_text()) == KIMI
        until(lambda: file(api)["status"] == "active")
        told = file(api)
        assert (told["type"], told["email"], told["account_type"], told["disabled"]) == (
            "kimi",
            "me@example.com",
            "oauth",
            False,
        )
        assert api.get("/auth-files", auth_index=told["auth_index"])["files"] == [told]
        assert CANARY not in json.dumps(api.get("/auth-files"))
        downloaded = api.ask("GET", "/auth-files/download?name=kimi-1.json")
        assert downloaded.json() == KIMI
        assert "attachment" in downloaded.headers["content-disposition"]
        assert api.get("/audit")["changes"][0]["what"] == "GET /v0/management/auth-files/download"
        until(lambda: "kimi-k2" in json.dumps(api.get("/auth-files/models", name="kimi-1.json")))
        assert api.patch("/auth-files/status", {"name": "kimi-1.json", "disabled": True})["disabled"] is True
        assert file(api)["status"] == "disabled"
        api.patch("/auth-files/status", {"name": "kimi-1.json", "disabled": False})
        api.patch("/auth-files/fields", {"name": "kimi-1.json", "priority": 4, "note": "ours", "headers": {"X-A": "1"}})
        api.patch("/auth-files/fields", {"name": "kimi-1.json", "headers": {"X-A": ""}, "mine.deep": 1})
        kept = json.loads((directory / "kimi-1.json").read_text())
        assert (kept["priority"], kept["note"], kept["headers"], kept["mine"]) == (4, "ours", {}, {"deep": 1})
        assert api.refused("PATCH", "/auth-files/fields", json={"name": "kimi-1.json", "access_token": "x"})[0] == 400
        assert api.refused("PATCH", "/auth-files/fields", json={"name": "kimi-1.json", "priority": "x"})[0] == 400
        assert api.refused("PATCH", "/auth-files/fields", json={"name": "nobody.json", "note": "x"})[0] == 404
        assert api.delete("/auth-files", name="kimi-1.json") == {"status": "ok", "deleted": 1}
        assert not (directory / "kimi-1.json").exists()
        assert api.refused("DELETE", "/auth-files?name=kimi-1.json")[0] == 404


def test_many_files_come_in_one_form(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, directory):
        official = {
            "tokens": {"access_token": "access-of-codex", "refresh_token": "refresh-of-codex", "account_id": "a-1"}
        }
        form = [
            ("file", ("one.json", json.dumps({**KIMI, "email": "1@example.com"}))),
            ("file", ("auth.json", json.dumps(official))),  # the Codex program's own
            ("file", ("bad.json", "{")),
        ]
        answer = api.ask("POST", "/auth-files", files=form)
        assert answer.status_code == 207
        assert answer.json()["uploaded"] == 2
        assert [failed["name"] for failed in answer.json()["failed"]] == ["bad.json"]
        names = {each["name"]: each["type"] for each in api.get("/auth-files")["files"]}
        assert sorted(names.values()) == ["codex", "kimi"]
        assert api.ask("POST", "/auth-files", files=form[2:]).status_code == 400
        assert api.delete("/auth-files", all="true")["deleted"] == 2
        assert list(directory.glob("[a-z]*.json")) == []
        assert api.refused("DELETE", "/auth-files")[0] == 400


@pytest.mark.parametrize(
    "name",
    [
        "../aiproxy.yaml",
        "..%2faiproxy.yaml",
        "/etc/passwd",
        "a\\..\\b.json",
        "../x.json",
        ".hidden.json",
        "x",
        "",
        "a/../../x.json",
    ],
)
def test_no_name_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    with gateway(tmp_path) as (api, directory):
        query = {"name": name}
        assert api.ask("GET", "/auth-files/download", params=query).status_code == 400
        assert api.ask("POST", "/auth-files", params=query, content=json.dumps(KIMI)).status_code == 400
        assert api.ask("DELETE", "/auth-files", params=query).status_code == 400
        form = [("file", (name or "x", json.dumps(KIMI)))]
        assert api.ask("POST", "/auth-files", files=form).status_code == 400
        assert not directory.exists() or list(directory.iterdir()) == []
        assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".json") == []


def test_logins_as_there(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, directory):
        device = api.get("/kimi-auth-url", is_webui="true")
        assert (device["status"], device["flow"]) == ("ok", "device")
        assert device["user_code"]
        until(lambda: api.get("/get-auth-status", state=device["state"])["status"] == "ok")
        assert [path.name[:4] for path in directory.glob("[a-z]*.json")] == ["kimi"]
        begun = api.get("/codex-auth-url")
        assert f"state={begun['state']}" in begun["url"]
        assert api.get("/get-auth-status", state=begun["state"]) == {"status": "wait"}
        assert api.refused("POST", "/oauth-callback", json={"code": "c", "state": "another"})[0] == 404
        assert api.delete("/oauth-session", state=begun["state"]) == {"status": "ok", "cancelled": True}
        assert api.get("/get-auth-status", state=begun["state"])["status"] == "error"
        assert api.get("/get-auth-status") == {"status": "ok"}
        assert api.get("/get-auth-status", state="nobody")["status"] == "error"
        again = api.get("/codex-auth-url")
        page = httpx2.get(again["url"].replace("/authorize", "/allow") + "&does=allow", timeout=20)
        came = page.headers["location"]
        assert api.post("/oauth-callback", {"provider": "codex", "redirect_url": came}) == {"status": "ok"}
        until(lambda: api.get("/get-auth-status", state=again["state"])["status"] == "ok")
        assert sorted(path.name[:4] for path in directory.glob("[a-z]*.json")) == ["code", "kimi"]


def test_logs_and_failed_calls(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (running, api, one, other):
        one.script.append(fails(400))
        other.script.append(fails(400))
        assert call(running).status_code == 400
        until(lambda: "POST /v1/chat/completions" in "\n".join(api.get("/logs")["lines"]))
        told = api.get("/logs")
        assert told["line-count"] == len(told["lines"]) == len(told["records"])
        assert api.get("/logs", cursor=str(told["next-cursor"]), level="error")["lines"] == []
        assert all("chat" in line for line in api.get("/logs", search="CHAT")["lines"])
        assert "chat" in api.ask("GET", "/logs/download").text
        assert api.refused("GET", "/logs?level=loud")[0] == 400
        failed = until(lambda: api.get("/request-error-logs")["files"])
        assert len(failed) == 1
        text = api.ask("GET", f"/request-error-logs/{failed[0]['name']}").text
        assert len(text) == failed[0]["size"]
        assert "invalid_request" in text
        assert api.ask("GET", f"/request-log-by-id/{failed[0]['name'][6:-4]}").text == text
        api.put("/error-logs-max-files", {"value": 1})
        for account in (one, other):
            account.script.append(fails(400))
        assert call(running).status_code == 400
        until(
            lambda: [kept["name"] for kept in api.get("/request-error-logs")["files"]],
            lambda names: names != [failed[0]["name"]],
        )
        assert len(api.get("/request-error-logs")["files"]) == 1
        assert api.refused("GET", "/request-error-logs/..%2f..%2fetc%2fpasswd")[0] == 404
        assert api.delete("/logs")["success"]
        assert "chat/completions" not in "\n".join(api.get("/logs")["lines"])


def test_the_log_tells_more_at_once_and_less(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (running, api, _one, _other):

        def told() -> int:
            call(running)
            until(lambda: "POST /v1/chat/completions" in "\n".join(api.get("/logs", limit="1", search="POST")["lines"]))
            return len([line for line in api.get("/logs")["lines"] if "complete:" in line])

        assert told() == 0
        api.put("/debug", {"value": True})
        assert told() == 1
        api.put("/debug", {"value": False})
        assert told() == 1
        assert "takes effect at the next start" not in "".join(running.output)


def test_use_quotas_models_and_the_prompt(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (running, api, one, _other):
        one.script.append(fails(429))
        assert call(running).status_code == 200
        until(lambda: sum(each["failed"] for each in api.get("/api-key-usage")["openai"].values()) == 1)
        assert sum(each["success"] for each in api.get("/api-key-usage")["openai"].values()) == 1
        index = api.get("/openai-api-key")["openai-api-key"][0]["auth-index"]
        assert api.post("/reset-quota", {"auth_index": index}) == {"status": "ok", "auth_index": index, "models": ["m"]}
        assert api.get("/accounts/one")["state"] == "ready"
        assert api.refused("POST", "/reset-quota", json={"auth_index": "x"})[0] == 404
        assert api.get("/model-definitions/kimi")["models"]
        assert api.refused("GET", "/model-definitions/nobody")[0] == 404
        assert api.put("/system-prompt", {"text": "Be brief.", "mode": "overwrite"}) == {"status": "ok"}
        assert api.get("/system-prompt")["text"] == "Be brief."
        call(running)
        assert one.received[-1].json["messages"][0] == {"role": "system", "content": "Be brief."}
        api.put("/system-prompt", {"text": ""})
        assert api.get("/system-prompt") == {"text": "", "file": "", "mode": "overwrite", "replacements": []}


def test_a_service_account_comes_as_a_form(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, directory):
        account = {
            **service_account("https://token.example/token"),
            "project_id": "p-1",
            "client_email": "a@p-1.example",
        }
        form = {"file": ("key.json", json.dumps(account)), "location": (None, "eu")}
        told = api.ask("POST", "/vertex/import", files=form).json()
        assert told == {
            "status": "ok", "auth-file": "vertex-p-1.json", "project_id": "p-1", "email": "a@p-1.example", "location": "eu",
        }  # fmt: skip
        assert json.loads((directory / "vertex-p-1.json").read_text())["service_account"] == account
        until(lambda: file(api, "vertex-p-1.json")["status"] == "active")
        assert account["private_key"][100:150] not in json.dumps(api.get("/auth-files"))
        bad = {"file": ("key.json", json.dumps({**account, "private_key": "x"}))}
        assert api.ask("POST", "/vertex/import", files=bad).status_code == 400
        assert api.ask("POST", "/vertex/import", files={"file": ("key.json", json.dumps(KIMI))}).status_code == 400
        assert api.ask("POST", "/vertex/import", content=b"x").status_code == 400
