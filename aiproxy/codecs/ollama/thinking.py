"""`think` and the neutral ways to ask for reasoning."""

from collections.abc import Mapping, Sequence
from typing import get_args

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.reasoning import effort_of, fitted_effort
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.request import Effort, ReasoningConfig

LEVELS: Sequence[Effort] = ("low", "medium", "high", "max")

_WORDS: Mapping[Effort, Json] = {"none": False, "minimal": "low", "xhigh": "max"}
"""Efforts that are said by another word; those of `LEVELS` by their own."""

assert set(get_args(Effort)) == {*LEVELS, *_WORDS}


def read_think(think: Json, report: Report) -> ReasoningConfig:
    """`true` leaves the measure to the model."""
    match think:
        case None:
            return ReasoningConfig()
        case bool():
            report.read("think", "reasoning.mode")
            return ReasoningConfig("adaptive", visibility="full") if think else ReasoningConfig("off")
        case "low" | "medium" | "high" | "max":
            report.read("think", "reasoning.effort")
            return ReasoningConfig(effort=think, visibility="full")
        case _:
            raise InvalidRequest(
                f'invalid think value: {think!r} (must be "high", "medium", "low", "max", true, or false)',
                param="think",
            )


def think_as_it_came(config: ReasoningConfig) -> Json:
    effort = effort_of(config)
    if effort is None:
        return True if config.mode == "adaptive" else None
    return _WORDS.get(effort, effort)


def fitted_think(config: ReasoningConfig, can: Capabilities, report: Report) -> Json:
    """None is to say nothing: also for "as much as you think right", which models that can't think would answer with an error."""
    asked = effort_of(config)
    if asked is None:
        return None
    if can.thinking == "none":
        if asked != "none":
            report.drop(_feature(config))
        return None
    if asked == "xhigh" and can.efforts is None:
        asked_for: Effort | None = "max"
    else:
        asked_for = fitted_effort(config, can, ("none", *LEVELS))
    if asked_for is None:
        report.drop(_feature(config))
        return None
    word = _WORDS.get(asked_for, asked_for)
    if config.budget_tokens is not None or word not in (asked, False):
        report.rename(_feature(config))
    return word


def _feature(config: ReasoningConfig) -> str:
    if config.mode == "off":
        return "reasoning.mode"
    return "reasoning.effort" if config.effort is not None else "reasoning.budget_tokens"
