"""The numbers of lines that are kept: one order for all processes, and nothing forgotten unsaid."""

from aiproxy.logs.recent import KEPT, Recent
from aiproxy.logs.record import Record


def record(message: str) -> Record:
    return Record(time=0.0, level="info", logger="x", message=message, traceback="", fields={})


def test_a_number_is_its_microsecond_or_the_next_free_one() -> None:
    now = 100.0
    recent = Recent(lambda: now)
    recent.note(record("a"))
    recent.note(record("b"))
    assert recent.as_of() == 100_000_002
    now = 99.0  # the clock was set back
    recent.note(record("c"))
    now = 101.0
    assert recent.as_of() == 101_000_000
    recent.note(record("d"))
    assert [each.number for each in recent.after(0)] == [100_000_001, 100_000_002, 100_000_003, 101_000_001]
    assert [each.record.message for each in recent.after(100_000_002)] == ["c", "d"]


def test_what_is_forgotten_is_known() -> None:
    recent = Recent(lambda: 1.0)
    assert recent.forgotten == 1_000_000, "what was before our beginning"
    for _ in range(KEPT + 3):
        recent.note(record("x"))
    assert recent.forgotten == 1_000_003
    assert recent.after(0)[0].number == 1_000_004
    assert recent.clear() == KEPT
    assert recent.forgotten == 1_000_003 + KEPT
    assert recent.clear() == 0
