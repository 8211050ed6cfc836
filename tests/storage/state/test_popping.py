"""The ledger as a queue, in every engine: each attempt is handed out once."""

from collections.abc import Callable

from aiproxy.storage.state.database import Database
from aiproxy.storage.state.popping import QUEUED_SECONDS, SETTLED_SECONDS, pop
from aiproxy.storage.state.rows import USAGE, UsageRow
from tests.storage.state.test_asking import used

NOW = 1_000_000.0


def test_each_attempt_is_handed_out_once_and_none_that_is_too_old(engine: Callable[[], Database]) -> None:
    database = engine()
    database.open()

    def add(*rows: UsageRow) -> None:
        with database.transaction() as session:
            session.many(USAGE.insert, rows)

    def popped(most: int, now: float = NOW) -> list[str]:
        with database.transaction() as session:
            return [row.request_id for row in pop(session, now, most, "import")]

    assert popped(5) == []
    add(used(NOW - QUEUED_SECONDS - 1, "old"))
    assert popped(5) == []
    with database.transaction(writes=False) as session:
        assert session.rows("SELECT amount FROM counters") == [(1,)], "what is too old is passed over once"
    add(used(NOW - QUEUED_SECONDS - 1, "older"), *(used(NOW - 9, each) for each in "abc"))
    add(used(NOW - 8, "imported", operation="import"), used(NOW - SETTLED_SECONDS / 2, "young"), used(NOW - 7, "late"))
    assert popped(1) == ["a"]
    assert popped(9) == ["b", "c"], "what is young waits, and what comes after it"
    assert popped(9) == []
    assert popped(9, NOW + SETTLED_SECONDS) == ["young", "late"]
    assert popped(9, NOW + 9) == []
    with database.transaction() as session:
        session.run("DELETE FROM usage")
        session.run("UPDATE counters SET amount = 99 WHERE meter = 'usage-queue'")
    add(used(NOW, "of another database"))
    assert popped(9, NOW + 9) == ["of another database"]
