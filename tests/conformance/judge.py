"""What must be true of every conversation: on the client's side, and on the vendor's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson
import pytest

from aiproxy.catalogue.cannot import Aspect, can
from tests.conformance.sdks import Sdk
from tests.conformance.sdks.conversation import (
    PARAMETERS,
    PNG,
    SCHEMA,
    TOOL,
    Conversation,
    Failed,
    Question,
    Seen,
    Usage,
)
from tests.vendors.back_ends import Served
from tests.vendors.scenarios import BREAKS_OFF, SCENARIOS, THOUGHT, Answer, Failure, Scenario
from tests.vendors.stand_in import StandIn
from tests.vendors.vendor import Asked, Vendor

QUESTIONS = {
    "call": Question(tools=True),
    "said-and-called": Question(tools=True),
    "parallel": Question(tools=True),
    "thinking": Question(tools=True, thinks=True),
    "thought-text": Question(thinks=True),
    "structured": Question(structured=True),
    "image": Question(image=True),
}

FINISHES: Mapping[str, Mapping[str, str]] = {
    "openai-chat": {
        "stop": "stop",
        "length": "length",
        "calls": "tool_calls",
        "filtered": "content_filter",
        "refused": "stop",
    },
    "openai-responses": {
        "stop": "completed",
        "length": "max_output_tokens",
        "calls": "completed",
        "filtered": "content_filter",
        "refused": "completed",
    },
    "anthropic-messages": {
        "stop": "end_turn",
        "length": "max_tokens",
        "calls": "tool_use",
        "filtered": "refusal",
        "refused": "refusal",
    },
    "gemini": {"stop": "STOP", "length": "MAX_TOKENS", "calls": "STOP", "filtered": "SAFETY", "refused": "SAFETY"},
    "ollama": {"stop": "stop", "length": "length", "calls": "stop"},
}
"""By client protocol, and by what ended the answer."""

ONE_WORD_FOR_BOTH = {
    "anthropic-messages": "refused",
    "gemini": "filtered",
    "vertex": "filtered",
    "aistudio": "filtered",
}
"""Vendors who don't tell what was filtered from what the model refused."""

STATE_IS_THE_TEXT = {"openai-chat", "ollama", "qwen", "iflow", "kimi", "copilot", "kiro", "xai-chat"}
"""Vendors without signatures: what must come back is the thought itself."""


LIMIT = {"drop:max_tokens", "drop:max_output_tokens", "drop:generationConfig.maxOutputTokens"}

LOSES: Mapping[str, set[str]] = {"kiro": LIMIT, "codex": LIMIT, "antigravity": LIMIT, "aistudio": LIMIT}
"""What some SDKs say in any case and these vendors take from nobody."""


@dataclass(frozen=True, slots=True)
class Cell:
    sdk: Sdk
    vendor: Vendor
    scenario: Scenario
    streamed: bool

    def __str__(self) -> str:
        return f"{self.sdk.name}-{self.vendor.name}-{self.scenario.name}-{'streamed' if self.streamed else 'whole'}"

    @property
    def native(self) -> bool:
        return self.sdk.name == (self.vendor.protocol or self.vendor.name)

    def can(self, aspect: Aspect) -> bool:
        return can(self.sdk.name, self.vendor.name, aspect)


DIALECTS = ("plain", "call", "parallel", "thinking", "image", "status-429", "error-amid", "cut")
"""Scenarios in which the ways of those differ who have taken over another's protocol."""


def cells_of(sdks: Iterable[Sdk], dialects: Iterable[Served]) -> list[Cell]:
    """Every client with each dialect that is spoken to it."""
    return [
        cell
        for sdk in sdks
        for served in dialects
        for scenario in map(SCENARIOS.__getitem__, DIALECTS)
        for streamed in (False, True)
        for cell in [Cell(sdk, served.vendor, scenario, streamed)]
        if sdk.name in served.clients and (streamed or not cell.native or not scenario.breaks)
    ]


def judge(cell: Cell, stand_in: StandIn, address: str, model: str) -> None:
    """Holds the conversation of this cell with what serves `model` at `address`."""
    question = QUESTIONS.get(cell.scenario.name, Question())
    before = len(stand_in.asked)
    stand_in.refused.clear()
    if cell.streamed:
        stand_in.begun.clear()
    else:  # nobody sees a whole answer begin
        stand_in.begun.set()
    conversation = cell.sdk(address, model, question, streamed=cell.streamed, begun=stand_in.begun)
    try:
        if isinstance(cell.scenario.first, Failure) or cell.scenario.breaks:
            _judge_failure(cell, conversation)
            return
        _judge_answer(cell, cell.scenario.first, conversation.ask())
        if cell.scenario.after_results:
            results = [f"sunny, {21 + number} °C" for number in range(len(cell.scenario.first.calls))]
            _judge_answer(cell, cell.scenario.after_results, conversation.give(results))
            _judge_results(cell, results, stand_in.asked[-1][1])
    except Failed as failed:
        refused = "".join(f"\n  {reason}" for reason in stand_in.refused)
        raise AssertionError(f"status {failed.status}: {failed.message} (vendor refused:{refused})") from failed
    finally:
        conversation.close()
    for vendor, asked in stand_in.asked[before:]:
        assert vendor is cell.vendor
        _judge_request(cell, question, asked)


def _judge_answer(cell: Cell, answer: Answer, seen: Seen) -> None:
    assert len(seen.text) == len(answer.text)
    assert seen.text == answer.text
    if cell.streamed:
        assert len(seen.pieces) == len(answer.pieces), "pieces of the stream were joined or torn"
    assert [(call.name, dict(call.arguments)) for call in seen.calls] == [
        (call.name, dict(call.arguments)) for call in answer.calls
    ]
    assert seen.thought == (answer.thought.text if answer.thought else "")
    assert seen.finish == FINISHES[cell.sdk.name][_ending(cell, answer)]
    _judge_usage(cell, answer, seen.usage)
    lost = {warning for warning in seen.warnings.split(", ") if warning}
    assert lost <= LOSES.get(cell.vendor.name, set()), f"{lost} is lost"


def _ending(cell: Cell, answer: Answer) -> str:
    if answer.stop not in ("filtered", "refused"):
        return answer.stop
    if not cell.can("filtered"):
        return "stop"
    return ONE_WORD_FOR_BOTH.get(cell.vendor.name, answer.stop)


def _judge_usage(cell: Cell, answer: Answer, usage: Usage) -> None:
    counts = answer.counts
    assert (usage.input, usage.output) == (counts.input, counts.output)
    details = (counts.cached, counts.reasoning) if cell.can("details") else (0, 0)
    assert (usage.cached or 0, usage.reasoning or 0) == details


def _judge_failure(cell: Cell, conversation: Conversation) -> None:
    with pytest.raises(Failed) as raised:
        conversation.ask()
    failed, told = raised.value, cell.scenario.first
    if isinstance(told, Failure):
        assert failed.status == told.status
        assert told.message in failed.message
        assert failed.retry_after == told.retry_after
        return
    if not cell.streamed:
        assert failed.status in (500, 502, 503)
        return
    assert failed.status is None, "the answer had begun"
    said = "".join(failed.pieces)
    assert said, "what was good before the fault was kept from the client"
    assert told.text.startswith(said)
    if cell.scenario.breaks == "error":
        assert BREAKS_OFF in failed.message


def _judge_request(cell: Cell, question: Question, asked: Asked) -> None:
    assert asked.model == cell.scenario.name
    assert asked.streamed == cell.streamed or not (cell.native or cell.streamed)
    assert asked.texts == (question.text,)
    assert asked.instructions == (question.instructions,)
    assert asked.images == ((PNG,) if question.image else ())
    assert list(asked.tools) == ([TOOL] if question.tools else [])
    if question.tools:
        assert orjson.loads(orjson.dumps(asked.tools[TOOL]))["properties"] == PARAMETERS["properties"]
    if question.structured:
        assert asked.schema is not None
        assert {**asked.schema, "additionalProperties": False} == SCHEMA
    else:
        assert asked.schema is None


def _judge_results(cell: Cell, results: list[str], asked: Asked) -> None:
    """Of the second turn: each result in its place, what was said before, and what the vendor signed."""
    assert [result for _, result in asked.results] == results
    first = cell.scenario.first
    assert isinstance(first, Answer)
    assert asked.said == ((first.text,) if first.pieces else ())
    if first.thought:
        state = THOUGHT.text if cell.vendor.name in STATE_IS_THE_TEXT else THOUGHT.state
        assert asked.states == (state,)
