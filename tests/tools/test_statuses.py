"""Exit statuses: 0 done, 1 not done, 2 typed wrong. Every command with each that it has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from aiproxy_config.cli import main
from tests.rig.upstream import Received, Wire, upstream
from tests.tools.lying_about import place

ROWS: list[tuple[int, str]] = [
    (0, "accounts disable claude-me@example.org"), (1, "accounts disable nobody"), (2, "accounts disable"),
    (0, "accounts enable claude-me@example.org"), (1, "accounts enable nobody"), (2, "accounts enable a b"),
    (0, "accounts import auth/claude-me@example.org.json"), (1, "accounts import auth/junk.json"), (2, "accounts import --nonsense"),
    (0, "accounts list"), (1, "accounts list --config wrong.yaml"), (2, "accounts list x"),
    (1, "accounts refresh nobody"), (2, "accounts refresh"),
    (0, "accounts remove claude-me@example.org --yes"), (1, "accounts remove nobody"), (2, "accounts remove"),
    (0, "accounts show claude-me@example.org"), (1, "accounts show nobody"), (2, "accounts show"),
    (1, "accounts test codex-1"), (1, "accounts test nobody"), (2, "accounts test"),
    (1, "api GET /accounts --url http://127.0.0.1:1"), (2, "api GET"),
    (0, "completion bash"), (2, "completion tcsh"),
    (0, "diff aiproxy.yaml other.yaml"), (1, "diff aiproxy.yaml wrong.yaml"), (2, "diff aiproxy.yaml"),
    (0, "doctor --offline"), (1, "doctor --offline --config wrong.yaml"), (2, "doctor x"),
    (0, "history list"), (1, "history list --config foreign-state.yaml"), (2, "history list x"),
    (1, "history restore 0"), (2, "history restore"), (1, "history show 0"), (2, "history show"),
    (0, "import litellm config.json --output new.yaml"), (1, "import litellm list.yaml --output new.yaml"), (2, "import nobody config.json"),
    (0, "init new.yaml"), (1, "init aiproxy.yaml"), (2, "init a b"),
    (0, "keys list"), (1, "keys list --config syntax.yaml"), (2, "keys list x"),
    (0, "keys new guest"), (1, "keys new team"), (2, "keys new"),
    (0, "keys revoke team --yes"), (1, "keys revoke team"), (2, "keys revoke"),
    (0, "keys rotate team"), (1, "keys rotate nobody"), (2, "keys rotate team --overlap x"),
    (0, "log export empty.yaml"), (1, "log export wrong.yaml"), (2, "log export"),
    (1, "login nowhere"), (2, "login"),
    (0, "models"), (1, "models --key nobody"), (2, "models x"),
    (0, "route --model gpt-5.4"), (1, "route --model gpt-5.4 --key nobody"), (1, "route --model a --config unset.yaml"), (2, "route"),
    (0, "schema"), (2, "schema x"),
    (0, "set port 80"), (1, "set prot 80"), (2, "set port"),
    (0, "show port"), (1, "show no-such"), (2, "show a b"),
    (0, "state export"), (1, "state export --config foreign-state.yaml"), (2, "state export --table x"),
    (0, "state import exported.jsonl"), (1, "state import wrong.yaml"), (2, "state import"),
    (0, "state vacuum"), (1, "state vacuum --config other.yaml"), (2, "state vacuum x"),
    (0, "store check --config clean.yaml"), (1, "store check"), (2, "store check a b"),
    (0, "store copy file backup.yaml --replace --config clean.yaml"), (1, "store copy file wrong.yaml"), (2, "store copy file"),
    (0, "store encrypt --config clean.yaml"), (1, "store encrypt --config git.yaml"), (2, "store encrypt a b"),
    (1, "store resolve 1 --take here"), (2, "store resolve 1"),
    (0, "unset state"), (1, "unset port"), (2, "unset"),
    (0, "usage"), (1, "usage --config foreign-state.yaml"), (2, "usage --format x"),
    (0, "validate"), (1, "validate wrong.yaml"), (1, "validate warned.yaml --strict"), (0, "validate warned.yaml"), (2, "validate --format x"),
    (0, "--version"), (0, "--help"), (2, "valdate"), (2, ""),
]  # fmt: skip

ELSEWHERE = {
    ("login", 0), ("accounts refresh", 0), ("accounts test", 0),  # they need a vendor: test_logins
    ("api", 0),  # it needs a gateway: test_api_command
    ("history restore", 0), ("history show", 0),  # they need versions: tests/storage/test_history
    ("store resolve", 0),  # it needs a conflict: tests/storage/test_tool
    ("completion", 1), ("schema", 1),  # nothing can go wrong
}  # fmt: skip

LOGIN = {
    "type": "codex",
    "access_token": "a",
    "refresh_token": "r",
    "expired": "2099-01-01T00:00:00Z",
    "account_id": "x",
}
KEYLESS = "openai-api-key: [{api-key: some-upstream-key, base-url: http://127.0.0.1:9/v1}]\n"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place(tmp_path)
    (tmp_path / "auth" / "codex-1.json").write_text(json.dumps(LOGIN))
    with (tmp_path / "aiproxy.yaml").open("a") as written:
        written.write("upstreams: {codex: {base-url: http://127.0.0.1:9/codex}}\n")
    (tmp_path / "warned.yaml").write_text("api-keys: [too-short]\n")
    (tmp_path / "clean.yaml").write_text(f"{KEYLESS}auth-dir: clean\n")
    (tmp_path / "backup.yaml").write_text(f"{KEYLESS}auth-dir: backup\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AIPROXY_CONFIG", "aiproxy.yaml")
    monkeypatch.setenv("AIPROXY_ENCRYPTION_KEY", "")
    assert CliRunner().invoke(main, ["state", "export", "exported.jsonl"]).exit_code == 0
    return tmp_path


def test_every_command_has_each_of_its_statuses() -> None:
    def commands(command: click.Command, words: str = "") -> list[str]:
        if not isinstance(command, click.Group):
            return [words]
        context = click.Context(command)
        found = []
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            found += commands(inner, f"{words} {name}".strip())
        return found

    named = commands(main)
    shown = {(each, status) for each in named for status, line in ROWS if line == each or line.startswith(f"{each} ")}
    assert shown | ELSEWHERE == {(each, status) for each in named for status in (0, 1, 2)}
    assert not shown & ELSEWHERE


@pytest.mark.parametrize(("status", "line"), ROWS)
def test_statuses(status: int, line: str, directory: Path) -> None:
    extra = {"AIPROXY_ENCRYPTION_KEY": "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE="} if "encrypt" in line else {}
    result = CliRunner().invoke(main, line.split(), env=extra, input="")
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def lists_models(_request: Received, wire: Wire) -> None:
    wire.answer(200, b'{"object": "list", "data": [{"id": "gpt-5.4", "object": "model"}]}')


LOOKS = """
import json, sys
from click.testing import CliRunner
from aiproxy_config.cli import main
for line in json.loads(sys.argv[1]):
    result = CliRunner().invoke(main, line.split())
    assert result.exit_code in (0, 1) and isinstance(result.exception, (SystemExit, type(None))), (line, result.output)
    assert not {"twisted.internet.reactor", "klein", "treq"} & set(sys.modules), line
"""


def test_no_command_makes_a_reactor_while_it_works(directory: Path) -> None:
    """Also those that ask upstreams and vendors."""
    with upstream(lists_models) as running:
        (directory / "aiproxy.yaml").write_text(
            (directory / "aiproxy.yaml").read_text().replace("127.0.0.1:9", f"127.0.0.1:{running.port}")
        )
        lines = [line for status, line in ROWS if status < 2 and line not in ("", "--help", "--version")]
        first = ["validate --online", "doctor", "accounts test claude-me@example.org", "accounts test codex-1"]
        command = [sys.executable, "-c", LOOKS, json.dumps([*first, *lines])]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=dict(os.environ), timeout=120)
        assert done.returncode == 0, done.stderr
        assert running.received
