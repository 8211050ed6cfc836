"""`aiproxy-config store …`, as it is typed."""

import json
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner, Result

from aiproxy.storage.documents import CONFIGURATION
from aiproxy_config.cli import main
from aiproxy_config.editing import change
from tests.storage.places import ENCRYPTED, PLACES, Place, Servers
from tests.storage.test_conformance import CHANGE, ONE, TWO, A, B, bodies, version

CONFIG = "api-keys: [a-client-key-0123456789]\n"


def run(*arguments: str, environ: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, ["store", *arguments], env=environ or {})


def write(directory: Path, section: str, *, kind: str = "") -> Path:
    """A configuration that uses files, and describes another store besides."""
    (directory / "auths").mkdir(exist_ok=True)
    path = directory / "aiproxy.yaml"
    section = section.replace("  type: ", "  # type: ") if not kind else section
    path.write_text(f"{CONFIG}auth-dir: auths\nstore:\n  local-path: mirror\n{section}")
    path.chmod(0o600)
    return path


def test_from_files_to_a_remote_and_back(remote: Place, tmp_path: Path) -> None:
    config = write(tmp_path, remote.store)
    kind = remote.settings(tmp_path / "none").store.type
    (tmp_path / "auths" / "a.json").write_bytes(ONE)
    done = run("copy", "file", kind, "--config", str(config))
    assert done.output == "2 documents copied, 0 there already.\n"
    assert bodies(remote.open()) == {A: ONE, CONFIGURATION: config.read_bytes()}
    assert run("copy", "file", kind, "--config", str(config)).output == "0 documents copied, 2 there already.\n"
    assert run("check", kind, "--config", str(config)).exit_code == 0
    (tmp_path / "auths" / "a.json").write_bytes(TWO)
    (tmp_path / "auths" / "b.json").write_bytes(ONE)
    refused = run("copy", "file", kind, "--config", str(config))
    assert refused.exit_code == 1
    assert "other content under auths/a.json; --replace replaces it" in refused.output
    assert bodies(remote.open())[A] == ONE
    assert B not in bodies(remote.open())
    assert run("copy", "file", kind, "--replace", "--config", str(config)).exit_code == 0
    (tmp_path / "auths" / "a.json").unlink()
    back = run("copy", kind, "file", "--config", str(config))
    assert back.output == "1 document copied, 2 there already.\n"
    assert (tmp_path / "auths" / "a.json").read_bytes() == TWO


def test_into_another_configurations_store(tmp_path: Path) -> None:
    config = write(tmp_path, "")
    (tmp_path / "auths" / "a.json").write_bytes(ONE)
    (tmp_path / "backup").mkdir()
    backup = write(tmp_path / "backup", "")
    done = run("copy", "file", str(backup), "--config", str(config))
    assert done.output == "1 document copied, 1 there already.\n"
    assert (tmp_path / "backup" / "auths" / "a.json").read_bytes() == ONE


def test_a_check_names_what_is_wrong(tmp_path: Path) -> None:
    config = write(tmp_path, "")
    (tmp_path / "auths" / "a.json").write_text("{}")
    (tmp_path / "auths" / "bad.json").write_text("{")
    found = run("check", "--config", str(config))
    assert found.exit_code == 1
    assert found.stdout == f"file:{tmp_path}/auths: 2 documents\n"
    assert found.stderr == "auths/bad.json is not valid JSON\n"
    copied = run("copy", "file", "file", "--config", str(config))
    assert copied.exit_code == 1
    assert "auths/bad.json is not valid JSON" in copied.output


def test_encrypt(tmp_path: Path) -> None:
    config = write(tmp_path, "")
    (tmp_path / "auths" / "a.json").write_bytes(ONE)
    assert "set AIPROXY_ENCRYPTION_KEY" in run("encrypt", "--config", str(config)).output
    assert run("encrypt", "--config", str(config), environ=ENCRYPTED).output == "1 credential encrypted.\n"
    assert "aiproxy-encrypted" in json.loads((tmp_path / "auths" / "a.json").read_bytes())
    assert "set AIPROXY_ENCRYPTION_KEY" in run("check", "--config", str(config)).output
    assert run("check", "--config", str(config), environ=ENCRYPTED).exit_code == 0


@pytest.mark.parametrize("take", ["here", "elsewhere"])
def test_a_conflict_is_shown_and_settled(servers: Servers, tmp_path: Path, take: str) -> None:
    with contextmanager(PLACES["git-http"])(tmp_path, servers) as place, closing(place):
        assert place.line is not None
        config = write(tmp_path, place.store, kind="git")
        ours, theirs = place.open(mirror="mirror"), place.open()
        ours.save(A, ONE, None, CHANGE)
        theirs.sync()
        place.line.cut()
        ours.save(A, TWO, version(ours, A), CHANGE)
        ours.close()
        away = run("check", "--config", str(config))
        assert away.exit_code == 1
        assert "can't be reached" in away.output
        place.line.mend()
        theirs.save(A, b'{"token": "three"}', version(theirs, A), CHANGE)
        found = run("check", "--config", str(config))
        assert found.exit_code == 1
        assert "conflict 1: auths/a.json was changed here and elsewhere" in found.stderr
        assert run("resolve", "1", "--take", take, "--config", str(config)).output == "Conflict 1 is over.\n"
        assert run("resolve", "1", "--take", take, "--config", str(config)).exit_code == 1
        assert run("check", "--config", str(config)).exit_code == 0
        assert bodies(theirs)[A] == (TWO if take == "here" else b'{"token": "three"}')


STORED = "# Everybody's.\nport: 8317   # the usual one\napi-keys:\n  - a-client-key-0123456789\n"


def tool(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_configuration_in_a_store_is_changed_there(remote: Place, tmp_path: Path) -> None:
    config = write(tmp_path, remote.store, kind="remote")
    before = config.read_bytes()
    others = remote.open()
    others.save(CONFIGURATION, STORED.encode(), None, CHANGE)
    place = others.condition().place
    done = tool("set", "port", "80", "--config", str(config))
    assert (done.exit_code, done.output) == (0, f"{place}/{CONFIGURATION}: port is set.\n")
    others.sync()
    assert bodies(others)[CONFIGURATION].decode() == STORED.replace("8317", "80")
    key = tool("keys", "new", "team", "--config", str(config)).output.strip()
    others.sync()
    assert bodies(others)[CONFIGURATION].decode().endswith(f"  - {{name: team, key: {key}}}\n")
    assert "team  works" in tool("keys", "list", "--config", str(config)).output
    assert "port: 80   # " in tool("show", "port", "--config", str(config)).output
    assert tool("unset", "port", "--config", str(config)).exit_code == 0
    refused = tool("set", "port", "high", "--config", str(config))
    assert refused.exit_code == 1
    assert f"{place}/{CONFIGURATION}:" in refused.output
    assert config.read_bytes() == before
    # What leads to the store stands here.
    assert tool("set", "store.poll-seconds", "5", "--config", str(config)).exit_code == 0
    assert b"poll-seconds: 5" in config.read_bytes()
    others.sync()
    others.save(CONFIGURATION, b"prot: 1\n", version(others, CONFIGURATION), CHANGE)
    checked = run("check", "--config", str(config))
    assert (checked.exit_code, "did you mean `port`?" in checked.stderr) == (1, True)


def test_what_others_write_meanwhile_is_not_lost(remote: Place, tmp_path: Path) -> None:
    config = write(tmp_path, remote.store, kind="remote")
    others = remote.open()
    others.save(CONFIGURATION, STORED.encode(), None, CHANGE)
    theirs = STORED.replace("8317", "9000")

    def edit(text: str) -> str:
        others.save(CONFIGURATION, theirs.encode(), version(others, CONFIGURATION), CHANGE)
        return text.replace("8317", "80")

    with pytest.raises(ClickException, match="was changed by someone else meanwhile"):
        change(str(config), edit, "Set port")
    others.sync()
    assert bodies(others)[CONFIGURATION].decode() == theirs


def test_a_store_that_is_away_is_named(remote: Place, tmp_path: Path) -> None:
    if remote.line is None:
        pytest.skip("a directory is always there")
    config = write(tmp_path, remote.store, kind="remote")
    remote.open().save(CONFIGURATION, STORED.encode(), None, CHANGE)
    remote.line.cut()
    for command in (["set", "port", "80"], ["keys", "list"], ["show"], ["doctor", "--offline"]):
        refused = tool(*command, "--config", str(config))
        assert refused.exit_code == 1
        assert "can't be reached" in refused.output


def test_a_store_without_a_configuration_leaves_it_to_the_file(remote: Place, tmp_path: Path) -> None:
    config = write(tmp_path, remote.store, kind="remote")
    assert tool("set", "port", "80", "--config", str(config)).output == f"{config}: port is set.\n"
    assert "port: 80\n" in config.read_text()
    assert CONFIGURATION not in bodies(remote.open())


def test_what_is_wrong_with_the_configuration_is_said_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("store: {type: s3}\n")
    found = run("check", "--config", str(path))
    assert found.exit_code == 1
    assert "error[incomplete-store]" in found.output
    assert "Traceback" not in found.output
