"""A file is accepted by `validate` exactly when the gateway starts with it: made-up files, both asked.

The gateway is asked by what it does at its start, its own source and the building of its snapshot; for some files a real
daemon is started.
"""

import json
import os
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiproxy.config import ConfigurationInvalid
from aiproxy.config.names import hints, kebab
from aiproxy.config.schema import Settings
from aiproxy.secrets import Secret
from aiproxy.storage.source import Source
from aiproxy.storage.state.migrations import VERSION
from aiproxy.storage.state.sqlite import APPLICATION
from aiproxy_config.cli import main
from aiproxy_config.offline import snapshot_of
from tests.rig.daemon import BIN, daemon

TEXTS = st.sampled_from(
    [
        "", "a", "b", "gpt-5.4", "gpt-*", "*", "team/a", "openai", "claude", "gemini", "codex", "demo", "auto", "direct",
        "http://127.0.0.1:9/v1", "https://a.example/v1", "https://a.example", "socks5://u:p@a.example", "10.0.0.0/8",
        "2099-12-31", "2020-01-01", "temperature", "a.b.0", "a..b", "(", "[a-z]+", "{}", '{"a": 1}', "first-client-key",
        "other-client-key", "sk-1234", "${KEY}", "${NO_SUCH_KEY}", "europe-west4", "image/*", "é", "a b",
    ]
)  # fmt: skip
"""Words that mean something somewhere, and are wrong elsewhere."""

NAMES = st.sampled_from(["openai", "claude", "codex", "gpt-5.4", "a", "b", "X-Team", "temperature", "a.b"])

APART = {
    ("Settings", "host"), ("Settings", "store"), ("Settings", "state"), ("Settings", "auth_dir"), ("Logging", "file"),
}  # fmt: skip
"""What reaches beyond the file: it is shown by the daemons below."""


def value(wanted: Any, rule: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    arguments = [one for one in get_args(wanted) if one not in (type(None), ...)]
    if get_origin(wanted) is tuple:
        return st.lists(value(arguments[0], {}), max_size=2)
    if get_origin(wanted) is Mapping:
        return st.dictionaries(NAMES, value(arguments[1], {}), max_size=2)
    if arguments:
        return value(arguments[0], rule)
    if is_dataclass(wanted) and isinstance(wanted, type):
        return mapping(wanted)
    if wanted is bool:
        return st.booleans()
    if wanted in (int, float):
        low, high = rule.get("minimum") or 0, rule.get("maximum") or 100000
        return st.sampled_from([int(low) + 1, int(low) + 2, int(high), *([0.5] if wanted is float else [])])
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return st.sampled_from(list(wanted))
    if wanted is Secret:
        return st.sampled_from(["first-client-key", "other-client-key", "k", "l", "${KEY}"])
    return TEXTS


def mapping(cls: type) -> st.SearchStrategy[dict[str, Any]]:
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for each in fields(cls):
        if (cls.__name__, each.name) not in APART:
            drawn = st.deferred(lambda each=each: value(hints(cls)[each.name], each.metadata))  # type: ignore[misc]
            (required if each.metadata["required"] else optional)[kebab(each.name)] = drawn
    # Few keys at a time: a file with all of them has always some error.
    chosen = st.lists(st.sampled_from(sorted(optional)), max_size=3, unique=True) if optional else st.just([])
    return chosen.flatmap(lambda names: st.fixed_dictionaries(required | {name: optional[name] for name in names}))


ENVIRON = {"KEY": "a-key-from-elsewhere"}


def starts(file: Path) -> bool:
    """Whether the gateway has a configuration, and builds what it serves by."""
    try:
        snapshot_of(Source(str(file), os.environ).start())
    except ConfigurationInvalid:
        return False
    return True


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configuration") / "aiproxy.yaml"


accepted: list[object] = []
refused: list[object] = []


@given(mapping(Settings))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_validates_starts_and_what_does_not_does_not(file: Path, document: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, text in ENVIRON.items():
            patch.setenv(name, text)
        file.write_text(json.dumps(document), encoding="utf-8")
        status = CliRunner().invoke(main, ["validate", str(file)]).exit_code
        (refused if status else accepted).append(document)
        assert starts(file) == (status == 0)


def test_both_sides_were_seen() -> None:
    assert len(accepted) > 20
    assert len(refused) > 20


STARTING = {
    "nothing": "",
    "accounts": "openai-api-key: [k, l]\nrouting: {strategy: least-used}\n",
    "an alias and a fallback": (
        "openai-api-key: [{api-key: k, models: [{name: a, alias: b}, c]}]\nmodel-fallback: {b: [c]}\n"
    ),
    "a name of this machine": "host: localhost\n",
    "every address, for who has a key": "host: ''\napi-keys: [first-client-key]\n",
    "logins in no directory": "auth-dir: prompt.txt\n",
    "state in a file that isn't there": "state: state.db\n",
    "state in no directory": "state: no-such-directory/state.db\n",
    "a prompt": "system-prompt: {file: prompt.txt}\n",
}

REFUSED = {
    "a misspelt key": "prot: 1\n",
    "no YAML": "api-keys: [a\n",
    "exposed": "host: 0.0.0.0\n",
    "a loop": "openai-api-key: [k]\nprovider-fallback-chain: {openai: [openai]}\n",
    "another machine's address": "host: 192.0.2.1\napi-keys: [first-client-key]\n",
    "a name that nobody has": "host: gateway.example\napi-keys: [first-client-key]\n",
    "logs in no directory": "logging: {file: no-such-directory/aiproxy.log}\n",
    "logs in a directory": "logging: {file: .}\n",
    "state in a text": "state: prompt.txt\n",
    "no prompt": "system-prompt: {file: no-such-file}\n",
    "an unset variable": 'openai-api-key: ["${NO_SUCH_KEY}"]\n',
}


def validated(directory: Path, text: str) -> Result:
    (directory / "prompt.txt").write_text("Be brief.", encoding="utf-8")
    file = directory / "aiproxy.yaml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return CliRunner().invoke(main, ["validate", str(file)])


def database(path: Path, application: int, version: int) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE t (a)")
        made.execute(f"PRAGMA application_id = {application}")
        made.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize(("application", "version"), [(0, 0), (APPLICATION, VERSION + 1)])
def test_a_state_that_is_not_for_us_is_refused_by_both_in_the_same_words(
    application: int, version: int, tmp_path: Path
) -> None:
    database(tmp_path / "state.db", application, version)
    before = (tmp_path / "state.db").read_bytes()
    report = validated(tmp_path, "port: 0\nstate: state.db\n")
    assert report.exit_code == 1
    place, _, message = report.stdout.splitlines()[0].partition(": error[bad-state]: ")
    assert place == f"{tmp_path}/aiproxy.yaml:2:8"
    command = [str(BIN / "twistd"), "--pidfile=", "-n", "aiproxy", "--config", str(tmp_path / "aiproxy.yaml")]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode != 0
    assert message in ended.stderr + ended.stdout
    assert (tmp_path / "state.db").read_bytes() == before


@pytest.mark.parametrize("name", STARTING)
def test_what_validates_a_daemon_starts_with(name: str, tmp_path: Path) -> None:
    report = validated(tmp_path, STARTING[name])
    assert report.exit_code == 0, report.stdout
    with daemon(tmp_path, STARTING[name]) as running:
        assert running.port


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_a_daemon_refuses_in_the_same_words(name: str, tmp_path: Path) -> None:
    report = validated(tmp_path, REFUSED[name])
    assert report.exit_code == 1
    command = [str(BIN / "twistd"), "--pidfile=", "-n", "aiproxy", "--config", str(tmp_path / "aiproxy.yaml")]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 78
    assert report.stdout.rpartition("\n")[0].rpartition("\n")[0] in ended.stderr + ended.stdout
