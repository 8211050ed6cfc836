"""AIClient-2-API's `provider_pools.json`: accounts with keys, and the logins it names."""

import os
from pathlib import Path
from typing import Any, NamedTuple

from aiproxy.catalogue.providers import ALSO_CALLED
from aiproxy_config.importing.taking import Data, Found, Taking, taken

KEYED = {
    "openai-custom": ("openai-api-key", "OPENAI"),
    "openairesponses-custom": ("codex-api-key", "OPENAI"),
    "atlascloud": ("openai-api-key", "OPENAI"),
    "openai-novita": ("openai-api-key", "NOVITA"),
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

OWN_RECORD = "that program's own record, in its other accounts too; aiproxy keeps one of its own"

IN_EVERY_ACCOUNT = {
    **dict.fromkeys(
        (
            "uuid", "isHealthy", "lastUsed", "usageCount", "errorCount", "lastErrorTime", "lastErrorMessage",
            "lastHealthCheckTime", "lastHealthCheckModel", "needsRefresh", "refreshCount", "lastRefreshTime",
            "scheduledRecoveryTime", "_lastSelectionSeq",
        ),
        OWN_RECORD,
    ),
    "checkHealth": "here and in the other accounts: `health-check.providers` says who is checked",
}  # fmt: skip
"""What stands in all of them and is named once."""


class Proxied(NamedTuple):
    """A proxy, and the types of accounts that go by it; a type's suffix groups go with it."""

    url: str
    kinds: tuple[str, ...]

    def of(self, kind: str) -> str | None:
        return self.url if kind.lower().startswith(self.kinds) and self.kinds else None


def read_pools(file: Path, folder: Path, proxied: Proxied, found: Found) -> None:
    pools = taken(file, found)
    named: set[str] = set()
    for kind in pools.keys:
        base = next((each for each in (*KEYED, *LOGIN_FILES) if kind.lower().startswith(each)), "")
        if not base:
            pools.drop(kind, "aiproxy has no such provider")
            continue
        for node in pools.each(kind):
            if base in KEYED and node.get("isDisabled", bool):
                node.drop_whole("this account is disabled, so it was left out")
                continue
            for key, why in IN_EVERY_ACCOUNT.items():
                if key in node and key not in named:
                    node.drop(key, why)
                    named.add(key)
                node.get(key)
            if base in KEYED:
                found.add(KEYED[base][0], _entry(node, KEYED[base][1], proxied.of(kind)))
            else:
                _login(node, LOGIN_FILES[base], folder, proxied.of(kind), found)
    pools.finish()


def _entry(node: Taking, kind: str, proxy: str | None) -> Data:
    names = node.texts("supportedModels")
    return {
        "name": node.get("customName", str) or None,
        "api-key": node.get(f"{kind}_API_KEY", str),
        "base-url": node.get(f"{kind}_BASE_URL", str) or None,
        "proxy-url": proxy,
        "check-model": node.get("checkModelName", str),
        "models": names or None,
        "excluded-models": None if names else node.texts("notSupportedModels") or None,
        "concurrency": node.get("concurrencyLimit", int) or None,
    }


def _login(node: Taking, key: str, folder: Path, proxy: str | None, found: Found) -> None:
    named = node.get(key, str)
    if not named:
        node.drop_whole("it names no credential file; log in anew with `aiproxy-config login`")
        return
    said: Data = {
        "project_id": node.get("PROJECT_ID", str) or None,
        "concurrency": node.get("concurrencyLimit", int) or None,
        "excluded_models": node.texts("notSupportedModels") or None,
        "proxy_url": proxy,
        "disabled": node.get("isDisabled", bool) or None,
    }
    for name in ("customName", "CODEX_EMAIL"):
        if node.get(name):
            node.drop(name, "logins are called by the account that they are of")
    # Names are from the program's own directory, one above its `configs`.
    places = [folder.parent / Path(os.path.expanduser(named)), folder / named]
    file = next((each for each in places if each.exists()), places[0])
    found.credentials.append((file, node, key, {name: value for name, value in said.items() if value is not None}))


def ours(kind: Any) -> str:
    name = str(kind).strip().lower()
    base = next((each for each in ALSO_CALLED if name.startswith(each)), name)
    return ALSO_CALLED.get(base, name)
