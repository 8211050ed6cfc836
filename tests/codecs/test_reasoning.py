"""The scale of thinking, and what a model takes of it."""

from dataclasses import replace
from typing import Any

import pytest

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.reasoning import (
    BUDGETS,
    budget_of,
    effort_of,
    effort_of_budget,
    fitted_effort,
    gemini_level,
    manual_budget,
    seen_when_asked,
    split_suffix,
)
from aiproxy.codecs.report import Report
from aiproxy.neutral.request import Effort, ReasoningConfig

THREE: tuple[Effort, ...] = ("low", "medium", "high")


@pytest.mark.parametrize(
    ("budget", "effort"),
    [
        (-1, None),
        (0, "none"),
        (1, "minimal"),
        (512, "minimal"),
        (513, "low"),
        (1024, "low"),
        (4000, "medium"),
        (8192, "medium"),
        (10000, "high"),
        (24576, "high"),
        (31999, "xhigh"),
        (40000, "xhigh"),
        (40001, "max"),
    ],
)
def test_budget_as_effort(budget: int, effort: Effort | None) -> None:
    assert effort_of_budget(budget) == effort


@pytest.mark.parametrize("effort", BUDGETS)
def test_effort_survives_the_way_through_budgets(effort: Effort) -> None:
    assert effort_of_budget(BUDGETS[effort]) == effort


@pytest.mark.parametrize(
    ("config", "effort"),
    [
        (ReasoningConfig(), None),
        (ReasoningConfig(mode="off", effort="high"), "none"),
        (ReasoningConfig(effort="low", budget_tokens=50000), "low"),
        (ReasoningConfig(budget_tokens=10000), "high"),
        (ReasoningConfig(mode="adaptive"), None),
    ],
)
def test_what_was_asked_for(config: ReasoningConfig, effort: Effort | None) -> None:
    assert effort_of(config) == effort


@pytest.mark.parametrize(
    ("asked", "sent"),
    [("none", "low"), ("minimal", "low"), ("low", "low"), ("medium", "medium"), ("xhigh", "high"), ("max", "high")],
)
def test_effort_at_a_model_of_three(asked: Effort, sent: Effort) -> None:
    assert fitted_effort(ReasoningConfig(effort=asked), Capabilities(), THREE) == sent


def test_a_models_own_words_count_and_thinking_that_cannot_stop_does_not() -> None:
    can = Capabilities(efforts=("none", "low", "max"), thinking_can_be_off=False)
    assert fitted_effort(ReasoningConfig(mode="off"), can, THREE) == "low"
    assert fitted_effort(ReasoningConfig(effort="xhigh"), can, THREE) == "low"
    assert fitted_effort(ReasoningConfig(effort="high"), can, THREE) == "max"
    assert fitted_effort(ReasoningConfig(), can, THREE) is None


@pytest.mark.parametrize(
    ("asked", "efforts", "level"),
    [
        ("none", None, "MINIMAL"),
        ("none", ("low", "high"), "LOW"),
        ("medium", ("low", "high"), "HIGH"),
        ("max", None, "HIGH"),
        ("max", ("low", "high", "xhigh"), "XHIGH"),
    ],
)
def test_gemini_levels(asked: Effort, efforts: tuple[Effort, ...] | None, level: str) -> None:
    assert gemini_level(ReasoningConfig(effort=asked), Capabilities(efforts=efforts)) == level


@pytest.mark.parametrize(
    ("config", "can", "budget"),
    [
        (ReasoningConfig(), Capabilities(), None),
        (ReasoningConfig(mode="adaptive"), Capabilities(), -1),
        (ReasoningConfig(effort="medium"), Capabilities(), 8192),
        (ReasoningConfig(budget_tokens=70000), Capabilities(budget_tokens=(128, 32768)), 32768),
        (ReasoningConfig(mode="off"), Capabilities(), 0),
        (ReasoningConfig(mode="off"), Capabilities(budget_tokens=(128, 32768), thinking_can_be_off=False), 128),
    ],
)
def test_budgets(config: ReasoningConfig, can: Capabilities, budget: int | None) -> None:
    assert budget_of(config, can) == budget


@pytest.mark.parametrize(
    ("budget", "max_tokens", "limit", "expected", "clamped"),
    [
        (4000, 8000, None, (4000, 8000), False),
        (512, 8000, None, (1024, 8000), True),
        (8000, 4000, None, (8000, 12000), False),
        (8000, 4000, 10000, (6000, 10000), True),
        (8000, 4000, 4500, (None, 4000), True),
    ],
)
def test_anthropics_manual_budget(
    budget: int, max_tokens: int, limit: int | None, expected: tuple[int | None, int], clamped: bool
) -> None:
    report = Report()
    assert manual_budget(budget, max_tokens, Capabilities(max_output_tokens=limit), report) == expected
    assert bool(report.warnings) is clamped


@pytest.mark.parametrize(
    ("model", "name", "config"),
    [
        ("gpt-5(high)", "gpt-5", ReasoningConfig(effort="high")),
        ("gpt-5(HIGH)", "gpt-5", ReasoningConfig(effort="high")),
        ("claude(8192)", "claude", ReasoningConfig(mode="manual", budget_tokens=8192)),
        ("claude(none)", "claude", ReasoningConfig(mode="off", effort="none")),
        ("gemini(-1)", "gemini", ReasoningConfig(mode="adaptive")),
        ("gemini(auto)", "gemini", ReasoningConfig(mode="adaptive")),
        ("plain", "plain", None),
        ("llama(instruct)", "llama(instruct)", None),
        ("(high)", "(high)", None),
        ("m(99999999999)", "m(99999999999)", None),
    ],
)
def test_suffixes(model: str, name: str, config: ReasoningConfig | None) -> None:
    assert split_suffix(model) == (name, config)


@pytest.mark.parametrize(
    ("asked", "visibility"),
    [
        (ReasoningConfig(), None),
        (ReasoningConfig(effort="high"), "summary"),
        (ReasoningConfig(mode="adaptive"), "summary"),
        (ReasoningConfig(mode="manual", budget_tokens=99), "summary"),
        (ReasoningConfig(mode="off", effort="none"), None),
        (ReasoningConfig(effort="none"), None),
        (ReasoningConfig(effort="high", visibility="hidden"), "hidden"),
        (ReasoningConfig(effort="high", visibility="full"), "full"),
    ],
)
def test_who_asks_for_thinking_sees_it(asked: ReasoningConfig, visibility: Any) -> None:
    assert seen_when_asked(asked) == replace(asked, visibility=visibility)
