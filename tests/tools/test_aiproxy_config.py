"""`aiproxy-config` as it is typed: exit status, formats, colours, standard input, and the file that `init` writes."""

import json
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aiproxy.config import load_config
from aiproxy.config.codes import CODES
from aiproxy_config.cli import main

GOOD = "port: 8317\n"
WARNED = "api-keys: ['${KEY}']\n"
BAD = "prot: 1\ntls: {enable: yes}\n"
ENVIRON = {"KEY": "short-key"}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("aiproxy.config.load.SEARCHED", ("./aiproxy.yaml", "./config.yaml"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "NO_COLOR", "FORCE_COLOR", "AIPROXY_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name, text in (("good.yaml", GOOD), ("warned.yaml", WARNED), ("bad.yaml", BAD)):
        (tmp_path / name).write_text(text)
    return tmp_path


def run(*arguments: str, typed: str = "", environ: Mapping[str, str] = ENVIRON) -> Result:
    return CliRunner().invoke(main, arguments, input=typed, env=dict(environ))


@pytest.mark.parametrize(
    ("arguments", "status", "summary"),
    [
        (["good.yaml"], 0, "good.yaml: valid"),
        (["--config", "good.yaml"], 0, "good.yaml: valid"),
        ([], 0, "built-in: valid"),
        (["warned.yaml"], 0, "warned.yaml: valid, 1 warning"),
        (["warned.yaml", "--strict"], 1, "warned.yaml: valid, 1 warning"),
        (["bad.yaml"], 1, "bad.yaml: 2 errors"),
        (["absent.yaml"], 1, "absent.yaml: 1 error"),
        (["good.yaml", "warned.yaml", "bad.yaml"], 1, "3 files: 2 errors, 1 warning"),
        (["good.yaml", "--set", "port=x"], 1, "good.yaml: 1 error"),
        (["bad.yaml", "--set", "tls.enable=false"], 1, "bad.yaml: 1 error"),
    ],
)
def test_status_and_summary(arguments: list[str], status: int, summary: str) -> None:
    result = run("validate", *arguments)
    assert result.exit_code == status, result.output
    assert result.output.splitlines()[-1] == summary


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["--format", "xml"], ["--explain", "no-such-code"], ["--explain"], ["--config"]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    assert run("validate", *arguments).exit_code == 2


def test_the_report_is_the_daemons() -> None:
    assert run("validate", "bad.yaml").output == (
        "bad.yaml:1:1: error[unknown-key]: `prot` is not a known key; did you mean `port`?\n"
        "bad.yaml:2:15: error[wrong-type]: `tls.enable` wants true or false, but text stands here; write `true` "
        "(in YAML 1.2 `yes` is not a boolean)\n"
        "bad.yaml: 2 errors\n"
    )


def test_standard_input() -> None:
    result = run("validate", "-", typed="port: x\n")
    assert result.exit_code == 1
    assert result.output.startswith("<stdin>:1:7: error[wrong-type]: ")
    assert run("validate", "-", typed="port: 80\n", environ={}).exit_code == 0


def test_the_file_that_would_be_used_is_found(directory: Path) -> None:
    (directory / "config.yaml").write_text(BAD)
    assert run("validate").output.splitlines()[-1] == "config.yaml: 2 errors"
    assert run("validate", environ={"AIPROXY_CONFIG": "good.yaml"}).exit_code == 0


def test_colour_is_for_terminals_or_for_who_insists() -> None:
    assert "\x1b[" not in run("validate", "bad.yaml").output
    forced = run("validate", "bad.yaml", environ={"FORCE_COLOR": "1"}).output
    assert "\x1b[31;1merror[unknown-key]\x1b[0m" in forced
    assert "\x1b[" not in run("validate", "bad.yaml", environ={"FORCE_COLOR": "1", "NO_COLOR": "1"}).output
    assert "\x1b[" not in run("validate", "bad.yaml", "--format", "json", environ={"FORCE_COLOR": "1"}).output


def test_json() -> None:
    found = json.loads(run("validate", "bad.yaml", "warned.yaml", "--format", "json").output)
    assert found["summary"] == {"files": ["bad.yaml", "warned.yaml"], "errors": 2, "warnings": 1}
    assert found["problems"][0] == {
        "file": "bad.yaml",
        "line": 1,
        "column": 1,
        "severity": "error",
        "code": "unknown-key",
        "message": "`prot` is not a known key; did you mean `port`?",
        "path": "prot",
        "suggestion": "port",
        "excerpt": "",
    }


def test_sarif() -> None:
    (log,) = json.loads(run("validate", "bad.yaml", "--format", "sarif", "--set", "port=x").output)["runs"]
    results = log["results"]
    assert {rule["id"] for rule in log["tool"]["driver"]["rules"]} == {"unknown-key", "wrong-type"}
    assert all(rule["shortDescription"]["text"] for rule in log["tool"]["driver"]["rules"])
    in_file = [result for result in results if "locations" in result]
    (location,) = in_file[0]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "bad.yaml"},
        "region": {"startLine": 1, "startColumn": 1},
    }
    assert in_file[0]["level"] == "error"
    (elsewhere,) = [result for result in results if "locations" not in result]
    assert elsewhere["message"]["text"].startswith("--set port: ")


def test_sarif_has_the_shape_that_its_schema_requires() -> None:
    """Sections 3.13 to 3.52 of the standard: what is required there, and what consumers refuse otherwise."""
    log = json.loads(run("validate", "bad.yaml", "warned.yaml", "--format", "sarif", "--set", "port=x").output)
    assert log["version"] == "2.1.0"
    assert set(log) == {"$schema", "version", "runs"}
    (one,) = log["runs"]
    driver = one["tool"]["driver"]
    assert driver["name"]
    assert all(isinstance(driver[key], str) for key in ("name", "version"))
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for result in one["results"]:
        assert result["ruleId"] in ids
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        for location in result.get("locations", ()):
            physical = location["physicalLocation"]
            assert re.fullmatch(r"[!-~]+", physical["artifactLocation"]["uri"])
            assert all(physical["region"][key] >= 1 for key in ("startLine", "startColumn"))
    assert one["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")


def test_github(directory: Path) -> None:
    (directory / "a,b.yaml").write_text(BAD)
    lines = run("validate", "a,b.yaml", "--format", "github").output.splitlines()
    assert lines[0] == (
        "::error title=unknown-key,file=a%2Cb.yaml,line=1,col=1::`prot` is not a known key; did you mean `port`?"
    )
    assert lines[-1] == "a,b.yaml: 2 errors"


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str) -> None:
    result = run("validate", "--explain", code)
    assert result.exit_code == 0
    assert result.output.startswith(f"{code}\n")
    assert CODES[code].example.splitlines()[0] in result.output
    assert CODES[code].mended.splitlines()[-1] in result.output


def test_an_unknown_code_names_the_nearest() -> None:
    assert "Did you mean short-key?" in run("validate", "--explain", "short_key").output


@pytest.mark.parametrize(
    "environ", [{}, {"OPENAI_API_KEY": "sk-canary"}, {"OPENAI_API_KEY": "sk-canary", "OPENAI_BASE_URL": "http://h/v1"}]
)
def test_init_writes_a_valid_private_file(directory: Path, environ: dict[str, str]) -> None:
    result = run("init", environ=environ)
    assert result.exit_code == 0, result.output
    file = directory / "aiproxy.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "canary" not in file.read_text() + result.output
    read = load_config(str(file), environ=environ)
    assert read.warnings == ()
    (client,) = read.settings.api_keys
    assert client.key.reveal() not in result.output
    assert [entry.api_key.reveal() for entry in read.settings.openai_api_key] == list(environ.values())[:1]
    assert [entry.base_url for entry in read.settings.openai_api_key] == [environ.get("OPENAI_BASE_URL", "")] * bool(
        environ
    )


def test_the_suggestions_in_a_new_file_are_valid_too(directory: Path) -> None:
    run("init", environ={})
    text = re.sub(r"^# (?=( {2,}|[a-z-]+:$))", "", (directory / "aiproxy.yaml").read_text(), flags=re.MULTILINE)
    (directory / "aiproxy.yaml").write_text(text)
    environ = {"OPENAI_API_KEY": "upstream-key", "OPENROUTER_API_KEY": "another-upstream-key"}
    settings = load_config("aiproxy.yaml", environ=environ).settings
    assert len(settings.openai_api_key) == len(settings.openai_compatibility) == 1


def test_init_makes_a_new_key_each_time_and_overwrites_only_by_force(directory: Path) -> None:
    file = directory / "mine.yaml"
    assert run("init", "mine.yaml").exit_code == 0
    first = file.read_text()
    refused = run("init", "mine.yaml")
    assert refused.exit_code == 1
    assert "--force" in refused.output
    assert file.read_text() == first
    assert run("init", "mine.yaml", "--force").exit_code == 0
    assert file.read_text() != first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    left = {"aiproxy.schema.json", "bad.yaml", "good.yaml", "mine.yaml", "warned.yaml"}
    assert {path.name for path in directory.iterdir()} == left
    assert run("init", "absent/mine.yaml").exit_code == 1


def test_the_console_script(directory: Path) -> None:
    script = Path(sys.executable).with_name("aiproxy-config")
    done = subprocess.run([script, "validate", "bad.yaml"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == run("validate", "bad.yaml").output


NO_REACTOR = """
import sys
from click.testing import CliRunner
from aiproxy_config.cli import main
result = CliRunner().invoke(main, sys.argv[1:])
assert result.exit_code == 0, result.output
assert "twisted.internet.reactor" not in sys.modules
if sys.argv[1] in ("validate", "init"):
    assert not {name.partition(".")[0] for name in sys.modules} & {"twisted", "klein", "treq"}
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["validate", "good.yaml"], ["validate", "good.yaml", "--format", "sarif"], ["init", "new.yaml"]],
    ids=" ".join,
)
def test_the_tool_knows_no_reactor(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", NO_REACTOR, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_command_knows_a_reactor_or_the_web() -> None:
    check = (
        "import pkgutil, sys, aiproxy_config; from importlib import import_module\n"
        "for each in pkgutil.walk_packages(aiproxy_config.__path__, 'aiproxy_config.'): import_module(each.name)\n"
        "sys.exit(any(name in sys.modules for name in ('twisted.internet.reactor', 'klein', 'treq', 'aiproxy.web')))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
