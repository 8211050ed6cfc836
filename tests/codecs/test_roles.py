"""Instructions between turns, neighbours of one role, who opens the conversation."""

from aiproxy.codecs.report import Report
from aiproxy.codecs.roles import ends_with_assistant, merged, reminded, results_first, split_leading, starting_with_user
from aiproxy.neutral.parts import Part, TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import Role, Turn


def turn(role: Role, *said: str | Part) -> Turn:
    return Turn(role, tuple(TextPart(part) if isinstance(part, str) else part for part in said))


CALL, RESULT = ToolCallPart("1", "f"), ToolResultPart("1")


def test_leading_instructions() -> None:
    turns = [turn("system", "a"), turn("developer", "b"), turn("user", "c"), turn("system", "d")]
    assert split_leading(turns) == (tuple(turns[:2]), tuple(turns[2:]))


def test_instructions_between_turns_become_reminders_behind_results() -> None:
    report = Report()
    found = reminded(
        [turn("assistant", CALL), turn("system", "now", ""), turn("tool", RESULT), turn("assistant", "x")], report
    )
    reminder = turn("user", "<system-reminder>\nnow\n</system-reminder>")
    assert found == (turn("assistant", CALL), turn("tool", RESULT), reminder, turn("assistant", "x"))
    assert report.warnings == ("emulate:turn.system_midway",)


def test_instructions_at_the_very_end_stay_there() -> None:
    assert reminded([turn("user", "a"), turn("system", "b")], Report())[-1].role == "user"


def test_merging() -> None:
    assert merged([turn("user", "a"), turn("user", "b"), turn("assistant", "c")]) == (
        turn("user", "a", "b"),
        turn("assistant", "c"),
    )


def test_results_come_first_in_the_one_user_turn() -> None:
    assert results_first([turn("user", "a"), turn("tool", RESULT), turn("user", "b")]) == (
        turn("user", RESULT, "a", "b"),
    )


def test_the_user_speaks_first() -> None:
    report = Report()
    assert starting_with_user([turn("assistant", "a")], ".", report) == (turn("user", "."), turn("assistant", "a"))
    assert starting_with_user([turn("user", "a")], ".", report) == (turn("user", "a"),)


def test_prefill() -> None:
    assert ends_with_assistant([turn("user", "a"), turn("assistant", "b")])
    assert not ends_with_assistant([turn("assistant", CALL)])
    assert not ends_with_assistant([])
