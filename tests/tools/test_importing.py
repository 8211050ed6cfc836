"""`aiproxy-config import`: the sources' documented keys, mapped or named; logins; whatever stands there, a valid file."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiproxy.config.edit import data_of
from aiproxy.config.load import Document, configuration
from aiproxy.config.tree import parse
from aiproxy.config.yaml_text import block
from aiproxy_config.cli import main
from aiproxy_config.importing.finishing import PLACEHOLDER, variables

CLIPROXYAPI: dict[str, Any] = {
    "host": "127.0.0.1", "port": 8317, "tls": {"enable": False, "cert": "", "key": ""},
    "remote-management": {"allow-remote": False, "secret-key": "", "disable-control-panel": False},
    "api-keys": ["client-key-0123456789"], "debug": True, "commercial-mode": False, "logging-to-file": True,
    "logs-max-total-size-mb": 50, "usage-statistics-enabled": False, "proxy-url": "socks5://u:hunter2hunter2@h:1080",
    "force-model-prefix": True, "request-retry": 3, "max-retry-interval": 30, "ws-auth": True,
    "quota-exceeded": {"switch-project": True, "switch-preview-model": True, "antigravity-credits": True},
    "routing": {"strategy": "ff", "session-affinity": True, "session-affinity-ttl": "1h"},
    "gemini-api-key": [
        {"api-key": "gemini-secret-1", "prefix": "test", "priority": 10, "weight": 0, "proxy-url": "none",
         "models": [{"name": "gemini-2.5-flash", "alias": "flash", "display-name": "F"}], "excluded-models": ["*-pro"]},
    ],
    "xai-api-key": [{"api-key": "xai-secret-12345", "websockets": True}],
    "openai-compatibility": [
        {"name": "openrouter", "base-url": "https://openrouter.ai/api/v1", "prefix": "or",
         "api-key-entries": [{"api-key": "or-secret-123456", "proxy-url": "direct"}, {"api-key": "or-secret-654321"}],
         "models": [{"name": "moonshotai/kimi-k2:free", "alias": "kimi-k2"}]},
    ],
    "oauth-model-alias": {"codex": [{"name": "gpt-5", "alias": "g5", "fork": True}]},
    "payload": {"override": [{"models": [{"name": "gpt-*"}], "params": {"temperature": 0.1}}]},
}  # fmt: skip

AICLIENT: dict[str, Any] = {
    "REQUIRED_API_KEY": "client-key-0123456789", "SERVER_PORT": 3000, "HOST": "127.0.0.1", "MODEL_PROVIDER": "openai-custom,claude-custom",
    "SYSTEM_PROMPT_FILE_PATH": "configs/input_system_prompt.txt", "SYSTEM_PROMPT_MODE": "overwrite",
    "SYSTEM_PROMPT_REPLACEMENTS": [{"old": "a", "new": "b"}], "PROMPT_LOG_MODE": "none", "REQUEST_MAX_RETRIES": 3,
    "CREDENTIAL_SWITCH_MAX_RETRIES": 5, "LOG_LEVEL": "debug", "PROXY_URL": "http://127.0.0.1:7890",
    "PROXY_ENABLED_PROVIDERS": ["openai-custom"], "CRON_REFRESH_TOKEN": False,
    "SCHEDULED_HEALTH_CHECK": {"enabled": True, "interval": 600000, "startupRun": True, "providerTypes": ["claude-custom"]},
    "providerFallbackChain": {"openai-custom": ["claude-custom"]},
    "modelFallbackMapping": {"gpt-5": {"targetProviderType": "claude-custom", "targetModel": "claude-sonnet-4-5"}},
}  # fmt: skip

POOLS: dict[str, Any] = {
    "openai-custom": [{"customName": "one", "OPENAI_API_KEY": "sk-secret-0123456789", "OPENAI_BASE_URL": "https://api.openai.com/v1",
                       "checkModelName": "gpt-5", "supportedModels": ["gpt-5"], "concurrencyLimit": 3, "uuid": "u", "usageCount": 4}],
    "claude-custom-2": [{"CLAUDE_API_KEY": "sk-ant-secret-123", "CLAUDE_BASE_URL": "https://api.anthropic.com", "supportedModels": ["claude-sonnet-4-5"], "checkHealth": True}],
    "gemini-cli-oauth": [{"GEMINI_OAUTH_CREDS_FILE_PATH": "configs/gemini/creds.json", "PROJECT_ID": "my-project"}],
    "openai-qwen-oauth": [{"QWEN_OAUTH_CREDS_FILE_PATH": "configs/qwen/gone.json"}],
    "grok-web": [{"GROK_COOKIE_TOKEN": "cookie-secret-123"}],
}  # fmt: skip

LITELLM: dict[str, Any] = {
    "model_list": [
        {"model_name": "gpt-4o", "litellm_params": {"model": "azure/gpt-4o-eu", "api_base": "https://x", "api_key": "os.environ/AZURE", "rpm": 6}},
        {"model_name": "gpt-4o", "litellm_params": {"model": "openai/gpt-4o", "api_key": "os.environ/OPENAI_KEY", "tpm": 10}, "model_info": {"mode": "chat"}},
        {"model_name": "claude", "litellm_params": {"model": "claude-sonnet-4-5", "weight": 2, "order": 1, "max_parallel_requests": 4}},
        {"model_name": "*", "litellm_params": {"model": "groq/*"}},
        {"model_name": "local", "litellm_params": {"model": "ollama/llama3", "api_base": "http://localhost:11434"}},
    ],
    "router_settings": {"routing_strategy": "least-busy", "num_retries": 2, "timeout": 30, "fallbacks": [{"gpt-4o": ["claude"]}],
                        "model_group_alias": {"four": "gpt-4o"}, "redis_host": "localhost"},
    "litellm_settings": {"drop_params": True, "callbacks": ["otel"], "context_window_fallbacks": [{"gpt-4o": ["claude"]}]},
    "general_settings": {"master_key": "sk-secret-0123456789", "database_url": "postgresql://a:secretsecret@b/c"},
    "environment_variables": {"REDIS_HOST": "localhost"},
}  # fmt: skip

ROUTER: dict[str, Any] = {
    "APIKEY": "client-key-0123456789", "HOST": "0.0.0.0", "PORT": 3456, "LOG": True, "LOG_LEVEL": "trace", "API_TIMEOUT_MS": 600000,
    "PROXY_URL": "http://127.0.0.1:7890", "NON_INTERACTIVE_MODE": False,
    "Providers": [
        {"name": "openrouter", "api_base_url": "https://openrouter.ai/api/v1/chat/completions", "api_key": "$OPENROUTER_KEY",
         "models": ["google/gemini-2.5-pro"], "transformer": {"use": ["openrouter"]}},
        {"name": "gemini", "api_base_url": "https://generativelanguage.googleapis.com/v1beta/models/", "api_key": "gemini-secret-1", "models": ["gemini-2.5-flash"]},
        {"name": "anthropic", "api_base_url": "https://api.anthropic.com/v1/messages", "api_key": "sk-ant-secret-123", "models": ["claude-opus"]},
        {"name": "local", "api_base_url": "http://localhost:11434/v1/chat/completions", "api_key": "ollama", "models": ["qwen"]},
    ],
    "Router": {"default": "openrouter,google/gemini-2.5-pro", "background": "local,qwen", "longContextThreshold": 60000},
}  # fmt: skip

EXAMPLES = {"cliproxyapi": CLIPROXYAPI, "aiclient2api": AICLIENT, "litellm": LITELLM, "claude-code-router": ROUTER}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def run(gateway: str, path: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["import", gateway, str(path), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def source(directory: Path, gateway: str, data: Any) -> Path:
    path = directory / ("config.json" if gateway in ("aiclient2api", "claude-code-router") else "config.yaml")
    path.write_text(json.dumps(data, indent="\t") if path.suffix == ".json" else block(data))
    return path


def imported(directory: Path, gateway: str, data: Any) -> tuple[Any, list[Any]]:
    """The new file's content, which is valid, and the findings."""
    result = run(gateway, source(directory, gateway, data), "--force", "--format", "json")
    assert result.exit_code == 0, result.output
    text = (directory / "aiproxy.yaml").read_text()
    configuration(Document(text, "f", directory), environ=dict.fromkeys(variables(text), PLACEHOLDER))
    return data_of(parse(text, "")[0]), json.loads(result.output)["problems"]


def named(findings: list[Any]) -> set[str]:
    return {each["path"] for each in findings}


def test_cliproxyapi(directory: Path) -> None:
    made, findings = imported(directory, "cliproxyapi", CLIPROXYAPI)
    assert made["logging"] == {"level": "debug", "file": "main.log", "max-total-size-mb": 50}
    assert made["gemini-api-key"] == [
        {"api-key": "gemini-secret-1", "prefix": "test", "priority": 90, "weight": 0, "proxy-url": "direct",
         "models": [{"name": "gemini-2.5-flash", "alias": "flash"}], "excluded-models": ["*-pro"]}
    ]  # fmt: skip
    assert made["xai-api-key"] == [{"api-key": "xai-secret-12345", "websockets": True}]
    assert (
        made["openai-compatibility"][0]["api-key-entries"] == CLIPROXYAPI["openai-compatibility"][0]["api-key-entries"]
    )
    assert made["model-alias"] == CLIPROXYAPI["oauth-model-alias"]
    assert made["payload"] == CLIPROXYAPI["payload"]
    assert named(findings) == {
        "remote-management.disable-control-panel", "commercial-mode", "logging-to-file", "usage-statistics-enabled",
        "gemini-api-key[0].priority", "gemini-api-key[0].models[0].display-name",
    }  # fmt: skip


def test_aiclient2api_with_its_pools_and_logins(directory: Path) -> None:
    configs = directory / "configs"
    (configs / "gemini").mkdir(parents=True)
    login = {
        "access_token": "a",
        "refresh_token": "login-secret-123",
        "expiry_date": 1900000000000,
        "scope": "https://www.googleapis.com/auth/x",
    }
    (configs / "gemini" / "creds.json").write_text(json.dumps(login))
    (configs / "input_system_prompt.txt").write_text("Be brief.")
    (configs / "provider_pools.json").write_text(json.dumps(POOLS, indent=1))
    (configs / "config.json").write_text(json.dumps(AICLIENT, indent=1))
    result = run("aiclient2api", configs, "--format", "json")
    assert result.exit_code == 0, result.output
    text = (directory / "aiproxy.yaml").read_text()
    settings = configuration(Document(text, "f", directory), environ={}).settings
    assert [entry.name for entry in settings.openai_api_key] == ["one"]
    assert (settings.openai_api_key[0].concurrency, settings.openai_api_key[0].check_model) == (3, "gpt-5")
    assert settings.health_check.providers == ("claude",)
    assert settings.health_check.interval == 600
    assert settings.provider_fallback_chain == {"openai": ("claude",)}
    assert settings.model_fallback == {"gpt-5": ("claude-sonnet-4-5",)}
    assert settings.max_retry_credentials == 6
    assert Path(settings.system_prompt.file).read_text() == "Be brief."
    (credential,) = (directory / "auth").iterdir()
    assert stat.S_IMODE(credential.stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / "auth").stat().st_mode) == 0o700
    assert json.loads(credential.read_text())["project_id"] == "my-project"
    assert settings.auth_dir == str(directory / "auth")
    findings = json.loads(result.output)["problems"]
    assert [entry.proxy_url for entry in settings.openai_api_key] == ["http://127.0.0.1:7890"]
    assert (settings.proxy_url, settings.claude_api_key[0].proxy_url) == ("", "")
    assert named(findings) == {
        "MODEL_PROVIDER", "CRON_REFRESH_TOKEN", "modelFallbackMapping.gpt-5.targetProviderType", "openai-custom[0].uuid",
        "openai-custom[0].usageCount", "claude-custom-2[0].checkHealth", "grok-web",
        "openai-qwen-oauth[0].QWEN_OAUTH_CREDS_FILE_PATH",
    }  # fmt: skip
    assert all(each["line"] for each in findings)


def test_credential_files_of_cliproxyapi(directory: Path) -> None:
    (directory / "theirs").mkdir()
    content = {"type": "codex", "access_token": "a", "refresh_token": "r", "email": "me@example.org", "account_id": "x"}
    (directory / "theirs" / "codex-me.json").write_text(json.dumps(content))
    (directory / "theirs" / "broken.json").write_text("{")
    made, findings = imported(directory, "cliproxyapi", {**CLIPROXYAPI, "auth-dir": "theirs"})
    assert made["auth-dir"] == "auth"
    (credential,) = (directory / "auth").iterdir()
    assert json.loads(credential.read_text()) == content
    assert [each["message"] for each in findings if each["path"] == "auth-dir"] == [
        "`auth-dir`: the login broken.json: is not valid JSON"
    ]
    result = run("cliproxyapi", directory / "config.yaml", "--output", "-")
    assert "logins are written beside a file" in result.output


def test_litellm(directory: Path) -> None:
    made, findings = imported(directory, "litellm", LITELLM)
    assert made["openai-api-key"] == [
        {"api-key": "${OPENAI_KEY}", "models": [{"name": "gpt-4o"}, {"name": "gpt-4o", "alias": "four"}]}
    ]
    assert made["claude-api-key"] == [
        {"api-key": "${ANTHROPIC_API_KEY}", "weight": 2, "priority": 1, "concurrency": 4,
         "models": [{"name": "claude-sonnet-4-5", "alias": "claude"}]}
    ]  # fmt: skip
    assert made["openai-compatibility"][0]["base-url"] == "https://api.groq.com/openai/v1"
    assert made["ollama"] == [{"base-url": "http://localhost:11434", "models": [{"name": "llama3", "alias": "local"}]}]
    assert made["routing"] == {"strategy": "least-used"}
    assert (made["model-fallback"], made["context-length-fallback"]) == ({"gpt-4o": ["claude"]}, ["gpt-4o"])
    assert made["api-keys"] == [{"name": "master", "key": "sk-secret-0123456789"}]
    assert named(findings) == {
        "model_list[0]", "model_list[1].litellm_params.tpm", "model_list[1].model_info",
        "router_settings.redis_host", "litellm_settings.callbacks", "general_settings.database_url", "environment_variables",
    }  # fmt: skip


def test_claude_code_router(directory: Path) -> None:
    made, findings = imported(directory, "claude-code-router", ROUTER)
    assert (made["host"], made["port"], made["timeouts"], made["logging"]) == (
        "0.0.0.0",
        3456,
        {"total": 600},
        {"level": "debug"},
    )
    assert [each["name"] for each in made["openai-compatibility"]] == ["openrouter", "local"]
    assert made["openai-compatibility"][0]["api-key-entries"] == [{"api-key": "${OPENROUTER_KEY}"}]
    assert {"name": "qwen", "alias": "background"} in made["openai-compatibility"][1]["models"]
    assert made["claude-api-key"][0]["base-url"] == "https://api.anthropic.com"
    assert made["gemini-api-key"][0]["prefix"] == "gemini"
    assert named(findings) == {
        "LOG", "NON_INTERACTIVE_MODE", "Providers[0].transformer", "Router.default", "Router.background", "Router.longContextThreshold",
    }  # fmt: skip


def mappings(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, dict):
        yield at
        for key, value in data.items():
            yield from mappings(value, (*at, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from mappings(value, (*at, number))


FREE = ("payload", "environment_variables", "model_info", "fallbacks", "context_window_fallbacks", "model_group_alias", "transformer",
        "SYSTEM_PROMPT_REPLACEMENTS", "providerFallbackChain", "oauth-model-alias")  # fmt: skip
"""Mappings that are taken, or named, as they are."""

AZURE = ("model_list", 0)
"""An entry that is named as a whole."""


@pytest.mark.parametrize("gateway", EXAMPLES)
def test_a_key_that_nobody_knows_is_named_at_its_line(directory: Path, gateway: str) -> None:
    for at in mappings(EXAMPLES[gateway]):
        if set(at) & set(FREE) or at[:2] == AZURE:
            continue
        data = json.loads(json.dumps(EXAMPLES[gateway]))
        holder = data
        for step in at:
            holder = holder[step]
        holder["brand-new"] = [{"x": "surprise"}]
        findings = [each for each in imported(directory, gateway, data)[1] if each["path"].endswith("brand-new")]
        text = source(directory, gateway, data).read_text()
        assert [text.splitlines()[each["line"] - 1].count("brand-new") for each in findings] == [1], at
        assert "surprise" not in json.dumps(findings)


SECRETS = ("secret-1", "secret-01", "hunter2", "secretsecret", "client-key")
"""Of the examples."""


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_there_the_result_is_valid(directory: Path, gateway: str, data: st.DataObject) -> None:
    changed = json.loads(json.dumps(EXAMPLES[gateway]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.sampled_from([each for each in mappings(changed) if each or changed]))
        holder = changed
        for step in at:
            holder = holder[step]
        if holder:
            key = data.draw(st.sampled_from(sorted(holder)))
            holder[key] = data.draw(
                st.sampled_from(
                    [
                        None,
                        True,
                        -1,
                        10**9,
                        1.5,
                        "",
                        "x y",
                        "${",
                        "/",
                        [],
                        {},
                        [1, None, "a"],
                        {"a": 1},
                        [[]],
                        [{"a": {}}],
                    ]
                )
            )
    _, findings = imported(directory, gateway, changed)
    told = json.dumps([each["message"] for each in findings])
    assert not [secret for secret in SECRETS if secret in told]


@pytest.mark.parametrize("text", ["[1]", "{", "x", ""])
def test_what_is_no_configuration_at_all(directory: Path, text: str) -> None:
    (directory / "config.yaml").write_text(text)
    result = run("litellm", directory / "config.yaml")
    assert result.exit_code == (1 if text else 0)


def test_the_output_is_private_and_not_replaced_unasked(directory: Path) -> None:
    path = source(directory, "litellm", LITELLM)
    assert run("litellm", path).exit_code == 0
    assert stat.S_IMODE((directory / "aiproxy.yaml").stat().st_mode) == 0o600
    text = (directory / "aiproxy.yaml").read_text()
    assert "#   config.yaml:" in text
    result = run("litellm", path)
    assert (result.exit_code, "--force" in result.output) == (1, True)
    assert (
        "It wants these variables: OPENAI_KEY, ANTHROPIC_API_KEY, GROQ_API_KEY."
        in run("litellm", path, "--force").output
    )
