"""What providers are called: by us, and by AIClient-2-API, whose clients bring its names along."""

from collections.abc import Collection

EVERY_PROVIDER = "auto"
"""The name that chooses no provider, where a default one would be asked otherwise; AIClient-2-API's word."""

ALSO_CALLED = {
    "openai-custom": "openai",
    "openairesponses-custom": "codex",
    "claude-custom": "claude",
    "gemini-custom": "gemini",
    "gemini-cli-oauth": "gemini-cli",
    "gemini-antigravity": "antigravity",
    "claude-kiro-oauth": "kiro",
    "openai-qwen-oauth": "qwen",
    "openai-iflow": "iflow",
    "openai-codex-oauth": "codex",
}
"""AIClient-2-API's names of providers, and ours."""

WITH_LOGINS = ("antigravity", "claude", "codex", "copilot", "gemini-cli", "iflow", "kimi", "kiro", "qwen", "vertex")
"""Providers whose accounts may be credential files."""

KEYLESS = ("aistudio", *WITH_LOGINS)
"""Those whose accounts the configuration needn't name: they log in, or come to us."""


def known_provider(name: str, providers: Collection[str]) -> str:
    """The provider meant, upper and lower case and `Gemini CLI` for `gemini-cli` alike; "" when there is none such."""
    meant = name.strip().lower().replace(" ", "-")
    if meant == EVERY_PROVIDER:
        return EVERY_PROVIDER
    spelt = {provider.lower(): provider for provider in providers}
    return spelt.get(meant) or spelt.get(ALSO_CALLED.get(meant, ""), "")
