"""How hard the model shall think: `thinkingConfig`, a level since Gemini 3, a budget of tokens before.

Source: Gemini API, thinking."""

import re
from collections.abc import Mapping

from aiproxy.codecs.capabilities import ALL_EFFORTS, Capabilities
from aiproxy.codecs.gemini.reading import without
from aiproxy.codecs.reasoning import DYNAMIC, budget_of, effort_of, gemini_level
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.request import Effort, ReasoningConfig

_VERSION = re.compile(r"(?:.*/)?gemini-(\d+)")
_FAMILY = re.compile(r"(?:.*/)?gemini(?:-|$)")


def is_third_generation(model: str) -> bool:
    """Gemini 3 and later; `gemini-pro-latest` and the like are. False for other vendors' models behind a Google API."""
    version = _VERSION.match(model)
    return int(version[1]) >= 3 if version else bool(_FAMILY.match(model))


def takes_levels(model: str, can: Capabilities) -> bool:
    return can.thinking == "level" or (can.thinking is None and is_third_generation(model))


def decode_thinking(config: Mapping[str, Json]) -> tuple[ReasoningConfig, dict[str, Json]]:
    """(what it says, what of it we have no word for)."""
    known: list[str] = []
    budget, level, shows = (config.get(name) for name in ("thinkingBudget", "thinkingLevel", "includeThoughts"))
    effort: Effort | None = None
    if budget is not None:
        if isinstance(budget, bool) or not isinstance(budget, int):
            raise ValueError("`thinkingBudget` must be an integer")
        known.append("thinkingBudget")
    if level is not None:
        if not isinstance(level, str):
            raise ValueError("`thinkingLevel` must be a string")
        effort = next((word for word in ALL_EFFORTS if word == level.lower()), None)
        if effort is not None:
            known.append("thinkingLevel")
    if shows is not None:
        if not isinstance(shows, bool):
            raise ValueError("`includeThoughts` must be true or false")
        known.append("includeThoughts")
    reasoning = ReasoningConfig(
        mode="default" if budget is None else "off" if budget == 0 else "adaptive" if budget < 0 else "manual",
        effort=effort,
        budget_tokens=budget,
        visibility=None if shows is None else "summary" if shows else "hidden",
    )
    return reasoning, without(config, *known)


def plain_thinking(reasoning: ReasoningConfig) -> dict[str, Json]:
    """What a Gemini client would have written."""
    found: dict[str, Json] = {}
    if reasoning.budget_tokens is not None:
        found["thinkingBudget"] = reasoning.budget_tokens
    if reasoning.effort is not None:
        found["thinkingLevel"] = reasoning.effort.upper()
    if reasoning.visibility is not None:
        found["includeThoughts"] = reasoning.visibility != "hidden"
    return found


def encode_thinking(reasoning: ReasoningConfig, model: str, can: Capabilities, report: Report) -> dict[str, Json]:
    """For a model, in the words it takes: never both a level and a budget."""
    if reasoning == ReasoningConfig():
        return {}
    if can.thinking == "none":
        if effort_of(reasoning) != "none" and reasoning.mode != "adaptive":
            report.drop(_asked_by(reasoning))
        return {}
    found: dict[str, Json] = {}
    if takes_levels(model, can):
        level = gemini_level(reasoning, can)
        if level is not None:
            found["thinkingLevel"] = level
            if level.lower() != effort_of(reasoning):
                report.clamp(_asked_by(reasoning))
    else:
        budget = budget_of(reasoning, can)
        if budget is not None:
            found["thinkingBudget"] = budget
            if reasoning.budget_tokens not in (None, DYNAMIC, budget):
                report.clamp("reasoning.budget_tokens")
    if effort_of(reasoning) == "none":
        return {**found, "includeThoughts": False}
    if reasoning.visibility is not None:
        found["includeThoughts"] = reasoning.visibility != "hidden"
    return found


def _asked_by(reasoning: ReasoningConfig) -> str:
    if reasoning.effort is not None:
        return "reasoning.effort"
    return "reasoning.mode" if reasoning.budget_tokens is None else "reasoning.budget_tokens"
