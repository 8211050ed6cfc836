"""`aiproxy-config api`: what a console can do with a gateway that runs, from a terminal."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aiproxy_config.cli import main
from tests.rig.daemon import daemon
from tests.rig.managing import KEY, MANAGED

ACCOUNT = {"api-key": "key-of-vendor-0123456789", "base-url": "http://127.0.0.1:9/v1", "models": ["m"]}


def tool(*arguments: str, key: str | None = KEY, status: int = 0, typed: str | None = None) -> str:
    done = CliRunner().invoke(main, ["api", *arguments], env={"MANAGEMENT_PASSWORD": key}, input=typed)
    assert done.exit_code == status, done.output
    assert KEY not in done.output
    return done.output


def test_whatever_the_console_does_a_terminal_does(tmp_path: Path) -> None:
    file = tmp_path / "aiproxy.yaml"
    with daemon(tmp_path, f"{MANAGED}openai-api-key: # ours\n  - {json.dumps(ACCOUNT)}\n") as gateway:
        at = ("--url", gateway.address)

        def accounts() -> list[Any]:
            found: list[Any] = json.loads(tool("GET", "/accounts", *at))["accounts"]
            return found

        (account,) = accounts()
        name = account["account"]
        assert json.loads(tool("POST", f"/accounts/{name}/clear", "model=m", *at)) == {"cleared": 0}
        assert json.loads(tool("POST", f"/v0/management/accounts/{name}/disable", *at))["state"] == "disabled"
        assert json.loads(tool("post", f"accounts/{name}/enable", *at))["state"] != "disabled"
        assert json.loads(tool("PATCH", f"/accounts/{name}", "priority=7", *at)) == {"changed": ["priority"]}
        assert accounts()[0]["priority"] == 7
        assert "# ours" in file.read_text()
        assert json.loads(tool("GET", "/usage/sums", "by=account", *at))["usage"] == []
        assert "openai-api-key:" in tool("GET", "/config.yaml", *at)
        assert json.loads(tool("GET", "/openapi.json", *at, key=None, typed=f"{KEY}\n").partition("\n")[2])["paths"]
        assert "whole number" in tool("PATCH", f"/accounts/{name}", "priority=first", *at, status=1)
        assert "openapi.json` lists what there is" in tool("GET", "/accounts/nobody", *at, status=1)
        assert "(401)" in tool("GET", "/accounts", *at, key="another-0123456789", status=1)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("GET", "/accounts", "--url", "http://127.0.0.1:1"), 1, "No gateway answers at http://127.0.0.1:1"),
        (("GET", "/accounts", "--url", "ftp://127.0.0.1"), 2, "must be http://HOST:PORT"),
        (("GET", "/accounts", "--url", "nonsense"), 2, "must be http://HOST:PORT"),
        (("POST", "/accounts/a/clear", "model", "--url", "http://127.0.0.1:1"), 2, "must be NAME=VALUE"),
        (("SING", "/accounts"), 2, "Invalid value"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(arguments: tuple[str, ...], status: int, words: str) -> None:
    assert words in tool(*arguments, status=status)


def test_without_an_address_the_configuration_has_it(tmp_path: Path) -> None:
    file = tmp_path / "aiproxy.yaml"
    file.write_text('host: "::"\nport: 1\napi-keys: [a-client-key-0123456789]\n')
    assert "at http://127.0.0.1:1:" in tool("GET", "/accounts", "--config", str(file), status=1)
