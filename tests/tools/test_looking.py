"""`aiproxy-config show`, `schema`, `models`, `diff` and `keys`."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aiproxy.config.json_schema import json_schema
from aiproxy_config.cli import main

SECRETS = (
    "a-key-that-is-long-enough",
    "sk-1111111111111111",
    "sk-2222222222222222",
    "hunter2hunter2",
    "token-in-a-header",
)

TEXT = """\
api-keys:
  - {key: a-key-that-is-long-enough, name: team, models: [smart]}
openai-api-key:
  - api-key: sk-1111111111111111
    models: [gpt-5.4, {name: gpt-5.5, alias: smart}]
    headers: {Authorization: Bearer token-in-a-header}
claude-api-key:
  - {api-key: sk-2222222222222222, priority: 200, models: [{name: claude-opus, alias: smart}]}
proxy-url: http://user:hunter2hunter2@proxy.example:3128
state: state.db
auth-dir: auth
"""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("aiproxy.yaml", "new.yaml"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(TEXT)
    return tmp_path


def run(*arguments: str, **environ: str) -> Result:
    result = CliRunner().invoke(main, arguments, env=environ)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_values_and_the_layers_they_come_from() -> None:
    told = run("show", "--set", "timeouts.idle=7", AIPROXY__PORT="99").output
    assert "port: 99   # AIPROXY__PORT\n" in told
    assert "timeouts.idle: 7   # --set timeouts.idle\n" in told
    assert "timeouts.total: 0   # built-in\n" in told
    assert "api-keys[0].name: team   # aiproxy.yaml:2:44\n" in told
    assert not [secret for secret in SECRETS if secret in told]
    assert 'proxy-url: "http://user:[secret]@proxy.example:3128"' in told
    changed = run("show", "--changed", "--json").output
    assert not [secret for secret in SECRETS if secret in changed]
    assert all(each["origin"].startswith("aiproxy.yaml:") for each in json.loads(changed))
    assert run("show", "timeouts").output.count("\n") == 6
    assert run("show", "no-such").exit_code == 1


def test_the_schema_is_printed_and_written_beside_a_new_file(directory: Path) -> None:
    assert json.loads(run("schema").output) == json_schema()
    assert run("init", "other.yaml").exit_code == 0
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", (directory / "other.yaml").read_text())
    assert named
    assert json.loads((directory / named[1]).read_text()) == json_schema()


def test_models() -> None:
    assert run("models").output == "gpt-5.4  openai-1:gpt-5.4\nsmart  openai-1:gpt-5.5, claude-1:claude-opus\n"
    assert run("models", "--key", "team").output == "smart  openai-1:gpt-5.5, claude-1:claude-opus\n"
    assert json.loads(run("models", "--json").output)["pass_any_name"] == []
    assert "there are: team" in run("models", "--key", "nobody").output


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("host", "127.0.0.1", ["Nothing changes for clients."]),
        ("timeouts.idle", "5", ["setting timeouts.idle: 120 → 5"]),
        ("api-keys[0].key", "another-key-of-some-length", ["key team: is another one: clients that show the old one are refused"]),
        ("api-keys[0].models", "[smart, gpt-5.4]", ["key team: models [smart] → [smart, gpt-5.4]"]),
        ("api-keys[0].limits.concurrent", "3", ["key team: limits.concurrent 0 → 3"]),
        ("api-keys[1]", "one-more-key-of-length", ["key key-2: is new"]),
        ("claude-api-key[0].priority", "50", [
            "route smart: openai-1:gpt-5.5 or claude-1:claude-opus → claude-1:claude-opus or openai-1:gpt-5.5",
            "account claude-1: priority 200 → 50",
        ]),
        ("openai-api-key[0].api-key", "sk-3333333333333333", ["account openai-1: is another one now (key, address or proxy)"]),
        ("openai-api-key[0].models", "[gpt-5.4]", [
            "model gpt-5.4: is new", "route smart: openai-1:gpt-5.5 or claude-1:claude-opus → claude-1:claude-opus",
        ][1:]),
        ("claude-api-key[0].models", "[claude-opus]", [
            "model claude-opus: is new", "route smart: openai-1:gpt-5.5 or claude-1:claude-opus → openai-1:gpt-5.5",
        ]),
        ("model-fallback", "{smart: [gpt-5.4]}", [
            "route smart: openai-1:gpt-5.5 or claude-1:claude-opus → openai-1:gpt-5.5 or claude-1:claude-opus, then openai-1:gpt-5.4",
            "setting model-fallback.smart: nothing → [gpt-5.4]",
        ]),
        ("openai-api-key[1]", "sk-4444444444444444", ["account openai-2: is new"]),
    ],
)  # fmt: skip
def test_what_a_reload_would_change(path: str, value: str, told: list[str]) -> None:
    assert run("set", "--config", "new.yaml", path, value).exit_code == 0
    result = run("diff", "aiproxy.yaml", "new.yaml")
    assert result.exit_code == 0
    assert result.output.splitlines() == told
    assert not [secret for secret in SECRETS if secret in result.output]


def test_an_account_that_gets_a_list_passes_no_other_names_on() -> None:
    assert run("unset", "--config", "aiproxy.yaml", "claude-api-key[0].models").exit_code == 0
    assert "account claude-1: passes no other names on any more" in run("diff", "aiproxy.yaml", "new.yaml").output
    assert (
        "account claude-1: passes names on that are not in its list" in run("diff", "new.yaml", "aiproxy.yaml").output
    )


def test_keys_of_the_file(directory: Path) -> None:
    made = run("keys", "new", "guests", "--model", "gpt-*", "--expires", "2020-01-01")
    key = made.output.strip()
    text = (directory / "aiproxy.yaml").read_text()
    assert f'  - {{name: guests, key: {key}, models: ["gpt-*"], expires: 2020-01-01}}\n' in text
    listed = run("keys", "list").output
    assert listed == 'team  works  models: [smart]\nguests  expired  models: ["gpt-*"], expires: 2020-01-01\n'
    again = run("keys", "rotate", "guests").output.strip()
    assert again != key
    assert (directory / "aiproxy.yaml").read_text() == text.replace(key, again)
    assert "already" in run("keys", "new", "guests").output
    assert run("keys", "revoke", "guests").exit_code == 0
    assert (directory / "aiproxy.yaml").read_text() == TEXT
    assert "the last key" in run("keys", "revoke", "team").output
    assert run("keys", "revoke", "team", "--yes").exit_code == 0
    assert run("keys", "list").output == "There is no client key: only this machine may call, without one.\n"
    assert "first key" in run("keys", "new", "first").output


def test_a_key_that_stands_elsewhere_is_not_rotated_here(directory: Path) -> None:
    (directory / "aiproxy.yaml").write_text(TEXT.replace("a-key-that-is-long-enough", '"${KEY}"'))
    assert "stands in a variable" in run("keys", "rotate", "team", KEY="a-key-that-is-long-enough").output


def test_managed_keys_are_kept_in_the_state(directory: Path) -> None:
    assert run("keys", "list").output.count("\n") == 1
    assert not (directory / "state.db").exists()
    key = run("keys", "new", "far", "--managed", "--model", "smart").output.strip()
    assert key.startswith("sk-aiproxy-")
    assert (directory / "aiproxy.yaml").read_text() == TEXT
    found = json.loads(run("keys", "list", "--json").output)[-1]
    assert (found["name"], found["state"], found["key"], found["models"]) == ("far", "works", f"…{key[-4:]}", ["smart"])
    assert run("models", "--key", "far").output == run("models", "--key", found["id"]).output
    assert run("models", "--key", "far").output.startswith("smart  ")
    assert "gpt-5.4" not in run("models", "--key", "far").output.split()
    assert "for the key 'far'" in run("route", "--key", "far", "--model", "smart").output
    assert "nobody is asked" in run("route", "--key", found["id"], "--model", "gpt-5.4").output
    assert "there are: team, far" in run("route", "--key", "fra", "--model", "gpt-5.4").output
    assert run("keys", "rotate", "far", "--overlap", "60").output.strip() != key
    assert run("keys", "revoke", found["id"]).exit_code == 0
    assert [each["state"] for each in json.loads(run("keys", "list", "--json").output)[1:]] == ["ended", "ended"]
    assert "works any more" in run("keys", "revoke", "far").output
    assert "wants a date" in run("keys", "new", "x", "--managed", "--expires", "soon").output
    assert "the state is in memory" in run("keys", "new", "x", "--managed", AIPROXY__STATE="memory").output


def test_keys_are_listed_with_what_they_may_use(directory: Path) -> None:
    assert run("set", "api-keys[0].budget.usd-per-month", "9.5").exit_code == 0
    assert "budget: {usd-per-month: 9.5}" in run("keys", "list").output
