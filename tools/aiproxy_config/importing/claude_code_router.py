"""Claude Code Router's `config.json`."""

import re
from pathlib import Path

from aiproxy_config.importing.taking import Data, Found, Taking, taken

ROLES = {"default": "default", "background": "background", "think": "think", "longContext": "long-context", "webSearch": "web-search", "image": "image"}  # fmt: skip
"""What its router tells apart → the alias that clients ask for here."""

LEVELS = {"fatal": "error", "error": "error", "warn": "warn", "info": "info", "debug": "debug", "trace": "debug"}

_VARIABLE = re.compile(r"\A\$\$?\{?(\w+)\}?\Z")


def read(path: Path, found: Found) -> None:
    source = taken(path / "config.json" if path.is_dir() else path, found)
    source.copy("APIKEY", "api-keys", str, lambda key: [variable(key)] if key else None)
    if "APIKEY" in source:
        source.copy("HOST", "host", str)
    elif source.get("HOST", str):
        source.differs("HOST", "without an APIKEY that program listens on 127.0.0.1 only, and so does aiproxy")
    source.copy("PORT", "port", int)
    source.copy("PROXY_URL", "proxy-url", str, variable)
    source.copy("API_TIMEOUT_MS", "timeouts.total", int, lambda milliseconds: milliseconds / 1000)
    source.copy("LOG_LEVEL", "logging.level", str, LEVELS.get)
    router = source.within("Router")
    wanted: dict[tuple[str, str], list[str]] = {}
    for role, alias in ROLES.items():
        if chosen := router.get(role, str):
            provider, _, model = chosen.partition(",")
            wanted.setdefault((provider.strip(), model.strip()), []).append(alias)
            router.differs(
                role, f"clients ask for the model `{alias}`: for Claude Code by ANTHROPIC_MODEL and the like"
            )
    for provider in source.each("Providers"):
        _provider(provider, wanted, found)
    source.finish()


def _provider(provider: Taking, wanted: dict[tuple[str, str], list[str]], found: Found) -> None:
    name, key = provider.get("name", str) or "", provider.get("api_key", str)
    address = (provider.get("api_base_url", str) or "").rstrip("/")
    models: list[Data] = []
    for model in provider.texts("models") or []:
        models += [{"name": model}, *({"name": model, "alias": alias} for alias in wanted.get((name, model), ()))]
    if "transformer" in provider:
        provider.drop("transformer", "aiproxy translates by the upstream's protocol, and needs no transformers")
    made: Data = {"name": name or None, "prefix": _prefix(name), "models": models or None}
    secret = variable(key) if key else None
    if "generativelanguage.googleapis.com" in address:
        found.add("gemini-api-key", {**made, "api-key": secret})
    elif address.endswith("/v1/messages"):
        found.add("claude-api-key", {**made, "api-key": secret, "base-url": address.removesuffix("/v1/messages")})
    else:
        base = re.sub(r"/(chat/completions|responses)\Z", "", address)
        keys = [{"api-key": secret}] if secret else None
        found.add("openai-compatibility", {"base-url": base, **made, "api-key-entries": keys})


def _prefix(name: str) -> str | None:
    return name if re.fullmatch(r"[A-Za-z0-9._-]+", name) else None


def variable(text: str) -> str:
    """`$NAME` as we write it."""
    return _VARIABLE.sub(r"${\1}", text)
