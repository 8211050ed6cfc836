"""What each kind of model is asked for, whoever asks; table by table."""

from typing import Any

import pytest

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.parts import ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig, SamplingParams, Turn
from aiproxy.neutral.tools import FunctionTool
from tests.codecs.anthropic_messages.exchanges import decode, encode

HI = Turn("user", (TextPart("Hi"),))

BUDGET = Capabilities(thinking="budget", budget_tokens=(1024, 32000), max_output_tokens=64000)
ADAPTIVE = Capabilities(thinking="adaptive", efforts=("low", "medium", "high"))
ALWAYS = Capabilities(thinking="adaptive", thinking_can_be_off=False)
NONE = Capabilities(thinking="none")
UNKNOWN = Capabilities()


def asked(body: dict[str, Any]) -> tuple[Any, Any]:
    return body.get("thinking"), body.get("output_config", {}).get("effort")


ADAPTIVE_ON = {"type": "adaptive"}


@pytest.mark.parametrize(
    ("config", "can", "thinking", "effort"),
    [
        (ReasoningConfig(), ADAPTIVE, None, None),
        (ReasoningConfig(effort="xhigh"), ADAPTIVE, ADAPTIVE_ON, "high"),
        (ReasoningConfig(effort="xhigh"), UNKNOWN, ADAPTIVE_ON, "xhigh"),
        (ReasoningConfig(budget_tokens=4000), UNKNOWN, ADAPTIVE_ON, "medium"),
        (ReasoningConfig(budget_tokens=-1), UNKNOWN, ADAPTIVE_ON, None),
        (ReasoningConfig(mode="between_tools"), UNKNOWN, {"type": "between_tools"}, None),
        (ReasoningConfig(effort="none"), ADAPTIVE, {"type": "disabled"}, None),
        (ReasoningConfig(effort="none"), ALWAYS, None, "low"),
        (ReasoningConfig(effort="high"), NONE, None, None),
        (ReasoningConfig(mode="off"), NONE, None, None),
        (ReasoningConfig(effort="low"), BUDGET, {"type": "enabled", "budget_tokens": 1024}, None),
        (ReasoningConfig(effort="max"), BUDGET, {"type": "enabled", "budget_tokens": 32000}, None),
        (ReasoningConfig(mode="adaptive"), BUDGET, {"type": "enabled", "budget_tokens": 8192}, None),
        (ReasoningConfig(mode="off"), BUDGET, {"type": "disabled"}, None),
    ],
)
def test_another_protocols_client_gets_the_models_kind(
    config: ReasoningConfig, can: Capabilities, thinking: Any, effort: str | None
) -> None:
    request = GenerateRequest("m", (HI,), reasoning=config, sampling=SamplingParams(max_output_tokens=30000))
    assert asked(encode(request, can=can)) == (thinking, effort)


@pytest.mark.parametrize(
    ("said", "can", "thinking", "effort"),
    [
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}},
            UNKNOWN,
            {"type": "adaptive", "display": "omitted"},
            None,
        ),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "low"}},
            BUDGET,
            {"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
            None,
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 31999}},
            BUDGET,
            {"type": "enabled", "budget_tokens": 31999},
            None,
        ),
        ({"thinking": {"type": "enabled", "budget_tokens": 31999}}, ADAPTIVE, {"type": "adaptive"}, "high"),
        ({"thinking": {"type": "disabled"}}, ALWAYS, None, "low"),
        ({"thinking": {"type": "disabled"}}, ADAPTIVE, {"type": "disabled"}, None),
        ({"output_config": {"effort": "high"}}, ADAPTIVE, None, "high"),
        ({"output_config": {"effort": "high"}}, BUDGET, {"type": "enabled", "budget_tokens": 24576}, None),
        ({}, BUDGET, None, None),
    ],
)
def test_our_own_client_is_refitted_only_where_the_model_is_known_to_take_another_kind(
    said: dict[str, Any], can: Capabilities, thinking: Any, effort: str | None
) -> None:
    body = {"model": "m", "max_tokens": 32000, "messages": [{"role": "user", "content": "x"}], **said}
    assert asked(encode(decode(body), source="anthropic", can=can)) == (thinking, effort)


def loop(*before: ReasoningPart) -> tuple[Turn, ...]:
    return HI, Turn("assistant", (*before, ToolCallPart("c", "f", "{}"))), Turn("tool", (ToolResultPart("c"),))


SIGNED = ReasoningPart("hm", opaque=(OpaqueState("anthropic", "thinking_signature", "sig"),))


@pytest.mark.parametrize(
    ("turns", "thinks"), [(loop(), False), (loop(SIGNED), True), ((*loop(), HI), True), ((HI,), True)]
)
def test_a_budget_is_given_only_where_the_last_tool_loop_began_with_thinking(
    turns: tuple[Turn, ...], thinks: bool
) -> None:
    request = GenerateRequest(
        "m",
        turns,
        tools=(FunctionTool("f"),),
        reasoning=ReasoningConfig(effort="low"),
        sampling=SamplingParams(max_output_tokens=30000),
    )
    report = Report()
    assert ("thinking" in encode(request, can=BUDGET, report=report)) is thinks
    assert ("drop:reasoning.effort" in report.warnings) is not thinks


def test_while_thinking_sampling_is_what_the_api_takes() -> None:
    sampling = SamplingParams(temperature=0.5, top_p=0.5, top_k=9, max_output_tokens=9000)
    request = GenerateRequest("m", (HI,), reasoning=ReasoningConfig(effort="low"), sampling=sampling)
    report = Report()
    sent = encode(request, report=report)
    assert not {"temperature", "top_p", "top_k"} & set(sent)
    assert report.warnings == ("drop:sampling.temperature", "drop:sampling.top_k", "drop:sampling.top_p")
