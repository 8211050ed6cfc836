"""Accounts, models, keys and logins by the management API, in a real gateway: what is told, and what a hand does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Any

import httpx2

from aiproxy.credentials.times import written
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import MANAGED, Api
from tests.rig.until import until
from tests.rig.upstream import Upstream, fails, says, upstream
from tests.vendors.logins import LoginVendor

VENDOR_KEY = "key-of-vendor-0123456789"


@contextmanager
def two_accounts(tmp_path: Path) -> Iterator[tuple[Daemon, Api, Upstream, Upstream]]:
    with upstream(says("hello")) as one, upstream(says("hello")) as other:
        configuration = f"""{MANAGED}
request-retry: 0
openai-api-key:
  # the first
  - {{name: one, api-key: {VENDOR_KEY}, base-url: "{one.base_url}", models: [m]}}
  - {{name: other, api-key: key-of-vendor-9876543210, base-url: "{other.base_url}", models: [m], priority: 200}}
"""
        with daemon(tmp_path, configuration) as running:
            yield running, Api(running), one, other


def call(gateway: Daemon, model: str = "m") -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=20)


def found(api: Api, account: str) -> Any:
    return api.get(f"/accounts/{account}")


def test_an_accounts_rest_is_told_with_its_reason_and_cleared(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (gateway, api, one, other):
        assert {each["account"]: each["state"] for each in api.get("/accounts")["accounts"]} == {
            "one": "ready",
            "other": "ready",
        }
        one.script.append(fails(401))
        assert call(gateway).status_code == 200
        assert len(other.received) == 1
        told = found(api, "one")
        assert (told["state"], told["rests"][0]["reason"]) == ("resting", "credential_refused")
        assert told["rests"][0]["until"] > time()
        assert api.get("/accounts")["attention"] == ["one"]
        assert api.get("/route", model="m")["not-ready"][0]["account"] == "one"
        assert api.post("/accounts/one/clear")["cleared"] == 1
        assert found(api, "one")["state"] == "ready"
        assert VENDOR_KEY not in json.dumps(api.get("/accounts"))


def test_an_account_is_switched_off_and_on(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (gateway, api, one, other):
        assert api.post("/accounts/one/disable")["state"] == "disabled"
        assert call(gateway).status_code == 200
        assert (len(one.received), len(other.received)) == (0, 1)
        assert api.post("/accounts/one/enable")["state"] == "ready"
        assert call(gateway).status_code == 200
        assert len(one.received) == 1
        assert api.refused("POST", "/accounts/nobody/disable")[0] == 404


def test_an_account_is_probed_and_tested(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (_, api, one, _other):
        one.script.append(fails(401))
        probed = api.post("/accounts/one/probe")
        assert (probed["asked"], probed["works"], probed["code"]) == (True, False, "credential_refused")
        assert found(api, "one")["state"] == "resting"
        tested = api.post("/accounts/one/test", {"model": "m"})
        assert (tested["works"], tested["model"]) == (True, "m")
        assert found(api, "one")["state"] == "ready"
        assert one.received[-1].json["model"] == "m"
        assert api.post("/accounts/one/quota")["tells-quota"] is False
        assert api.refused("POST", "/accounts/one/refresh")[0] == 400
        assert api.refused("POST", "/accounts/one/test", json={})[0] == 400


def test_priority_and_weight_are_changed_where_they_stand(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (gateway, api, _one, other):
        text = (tmp_path / "aiproxy.yaml").read_text()
        assert api.patch("/accounts/other", {"priority": 1, "weight": 3})["changed"] == ["priority", "weight"]
        told = found(api, "other")
        assert (told["priority"], told["weight"], told["place"]) == (1, 3, "openai-api-key[1]")
        assert call(gateway).status_code == 200
        assert len(other.received) == 1
        assert (tmp_path / "aiproxy.yaml").read_text() == text.replace("priority: 200", "priority: 1, weight: 3")
        api.patch("/accounts/other", {"note": "paid by the lab"})
        assert found(api, "other")["note"] == "paid by the lab"
        assert 'weight: 3, note: "paid by the lab"' in (tmp_path / "aiproxy.yaml").read_text()
        assert api.refused("PATCH", "/accounts/other", json={"weight": -1})[1]["findings"][0]["line"] > 1
        assert api.refused("PATCH", "/accounts/other", json={"base-url": "http://x"})[0] == 400


def test_a_logins_file_is_changed_refreshed_and_enabled(tmp_path: Path) -> None:
    vendor = LoginVendor()
    with upstream(vendor.serve) as server:
        origin = server.base_url.removesuffix("/v1")
        file = tmp_path / "auth" / "kimi-1.json"
        file.parent.mkdir()
        content = {
            "type": "kimi", "access_token": "access-0", "refresh_token": "refresh-0", "device_id": "device-1",
            "expired": written(time() + 3600), "email": "me@example.com",
        }  # fmt: skip
        file.write_text(json.dumps(content))
        configuration = f"""{MANAGED}
auth-dir: {file.parent}
upstreams: {{kimi: {{base-url: "{origin}/coding", token-url: "{origin}/api/oauth/token"}}}}
"""
        with daemon(tmp_path, configuration) as running:
            api = Api(running)
            told = found(api, "kimi-1")
            assert (told["state"], told["login"]["whose"]) == ("ready", "me@example.com")
            api.patch("/accounts/kimi-1", {"note": "the team's", "priority": 7})
            until(lambda: found(api, "kimi-1")["note"] == "the team's")
            assert found(api, "kimi-1")["priority"] == 7
            assert json.loads(file.read_text())["priority"] == 93  # as CLIProxyAPI counts
            api.post("/accounts/kimi-1/refresh")
            assert json.loads(file.read_text())["access_token"] == vendor.access != "access-0"
            file.write_text(json.dumps({**json.loads(file.read_text()), "disabled": True}))
            until(lambda: found(api, "kimi-1")["state"] == "disabled")
            api.post("/accounts/kimi-1/enable")
            until(lambda: found(api, "kimi-1")["state"] == "ready")
            assert vendor.access not in json.dumps(api.get("/accounts"))


def test_a_login_by_device_code_becomes_an_account(tmp_path: Path) -> None:
    vendor = LoginVendor(pending=0)
    with upstream(vendor.serve) as server:
        origin = server.base_url.removesuffix("/v1")
        configuration = f"""{MANAGED}
auth-dir: {tmp_path}/auth
upstreams:
  kimi:
    base-url: "{origin}/coding"
    token-url: "{origin}/api/oauth/token"
    device-url: "{origin}/api/oauth/device_authorization"
"""
        with daemon(tmp_path, configuration) as running:
            api = Api(running)
            ways = {each["provider"]: each["ways"] for each in api.get("/logins")["providers"]}
            assert ways["kimi"] == ["device"]
            begun = api.post("/logins", {"provider": "kimi"})
            until(lambda: api.get(f"/logins/{begun['id']}")["stage"] == "done")
            account = api.get(f"/logins/{begun['id']}")["account"]
            until(lambda: account in [each["account"] for each in api.get("/accounts")["accounts"]])
            assert api.refused("POST", "/logins", json={"provider": "nobody"})[0] == 400
            assert api.refused("GET", "/logins/nothing")[0] == 404
            waiting = api.post("/logins", {"provider": "codex", "port": 1})
            until(lambda: api.get(f"/logins/{waiting['id']}")["takes_callback"])
            address = "http://localhost:1455/auth/callback?code=c&state=wrong"
            assert api.refused("POST", f"/logins/{waiting['id']}/callback", json={"address": address})[0] == 400
            assert api.delete(f"/logins/{waiting['id']}")["stage"] == "cancelled"


def test_where_a_call_would_go(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (_, api, _one, _other):
        assert api.get("/models")["models"] == {"m": ["one:m", "other:m"]}
        told = api.get("/route", model="m")
        assert [tier[0]["account"] for tier in told["stages"][0]["tiers"]] == ["one", "other"]
        nobody = api.get("/route", model="no-such")
        assert nobody["stages"] == []
        assert set(nobody["passed_over"]) == {"one", "other"}
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "top_k": 3}
        translated = api.ask("POST", "/route?protocol=anthropic", json=body).json()
        lane = translated["stages"][0]["tiers"][0][0]["lane"]
        assert lane["translated"]
        assert lane["losses"] == ["drop:top_k"]
        assert api.refused("GET", "/route?model=m&protocol=morse")[0] == 400
        assert api.refused("GET", "/route")[0] == 400
        assert api.refused("GET", "/route?model=m&key=nobody")[0] == 404


def test_keys_are_made_rotated_and_revoked(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (gateway, api, _one, _other):
        made = api.post("/keys", {"name": "a", "settings": {"models": ["m"], "limits": {"requests-per-minute": 5}}})
        kept = api.post("/keys", {"name": "b", "settings": {"tags": ["team"]}, "managed": False})
        assert call(gateway).status_code == 401
        for key in (made["key"], kept["key"]):
            assert calls_with(gateway, key) == 200
        listed = {each["name"]: each for each in api.get("/keys")["keys"]}
        assert (listed["a"]["managed"], listed["b"]["managed"]) == (True, False)
        assert made["key"] not in json.dumps(listed)
        assert kept["key"] not in json.dumps(listed)
        assert api.get("/limits")["keys"][0]["limits"][0]["used"] == 1
        wrong = api.refused("POST", f"/keys/{made['id']}/rotate", json={"overlap-seconds": 60})
        assert (wrong[0], calls_with(gateway, made["key"])) == (400, 200)
        again = api.post(f"/keys/{made['id']}/rotate", {"overlap": 60})
        assert calls_with(gateway, again["key"]) == calls_with(gateway, made["key"]) == 200
        other = api.post("/keys/b/rotate")
        assert (calls_with(gateway, kept["key"]), calls_with(gateway, other["key"])) == (401, 200)
        assert api.delete(f"/keys/{made['id']}")["revoked"] == 2
        assert calls_with(gateway, again["key"]) == 401
        assert api.refused("DELETE", "/keys/b")[0] == 409
        assert api.delete("/keys/b", last="true")["revoked"] == 1
        assert api.refused("POST", "/keys", json={"name": "c", "settings": {"model": ["m"]}})[0] == 422
        assert api.refused("POST", "/keys", json={"name": "c", "limits": {"requests-per-minute": 5}})[0] == 400
        assert api.refused("DELETE", "/keys/nobody")[0] == 404


def calls_with(gateway: Daemon, key: str) -> int:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    headers = {"authorization": f"Bearer {key}"}
    url = f"{gateway.base_url}/chat/completions"
    return httpx2.post(url, json=body, headers=headers, timeout=20).status_code


def test_how_the_gateway_is(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (gateway, api, _one, _other):
        health = api.get("/health")
        assert health["ready"]
        assert {each["name"] for each in health["checks"]} >= {"accounts", "configuration", "state", "store"}
        assert api.get("/state")["kind"] == "sqlite"
        assert api.get("/store")["conflicts"] == []
        told = api.get("/setup/clients", model="m")
        assert told["base-url"] == gateway.address
        assert len(told["clients"]) == 7
        assert all(gateway.address in each["text"] for each in told["clients"])
