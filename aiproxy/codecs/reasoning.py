"""How hard a model shall think: efforts, token budgets and levels as one scale, and what a model takes of it.

The numbers are defaults for models nobody described; a model's `Capabilities` narrow them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from aiproxy.codecs.capabilities import ALL_EFFORTS, Capabilities
from aiproxy.codecs.report import Report
from aiproxy.neutral.request import Effort, ReasoningConfig

BUDGETS: Mapping[Effort, int] = {
    "none": 0,
    "minimal": 512,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
    "max": 65536,
}
"""Tokens. The steps of Gemini 2.5's own table; Claude Code's 4000, 10000 and 31999 fall on medium, high and xhigh."""

_UP_TO: Sequence[tuple[int, Effort]] = (
    (0, "none"),
    (512, "minimal"),
    (1024, "low"),
    (8192, "medium"),
    (24576, "high"),
    (40000, "xhigh"),
)

DYNAMIC = -1
"""The budget that means "as much as you think right" (Gemini)."""

LEAST_MANUAL = 1024
"""Tokens: the smallest `budget_tokens` Anthropic accepts."""

GEMINI_LEVELS: tuple[Effort, ...] = ("minimal", "low", "medium", "high")


def effort_of_budget(budget: int) -> Effort | None:
    """None for a dynamic budget: the model's own measure."""
    if budget < 0:
        return None
    return next((effort for most, effort in _UP_TO if budget <= most), "max")


def effort_of(config: ReasoningConfig) -> Effort | None:
    """The effort asked for, in whichever words; None when nobody said or the model shall decide."""
    if config.mode == "off":
        return "none"
    if config.effort is None and config.budget_tokens is not None:
        return effort_of_budget(config.budget_tokens)
    return config.effort


def seen_when_asked(config: ReasoningConfig) -> ReasoningConfig:
    """Of a client that sees the thinking it asks for without asking to see it."""
    asked = config.mode in ("adaptive", "manual", "between_tools") or effort_of(config) not in (None, "none")
    return replace(config, visibility="summary") if asked and config.visibility is None else config


def nearest_effort(effort: Effort, allowed: Sequence[Effort]) -> Effort:
    """The same effort where the model has it, else the next stronger one, else the strongest it has. `allowed` isn't empty.

    Above high the next weaker one counts: a model without `xhigh` is asked for `high`, not `max`."""
    rank = ALL_EFFORTS.index
    if effort in ("xhigh", "max"):
        weaker = [other for other in allowed if rank(other) <= rank(effort)]
        return max(weaker or allowed, key=rank)
    stronger = [other for other in allowed if rank(other) >= rank(effort)]
    return min(stronger, key=rank) if stronger else max(allowed, key=rank)


def fitted_effort(config: ReasoningConfig, can: Capabilities, allowed: Sequence[Effort]) -> Effort | None:
    """The effort to send: of the model's own words where they are known, else of the protocol's (`allowed`)."""
    effort = effort_of(config)
    words = [word for word in can.efforts or allowed if word != "none" or can.thinking_can_be_off]
    return nearest_effort(effort, words) if effort and words else None


def gemini_level(config: ReasoningConfig, can: Capabilities) -> str | None:
    """`thinkingLevel` in Gemini's spelling. There is no level for "off": it is the weakest one."""
    effort = effort_of(config)
    words = [word for word in can.efforts or GEMINI_LEVELS if word != "none"]
    return nearest_effort(effort, words).upper() if effort and words else None


def budget_of(config: ReasoningConfig, can: Capabilities) -> int | None:
    """The token budget to send (`DYNAMIC` included), clamped to what the model may think; None when nobody said.

    0 turns thinking off; a model that can't stop thinking gets its least."""
    if config.mode == "adaptive" and config.budget_tokens is None and config.effort is None:
        return DYNAMIC
    budget = config.budget_tokens
    if config.mode == "off":
        budget = 0
    elif budget is None and config.effort is not None:
        budget = BUDGETS[config.effort]
    if budget is None or budget < 0 or (budget == 0 and can.thinking_can_be_off):
        return budget
    least, most = can.budget_tokens or (0, max(BUDGETS.values()))
    return min(max(budget, least), most)


def manual_budget(budget: int, max_tokens: int, can: Capabilities, report: Report) -> tuple[int | None, int]:
    """(budget, max_tokens) that Anthropic accepts: at least 1024 and below `max_tokens`, which counts thinking in.

    What the client asked for stays visible output: `max_tokens` grows by the budget, as far as the model goes; then the budget
    shrinks, and below 1024 thinking goes off (None)."""
    fitted = max(budget, LEAST_MANUAL)
    if fitted < max_tokens:
        return _told(budget, fitted, report), max_tokens
    limit = can.max_output_tokens
    if limit is None or fitted + max_tokens <= limit:
        return _told(budget, fitted, report), fitted + max_tokens
    fitted = limit - max_tokens
    if fitted < LEAST_MANUAL:
        report.clamp("reasoning.budget_tokens")
        return None, max_tokens
    return _told(budget, fitted, report), limit


def split_suffix(model: str) -> tuple[str, ReasoningConfig | None]:
    """`model(high)`, `model(8192)`, `model(none)`, `model(auto)`: the name without it, and what it asks for.

    Parentheses that hold anything else belong to the name."""
    found = _SUFFIX.fullmatch(model)
    if not found:
        return model, None
    name, asked = found[1], found[2].lower()
    if asked in ("auto", "adaptive", str(DYNAMIC)):
        return name, ReasoningConfig(mode="adaptive")
    if asked in ("none", "off", "0"):
        return name, ReasoningConfig(mode="off", effort="none")
    for effort in get_args(Effort):
        if asked == effort:
            return name, ReasoningConfig(effort=effort)
    if asked.isascii() and asked.isdecimal() and len(asked) <= _DIGITS:
        return name, ReasoningConfig(mode="manual", budget_tokens=int(asked))
    return model, None


_SUFFIX = re.compile(r"(.+)\(([^()]+)\)", re.DOTALL)

_DIGITS = 9
"""Digits of a budget in a suffix: more is a name, not a number anyone means."""


def _told(asked: int, given: int, report: Report) -> int:
    if asked != given:
        report.clamp("reasoning.budget_tokens")
    return given
