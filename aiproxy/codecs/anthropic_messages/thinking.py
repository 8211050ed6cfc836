"""How hard to think, both ways: `thinking` and `output_config.effort`.

A model takes token budgets (up to Claude 4.5) or its own measure steered by effort (since 4.6); sources: Anthropic API
reference, extended and adaptive thinking. What the client asked for in this protocol goes out as it is, unless the model is
known to take the other kind."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, cast

from aiproxy.codecs.anthropic_messages.table import NAME
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.opaque import returnable
from aiproxy.codecs.reasoning import BUDGETS, DYNAMIC, budget_of, effort_of, fitted_effort, manual_budget
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import ReasoningPart, ToolCallPart
from aiproxy.neutral.request import Effort, GenerateRequest, ReasoningConfig

EFFORTS: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")

_Mode: TypeAlias = Literal["off", "adaptive", "manual", "between_tools"]
_Visibility: TypeAlias = Literal["hidden", "summary"]

_MODES: Mapping[str, _Mode] = {
    "disabled": "off",
    "adaptive": "adaptive",
    "enabled": "manual",
    "between_tools": "between_tools",
}
_TYPES = {mode: kind for kind, mode in _MODES.items()}
_VISIBILITY: Mapping[str, _Visibility] = {"omitted": "hidden", "summarized": "summary"}
_DISPLAY = {"hidden": "omitted", "summary": "summarized", "full": "summarized"}


def take_reasoning(rest: dict[str, Json]) -> ReasoningConfig:
    """Takes out of a body what neutral knows; an unknown type or effort stays, and goes back as it came."""
    told: dict[str, Any] = {}
    config = rest.get("output_config")
    if isinstance(config, dict) and config.get("effort") in EFFORTS:
        told["effort"] = config["effort"]
        _take(rest, "output_config", "effort")
    thinking = rest.get("thinking")
    mode = _MODES.get(str(thinking.get("type"))) if isinstance(thinking, dict) else None
    if not isinstance(thinking, dict) or mode is None:
        return ReasoningConfig(**told)
    told["mode"] = mode
    budget = thinking.get("budget_tokens")
    if isinstance(budget, int) and not isinstance(budget, bool):
        told["budget_tokens"] = budget
        _take(rest, "thinking", "budget_tokens")
    if visibility := _VISIBILITY.get(str(thinking.get("display"))):
        told["visibility"] = visibility
        _take(rest, "thinking", "display")
    _take(rest, "thinking", "type")
    return ReasoningConfig(**told)


def _take(rest: dict[str, Json], outer: str, inner: str) -> None:
    left = {key: value for key, value in rest[outer].items() if key != inner}
    if left:
        rest[outer] = left
    else:
        del rest[outer]


def write_reasoning(
    request: GenerateRequest, body: dict[str, Json], can: Capabilities, report: Report, source: str
) -> None:
    """Writes what was asked for, last of all fields: thinking limits what sampling, `max_tokens` and a forced tool may be."""
    config = request.reasoning
    if source == NAME and _taken_as_is(config, can):
        _write_as_is(config, body)
    elif config.mode == "default" and config.effort is None and config.budget_tokens is None:
        return
    elif can.thinking == "none":
        if effort_of(config) != "none":
            report.drop("reasoning.effort")
    elif effort_of(config) == "none":
        _write_off(body, can, report)
    elif can.thinking == "budget":
        _write_budget(request, body, can, report)
    else:
        _write_adaptive(config, body, can)
    if body.get("thinking", {}).get("type") in ("adaptive", "enabled") and source != NAME:
        _limit_sampling(body, report)


def _taken_as_is(config: ReasoningConfig, can: Capabilities) -> bool:
    match config.mode:
        case "default":
            return can.thinking in (None, "adaptive", "effort")
        case "off":
            return can.thinking_can_be_off and can.thinking != "none"
        case "manual":
            return can.thinking in (None, "budget")
        case "adaptive" | "between_tools":
            return can.thinking in (None, "adaptive", "effort")


def _write_as_is(config: ReasoningConfig, body: dict[str, Json]) -> None:
    if config.effort is not None:
        body.setdefault("output_config", {})["effort"] = config.effort
    if config.mode != "default":
        thinking: dict[str, Json] = {"type": _TYPES[config.mode]}
        if config.budget_tokens is not None:
            thinking["budget_tokens"] = config.budget_tokens
        if config.visibility is not None:
            thinking["display"] = _DISPLAY[config.visibility]
        body["thinking"] = thinking


def _write_off(body: dict[str, Json], can: Capabilities, report: Report) -> None:
    """A model that always thinks is asked for its least."""
    if can.thinking_can_be_off:
        body["thinking"] = {"type": "disabled"}
    elif can.thinking != "budget":
        report.clamp("reasoning.effort")
        body.setdefault("output_config", {})["effort"] = (can.efforts or EFFORTS)[0]


def _write_adaptive(config: ReasoningConfig, body: dict[str, Json], can: Capabilities) -> None:
    thinking: dict[str, Json] = {"type": "between_tools" if config.mode == "between_tools" else "adaptive"}
    _write_display(config, thinking)
    body["thinking"] = thinking
    effort = fitted_effort(config, can, EFFORTS)
    if effort is not None:
        body.setdefault("output_config", {})["effort"] = effort


def _write_budget(request: GenerateRequest, body: dict[str, Json], can: Capabilities, report: Report) -> None:
    if body.get("tool_choice", {}).get("type") in ("any", "tool") or not _last_loop_is_signed(request, can):
        report.drop("reasoning.effort")  # the API refuses it beside either, and both matter more
        return
    asked = budget_of(request.reasoning, can)
    if asked is None or asked == DYNAMIC:
        asked = BUDGETS["medium"]
    budget, body["max_tokens"] = manual_budget(asked, body["max_tokens"], can, report)
    if budget is not None:
        thinking: dict[str, Json] = {"type": "enabled", "budget_tokens": budget}
        _write_display(request.reasoning, thinking)
        body["thinking"] = thinking


def _write_display(config: ReasoningConfig, thinking: dict[str, Json]) -> None:
    if config.visibility is not None and thinking["type"] in ("adaptive", "enabled"):
        thinking["display"] = _DISPLAY[config.visibility]


def _last_loop_is_signed(request: GenerateRequest, can: Capabilities) -> bool:
    """With a budget, the turn whose tool results come last must begin with the thinking that led to its calls."""
    vendor = can.vendor or NAME
    for turn in reversed(request.turns):
        if turn.role == "assistant":
            calls = any(isinstance(part, ToolCallPart) for part in turn.parts)
            thought = (part for part in turn.parts if isinstance(part, ReasoningPart))
            return not calls or any(returnable(part.opaque, vendor, request.model) for part in thought)
        if turn.role == "user":
            return True
    return True


def _limit_sampling(body: dict[str, Json], report: Report) -> None:
    """While thinking, temperature must be 1, top_p at least 0.95, and top_k is not known."""
    if body.get("temperature", 1) != 1:
        del body["temperature"]
        report.drop("sampling.temperature")
    if body.pop("top_k", None) is not None:
        report.drop("sampling.top_k")
    if cast(float, body.get("top_p", 1)) < _LEAST_TOP_P:
        del body["top_p"]
        report.drop("sampling.top_p")


_LEAST_TOP_P = 0.95
