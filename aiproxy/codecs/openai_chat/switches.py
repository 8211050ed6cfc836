"""How other vendors' clients of this protocol ask for thinking. The switches ride along as they came; here is what they mean."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from aiproxy.neutral.request import Effort, ReasoningConfig

EFFORTS: tuple[Effort, ...] = get_args(Effort)

_MOST_BUDGET = 1e9
"""Tokens: more is no number that anyone means."""

_SWITCHES = {"enabled": True, "disabled": False, "adaptive": True, "auto": True}


def read_switches(body: Mapping[str, Any]) -> ReasoningConfig | None:
    """None when none of them is there, or none of them says anything."""
    found = ReasoningConfig()
    thinking = body.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") in tuple(_SWITCHES):
        found = _asked(found, _SWITCHES[thinking["type"]], thinking.get("budget_tokens"))
    for switches in (body, body.get("chat_template_kwargs")):
        if isinstance(switches, dict):
            for name in ("enable_thinking", "thinking"):
                if isinstance(switches.get(name), bool):
                    found = _asked(found, switches[name], switches.get("thinking_budget"))
    match body.get("reasoning"):
        case dict(reasoning):
            found = _openrouter(found, reasoning)
    if body.get("include_reasoning") is False:
        found = replace(found, visibility="hidden")
    # The SDK merges `extra_body` into the body; other clients send it under its name.
    for extra in (body, body.get("extra_body")):
        match extra:
            case {"google": {"thinking_config": dict(config)}} if extra is not body:
                found = _google(found, config)
            case {"anthropic": {"thinking": dict(thinking)}}:
                found = _anthropic(found, thinking)
    return None if found == ReasoningConfig() else found


def _asked(found: ReasoningConfig, on: bool, budget: Any) -> ReasoningConfig:
    if not on:
        return replace(found, mode="off", effort="none")
    if isinstance(budget, int) and not isinstance(budget, bool):
        return replace(found, mode="manual", budget_tokens=budget)
    return replace(found, mode="adaptive")


def _anthropic(found: ReasoningConfig, thinking: Mapping[str, Any]) -> ReasoningConfig:
    """In Anthropic's words, as AIClient-2-API's clients ask Kiro. A budget that is none is one that nobody named."""
    kind = str(thinking.get("type")).strip().lower()
    if kind == "adaptive":
        effort = str(thinking.get("effort", "")).lower()
        return replace(found, mode="adaptive", effort=next((word for word in EFFORTS if word == effort), "high"))
    if kind not in _SWITCHES:
        return found
    budget = thinking.get("budget_tokens")
    named = isinstance(budget, int | float) and not isinstance(budget, bool) and 1 <= budget < _MOST_BUDGET
    asked = _asked(found, _SWITCHES[kind], int(budget) if named and budget is not None else None)
    return replace(asked, mode="manual") if kind == "enabled" else asked


def _openrouter(found: ReasoningConfig, reasoning: Mapping[str, Any]) -> ReasoningConfig:
    if reasoning.get("effort") in EFFORTS:
        found = replace(found, effort=reasoning["effort"])
    if isinstance(most := reasoning.get("max_tokens"), int):
        found = _asked(found, on=True, budget=most)
    if reasoning.get("enabled") is False:
        found = _asked(found, on=False, budget=None)
    elif reasoning.get("enabled") is True and found == ReasoningConfig():
        found = _asked(found, on=True, budget=None)
    return replace(found, visibility="hidden") if reasoning.get("exclude") is True else found


def _google(found: ReasoningConfig, config: Mapping[str, Any]) -> ReasoningConfig:
    level = config.get("thinking_level")
    if isinstance(level, str) and level.lower() in EFFORTS:
        found = replace(found, effort=next(effort for effort in EFFORTS if effort == level.lower()))
    if isinstance(budget := config.get("thinking_budget"), int):
        found = _asked(found, budget != 0, budget)
    shown = config.get("include_thoughts")
    return replace(found, visibility="full" if shown else "hidden") if isinstance(shown, bool) else found
