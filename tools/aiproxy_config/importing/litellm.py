"""LiteLLM's proxy configuration (`config.yaml`)."""

import re
from collections.abc import Iterable
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


def read(path: Path, found: Found) -> None:
    source = taken(path / "config.yaml" if path.is_dir() else path, found)
    entries: dict[tuple[str, ...], Data] = {}
    for model in source.each("model_list"):
        _model(model, entries)
    router, module, general = (
        source.within(each) for each in ("router_settings", "litellm_settings", "general_settings")
    )
    general.copy("master_key", "api-keys", str, lambda key: [{"name": "master", "key": variable(key)}])
    router.copy("routing_strategy", "routing.strategy", str, STRATEGIES.get)
    if router.get("routing_strategy") not in (None, *STRATEGIES):
        router.drop("routing_strategy", "accounts take turns instead; `routing.strategy` has others")
    for settings in (module, router):
        settings.copy("num_retries", "request-retry", int)
        for key in ("request_timeout", "timeout"):
            settings.copy(key, "timeouts.total", (int, float))
        _fallbacks(settings, found)
    module.copy("drop_params", "translation", bool, lambda drop: "lenient" if drop else "strict")
    _aliases(router, entries.values())
    for (section, *_), entry in entries.items():
        found.add(section, entry)
    source.finish()


def _model(model: Taking, entries: dict[tuple[str, ...], Data]) -> None:
    alias = model.get("model_name", str)
    params = model.within("litellm_params")
    name = params.get("model", str)
    if not name or not alias:
        model.drop("model_name", "an entry wants a `model_name` and a `litellm_params.model`")
        return
    provider, slash, rest = name.partition("/")
    if not slash or provider not in (*SECTIONS, *COMPATIBLE):
        provider, rest = params.get("custom_llm_provider", str) or _bare(name), name
    key, address = params.get("api_key", str), params.get("api_base", str) or params.get("base_url", str)
    made: Data = {}
    if provider in SECTIONS:
        section, meant = SECTIONS[provider]
        made["base-url"] = address
    elif provider in COMPATIBLE:
        section, (usual, meant) = "openai-compatibility", COMPATIBLE[provider]
        made |= {"name": provider, "base-url": address or usual}
    else:
        params.drop(
            "model", "aiproxy has no such provider; an OpenAI-compatible address goes under `openai-compatibility`"
        )
        for each in params.keys:
            params.get(each)
        return
    secret = variable(key) if key else f"${{{meant}}}" if meant else None
    weight, order = params.get("weight", int), params.get("order", int)
    concurrency = params.get("max_parallel_requests", int)
    identity = (section, secret or "", made.get("base-url") or "", str(weight), str(order), str(concurrency))
    if section == "openai-compatibility":
        made["api-key-entries"] = [{"api-key": secret}] if secret else None
    else:
        made["api-key"] = secret
    made |= {"weight": weight, "priority": order, "concurrency": concurrency}
    entry = entries.setdefault(identity, made)
    if rest == "*":
        entry["models"] = None
        if alias != "*":
            model.differs(
                "model_name", "every name is passed on as the client writes it, without what stands before the slash"
            )
    elif entry.get("models", []) is not None:
        entry.setdefault("models", []).append({"name": rest} if rest == alias else {"name": rest, "alias": alias})


def _bare(name: str) -> str:
    return next((provider for pattern, provider in BARE if pattern.match(name)), "")


def _fallbacks(settings: Taking, found: Found) -> None:
    for key, longer in (("fallbacks", False), ("context_window_fallbacks", True)):
        for each in settings.get(key, list) or []:
            for model, others in each.items() if isinstance(each, dict) else ():
                chain = found.settings.setdefault("model-fallback", {}).setdefault(str(model), [])
                chain += (
                    [other for other in others if isinstance(other, str) and other not in chain]
                    if isinstance(others, list)
                    else []
                )
                if longer:
                    found.settings.setdefault("context-length-fallback", []).append(str(model))


def _aliases(router: Taking, entries: Iterable[Data]) -> None:
    made = list(entries)
    for alias, target in (router.get("model_group_alias", dict) or {}).items():
        meant: Any = target.get("model") if isinstance(target, dict) else target
        for entry in made:
            same = [model for model in entry.get("models") or [] if model.get("alias", model["name"]) == meant]
            entry.setdefault("models", [])
            if entry["models"] is not None:
                entry["models"] += [{"name": model["name"], "alias": str(alias)} for model in same]


def variable(text: str) -> str:
    """`os.environ/NAME` as we write it."""
    return re.sub(r"\Aos\.environ/(\w+)\Z", r"${\1}", text)
