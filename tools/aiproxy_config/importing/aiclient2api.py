"""AIClient-2-API's `configs` directory, or its `config.json`: the settings. Its accounts are `aiclient2api_pools`'."""

import os
from collections.abc import Mapping
from math import ceil
from pathlib import Path

from aiproxy_config.importing.aiclient2api_pools import Proxied, ours, read_pools
from aiproxy_config.importing.taking import Data, Found, Taking, renamed, taken, taken_list

LEVELS = {"debug": "debug", "info": "info", "warn": "warn", "error": "error"}

WHY: Mapping[str, str] = {
    "RATE_LIMIT_COOLDOWN_": "accounts rest as long as their upstream says, or a little longer each time",
    "MAX_ERROR_COUNT": "accounts rest from their first failure on, a little longer each time",
    "CRON_": "logins are renewed ahead of their end, always",
    "REFRESH_": "logins are renewed ahead of their end, always",
    "WARMUP_TARGET": "logins are renewed ahead of their end, always",
    "TLS_SIDECAR_": "aiproxy says who it is and imitates nobody",
    "USE_SYSTEM_PROXY_": "proxies of the environment are not looked at; `proxy-url` names one",
    "PROMPT_LOG_BASE_NAME": "prompts are written to `prompts.jsonl` in `prompt-log.directory`",
}
"""What a key begins with → why it has no equal."""


def read(path: Path, found: Found) -> None:
    folder = path if path.is_dir() else path.parent
    file = path / "config.json" if path.is_dir() else path
    source = taken(file, found)
    source.copy("REQUIRED_API_KEY", "api-keys", str, lambda key: [key])
    renamed(source, {"HOST": "host", "SERVER_PORT": "port"})
    if providers := source.texts("MODEL_PROVIDER"):
        found.put("routing.default-provider", ours(providers[0]))
        if len(providers) > 1:
            source.differs("MODEL_PROVIDER", "only the first one is preferred; the others serve what it doesn't offer")
    _prompt(source, folder, found)
    source.copy("REQUEST_MAX_RETRIES", "request-retry", int)
    source.copy("CREDENTIAL_SWITCH_MAX_RETRIES", "max-retry-credentials", int, lambda more: more + 1)
    source.copy("PROMPT_LOG_MODE", "prompt-log.mode", str)
    _log(source, found)
    checks = source.within("SCHEDULED_HEALTH_CHECK")
    renamed(checks, {"enabled": "enabled", "startupRun": "startup"}, "health-check.")
    checks.copy("interval", "health-check.interval", int, lambda milliseconds: milliseconds / 1000)
    if types := checks.texts("providerTypes"):
        found.put("health-check.providers", list(dict.fromkeys(map(ours, types))))
    chain = source.within("providerFallbackChain")
    found.put(
        "provider-fallback-chain",
        {ours(one): [ours(each) for each in chain.texts(one) or []] for one in chain.keys} or None,
    )
    _model_fallback(source, found)
    proxied = _proxied(source)
    pools = _file(source, "PROVIDER_POOLS_FILE_PATH", "provider_pools.json", folder)
    models = _file(source, "CUSTOM_MODELS_FILE_PATH", "custom_models.json", folder)
    for key in source.keys:
        if why := next((why for start, why in WHY.items() if key.startswith(start)), ""):
            source.drop(key, why)
    source.finish()
    if pools is not None:
        read_pools(pools, folder, proxied, found)
    if models is not None:
        _custom_models(models, found)


def _file(source: Taking, key: str, usual: str, folder: Path) -> Path | None:
    """A file beside the settings, or where a key says."""
    named = source.get(key, str)
    file = beside(folder, named or usual)
    if named and file is None:
        source.drop(key, "this file isn't there")
    return file


def beside(folder: Path, named: str) -> Path | None:
    """Names are from the program's own directory, one above its `configs`; a copy of it may be all that is here."""
    places = [folder.parent / Path(os.path.expanduser(named)), folder / named, folder / Path(named).name]
    return next((each.absolute() for each in places if each.is_file()), None)


def _proxied(source: Taking) -> Proxied:
    url, kinds = source.get("PROXY_URL", str), source.texts("PROXY_ENABLED_PROVIDERS")
    if url and not kinds:
        source.drop("PROXY_URL", "PROXY_ENABLED_PROVIDERS names nobody who would use it")
    elif kinds and not url:
        source.drop("PROXY_ENABLED_PROVIDERS", "there is no PROXY_URL that they would use")
    return Proxied(url or "", tuple(kind.lower() for kind in kinds or ()) if url else ())


def _prompt(source: Taking, folder: Path, found: Found) -> None:
    named = source.get("SYSTEM_PROMPT_FILE_PATH", str)
    if named:
        file = beside(folder, named)
        if file is None:
            source.drop("SYSTEM_PROMPT_FILE_PATH", "this file isn't there")
        else:
            found.put("system-prompt.file", str(file))
    source.copy("SYSTEM_PROMPT_MODE", "system-prompt.mode", str)
    source.copy("SYSTEM_PROMPT_REPLACEMENTS", "system-prompt.replacements", list)


def _log(source: Taking, found: Found) -> None:
    source.copy("LOG_LEVEL", "logging.level", str, LEVELS.get)
    match source.get("LOG_OUTPUT_MODE", str):
        case "file":
            found.put("logging.file", "aiproxy.log")
            source.differs("LOG_OUTPUT_MODE", "the log stands beside the configuration, as aiproxy.log")
        case "console" | None:
            pass
        case _:
            source.differs(
                "LOG_OUTPUT_MODE", "the log goes to one place, standard output; `logging.file` names another"
            )
    size, count = source.get("LOG_MAX_FILE_SIZE", int), source.get("LOG_MAX_FILES", int)
    if size and count:
        found.put("logging.max-total-size-mb", max(1, ceil(size * count / 2**20)))
    elif size:
        source.drop("LOG_MAX_FILE_SIZE", "`logging.max-total-size-mb` is for all files together")
    elif count:
        source.drop("LOG_MAX_FILES", "`logging.max-total-size-mb` is for all files together")


def _model_fallback(source: Taking, found: Found) -> None:
    mapping = source.within("modelFallbackMapping")
    chain = {}
    for model in mapping.keys:
        target = mapping.within(model)
        name = target.get("targetModel", str)
        if not name:
            if target.keys:
                target.drop_whole("it names no `targetModel`")
            continue
        chain[model] = [name]
        if target.get("targetProviderType"):
            target.differs("targetProviderType", "whoever offers the model stands in, at any provider")
    found.put("model-fallback", chain or None)


def _custom_models(file: Path, found: Found) -> None:
    """Names that one provider's models have for clients."""
    aliases: dict[str, list[Data]] = {}
    for model in taken_list(file, found):
        name, provider = model.get("actualModel", str), model.get("actualProvider", str)
        asked = model.texts("provider") or []
        names = [each for each in (model.get("id", str), model.get("alias", str)) if each]
        if not name or not names:
            model.drop_whole("a model wants an `id` and an `actualModel`")
            continue
        if not provider and not asked:
            model.drop_whole("it says no provider, and `model-alias` wants one")
            continue
        if provider and asked and [ours(each) for each in asked] != [ours(provider)]:
            model.differs("provider", "a name means the model at its `actualProvider`, whoever is asked for it")
        for kind in [provider] if provider else asked:
            made = [{"name": name, "alias": each, "fork": True} for each in dict.fromkeys(names) if each != name]
            aliases.setdefault(ours(kind), []).extend(made)
        model.finish("`payload` and `prices` change and describe models here")
    found.put("model-alias", aliases or None)
