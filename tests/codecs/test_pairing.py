"""Results stand behind their calls, whatever order the client kept them in."""

from dataclasses import replace

import pytest

from aiproxy.codecs.pairing import MISSING, paired
from aiproxy.codecs.report import Report
from aiproxy.neutral.parts import TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import Turn


def calls(*ids: str) -> Turn:
    return Turn("assistant", tuple(ToolCallPart(call_id, f"f{call_id}") for call_id in ids))


def result(call_id: str, text: str = "ok", name: str | None = None) -> Turn:
    return Turn("tool", (ToolResultPart(call_id, (TextPart(text),), name=name or f"f{call_id}"),))


def results(*ids: str) -> Turn:
    return Turn("tool", tuple(part for call_id in ids for part in result(call_id).parts))


USER = Turn("user", (TextPart("hi"),))

CASES = {
    "well formed stays": ([USER, calls("a"), result("a")], [USER, calls("a"), result("a")]),
    "one turn for parallel results, in call order": (
        [calls("a", "b"), result("b"), result("a")],
        [calls("a", "b"), results("a", "b")],
    ),
    "one turn for neighbouring calls": (
        [calls("a"), calls("b"), result("a"), result("b")],
        [calls("a", "b"), results("a", "b")],
    ),
    "one turn for all neighbours of a call": (
        [Turn("assistant", (TextPart("a"),)), Turn("assistant", (TextPart("b"),)), calls("a"), result("a")],
        [Turn("assistant", (TextPart("a"), TextPart("b"), *calls("a").parts)), result("a")],
    ),
    "who calls is the assistant": ([replace(calls("a"), role="user"), result("a")], [calls("a"), result("a")]),
    "what stands between moves behind": ([calls("a"), USER, result("a")], [calls("a"), result("a"), USER]),
    "results leave a mixed user turn": (
        [calls("a"), Turn("user", (TextPart("hi"), *result("a").parts))],
        [calls("a"), result("a"), USER],
    ),
    "the last of two results counts": (
        [calls("a"), result("a", "1"), result("a", "2")],
        [calls("a"), result("a", "2")],
    ),
    "ids that restart": (
        [calls("a"), result("a", "1"), calls("a"), result("a", "2")],
        [
            calls("a"),
            result("a", "1"),
            Turn("assistant", (ToolCallPart("a_2", "fa"),)),
            result("a_2", "2", name="fa"),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_order(name: str) -> None:
    given, expected = CASES[name]
    report = Report()
    assert paired(given, report) == tuple(expected)
    assert not report.warnings


def test_a_call_without_result_gets_one() -> None:
    report = Report()
    found = paired([calls("a"), USER], report)
    assert found[1].parts == (ToolResultPart("a", (TextPart(MISSING),), name="fa", is_error=True),)
    assert found[2] == USER
    assert report.warnings == ("emulate:part.tool_result",)


def test_a_result_without_call_is_said_by_the_user() -> None:
    assert paired([result("x", "42")], Report()) == (Turn("user", (TextPart("[tool result for x] 42"),)),)


def test_results_without_ids_go_by_name_then_by_order() -> None:
    given = [calls("a", "b"), result("", "for b", name="fb"), result("", "for a", name="unknown")]
    found = paired(given, Report())
    assert found[1].parts == (*result("a", "for a").parts, *result("b", "for b").parts)


def test_thousands_of_equal_ids_take_no_time() -> None:
    turns = [turn for _ in range(5000) for turn in (calls("call_0"), result("call_0"))]
    assert (
        len({part.call_id for turn in paired(turns, Report()) for part in turn.parts if isinstance(part, ToolCallPart)})
        == 5000
    )
