"""AIClient-2-API's `configs` directory, or its `config.json`: the settings, the pools of accounts, and the logins they name."""

from pathlib import Path
from typing import Any

from aiproxy.catalogue.providers import ALSO_CALLED
from aiproxy_config.importing.taking import Data, Found, Taking, renamed, taken

KEYED = {
    "openai-custom": ("openai-api-key", "OPENAI"),
    "openairesponses-custom": ("codex-api-key", "OPENAI"),
    "atlascloud": ("openai-api-key", "OPENAI"),
    "claude-custom": ("claude-api-key", "CLAUDE"),
}
"""Types of accounts with keys → our section, and how their keys begin."""

LOGIN_FILES = {
    "gemini-cli-oauth": "GEMINI_OAUTH_CREDS_FILE_PATH",
    "gemini-antigravity": "ANTIGRAVITY_OAUTH_CREDS_FILE_PATH",
    "claude-kiro-oauth": "KIRO_OAUTH_CREDS_FILE_PATH",
    "openai-codex-oauth": "CODEX_OAUTH_CREDS_FILE_PATH",
    "openai-qwen-oauth": "QWEN_OAUTH_CREDS_FILE_PATH",
    "openai-iflow": "IFLOW_TOKEN_FILE_PATH",
}

STATE = (
    "uuid", "isHealthy", "lastUsed", "usageCount", "errorCount", "lastErrorTime", "lastErrorMessage", "lastHealthCheckTime",
    "lastHealthCheckModel", "needsRefresh", "refreshCount", "lastRefreshTime", "scheduledRecoveryTime", "_lastSelectionSeq",
    "checkHealth",
)  # fmt: skip

LEVELS = {"debug": "debug", "info": "info", "warn": "warn", "error": "error"}


def read(path: Path, found: Found) -> None:
    folder = path if path.is_dir() else path.parent
    file = path / "config.json" if path.is_dir() else path
    source = taken(file, found)
    source.copy("REQUIRED_API_KEY", "api-keys", str, lambda key: [key])
    renamed(source, {"HOST": "host", "SERVER_PORT": "port"})
    if providers := source.texts("MODEL_PROVIDER"):
        found.put("routing.default-provider", _ours(providers[0]))
        if len(providers) > 1:
            source.differs("MODEL_PROVIDER", "only the first one is preferred; the others serve what it doesn't offer")
    _prompt(source, folder, found)
    source.copy("REQUEST_MAX_RETRIES", "request-retry", int)
    source.copy("CREDENTIAL_SWITCH_MAX_RETRIES", "max-retry-credentials", int, lambda more: more + 1)
    source.copy("LOG_LEVEL", "logging.level", str, LEVELS.get)
    source.copy("PROXY_URL", "proxy-url", str)
    if "PROXY_ENABLED_PROVIDERS" in source:
        source.differs(
            "PROXY_ENABLED_PROVIDERS", "the proxy is for all upstreams here, but for entries with `proxy-url: direct`"
        )
    checks = source.within("SCHEDULED_HEALTH_CHECK")
    renamed(checks, {"enabled": "enabled", "startupRun": "startup"}, "health-check.")
    checks.copy("interval", "health-check.interval", int, lambda milliseconds: milliseconds / 1000)
    if types := checks.texts("providerTypes"):
        found.put("health-check.providers", list(dict.fromkeys(map(_ours, types))))
    chain = source.within("providerFallbackChain")
    found.put(
        "provider-fallback-chain",
        {_ours(one): [_ours(each) for each in chain.texts(one) or []] for one in chain.keys} or None,
    )
    _model_fallback(source, found)
    pools = folder / Path(source.get("PROVIDER_POOLS_FILE_PATH", str) or "provider_pools.json").name
    source.finish()
    if pools.exists():
        read_pools(pools, found)
    elif "PROVIDER_POOLS_FILE_PATH" in source:
        source.drop("PROVIDER_POOLS_FILE_PATH", f"there is no {pools.name} beside this file")


def read_pools(file: Path, found: Found) -> None:
    pools = taken(file, found)
    for kind in pools.keys:
        base = next((each for each in (*KEYED, *LOGIN_FILES) if kind.lower().startswith(each)), "")
        if not base:
            pools.drop(kind, "aiproxy has no such provider")
            continue
        for node in pools.each(kind):
            if node.get("isDisabled"):
                node.drop("isDisabled", "a disabled account was left out")
                for key in node.keys:
                    node.get(key)
                continue
            for key in STATE:
                if key in node and key != "checkHealth":
                    node.get(key)  # what that program noted down of its own past
            if base in KEYED:
                found.add(KEYED[base][0], _entry(node, KEYED[base][1]))
            else:
                _login(node, LOGIN_FILES[base], file.parent, found)
    pools.finish()


def _entry(node: Taking, kind: str) -> Data:
    names = node.texts("supportedModels")
    return {
        "name": node.get("customName", str) or None,
        "api-key": node.get(f"{kind}_API_KEY", str),
        "base-url": node.get(f"{kind}_BASE_URL", str) or None,
        "check-model": node.get("checkModelName", str),
        "models": names or None,
        "excluded-models": None if names else node.texts("notSupportedModels") or None,
        "concurrency": node.get("concurrencyLimit", int) or None,
    }


def _login(node: Taking, key: str, folder: Path, found: Found) -> None:
    named = node.get(key, str)
    more: Data = {}
    if project := node.get("PROJECT_ID", str):
        more["project_id"] = project
    if concurrency := node.get("concurrencyLimit", int):
        more["concurrency"] = concurrency
    if excluded := node.texts("notSupportedModels"):
        more["excluded_models"] = excluded
    node.get("customName")
    node.get("CODEX_EMAIL")
    if not named:
        node.drop(key, "no credential file is named; log in anew with `aiproxy-config login`")
        return
    # Names are from the program's own directory, one above its `configs`.
    places = [folder.parent / Path(named).expanduser(), folder / Path(named).expanduser()]
    found.credentials.append((next((each for each in places if each.exists()), places[0]), node, key, more))


def _prompt(source: Taking, folder: Path, found: Found) -> None:
    named = source.get("SYSTEM_PROMPT_FILE_PATH", str)
    if named:
        places = [folder.parent / named, folder / named]
        file = next((each.absolute() for each in places if each.is_file()), None)
        if file is None:
            source.drop("SYSTEM_PROMPT_FILE_PATH", "this file isn't there")
        else:
            found.put("system-prompt.file", str(file))
    source.copy("SYSTEM_PROMPT_MODE", "system-prompt.mode", str)
    source.copy("SYSTEM_PROMPT_REPLACEMENTS", "system-prompt.replacements", list)


def _model_fallback(source: Taking, found: Found) -> None:
    mapping = source.within("modelFallbackMapping")
    chain = {}
    for model in mapping.keys:
        target = mapping.within(model)
        name = target.get("targetModel", str)
        if name:
            chain[model] = [name]
        if target.get("targetProviderType"):
            target.differs("targetProviderType", "whoever offers the model stands in, at any provider")
    found.put("model-fallback", chain or None)


def _ours(kind: Any) -> str:
    name = str(kind).strip().lower()
    base = next((each for each in ALSO_CALLED if name.startswith(each)), name)
    return ALSO_CALLED.get(base, name)
