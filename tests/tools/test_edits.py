"""`aiproxy-config set` and `unset`: the file as it is afterwards, and what is refused."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner, Result

from aiproxy_config.cli import main
from aiproxy_config.editing import change

TEXT = "# Ours.\nport: 8317   # the usual one\napi-keys:\n  - a-key-that-is-long-enough\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "aiproxy.yaml"
    path.write_text(TEXT)
    path.chmod(0o640)
    return path


def run(command: str, file: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, [command, "--config", str(file), *arguments], input=typed)


def test_one_line_changes_and_the_mode_stays(file: Path) -> None:
    result = run("set", file, "port", "80")
    assert (result.exit_code, result.output) == (0, f"{file}: port is set.\n")
    assert file.read_text() == TEXT.replace("8317", "80")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert run("unset", file, "port").exit_code == 0
    assert file.read_text() == TEXT.replace("port: 8317   # the usual one\n", "")
    assert sorted(os.listdir(file.parent)) == [".aiproxy.lock", file.name]  # the lock is the gateway's, too


def test_what_an_editor_writes_meanwhile_is_not_lost(file: Path) -> None:
    def edit(text: str) -> str:
        file.write_text(text.replace("8317", "9000"))
        return text.replace("8317", "80")

    with pytest.raises(ClickException, match="was changed by someone else meanwhile"):
        change(str(file), edit, "Set port")
    assert file.read_text() == TEXT.replace("8317", "9000")


def test_a_byte_order_mark_and_ends_of_lines_stay(file: Path) -> None:
    before = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    file.write_bytes(before)
    assert run("set", file, "port", "80").exit_code == 0
    assert file.read_bytes() == before.replace(b"8317", b"80")


def test_a_file_that_is_not_valid_is_mended(file: Path) -> None:
    file.write_text(TEXT.replace("8317", "high"))
    assert run("set", file, "port", "80").exit_code == 0
    assert file.read_text() == TEXT.replace("8317", "80")


def test_a_state_that_no_gateway_starts_with_is_refused(file: Path) -> None:
    with closing(sqlite3.connect(file.parent / "theirs.db")) as theirs:
        theirs.execute("CREATE TABLE t (a)")
    refused = run("set", file, "state", "theirs.db")
    assert (refused.exit_code, "another program's database" in refused.output) == (1, True)
    assert file.read_text() == TEXT


def test_a_secret_comes_by_standard_input(file: Path) -> None:
    assert run("set", file, "api-keys[1]", "-", typed="another-key-that-is-long\n").exit_code == 0
    assert file.read_text() == TEXT + "  - another-key-that-is-long\n"


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    assert run("set", link, "port", "80").exit_code == 0
    assert link.is_symlink()
    assert "port: 80 " in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["port", "high"], 1, "nothing was changed, for this would not be valid"),
        (["prot", "80"], 1, "did you mean `port`?"),
        (["api-keys[7]", "k"], 1, "here there are 1, from 0, 1 to add one"),
        (["claude-api-key[1]", "k"], 1, "here there are 0, so 0 adds one"),
        (["gpt-5.4", "k"], 1, "here there are 0, so 0 adds one"),
        (["port.x", "1"], 1, "nothing lies under a plain value"),
        (["a..b", "1"], 1, "a path is written"),
        (["port", "{"], 2, "VALUE: error[yaml-syntax]"),
        (["port", "{a: 1, a: 2}"], 2, "duplicate-key"),
        (["port"], 2, "Missing argument"),
    ],
)
def test_what_is_refused_changes_nothing(file: Path, arguments: list[str], status: int, words: str) -> None:
    result = run("set", file, *arguments)
    assert result.exit_code == status
    assert words in result.output
    assert file.read_text() == TEXT


def test_nothing_to_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("aiproxy.config.load.SEARCHED", ("./aiproxy.yaml",))
    monkeypatch.delenv("AIPROXY_CONFIG", raising=False)
    result = CliRunner().invoke(main, ["set", "port", "80"])
    assert (result.exit_code, result.output) == (
        1, "Error: there is no configuration file here; `aiproxy-config init` writes one\n",
    )  # fmt: skip


def test_a_broken_file_says_where(file: Path) -> None:
    file.write_text("a: [")
    result = run("set", file, "port", "80")
    assert result.exit_code == 1
    assert "error[yaml-syntax]" in result.output
