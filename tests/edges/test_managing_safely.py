"""What must never happen at the management API, asked of every route that its own document names."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import HTTP, KEY, MANAGED, Api

CANARY = "canary-of-an-operator-0123456789"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    directory = tmp_path_factory.mktemp("safely")
    text = f"{MANAGED}auth-dir: {directory}/auth\nopenai-api-key: [{CANARY}]\n"
    with daemon(directory, text) as running:
        yield running
        assert CANARY not in "".join(running.output)


def operations(gateway: Daemon) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, address, what the document says. Sessions, and what streams for ever or asks a vendor, are asked elsewhere."""
    for path, said in Api(gateway).get("/openapi.json")["paths"].items():
        for method, operation in said.items():
            if not path.endswith(("/session", "/events", "-auth-url")):
                yield method.upper(), gateway.address + re.sub(r"\{\w+\}", "x", path), operation


def test_the_document_is_one_and_names_every_room(gateway: Daemon) -> None:
    document = Api(gateway).get("/openapi.json")
    OpenAPIV31SpecValidator(document).validate()
    paths = {path.removeprefix("/v0/management").partition("/")[2].partition("/")[0] for path in document["paths"]}
    rooms = {"accounts", "models", "keys", "logins", "health", "events", "config", "config.yaml", "auth-files", "logs"}
    assert paths >= rooms
    assert document["paths"]["/v0/management/config.yaml"]["put"]["requestBody"]["content"]


def test_a_session_without_its_token_changes_nothing(gateway: Daemon) -> None:
    signed_in = HTTP.post(f"{gateway.address}/v0/management/session", json={"key": KEY})
    etag = Api(gateway).ask("GET", "/config.yaml").headers["etag"]
    HTTP.cookies.clear()
    cookie = {"cookie": signed_in.headers["set-cookie"].partition(";")[0]}
    asked = 0
    for method, url, operation in operations(gateway):
        if method == "GET" or operation.get("security") == []:
            continue
        for token in ({}, {"x-csrf-token": "0" * 64}, {"x-csrf-token": ""}):
            answer = HTTP.request(method, url, headers={**cookie, **token}, json={"value": 1})
            assert (answer.status_code, answer.json()["code"]) == (403, "permission"), (method, url)
        asked += 1
    assert asked > 60
    assert Api(gateway).ask("GET", "/config.yaml").headers["etag"] == etag


def test_other_sites_pages_get_nothing(gateway: Daemon) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    for method, url, _ in operations(gateway):
        for foreign in ({"origin": "https://evil.example"}, {"host": "evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = HTTP.request(method, url, headers={**headers, **foreign})
            assert answer.status_code == 403, (method, url, foreign)
            assert "access-control-allow-origin" not in answer.headers


def test_a_session_is_always_a_new_one(gateway: Daemon) -> None:
    url = f"{gateway.address}/v0/management/session"
    planted = "9999999999.00000000000000000000000000000000.00"
    words = set()
    for _ in range(2):
        answer = HTTP.post(url, json={"key": KEY}, headers={"cookie": f"aiproxy_session={planted}"})
        HTTP.cookies.clear()
        words.add(answer.headers["set-cookie"].partition(";")[0])
    assert len(words) == 2
    assert f"aiproxy_session={planted}" not in words
    assert not HTTP.get(url, headers={"cookie": f"aiproxy_session={planted}"}).json()["signed-in"]


def test_whatever_is_sent_is_an_answer_without_secrets(gateway: Daemon) -> None:
    """Bodies and paths that make no sense: an error with a sentence, and nothing of a browser's to run."""
    api = Api(gateway)
    secret = "sk-sent-by-mistake-0123456789"
    bodies = [b"[]", b"{", b"\xff\xfe", json.dumps({"value": {secret: secret}, "name": 1, "text": []}).encode()]
    for method, url, _ in operations(gateway):
        for body in bodies if method != "GET" else bodies[:1]:
            path = url.removeprefix(f"{gateway.address}/v0/management")
            if method == "DELETE" and path == "/logs":
                continue
            answer = api.ask(method, path, content=body)
            assert answer.status_code < 500, (method, path, body, answer.text)
            assert CANARY not in answer.text, (method, path)
            assert secret not in answer.text or path == "/config/diff", (method, path)  # which shows what was sent
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "html" not in answer.headers.get("content-type", "")
            assert answer.headers["cache-control"] == "no-store"
