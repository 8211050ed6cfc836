"""LiteLLM's proxy configuration (`config.yaml`)."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aiproxy_config.importing.taking import Data, Found, Taking, taken

SECTIONS = {
    "openai": ("openai-api-key", "OPENAI_API_KEY"),
    "anthropic": ("claude-api-key", "ANTHROPIC_API_KEY"),
    "gemini": ("gemini-api-key", "GEMINI_API_KEY"),
    "ollama": ("ollama", ""),
    "ollama_chat": ("ollama", ""),
}
"""What a model's name begins with → our section, and the variable that is meant where no key is named."""

COMPATIBLE = {
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "xai": ("https://api.x.ai/v1", "XAI_API_KEY"),
    "together_ai": ("https://api.together.xyz/v1", "TOGETHERAI_API_KEY"),
    "fireworks_ai": ("https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY"),
    "hosted_vllm": ("", "HOSTED_VLLM_API_KEY"),
    "openai_like": ("", "OPENAI_LIKE_API_KEY"),
}

STRATEGIES = {"simple-shuffle": "weighted-round-robin", "least-busy": "least-used"}

BARE = ((re.compile(r"(gpt|o\d|chatgpt|text-embedding|davinci)"), "openai"), (re.compile("claude"), "anthropic"))
"""Names without a provider before them."""


WHY: Mapping[str, str] = {
    "database_": "aiproxy's state is its own: `state` takes a `postgresql://` URL, of another database",
    "redis_": "nodes share their state by PostgreSQL: `state`",
    "allowed_fails": "accounts rest from their first failure on, a little longer each time",
    "cooldown_time": "accounts rest as long as their upstream says, or a little longer each time",
}
"""What a key begins with → why it has no equal."""


def read(path: Path, found: Found) -> None:
    source = taken(path / "config.yaml" if path.is_dir() else path, found)
    entries: dict[tuple[str, ...], Data] = {}
    for model in source.each("model_list"):
        _model(model, entries)
    router, module, general = (
        source.within(each) for each in ("router_settings", "litellm_settings", "general_settings")
    )
    general.copy("master_key", "api-keys", str, lambda key: [{"name": "master", "key": variable(key)}])
    general.copy("max_request_size_mb", "limits.request-body-mb", (int, float))
    general.copy("background_health_checks", "health-check.enabled", bool)
    general.copy("health_check_interval", "health-check.interval", (int, float))
    router.copy("routing_strategy", "routing.strategy", str, STRATEGIES.get)
    router.copy("disable_cooldowns", "disable-cooling", bool)
    _both(router, module, found)
    module.copy("drop_params", "translation", bool, lambda drop: "lenient" if drop else "strict")
    module.copy("json_logs", "logging.format", bool, lambda json: "json" if json else "auto")
    module.copy("set_verbose", "logging.level", bool, lambda verbose: "debug" if verbose else "info")
    _aliases(router, entries.values())
    for (section, *_), entry in entries.items():
        found.add(section, entry)
    for settings in (router, module, general):
        for key in settings.keys:
            if why := next((why for start, why in WHY.items() if key.startswith(start)), ""):
                settings.drop(key, why)
    source.finish()


def _both(router: Taking, module: Taking, found: Found) -> None:
    """What either may say; the router's word counts."""
    said: dict[str, str] = {}
    for settings, timeout in ((router, "timeout"), (module, "request_timeout")):
        for key, path in (("num_retries", "request-retry"), (timeout, "timeouts.total")):
            if path in said and key in settings:
                settings.drop(key, f"`{said[path]}` says so, too, and counts")
            elif key in settings:
                settings.copy(key, path, int if path == "request-retry" else (int, float))
                said[path] = settings.path(key)
        _fallbacks(settings, found)


def _model(model: Taking, entries: dict[tuple[str, ...], Data]) -> None:
    alias = model.get("model_name", str)
    params = model.within("litellm_params")
    name = params.get("model", str)
    if not name or not alias:
        model.drop_whole("an entry wants a `model_name` and a `litellm_params.model`")
        return
    provider, slash, rest = name.partition("/")
    if not slash or provider not in (*SECTIONS, *COMPATIBLE):
        provider, rest = params.get("custom_llm_provider", str) or _bare(name), name
    if provider not in (*SECTIONS, *COMPATIBLE):
        model.drop_whole("aiproxy has no such provider; an OpenAI-compatible address goes under `openai-compatibility`")
        return
    key, address = params.get("api_key", str), params.get("api_base", str)
    if address is None:
        address = params.get("base_url", str)
    made: Data = {}
    if provider in SECTIONS:
        section, meant = SECTIONS[provider]
        made["base-url"] = variable(address) if address else None
    else:
        section, (usual, meant) = "openai-compatibility", COMPATIBLE[provider]
        made |= {"name": provider, "base-url": variable(address) if address else usual}
    secret = variable(key) if key else f"${{{meant}}}" if meant else None
    weight, order = params.get("weight", int), params.get("order", int)
    concurrency, headers = params.get("max_parallel_requests", int), params.get("extra_headers", dict)
    identity = (section, secret or "", made.get("base-url") or "", *map(str, (weight, order, concurrency, headers)))
    if section == "openai-compatibility":
        made["api-key-entries"] = [{"api-key": secret}] if secret else None
    else:
        made["api-key"] = secret
    made |= {"weight": weight, "priority": order, "concurrency": concurrency, "headers": headers}
    entry = entries.setdefault(identity, made)
    if rest == "*":
        entry["models"] = None
        if alias != "*":
            model.differs(
                "model_name", "every name is passed on as the client writes it, without what stands before the slash"
            )
    elif entry.get("models", []) is not None:
        entry.setdefault("models", []).append({"name": rest} if rest == alias else {"name": rest, "alias": alias})
    else:
        model.differs("model_name", "an entry above passes every name on, and this one with them")


def _bare(name: str) -> str:
    return next((provider for pattern, provider in BARE if pattern.match(name)), "")


def _fallbacks(settings: Taking, found: Found) -> None:
    for key, longer in (("fallbacks", False), ("context_window_fallbacks", True)):
        rules = settings.get(key, list) or []
        if not all(isinstance(each, dict) and all(isinstance(to, list) for to in each.values()) for each in rules):
            settings.drop(key, "it is a list of mappings from a name to a list of names")
            continue
        for model, others in ((model, others) for each in rules for model, others in each.items()):
            chain = found.settings.setdefault("model-fallback", {}).setdefault(str(model), [])
            chain += [other for other in others if isinstance(other, str) and other not in chain]
            if not all(isinstance(other, str) for other in others):
                settings.differs(key, "what stands in is a name; its parameters were left out")
            if longer:
                found.settings.setdefault("context-length-fallback", []).append(str(model))


def _aliases(router: Taking, entries: Iterable[Data]) -> None:
    made = list(entries)
    lost = []
    for alias, target in (router.get("model_group_alias", dict) or {}).items():
        meant: Any = target.get("model") if isinstance(target, dict) else target
        known = False
        for entry in made:
            same = [model for model in entry.get("models") or [] if model.get("alias", model["name"]) == meant]
            known = known or bool(same)
            if same:
                entry["models"] += [{"name": model["name"], "alias": str(alias)} for model in same]
        lost += [] if known else [str(alias)]
    if lost:
        router.differs("model_group_alias", f"no entry of `model_list` was taken over for {len(lost)} of these names")


def variable(text: str) -> str:
    """`os.environ/NAME` as we write it."""
    return re.sub(r"\Aos\.environ/(\w+)\Z", r"${\1}", text)
