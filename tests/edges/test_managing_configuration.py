"""The configuration by the management API: its text and single values, by our paths and CLIProxyAPI's, in a real gateway."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.rig.daemon import daemon
from tests.rig.managing import HASHED, MANAGED, Api

SECRETS = (
    "client-key-0123456789",
    "client-key-9876543210",
    "vendor-key-0123456789",
    "vendor-key-1111111111",
    "hunter2-proxy",
)

TEXT = f"""\
# mine
{MANAGED}api-keys:
  - client-key-0123456789   # the first
  - {{name: b, key: client-key-9876543210, limits: {{concurrent: 3}}}}
request-retry: 1
proxy-url: http://me:hunter2-proxy@127.0.0.1:9/
openai-api-key:
  - {{api-key: vendor-key-0123456789, name: one}}   # kept
gemini-api-key: [vendor-key-1111111111]
"""


@contextmanager
def gateway(tmp_path: Path) -> Iterator[tuple[Api, Path]]:
    with daemon(tmp_path, TEXT) as running:
        yield Api(running), tmp_path / "aiproxy.yaml"
        said = "".join(running.output)
        assert not [secret for secret in (*SECRETS, HASHED) if secret in said]


def test_no_answer_holds_a_secret(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, _):
        paths = [
            path.removeprefix("/v0/management")
            for path, operations in api.get("/openapi.json")["paths"].items()
            if "get" in operations and "{" not in path and not path.endswith(("/events", "-auth-url"))
        ]
        assert len(paths) > 40
        for path in paths:
            answer = api.ask("GET", path)
            assert answer.status_code < 500, path
            assert not [secret for secret in (*SECRETS, HASHED) if secret in answer.text], path


def test_the_text_is_read_changed_and_written_back(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, file):
        read = api.ask("GET", "/config.yaml")
        assert read.headers["content-type"].startswith("application/yaml")
        assert api.ask("PUT", "/config.yaml", content=read.text).json() == {"ok": True, "changed": ["config"]}
        assert file.read_text() == TEXT
        text = read.text.replace("request-retry: 1", "request-retry: 2  # more")
        etag = read.headers["etag"]
        written = api.ask("PUT", "/config.yaml", content=text, headers={"if-match": etag})
        assert written.status_code == 200
        assert file.read_text() == TEXT.replace("request-retry: 1", "request-retry: 2  # more")
        assert api.get("/request-retry") == {"request-retry": 2}
        status, told = api.refused("PUT", "/config.yaml", content=text, headers={"if-match": etag})
        assert (status, told["code"]) == (412, "changed")
        assert api.ask("GET", "/config.yaml").headers["etag"] == written.headers["etag"]


def test_a_text_is_changed_as_a_draft_and_nothing_is_kept(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, file):
        text = api.ask("GET", "/config.yaml").text
        asked = {
            "text": text,
            "set": {"request-retry": 2, "api-keys[1].limits.concurrent": None, "gemini-api-key[1]": "typed-0123456789"},
            "move": {"api-keys[1]": 0},
        }
        told = api.post("/config/edit", asked)
        draft = told["text"]
        assert file.read_text() == TEXT
        assert api.ask("POST", "/config/validate", content=draft).json()["valid"]
        assert told["data"]["api-keys"][0]["name"] == "b"
        assert told["data"]["gemini-api-key"][1] == "typed-0123456789"
        assert not [secret for secret in SECRETS if secret in json.dumps(told)]
        api.ask("PUT", "/config.yaml", content=draft)
        assert file.read_text().startswith("# mine\n")
        assert "- client-key-0123456789   # the first" in file.read_text()
        refused: list[dict[str, Any]] = [
            {"set": []},
            {"move": {"api-keys[0]": "1"}},
            {"set": {"api-keys[9].key": 1}},
            {"text": 1},
        ]
        for wrong in refused:
            assert api.refused("POST", "/config/edit", json={"text": text, **wrong})[0] == 400
        assert api.post("/config/edit", {"text": "a: ["})["data"] is None


def test_what_only_asks_is_no_line_of_the_access_log(tmp_path: Path) -> None:
    with daemon(tmp_path, TEXT) as running:
        api = Api(running)
        text = api.ask("GET", "/config.yaml").text
        api.post("/config/edit", {"text": text})
        api.ask("POST", "/config/validate", content=text)
        assert api.refused("POST", "/config/edit", json={})[0] == 400
        api.ask("PUT", "/config.yaml", content=text)
        running.wait_for("PUT /v0/management/config.yaml 200")
        lines = [line for line in running.output if "aiproxy.access" in line or "/config/" in line]
        assert not [line for line in lines if "/config/validate" in line]
        assert len([line for line in lines if "/config/edit 400" in line]) == 1
        assert not [line for line in lines if "/config/edit 200" in line]


def test_what_is_wrong_is_told_with_its_place_and_nothing_changed(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, file):
        wrong = "host: 127.0.0.1\nroutin: {}\n"
        status, told = api.refused("PUT", "/config.yaml", content=wrong)
        assert (status, told["code"]) == (422, "invalid_config")
        finding = told["findings"][0]
        assert (finding["line"], finding["severity"], finding["suggestion"]) == (2, "error", "routing")
        assert api.ask("POST", "/config/validate", content=wrong).json() == {
            "valid": False,
            "findings": told["findings"],
        }
        assert api.ask("POST", "/config/validate", content="port: 1\n").json()["valid"]
        status, told = api.refused("PUT", "/config.yaml", content="a: [")
        assert (status, told["code"]) == (400, "invalid_yaml")
        assert api.refused("PUT", "/config.yaml", content=b"\xff")[0] == 400
        assert file.read_text() == TEXT


def test_a_change_is_seen_before_it_is_made(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, file):
        text = api.ask("GET", "/config.yaml").text.replace("concurrent: 3", "concurrent: 4")
        told = api.ask("POST", "/config/diff", content=text.replace("name: one", "name: another")).json()
        assert told["valid"]
        assert [line for line in told["lines"] if line.startswith("+ ") and "another" in line]
        assert {(each["about"], each["what"]) for each in told["clients"]} >= {
            ("account", "another"),
            ("account", "one"),
        }
        assert not [secret for secret in SECRETS if secret in json.dumps(told)]
        assert file.read_text() == TEXT
        assert api.get("/audit")["changes"] == []


def test_values_are_set_by_path(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, file):
        api.patch("/config", {"api-keys[1].limits.concurrent": 5, "request-retry": None})
        assert file.read_text() == TEXT.replace("concurrent: 3", "concurrent: 5").replace("request-retry: 1\n", "")
        assert api.get("/config")["request-retry"] == 3
        values = {each["path"]: each for each in api.get("/config/values")["values"]}
        assert values["api-keys[1].limits.concurrent"]["value"] == 5
        assert "aiproxy.yaml:" in values["api-keys[1].limits.concurrent"]["origin"]
        assert api.refused("PATCH", "/config", json={"request-retry": -1})[0] == 422
        assert api.refused("PATCH", "/config", json={"no..path": 1})[0] in (400, 422)
        jsonschema.Draft202012Validator.check_schema(api.get("/config/schema"))


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("/request-retry", 7, "request-retry: 7"),
        ("/max-retry-interval", 9, "max-retry-interval: 9"),
        ("/max-retry-credentials", 2, "max-retry-credentials: 2"),
        ("/force-model-prefix", True, "force-model-prefix: true"),
        ("/ws-auth", False, "ws-auth: false"),
        ("/error-logs-max-files", 20, "error-logs-max-files: 20"),
        ("/quota-exceeded/switch-project", False, "switch-project: false"),
        ("/routing/strategy", "fill-first", "strategy: fill-first"),
        ("/debug", True, "level: debug"),
        ("/logs-max-total-size-mb", 50, "max-total-size-mb: 50"),
    ],
)
def test_a_scalar_is_got_and_put_as_there(tmp_path: Path, path: str, value: object, line: str) -> None:
    with gateway(tmp_path) as (api, file):
        name = path.rpartition("/")[2]
        assert list(api.get(path)) == [name] or path == "/logs-max-total-size-mb"
        assert api.put(path, {"value": value}) == {"status": "ok"}
        assert next(iter(api.get(path).values())) == value
        assert line in file.read_text()
        assert api.refused("PATCH", path, json={})[0] == 400
        assert api.refused("PUT", path, json={"value": "nonsense"})[0] == 400


def test_what_is_fixed_is_told_and_refused(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, _):
        assert api.get("/usage-statistics-enabled") == {"usage-statistics-enabled": True}
        assert api.put("/usage-statistics-enabled", {"value": True}) == {"status": "ok"}
        assert api.refused("PUT", "/usage-statistics-enabled", json={"value": False})[0] == 400
        assert api.delete("/proxy-url") == {"status": "ok"}
        assert api.get("/proxy-url") == {"proxy-url": ""}


def test_client_keys_as_a_list_of_texts(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, file):
        names = api.get("/api-keys")["api-keys"]
        assert len(names) == 2
        assert api.put("/api-keys", names) == {"status": "ok"}
        assert file.read_text() == TEXT  # a key that comes back as its name keeps its settings
        api.put("/api-keys", {"items": [*names, "third-key-0123456789"]})
        assert "- third-key-0123456789" in file.read_text()
        api.patch("/api-keys", {"old": "third-key-0123456789", "new": "fourth-key-0123456789"})
        api.patch("/api-keys", {"index": 0, "value": "fifth-key-0123456789"})
        assert "- fifth-key-0123456789   # the first" in file.read_text()
        api.delete("/api-keys", value="fourth-key-0123456789")
        api.delete("/api-keys", index="0")
        assert api.get("/api-keys")["api-keys"] == names[1:]
        assert api.refused("DELETE", "/api-keys?value=nobody")[0] == 404
        assert api.refused("DELETE", "/api-keys?index=5")[0] == 404
        assert api.refused("DELETE", "/api-keys")[0] == 400
        assert api.refused("PATCH", "/api-keys", json={"value": "sixth-key-0123456789"})[0] == 400


def test_accounts_as_lists_of_entries(tmp_path: Path) -> None:
    with gateway(tmp_path) as (api, file):
        found = api.get("/openai-api-key")["openai-api-key"]
        assert [(each["name"], len(each["auth-index"])) for each in found] == [("one", 16)]
        assert api.put("/openai-api-key", found) == {"status": "ok"}
        assert file.read_text() == TEXT
        api.patch("/openai-api-key", {"match": found[0]["api-key"], "value": {"priority": 3}})
        assert "{api-key: vendor-key-0123456789, name: one, priority: 3}   # kept" in file.read_text()
        added: dict[str, Any] = {"api-key": "vendor-key-2222222222", "base-url": "https://a.example"}
        api.put("/gemini-api-key", [*api.get("/gemini-api-key")["gemini-api-key"], added])
        api.patch("/gemini-api-key", {"index": 1, "value": {"prefix": "x"}})
        assert [each.get("prefix") for each in api.get("/gemini-api-key")["gemini-api-key"]] == [None, "x"]
        assert api.refused("DELETE", "/gemini-api-key?api-key=nobody")[0] == 404
        api.delete("/gemini-api-key", **{"api-key": "vendor-key-2222222222"})
        entry = {
            "name": "or",
            "base-url": "https://or.example/v1",
            "api-key-entries": [{"api-key": "vendor-key-3333333333"}],
        }
        api.put("/openai-compatibility", [entry])
        api.patch("/openai-compatibility", {"name": "or", "value": {"prefix": "or"}})
        assert api.get("/openai-compatibility")["openai-compatibility"][0]["prefix"] == "or"
        assert api.refused("DELETE", "/openai-compatibility")[0] == 400
        assert (
            api.refused("PATCH", "/openai-compatibility", json={"name": "nobody", "value": {"prefix": "x"}})[0] == 404
        )
        assert api.delete("/openai-compatibility", name="or") == {"status": "ok"}
        api.put("/codex-api-key", [{"api-key": "vendor-key-4444444444", "base-url": "https://r.example/v1"}])
        api.patch("/codex-api-key", {"match": "vendor-key-4444444444", "value": {"base-url": ""}})
        assert api.get("/codex-api-key") == {"codex-api-key": []}, "its key goes nowhere else"
        assert api.refused("PUT", "/claude-api-key", json=[{"api-kee": "x"}])[0] == 400
        assert api.get("/claude-api-key") == {"claude-api-key": []}


def test_cliproxyapis_aliases_are_ours_under_another_name(tmp_path: Path) -> None:
    path = "/oauth-model-alias"
    with gateway(tmp_path) as (api, file):
        assert api.get(path) == {"oauth-model-alias": {}}
        alias = {"name": "gpt-5.4", "alias": "smart", "fork": True}
        assert api.patch(path, {"channel": "openai", "aliases": [alias]}) == {"status": "ok"}
        (told,) = api.get(path)["oauth-model-alias"]["openai"]
        assert told["alias"] == "smart"
        assert "# the first" in file.read_text(), "comments stay"
        assert api.put(path, {"gemini": [{"name": "gemini-pro", "alias": "wise"}]}) == {"status": "ok"}
        assert api.get(path)["oauth-model-alias"].keys() == {"gemini"}
        assert api.refused("DELETE", path, params={"channel": "openai"})[0] == 404
        assert api.refused("PATCH", path, json={"aliases": []})[0] == 400
        assert api.refused("PUT", path, json={"gemini": "x"})[0] == 400
        assert api.delete(path, channel="gemini") == {"status": "ok"}
        assert file.read_text().strip() == TEXT.strip()
        assert api.get("/latest-version")["latest-version"]


@pytest.mark.parametrize(
    ("path", "name", "one", "other"),
    [
        ("/oauth-excluded-models", "models", ["gpt-5-*"], ["*-mini"]),
        (
            "/oauth-request-scoped-errors",
            "rules",
            [{"status": 400, "match": ["x"]}],
            [{"status": 429, "action": "continue"}],
        ),
    ],
)
def test_lists_for_each_provider_that_logs_in(tmp_path: Path, path: str, name: str, one: Any, other: Any) -> None:
    section = path[1:]
    with gateway(tmp_path) as (api, file):
        assert api.get(path) == {section: {}}
        assert api.put(path, {"codex": one, "kimi": []}) == {"status": "ok"}
        assert api.get(path)[section].keys() == {"codex"}
        written = file.read_text()
        assert api.patch(path, {"provider": "kimi", name: other}) == {"status": "ok"}
        assert file.read_text().startswith(written.rstrip().removesuffix("}")), "the other one's stands as it stood"
        assert api.get(path)[section].keys() == {"codex", "kimi"}
        assert api.patch(path, {"channel": "codex", name: []}) == {"status": "ok"}
        assert api.get(path)[section].keys() == {"kimi"}
        assert api.refused("PATCH", path, json={"channel": "codex", name: []})[0] == 404
        assert api.refused("PATCH", path, json={"channel": "codex", name: "x"})[0] == 400
        assert api.refused("PUT", path, json={"codex": [{"nonsense": 1}]})[0] == 400
        assert api.refused("DELETE", path)[0] == 400
        assert api.delete(path, provider="kimi") == {"status": "ok"}
        assert file.read_text().strip() == TEXT.strip()
