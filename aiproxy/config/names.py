"""What keys are called: by us, by this project's later versions, by other gateways; and the nearest one to a misspelt one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from aiproxy.config.schema import RemoteManagement, Settings

NOT_YET: Mapping[type, frozenset[str]] = {
    Settings: frozenset(
        {
            "workers", "proxy-providers", "usage-statistics-enabled",
        }
    ),
    RemoteManagement: frozenset({"disable-auto-update-panel", "panel-github-repository"}),
}  # fmt: skip
"""Keys that are specified for aiproxy but that this version can't act on: an error of their own, not a misspelling."""

ELSEWHERE: Mapping[str, str] = {
    "model-list": "openai-compatibility",
    "model-provider": "default-provider",
    "system-prompt-file-path": "system-prompt",
    "system-prompt-mode": "system-prompt",
    "system-prompt-replacements": "system-prompt",
    "litellm-params": "openai-compatibility",
    "providers": "openai-compatibility",
    "upstream": "openai-compatibility",
    "openai": "openai-api-key",
    "openai-api-keys": "openai-api-key",
    "openai-key": "openai-api-key",
    "master-key": "api-keys",
    "required-api-key": "api-keys",
    "client-keys": "api-keys",
    "access-keys": "api-keys",
    "auth-keys": "api-keys",
    "keys": "api-keys",
    "server-port": "port",
    "listen-port": "port",
    "bind": "host",
    "listen": "host",
    "server-host": "host",
    "address": "host",
    "ssl": "tls",
    "https": "tls",
    "ssl-certfile": "cert",
    "ssl-cert": "cert",
    "cert-file": "cert",
    "certificate": "cert",
    "ssl-keyfile": "key",
    "key-file": "key",
    "private-key": "key",
    "proxy": "proxy-url",
    "http-proxy": "proxy-url",
    "https-proxy": "proxy-url",
    "router-settings": "routing",
    "routing-strategy": "strategy",
    "load-balance": "strategy",
    "num-retries": "request-retry",
    "retries": "request-retry",
    "max-retries": "request-retry",
    "request-max-retries": "request-retry",
    "debug": "logging",
    "log": "logging",
    "logs": "logging",
    "log-level": "logging",
    "logging-to-file": "logging",
    "logs-max-total-size-mb": "logging",
    "timeout": "timeouts",
    "request-timeout": "timeouts",
    "stream-timeout": "timeouts",
    "api-base": "base-url",
    "api-base-url": "base-url",
    "openai-base-url": "base-url",
    "endpoint": "base-url",
    "url": "base-url",
    "token": "api-key",
    "secret": "api-key",
    "model-name": "alias",
    "model": "name",
    "id": "name",
    "allowed-models": "models",
    "exclude-models": "excluded-models",
    "database-url": "state",
    "database": "state",
    "usage-database": "state",
    "not-supported-models": "excluded-models",
    "concurrency-limit": "concurrency",
    "max-parallel-requests": "concurrency",
    "check-model-name": "check-model",
    "oauth-model-alias": "model-alias",
    "fallbacks": "model-fallback",
    "model-fallback-mapping": "model-fallback",
    "extra-headers": "headers",
    "custom-headers": "headers",
}
"""Other gateways' keys (LiteLLM, CLIProxyAPI, AIClient-2-API, Claude Code Router, nginx habits), in our spelling → ours."""


def kebab(name: str) -> str:
    return name.replace("_", "-")


def keys_of(cls: type) -> tuple[str, ...]:
    return tuple(kebab(field.name) for field in fields(cls))


def element_type(wanted: Any) -> Any:
    """What stands inside an optional, a list or a mapping; the type itself otherwise."""
    arguments = [argument for argument in get_args(wanted) if argument not in (NoneType, ...)]
    return arguments[-1] if arguments else wanted


def required(wanted: Any) -> Any:
    """A type without its None."""
    if get_origin(wanted) is UnionType:
        return next(one for one in get_args(wanted) if one is not NoneType)
    return wanted


@cache
def hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


@cache
def homes() -> Mapping[str, str]:
    """Each key of a nested mapping → the key it stands under (its first, where several have it)."""
    found: dict[str, str] = {}

    def walk(cls: type, under: str) -> None:
        for field in fields(cls):
            if under:
                found.setdefault(kebab(field.name), under)
        for field in fields(cls):
            inner = element_type(hints(cls)[field.name])
            if is_dataclass(inner) and isinstance(inner, type):
                walk(inner, f"{under}.{kebab(field.name)}" if under else kebab(field.name))

    walk(Settings, "")
    return found


VOCABULARY = frozenset({*keys_of(Settings), *homes(), *NOT_YET[Settings], *ELSEWHERE, "file", "true", "false", "null"})
"""Every word that is no secret."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name meant by `name`, across spellings (`apiKeys`, `api_keys`) and other gateways' words; "" if none."""
    known = tuple(known)
    spelt = _spelling(name)
    for meant in (spelt, ELSEWHERE.get(spelt, "")):
        if meant in known:
            return meant
    close = get_close_matches(spelt, known, n=1, cutoff=0.6)
    return close[0] if close else ""


def home(name: str, at: type) -> str:
    """The mapping in which the key `name` would be known, for a key that was put at the wrong level; "" if none."""
    if at is not Settings and _spelling(name) in keys_of(Settings):
        return "the top of the file"
    return homes().get(_spelling(name), "")


def _spelling(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()


def showable(name: str, known: Iterable[str] = ()) -> bool:
    """Whether a name may be shown: a key in the wrong place can be a secret (`{sk-…}` is a mapping with that key).

    Digits make it suspect, unless it is nearly a known one (`http3`)."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,40}", name) or name.startswith("sk-"):
        return False
    return not re.search("[0-9]", name) or bool(nearest(name, known))
