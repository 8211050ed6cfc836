"""The tool's pages in `configs/README.md` are what its commands and codes say of themselves; wrong commands end with 2."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from aiproxy_config.cli import COMMANDS, main
from aiproxy_config.reference import codes, commands, inserted
from tests.config.test_reference import ENVIRON
from tests.rig.daemon import BIN

CONFIGS = Path(__file__).parents[2] / "configs"


def test_the_written_reference_is_what_the_tool_says() -> None:
    written = (CONFIGS / "README.md").read_text(encoding="utf-8")
    assert written == inserted(written), "run `python -m aiproxy_config.reference configs`"
    assert all(f"### `aiproxy-config {name}" in commands() for name in COMMANDS)
    assert "`unknown-key`" in codes()


def all_commands(command: click.Command, names: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [names]
    context = click.Context(command)
    found = [names]
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += all_commands(inner, (*names, name))
    return found


@pytest.mark.parametrize("names", all_commands(main), ids=" ".join)
def test_every_command_helps_and_ends_with_2_when_it_is_wrong(names: Sequence[str]) -> None:
    helped = CliRunner().invoke(main, [*names, "--help"])
    assert helped.exit_code == 0
    first = helped.output.split("\n\n")[1].strip()
    assert len(first) > 20, "a newcomer learns nothing from that"
    assert CliRunner().invoke(main, [*names, "--no-such-option"]).exit_code == 2


def test_a_misspelt_command_names_the_nearest() -> None:
    result = CliRunner().invoke(main, ["valdate"])
    assert result.exit_code == 2
    assert "did you mean 'validate'?" in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert "_AIPROXY_CONFIG_COMPLETE" in result.output


def test_a_shell_completes_commands_and_options() -> None:
    def completed(words: str) -> set[str]:
        environ = {**os.environ, "_AIPROXY_CONFIG_COMPLETE": "bash_complete", "COMP_WORDS": words}
        environ["COMP_CWORD"] = str(len(words.split()) - 1)
        done = subprocess.run([BIN / "aiproxy-config"], env=environ, capture_output=True, text=True, check=True)
        return {line.partition(",")[2] for line in done.stdout.splitlines()}

    assert completed("aiproxy-config va") == {"validate"}
    assert {"--strict", "--set"} <= completed("aiproxy-config validate --s")
    assert completed("aiproxy-config validate --format sa") == {"sarif"}
    assert completed("aiproxy-config validate --explain dup") >= {"duplicate-key"}
    assert completed("aiproxy-config set timeouts.i") == {"timeouts.idle"}


def test_bash_completes_when_the_script_is_sourced(tmp_path: Path) -> None:
    (tmp_path / "aiproxy.yaml").touch()
    script = """\
source <(aiproxy-config completion bash)
for line in "aiproxy-config va" "aiproxy-config keys ro" "aiproxy-config set routing.strat"; do
    COMP_WORDS=($line); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    $(complete -p aiproxy-config | sed 's/.*-F \\([^ ]*\\) .*/\\1/') aiproxy-config
    echo "${COMPREPLY[*]}"
done
"""
    environ = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["validate", "rotate", "routing.strategy"]


ACCOUNT = """\
  - name: account-{0}
    api-key: upstream-key-number-{0}
    base-url: https://api.example/v1
    models: [{{name: gpt-5.4, alias: big}}, gpt-5.4-mini]
"""


def test_thousands_of_accounts_are_valid(tmp_path: Path) -> None:
    """What that takes is no matter for a test: a machine that is busy, or slow, would fail it."""
    file = tmp_path / "many.yaml"
    file.write_text("openai-api-key:\n" + "".join(map(ACCOUNT.format, range(2000))), encoding="utf-8")
    file.chmod(0o600)
    command = [str(BIN / "aiproxy-config"), "validate", "--format", "json", str(file)]
    done = subprocess.run(command, env={**os.environ, **ENVIRON}, capture_output=True, check=False)
    assert json.loads(done.stdout)["problems"] == []
