"""Environment variables and `--set` over the file: who wins, how far a path reaches, and what leads nowhere."""

from pathlib import Path

import pytest

from aiproxy.config.schema import Settings
from tests.config.reading import KEY, codes, load, problems


def test_later_layers_win() -> None:
    text = "port: 1001\nrequest-retry: 1\ntimeouts: {idle: 1, connect: 1}\n"
    environ = {"AIPROXY__REQUEST_RETRY": "2", "AIPROXY__TIMEOUTS__IDLE": "2", "AIPROXY__TIMEOUTS__TOTAL": "2"}
    read = load(text, environ, ["timeouts.idle=3"])
    settings = read.settings
    assert (settings.port, settings.request_retry) == (1001, 2)
    assert (settings.timeouts.idle, settings.timeouts.connect, settings.timeouts.total) == (3, 1, 2)
    assert {path: read.origins[path] for path in ("host", "port", "request-retry", "timeouts.idle")} == {
        "host": "built-in",
        "port": "f.yaml:1:7",
        "request-retry": "AIPROXY__REQUEST_RETRY",
        "timeouts.idle": "--set timeouts.idle",
    }


def test_every_setting_has_an_origin() -> None:
    origins = load(f"api-keys: [{KEY}]\nopenai-compatibility: [{{name: a, base-url: http://a/v1}}]").origins
    assert origins["api-keys[0].key"] == "f.yaml:1:12"
    assert origins["openai-compatibility[0].base-url"] == "f.yaml:2:44"
    assert origins["openai-compatibility[0].priority"] == "built-in"
    assert origins["openai-api-key"] == "built-in"


def test_entries_of_lists_by_number() -> None:
    text = "api-keys: [first-client-key-here, {key: second-client-key-here}]"
    environ = {"AIPROXY__API_KEYS__0__NAME": "one", "AIPROXY__API_KEYS__2": "third-client-key-here"}
    settings = load(text, environ, ["api-keys[1].name=two", "api-keys.3=fourth-client-key-here"]).settings
    assert [(client.name, client.key.reveal().partition("-")[0]) for client in settings.api_keys] == [
        ("one", "first"),
        ("two", "second"),
        ("", "third"),
        ("", "fourth"),
    ]


def test_whole_lists_and_mappings_are_yaml() -> None:
    environ = {
        "AIPROXY__API_KEYS": f"[{KEY}, {{name: b, key: another-client-key}}]",
        "AIPROXY__TLS": "{http2: false}",
        "AIPROXY__OPENAI_API_KEY__0__API_KEY": "upstream-key",
        "AIPROXY__OPENAI_API_KEY__0__HEADERS": "{X-Team: a}",
        "AIPROXY__OPENAI_API_KEY__0__HEADERS__X_OTHER": "b",
    }
    settings = load("", environ).settings
    assert [client.name for client in settings.api_keys] == ["", "b"]
    assert settings.tls.http2 is False
    assert settings.openai_api_key[0].headers == {"X-Team": "a", "x-other": "b"}


def test_a_variable_is_taken_as_it_is() -> None:
    environ = {
        "AIPROXY__API_KEYS__0": "123456789012345678",
        "AIPROXY__LOGGING__FILE": "${HOME}",
        "AIPROXY__HOST": "::1",
    }
    settings = load("", environ).settings
    assert settings.api_keys[0].key.reveal() == "123456789012345678"
    assert Path(settings.logging.file).name == "${HOME}"
    assert settings.host == "::1"


def test_an_empty_override_is_empty_text() -> None:
    assert load(f"api-keys: [{KEY}]", overrides=["host="]).settings.host == ""
    assert load("host: 127.0.0.2", overrides=["host=null"]).settings.host == Settings().host


def test_the_file_twin(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    read = load("", {"AIPROXY__API_KEYS__0__KEY_FILE": str(file)})
    assert read.settings.api_keys[0].key.reveal() == KEY
    assert read.origins["api-keys[0].key"] == "AIPROXY__API_KEYS__0__KEY_FILE"
    assert file in read.files


def test_a_twin_and_a_key_named_file_are_not_confused(tmp_path: Path) -> None:
    named = tmp_path / "name"
    named.write_text("/var/log/x\n")
    assert load("", {"AIPROXY__LOGGING__FILE_FILE": str(named)}).settings.logging.file == "/var/log/x"


@pytest.mark.parametrize(
    ("name", "value", "code", "suggestion"),
    [
        ("AIPROXY__PROT", "1", "unknown-variable", "AIPROXY__PORT"),
        ("AIPROXY__TLS__CERTT", "1", "unknown-variable", "AIPROXY__TLS__CERT"),
        ("AIPROXY__PORT__X", "1", "unknown-variable", ""),
        ("AIPROXY__API_KEYS__7", "x", "unknown-variable", ""),
        ("AIPROXY__API_KEYS__X", "x", "unknown-variable", ""),
        ("AIPROXY__", "x", "unknown-variable", ""),
        ("AIPROXY__WORKERS", "2", "unknown-variable", ""),
        ("AIPROXY__PORT", "x", "wrong-type", ""),
        ("AIPROXY__PORT", "70000", "out-of-range", "65535"),
        ("AIPROXY__TLS", "[", "yaml-syntax", ""),
        ("AIPROXY__API_KEYS", "one-key", "wrong-type", ""),
        ("AIPROXY__PROXY_URL_FILE", "/nonexistent", "unreadable-file", ""),
    ],
)
def test_variables_that_lead_nowhere(name: str, value: str, code: str, suggestion: str) -> None:
    (problem,) = problems("", {name: value})
    assert (problem.file, problem.line, problem.code, problem.suggestion) == (name, 0, code, suggestion)


def test_an_unreadable_key_is_not_an_absent_one() -> None:
    environ = {"AIPROXY__HOST": "0.0.0.0", "AIPROXY__API_KEYS__0__KEY_FILE": "/nonexistent"}
    (problem,) = problems("", environ)
    assert (problem.code, problem.path) == ("unreadable-file", "api-keys[0].key")


def test_a_variable_and_its_twin_are_one_too_many() -> None:
    environ = {"AIPROXY__PROXY_URL": "http://a:1", "AIPROXY__PROXY_URL_FILE": "/nonexistent"}
    assert codes("", environ) == [("set-twice", 0, 0)]


@pytest.mark.parametrize(
    ("override", "code", "place", "suggestion"),
    [
        ("port", "bad-override", "--set", ""),
        ("=1", "bad-override", "--set", ""),
        ("prot=1", "unknown-key", "--set prot", "port"),
        ("timeouts.idel=1", "unknown-key", "--set timeouts.idel", "timeouts.idle"),
        ("port=[", "yaml-syntax", "--set port", ""),
        ("port=x", "wrong-type", "--set port", ""),
        ("api-keys[0]=12345678901234567", "wrong-type", "--set api-keys[0]", ""),
        ("api-keys[1]=x", "unknown-key", "--set api-keys[1]", ""),
        ("tls={enabel: true}", "unknown-key", "--set tls", "enable"),
    ],
)
def test_overrides_that_lead_nowhere(override: str, code: str, place: str, suggestion: str) -> None:
    (problem,) = problems("", overrides=[override])
    assert (problem.code, problem.file, problem.suggestion) == (code, place, suggestion)


def test_what_is_wrong_in_the_file_stays_wrong_under_an_override() -> None:
    assert codes("tls: 5", {"AIPROXY__TLS__ENABLE": "false"}) == [("wrong-type", 1, 6)]
    assert codes("api-keys: x", {"AIPROXY__API_KEYS__0": KEY}) == [("wrong-type", 1, 11)]


def test_an_override_mends_what_it_replaces() -> None:
    assert load("port: x", overrides=["port=80000", "port=8080"]).settings.port == 8080
