"""Which file is read, what is implied, and what comes with the settings."""

from pathlib import Path

import pytest

from aiproxy.config import ConfigurationInvalid, Settings, load_config, render_problems
from aiproxy.config.load import LARGEST_FILE
from tests.config.reading import KEY, load


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("aiproxy.config.load.SEARCHED", ("./aiproxy.yaml", "./config.yaml"))
    return tmp_path


def test_without_any_file_the_built_in_configuration_holds() -> None:
    read = load_config(None, environ={})
    assert (read.settings, read.source, read.files) == (Settings(), "built-in", ())
    assert read.settings.demo_in_effect


def test_the_first_file_in_order_is_read(elsewhere: Path) -> None:
    for port, name in enumerate(("config.yaml", "aiproxy.yaml", "named.yaml", "given.yaml"), start=1001):
        (elsewhere / name).write_text(f"port: {port}\n")
    environ = {"AIPROXY_CONFIG": "named.yaml"}
    assert load_config("given.yaml", environ=environ).settings.port == 1004
    assert load_config(None, environ=environ).source == "named.yaml"
    read = load_config(None, environ={})
    assert (read.settings.port, read.source, read.files) == (1002, "aiproxy.yaml", (elsewhere / "aiproxy.yaml",))
    (elsewhere / "aiproxy.yaml").unlink()
    assert load_config(None, environ={"AIPROXY_CONFIG": ""}).source == "config.yaml"


@pytest.mark.parametrize("environ", [{}, {"AIPROXY_CONFIG": "absent.yaml"}])
def test_a_named_file_must_be_there(environ: dict[str, str], elsewhere: Path) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        load_config(None if environ else "absent.yaml", environ=environ)
    (problem,) = caught.value.problems
    assert str(caught.value) == (
        "absent.yaml: error[unreadable-file]: this configuration can't be read: no such file or directory"
    )
    assert problem.line == 0
    (elsewhere / "config.yaml").symlink_to("absent.yaml")
    with pytest.raises(ConfigurationInvalid):
        load_config(None, environ={})


def test_files_that_are_no_configuration(elsewhere: Path) -> None:
    (elsewhere / "huge.yaml").write_bytes(b"#" * (LARGEST_FILE + 1))
    (elsewhere / "latin.yaml").write_bytes(b"port: 1001\nhost: caf\xe9\n")
    for name, line, column in (("huge.yaml", 0, 0), (".", 0, 0), ("a\0b", 0, 0), ("latin.yaml", 2, 10)):
        with pytest.raises(ConfigurationInvalid) as caught:
            load_config(name, environ={})
        assert [(problem.line, problem.column) for problem in caught.value.problems] == [(line, column)]


def test_a_byte_order_mark_and_dos_line_ends_are_read_over(elsewhere: Path) -> None:
    (elsewhere / "dos.yaml").write_bytes(b"\xef\xbb\xbfport: 1001\r\nhost: localhost\r\n")
    settings = load_config("dos.yaml", environ={}).settings
    assert (settings.port, settings.host) == (1001, "localhost")


def test_file_names_start_at_the_configuration(elsewhere: Path) -> None:
    (elsewhere / "etc").mkdir()
    (elsewhere / "etc" / "a.yaml").write_text("logging: {file: here.log}\n")
    assert load_config("etc/a.yaml", environ={}).settings.logging.file == str(elsewhere / "etc" / "here.log")
    overridden = load_config("etc/a.yaml", environ={}, overrides=["logging.file=here.log"])
    assert overridden.settings.logging.file == str(elsewhere / "here.log")


def test_an_account_at_openai_is_implied() -> None:
    read = load("", {"OPENAI_API_KEY": "sk-from-the-environment", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})
    assert read.warnings == ()
    (entry,) = read.settings.openai_api_key
    assert entry.api_key.reveal() == "sk-from-the-environment"
    assert entry.base_url == "http://127.0.0.1:1/v1"
    assert read.origins["openai-api-key[0].api-key"] == "OPENAI_API_KEY"
    assert read.origins["openai-api-key[0].base-url"] == "OPENAI_BASE_URL"
    assert [secret.reveal() for secret in read.secrets] == ["sk-from-the-environment"]
    assert not read.settings.demo_in_effect


@pytest.mark.parametrize(
    "text",
    [
        "openai-api-key: [another-upstream-key]",
        "openai-compatibility: [{name: a, base-url: http://a/v1}]",
        "openai-compatibility: [{name: a, base-url: http://a/v1, disabled: true}]",
    ],
)
def test_nothing_is_implied_beside_a_configured_upstream(text: str) -> None:
    read = load(text, {"OPENAI_API_KEY": "sk-from-the-environment"})
    assert "OPENAI_API_KEY" not in read.origins.values()


def test_an_empty_list_of_accounts_implies_one_too() -> None:
    for text in ("openai-api-key: []", "openai-api-key:", "openai-compatibility: []"):
        assert load(text, {"OPENAI_API_KEY": "sk-from-the-environment"}).settings.has_upstream
    assert not load("", {"OPENAI_API_KEY": ""}).settings.has_upstream


@pytest.mark.parametrize(
    ("text", "in_effect"),
    [
        ("", True),
        ("demo: {enabled: false}", False),
        ("openai-api-key: [upstream-key]", False),
        ("openai-api-key: [upstream-key]\ndemo: {enabled: true}", True),
        ("openai-compatibility: [{name: a, base-url: http://a/v1, disabled: true}]", True),
        ("openai-compatibility: [{name: a, base-url: http://a/v1}]", False),
    ],
)
def test_the_demo_steps_back_for_a_real_upstream(text: str, in_effect: bool) -> None:
    assert load(text).settings.demo_in_effect is in_effect


def test_the_report_is_one_line_a_problem(elsewhere: Path) -> None:
    (elsewhere / "a.yaml").write_text(f"prot: 1\napi-keys: [{KEY}]\ntls: {{enable: 1}}\n")
    (elsewhere / "a.yaml").chmod(0o644)
    with pytest.raises(ConfigurationInvalid) as caught:
        load_config("a.yaml", environ={})
    assert render_problems(caught.value.problems) == (
        "a.yaml:1:1: error[unknown-key]: `prot` is not a known key; did you mean `port`?\n"
        "a.yaml:2:12: warning[readable-secret]: a secret stands here in plain text, and everyone on this machine may "
        "read the file (mode 0644)\n"
        "a.yaml:3:15: error[wrong-type]: `tls.enable` wants true or false, but 1 stands here; write `true` "
        "(in YAML 1.2 `1` is not a boolean)\n"
    )
