"""Tools written for CLIProxyAPI find its management API here: every path, method, status and shape of it (`tests.rig.cliproxyapi`), and
nothing more is called its in our OpenAPI document."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aiproxy.web.management.left_out import LEFT_OUT
from aiproxy.web.management.openapi import CLIPROXYAPIS
from tests.edges.test_managing_accounts import call
from tests.rig.cliproxyapi import CALLED, FOUND, KIMI, TABLES, TEXT, Row
from tests.rig.daemon import daemon
from tests.rig.managing import MANAGED, Api
from tests.rig.shapes import differences
from tests.rig.until import until
from tests.rig.upstream import fails, says, upstream
from tests.vendors.logins import LoginVendor


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    directory: Path = tmp_path_factory.mktemp("cliproxyapi")
    vendor = LoginVendor(pending=99)
    with upstream(says("hello")) as model, upstream(vendor.serve) as server:
        origin = server.base_url.removesuffix("/v1")
        configuration = f"""{MANAGED}
auth-dir: {directory}/auth
request-retry: 0
openai-api-key: [{{name: one, api-key: key-of-vendor-0123456789, base-url: "{model.base_url}", models: [m]}}]
oauth-clients: {{gemini-cli: {{client-secret: s-1}}, antigravity: {{client-secret: s-2}}, iflow: {{client-secret: s-3}}}}
upstreams:
  kimi: {{device-url: "{origin}/api/oauth/device_authorization", token-url: "{origin}/api/oauth/token", base-url: "{origin}"}}
  qwen: {{device-url: "{origin}/api/v1/oauth2/device/code", token-url: "{origin}/api/v1/oauth2/token"}}
  codex: {{authorize-url: "{origin}/oauth/authorize", token-url: "{origin}/oauth/token", base-url: "{origin}"}}
"""
        with daemon(directory, configuration) as running:
            model.script.append(fails(400))
            assert [call(running).status_code for _ in range(3)] == [400, 200, 200]
            yield Api(running)


def wrong(api: Api, row: Row) -> Iterator[str]:
    answer = api.ask(row.method, row.path, **row.sends)
    if answer.status_code != row.status:
        yield f"{row}: {answer.status_code}, {answer.text[:300]}"
        return
    if [name for name in answer.headers if name.startswith("x-cpa-")]:
        yield f"{row}: says that it is CLIProxyAPI"
    if row.answers is not TEXT:
        yield from (f"{row}: {each}" for each in differences(answer.json(), row.answers))


@pytest.mark.parametrize("subject", TABLES)
def test_every_path_answers_as_documented(api: Api, subject: str) -> None:
    if subject == "calls":  # rows of the ledger come behind the calls, and those of the last second stay in the queue
        until(lambda: api.get("/usage")["usage"]["total_requests"] == CALLED)
        until(lambda: api.ask("GET", "/usage-queue").json())
    assert [each for row in TABLES[subject] for each in wrong(api, row)] == []


def test_the_table_and_the_openapi_document_name_the_same(api: Api) -> None:
    described = {
        (method.upper(), path.removeprefix("/v0/management"))
        for path, operations in api.get("/openapi.json")["paths"].items()
        for method, operation in operations.items()
        if operation["tags"] == [CLIPROXYAPIS]
    }
    assert {row.operation for table in (*TABLES.values(), FOUND) for row in table} == described


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_says_why(api: Api, name: str) -> None:
    for method, path in (("GET", f"/{name}"), ("POST", f"/{name}"), ("GET", f"/{name}/deeper")):
        status, told = api.refused(method, path)
        assert (status, told["code"]) == (404, "left_out"), path
        assert LEFT_OUT[name] in told["error"]


def test_what_was_found_or_begun_answers_as_documented(api: Api) -> None:
    api.ask("POST", "/auth-files?name=found.json", json=KIMI)
    until(lambda: api.get("/auth-files/models", name="found.json")["models"])
    (failed,) = until(lambda: api.get("/request-error-logs")["files"])
    known = {
        "name": failed["name"],
        "request_id": failed["name"].removeprefix("error-").removesuffix(".log"),
        "auth_index": api.get("/openai-api-key")["openai-api-key"][0]["auth-index"],
        "file": "found.json",
        "text": api.ask("GET", "/config.yaml").text,
        "state": api.get("/codex-auth-url")["state"],
        "other": api.get("/codex-auth-url")["state"],
    }
    told = [each for row in FOUND for each in wrong(api, with_names(row, known))]
    api.delete("/auth-files", name="found.json")
    assert told == []


def with_names(row: Row, known: Mapping[str, str]) -> Row:
    def named(value: Any) -> Any:
        match value:
            case str():
                for name, found in known.items():
                    value = value.replace(f"{{{name}}}", found)
            case dict():
                return {key: named(each) for key, each in value.items()}
        return value

    return replace(row, path=named(row.path), sends=named(dict(row.sends)))
