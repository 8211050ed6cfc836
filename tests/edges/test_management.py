"""The management API's door, as who knocks at it sees it."""

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.until import until
from tests.rig.upstream import fails, says, upstream

KEY = "a-management-key-0123456789"
BEARER = {"authorization": f"Bearer {KEY}"}
CONFIGURATION = f"""\
# who may manage
remote-management:
  secret-key: "{KEY}"   # replaced at the start
demo: {{enabled: true}}   # kept
"""


def ask(gateway: Daemon, path: str, method: str = "GET", **more: Any) -> httpx2.Response:
    return httpx2.request(method, f"{gateway.address}/v0/management{path}", timeout=20, **more)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    directory = tmp_path_factory.mktemp("management")
    with daemon(directory, CONFIGURATION) as running:
        running.wait_for("replaced by its hash")
        yield running
        assert KEY not in "".join(running.output)


def test_without_a_key_there_is_nothing(tmp_path: Path) -> None:
    with daemon(tmp_path, "demo: {enabled: true}") as running:
        for path in ("", "/session", "/openapi.json", "/no-such-thing"):
            answer = ask(running, path, headers=BEARER)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_url")


def test_the_key_in_the_file_is_replaced_by_its_hash(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIGURATION) as running:
        running.wait_for("replaced by its hash")
        text = (tmp_path / "aiproxy.yaml").read_text()
        found = re.search(r'"(\$2b\$12\$.{53})"', text)
        assert found is not None
        assert text == CONFIGURATION.replace(KEY, found[1])
        assert ask(running, "/audit", headers=BEARER).status_code == 200
    with daemon(tmp_path, text) as running:
        assert ask(running, "/audit", headers=BEARER).status_code == 200
        assert ask(running, "/audit", headers={"x-management-key": KEY}).status_code == 200
        assert ask(running, "/audit", headers={"authorization": KEY}).status_code == 200
        assert ask(running, "/audit", headers={"authorization": f"Bearer {found[1]}"}).status_code == 401
        assert (tmp_path / "aiproxy.yaml").read_text() == text


def test_errors_are_json_with_the_requests_id(gateway: Daemon) -> None:
    for method, path, headers, status in (
        ("GET", "/audit", {}, 401),
        ("GET", "/no-such-thing", BEARER, 404),
        ("PUT", "/audit", BEARER, 405),
        ("GET", "/audit?limit=many", BEARER, 400),
        ("GET", "/audit?limit=0", BEARER, 400),
    ):
        answer = ask(gateway, path, method, headers=headers)
        assert answer.status_code == status, path
        told = answer.json()
        assert isinstance(told["error"], str)
        assert told["request_id"] == answer.headers["x-request-id"]
        assert told["code"]


def test_every_route_is_described_and_asks_for_a_key(gateway: Daemon) -> None:
    described = ask(gateway, "/openapi.json", headers=BEARER).json()
    assert described["openapi"] == "3.1.0"
    assert len(described["paths"]) > 3
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"]
            if operation.get("security") == []:
                continue
            url = gateway.address + re.sub(r"\{\w+\}", "x", path)
            assert httpx2.request(method.upper(), url, timeout=20).status_code == 401, (method, path)


def test_a_browsers_session(gateway: Daemon) -> None:
    with httpx2.Client(base_url=f"{gateway.address}/v0/management", timeout=20) as browser:
        assert browser.get("/session").json() == {"signed-in": False, "has-key": True}
        signed_in = browser.post("/session", json={"key": KEY})
        cookie = signed_in.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "; secure" not in cookie  # plain http
        csrf = signed_in.json()["csrf-token"]
        assert browser.get("/session").json()["csrf-token"] == csrf
        assert browser.get("/audit").status_code == 200
        assert browser.delete("/session").status_code == 403
        assert browser.delete("/session", headers={"x-csrf-token": "0" * 64}).status_code == 403
        assert browser.get("/audit", headers={"origin": "https://evil.example"}).status_code == 403
        assert browser.get("/audit", headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert browser.get("/audit", headers={"host": "evil.example"}).status_code == 403
        changes = browser.get("/audit").json()["changes"]
        assert {change["outcome"] for change in changes} >= {"ok", "permission"}
        assert all(change["address"] == "127.0.0.1" for change in changes)
        word = browser.cookies["aiproxy_session"]
        assert browser.delete("/session", headers={"x-csrf-token": csrf, "origin": gateway.address}).status_code == 200
    assert ask(gateway, "/audit", headers={"cookie": f"aiproxy_session={word}"}).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"x-forwarded-for": "127.0.0.1"}, {"x-real-ip": "127.0.0.1"}, {"forwarded": "for=x"}]
)
def test_what_a_proxy_forwards_is_not_local(gateway: Daemon, headers: dict[str, str]) -> None:
    assert ask(gateway, "/audit", headers={**BEARER, **headers}).status_code == 403


def test_lock_out_counts_the_addresses_that_a_trusted_proxy_tells(tmp_path: Path) -> None:
    configuration = f"""
remote-management: {{secret-key: "{KEY}", allow-remote: true, trusted-proxies: [127.0.0.1/32]}}
"""
    with daemon(tmp_path, configuration) as running:
        running.wait_for("replaced by its hash")
        wrong = {"authorization": "Bearer wrong", "x-forwarded-for": "203.0.113.1"}
        statuses = [ask(running, "/audit", headers=wrong).status_code for _ in range(6)]
        assert statuses == [401] * 5 + [403]
        right = {**BEARER, "x-forwarded-for": "203.0.113.1"}
        refused = ask(running, "/audit", headers=right)
        assert refused.status_code == 403
        assert 1700 < int(refused.headers["retry-after"]) <= 1801
        assert ask(running, "/session", "POST", json={"key": KEY}, headers=right).status_code == 403
        assert ask(running, "/audit", headers={**BEARER, "x-forwarded-for": "203.0.113.2"}).status_code == 200
        assert running.wait_for("is locked out")["address"] == "203.0.113.1"
        for _ in range(10):  # a missing key is no guess
            assert ask(running, "/audit").status_code == 401
        assert ask(running, "/audit", headers=BEARER).status_code == 200


def test_a_password_of_the_environment_is_enough(tmp_path: Path) -> None:
    with daemon(tmp_path, "demo: {enabled: true}", environ={"MANAGEMENT_PASSWORD": KEY}) as running:
        assert ask(running, "/audit", headers=BEARER).status_code == 200
        remote = {**BEARER, "x-forwarded-for": "203.0.113.1"}
        assert ask(running, "/audit", headers=remote).status_code == 200
        running.stop()
        assert KEY not in "".join(running.output)


def test_a_key_from_a_variable_stays_a_variable(tmp_path: Path) -> None:
    text = 'remote-management: {secret-key: "${MINE}"}\n'
    with daemon(tmp_path, text, environ={"MINE": KEY}) as running:
        assert ask(running, "/audit", headers=BEARER).status_code == 200
        assert ask(running, "/audit", headers=BEARER).status_code == 200
        assert (tmp_path / "aiproxy.yaml").read_text() == text


def setup_token(running: Daemon) -> str:
    told = "".join(running.output)
    found = re.search(r"/console/#setup=([\w-]{40,})", told)
    assert found is not None, told
    return found[1]


@pytest.mark.parametrize("configuration", [None, "# mine\ndemo: {enabled: true}\n"])
def test_the_first_start_lets_a_key_be_set(tmp_path: Path, configuration: str | None) -> None:
    with daemon(tmp_path, configuration, "--welcome") as running:
        running.wait_for("/console/#setup=")
        assert ask(running, "/audit").status_code == 401
        assert ask(running, "/setup", "POST", json={"token": "x" * 43}).status_code == 401
        body = {"token": setup_token(running), "secret-key": KEY}
        assert ask(running, "/setup", "POST", json={**body, "secret-key": "short"}).status_code == 400
        done = ask(running, "/setup", "POST", content=json.dumps(body))
        assert done.json()["saved"] is (configuration is not None)
        assert ask(running, "/setup", "POST", json=body).status_code == 401
        assert ask(running, "/audit", headers=BEARER).status_code == 200
        if configuration is not None:
            running.wait_for("configuration reloaded")
            text = (tmp_path / "aiproxy.yaml").read_text()
            assert text.startswith(configuration)
            assert KEY not in text
        cookie = done.headers["set-cookie"].partition(";")[0]
        assert ask(running, "/audit", headers={"cookie": cookie}).status_code == 200


# -- how calls went, and what was used


def test_calls_and_their_usage_are_told_alike_everywhere(tmp_path: Path) -> None:
    with upstream(says("hello")) as good, upstream(fails(500)) as bad:
        configuration = f"""
remote-management: {{secret-key: "{KEY}"}}
prices: {{m: {{input: 1000000, output: 2000000}}}}
request-retry: 0
openai-api-key:
  - {{name: bad, api-key: key-of-vendor-0123456789, base-url: "{bad.base_url}", models: [m, broken], priority: 1}}
  - {{name: good, api-key: key-of-vendor-9876543210, base-url: "{good.base_url}", models: [m]}}
"""
        with daemon(tmp_path, configuration) as running:
            running.wait_for("replaced by its hash")
            statuses = []
            for number, (model, more) in enumerate([("m", {}), ("m", {"seed": 1}), ("broken", {})]):
                body = {"model": model, "messages": [{"role": "user", "content": "x"}], **more}
                headers = {"x-request-id": f"req_number_{number}"}
                url = f"{running.base_url}/chat/completions"
                statuses.append(httpx2.post(url, json=body, headers=headers, timeout=20).status_code)
            assert statuses[:2] == [200, 200]
            assert statuses[2] >= 500
            at_once = ask(running, "/requests/req_number_0", headers=BEARER).json()
            assert at_once["outcome"] == "complete"
            assert "bad" in at_once["story"]
            assert [choice["account"] for choice in at_once["decision"]] == ["bad", "good"]
            assert [attempt["outcome"] for attempt in at_once["attempts"]] == ["failed", "complete"]
            listed = until(  # records are written within a second
                lambda: ask(running, "/requests", headers=BEARER).json()["requests"], lambda told: len(told) == 3
            )
            assert [call["request_id"] for call in listed] == [f"req_number_{number}" for number in (2, 1, 0)]
            failed = ask(running, "/requests?failed=true", headers=BEARER).json()["requests"]
            assert [call["model"] for call in failed] == ["broken"]
            one = ask(running, "/requests?model=m&limit=1", headers=BEARER).json()["requests"]
            assert [call["request_id"] for call in one] == ["req_number_1"]
            whole = ask(running, "/requests/req_number_0", headers=BEARER).json()
            assert [attempt["account"] for attempt in whole["attempts"]] == ["bad", "good"]
            assert whole["attempts"][1]["cost"] > 0
            assert whole["decision"][0]["account"] == "bad"
            assert ask(running, "/requests/no-such-call", headers=BEARER).status_code == 404
            assert ask(running, "/requests?failed=maybe", headers=BEARER).status_code == 400
            usage = ask(running, "/usage", headers=BEARER).json()
            by_key = ask(running, "/usage/sums?by=client,model,day", headers=BEARER).json()["usage"]
            total = ask(running, "/usage/sums", headers=BEARER).json()["usage"][0]
            assert usage["usage"]["total_requests"] == total["attempts"] == sum(row["attempts"] for row in by_key)
            assert usage["failed_requests"] == total["failed"]
            table = ask(running, "/usage/sums?by=model&format=csv", headers=BEARER)
            assert table.headers["content-type"].startswith("text/csv")
            rows = list(csv.DictReader(StringIO(table.text)))
            assert sum(float(row["cost_usd"]) for row in rows) == pytest.approx(total["cost_usd"])
            assert ask(running, "/usage/sums?by=colour", headers=BEARER).status_code == 400
            export = ask(running, "/usage/export", headers=BEARER).json()
            metrics = httpx2.get(f"{running.address}/metrics", timeout=20).text
            assert f'aiproxy_cost_usd_total{{model="m",provider="openai"}} {total["cost_usd"]:.1f}' in metrics
            first = ask(running, "/usage/import", "POST", json=export, headers=BEARER).json()
            again = ask(running, "/usage/import", "POST", json=export, headers=BEARER).json()
            assert (first["added"], first["skipped"]) == (total["attempts"], 0)
            assert (again["added"], again["skipped"]) == (0, total["attempts"])
            assert ask(running, "/usage/import", "POST", json={"usage": 1}, headers=BEARER).status_code == 400
