"""CLIProxyAPI's `config.yaml` (or its directory) and its credential files. Most of its keys are ours."""

import os
from pathlib import Path

from aiproxy.gateway.upstream_headers import NEVER_COPIED
from aiproxy_config.importing.taking import Data, Found, Taking, renamed, taken

SAME = (
    "host", "port", "api-keys", "proxy-url", "force-model-prefix", "request-retry", "max-retry-credentials", "max-retry-interval",
    "disable-cooling", "payload", "ws-auth", "oauth-excluded-models", "oauth-request-scoped-errors",
)  # fmt: skip

WITHIN = {
    "tls": ("enable", "cert", "key"),
    "routing": ("strategy", "session-affinity", "session-affinity-ttl"),
    "quota-exceeded": ("switch-project", "switch-preview-model", "antigravity-credits"),
    "remote-management": ("allow-remote", "secret-key"),
}

SECTIONS = ("gemini-api-key", "claude-api-key", "codex-api-key", "xai-api-key", "vertex-api-key")

WITH_SOCKETS = ("codex-api-key", "xai-api-key")

OF_ENTRY = ("api-key", "prefix", "base-url", "headers", "disable-cooling", "request-scoped-errors", "excluded-models")


def read(path: Path, found: Found) -> None:
    file = path / "config.yaml" if path.is_dir() else path
    source = taken(file, found)
    renamed(source, {key: key for key in SAME})
    for section, names in WITHIN.items():
        renamed(source.within(section), {key: key for key in names}, f"{section}.")
    if source.get("debug", bool):
        found.put("logging.level", "debug")
    if source.get("logging-to-file", bool):
        found.put("logging.file", "main.log")
        source.differs("logging-to-file", "the log stands beside the configuration, as main.log")
    source.copy("logs-max-total-size-mb", "logging.max-total-size-mb", int, lambda size: size or None)
    source.copy("error-logs-max-files", "error-logs-max-files", int, lambda most: most if most > 0 else None)
    for section in SECTIONS:
        for entry in source.each(section):
            sockets = {"websockets": entry.get("websockets", bool)} if section in WITH_SOCKETS else {}
            found.add(section, {**_entry(entry), **sockets})
    for entry in source.each("openai-compatibility"):
        found.add("openai-compatibility", _compatible(entry))
    for provider in (aliases := source.within("oauth-model-alias")).keys:
        models = [_model(model) for model in aliases.each(provider)]
        found.put("model-alias", {**found.settings.get("model-alias", {}), provider: models})
    folder = source.get("auth-dir", str) or "~/.cli-proxy-api"
    _credentials(file.parent / Path(os.path.expanduser(folder)), source, found)
    source.finish()


def _entry(entry: Taking) -> Data:
    made: Data = {key: entry.get(key) for key in OF_ENTRY}
    headers = made["headers"] if isinstance(made["headers"], dict) else {}
    if any(str(value).startswith("$") and str(value)[1:].lower() in NEVER_COPIED for value in headers.values()):
        entry.differs("headers", f"{', '.join(sorted(NEVER_COPIED))} of a client are never copied to an upstream")
    made["proxy-url"] = _proxy(entry)
    made["priority"] = _priority(entry)
    made["weight"] = _weight(entry)
    made["models"] = [_model(model) for model in entry.each("models")] or None
    return made


def _compatible(entry: Taking) -> Data:
    made = {"name": entry.get("name"), "disabled": entry.get("disabled"), **_entry(entry)}
    made.pop("api-key")
    made["api-key-entries"] = [
        {"api-key": key.get("api-key"), "proxy-url": _proxy(key), "weight": _weight(key)}
        for key in entry.each("api-key-entries")
    ] or None
    if made["api-key-entries"]:
        made["api-key-entries"] = [
            {name: value for name, value in key.items() if value is not None} for key in made["api-key-entries"]
        ]
    return made


def _model(model: Taking) -> Data:
    made = {key: model.get(key) for key in ("name", "alias", "fork", "force-mapping")}
    return {key: value for key, value in made.items() if value is not None}


def _proxy(entry: Taking) -> str | None:
    proxy = entry.get("proxy-url", str)
    return "direct" if proxy == "none" else proxy


def _priority(entry: Taking) -> int | None:
    """There the larger one goes first, and 0 is usual; here the smaller one, and 100."""
    priority = entry.get("priority", int)
    if priority is None:
        return None
    entry.differs("priority", "the smaller number goes first here, so it was turned round (100 less the number)")
    return 100 - int(priority)


def _weight(entry: Taking) -> int | None:
    weight = entry.get("weight", int)
    return None if weight is None else max(0, int(weight))


def _credentials(folder: Path, source: Taking, found: Found) -> None:
    if folder.is_dir():
        found.credentials += [(file, source, "auth-dir", {}) for file in sorted(folder.glob("*.json"))]
    elif "auth-dir" in source:
        source.drop("auth-dir", "this directory isn't there")
