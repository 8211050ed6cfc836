"""Every command and example of the README, run as it stands there; only the port is a free one."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.rig.browser import Browser
from tests.rig.daemon import Daemon, daemon

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [code.strip() for language, code in BLOCKS if language == "sh"]
PAGES = [code for language, code in BLOCKS if language == "js"]
EXAMPLES = [code for language, code in BLOCKS if language == "python"]
ENVIRON = {"MY_CLIENT_KEY": "k" * 32, "OPENAI_API_KEY": "sk-" + "a" * 40, "OPENAI_API_KEY_2": "sk-" + "b" * 40}
STARTS = ["./tools/run", "./tools/run --config local.yaml", ".venv/bin/twistd -n aiproxy --config local.yaml"]


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The README's YAML files, and the tree's commands beside them."""
    for language, code in BLOCKS:
        if language == "yaml":
            name = code.partition("\n")[0].removeprefix("# ")
            (tmp_path / name).write_text(code)
            (tmp_path / name).chmod(0o600)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    return tmp_path


@pytest.fixture
def built_in(tmp_path: Path) -> Iterator[Daemon]:
    """What the README's first command starts, from another directory."""
    running = Daemon([str(ROOT / "tools" / "run")], tmp_path, {"AIPROXY__PORT": "0"})
    try:
        yield running
    finally:
        assert running.stop() == 0


def run(command: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        cwd=directory,
        env={**os.environ, **ENVIRON},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_command_is_run_by_a_test_of_this_page() -> None:
    run_here = [command for command in COMMANDS if command.startswith(("curl ", ".venv/bin/aiproxy-config "))]
    assert sorted(COMMANDS) == sorted([*STARTS, "./tools/test", *run_here])


def test_the_printed_line_is_the_readmes_and_works(built_in: Daemon) -> None:
    (curl,) = [command for command in COMMANDS if command.startswith("curl -N")]
    here = curl.replace("8317", str(built_in.port))
    built_in.wait_for("Try it:")
    assert built_in.wait_for("curl -N")["msg"].strip() == here
    answer = run(here, ROOT)
    assert answer.returncode == 0
    assert answer.stdout.endswith("data: [DONE]\n\n")
    assert answer.stdout.count("data: ") > 3


def test_the_rehearsal(built_in: Daemon) -> None:
    (curl,) = [command for command in COMMANDS if command.startswith("curl -sN")]
    answer = run(curl.replace("8317", str(built_in.port)), ROOT)
    assert answer.stdout.count('"delta"') == 3
    assert '"error"' in answer.stdout
    assert "[DONE]" not in answer.stdout


def test_the_names_of_rehearsals_are_scripts(built_in: Daemon) -> None:
    from aiproxy.config.schema import Demo
    from aiproxy.providers.demo import read_script

    names = re.findall(r"`(demo@[^`]+)`", README)
    assert len(names) > 5
    for name in names:
        read_script(name, Demo())


@pytest.mark.parametrize(
    ("code", "said"),
    list(zip(EXAMPLES, ["Say this again.", "Say this in another protocol.", "Say this on a socket."], strict=True)),
    ids=["openai", "anthropic", "websocket"],
)
def test_the_sdk_examples(built_in: Daemon, tmp_path: Path, code: str, said: str) -> None:
    example = tmp_path / "example.py"
    example.write_text(code.replace("8317", str(built_in.port)))
    answer = run(f"{shlex.quote(sys.executable)} {shlex.quote(str(example))}", tmp_path)
    assert answer.stdout == said, answer.stderr


def test_the_page_shows_an_answer(browser: Browser, tmp_path: Path) -> None:
    (code,) = PAGES
    key = "a-key-of-a-page-0123456789"
    with daemon(tmp_path, f"api-keys: [{key}]") as running:

        def visit(page: Page) -> None:
            page.set_content("<body></body>")
            page.evaluate(f"key => {{ {code.replace('8317', str(running.port))} }}", key)
            page.wait_for_function("document.body.innerText === 'Say this to a page.'")

        browser.visit(visit)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith(".venv/bin/aiproxy-config")])
def test_the_configuration_tool(files: Path, command: str) -> None:
    done = run(command, files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readmes_configurations_are_valid(files: Path) -> None:
    for path in sorted(files.glob("*.yaml")):
        done = run(f".venv/bin/aiproxy-config validate --strict {path.name}", files)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", STARTS)
def test_the_ways_to_start(files: Path, command: str) -> None:
    running = Daemon(shlex.split(command), files, {"AIPROXY__PORT": "0"})
    assert running.stop() == 0


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    """`make_venv` returns at once when `.venv` was made from this pyproject.toml, so a start installs nothing."""
    (tmp_path / ".venv").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path / ".venv" / "made-for-run")
    done = run(f". {shlex.quote(str(ROOT))}/tools/venv.sh && make_venv {shlex.quote(str(tmp_path))} run", ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
