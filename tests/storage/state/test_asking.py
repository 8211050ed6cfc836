"""Every engine answers alike what has been."""

from collections.abc import Callable
from typing import Any

from aiproxy.storage.state.asking import GROUPS, Span, attempts, calls, latest_attempts, sums, take_over
from aiproxy.storage.state.calls import tagged
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.rows import REQUESTS, USAGE, RequestRow, UsageRow

DAY = 86400.0


def used(at: float, request_id: str, **more: Any) -> UsageRow:
    row = UsageRow(at, "n", request_id, 1, "team", "openai-chat", "chat", "a", "openai", "m", 0.5, "complete")
    return row._replace(**more)


def called(at: float, request_id: str, outcome: str = "complete") -> RequestRow:
    return RequestRow(at, "n", request_id, "team", "openai-chat", "chat", "m", 0, outcome, "", 0.5, None, 1)


def test_every_engine_answers_alike(engine: Callable[[], Database]) -> None:
    database = engine()
    database.open()
    rows = [
        used(DAY - 0.001, "a", input_uncached=5, cost=0.25),
        used(DAY, "b", input_uncached=7, cost=0.5, client="other"),
        used(DAY + 0.6, "b", attempt=2, outcome="failed"),
        used(DAY + 3599.9, "c", cache_read=2**40),
    ]
    with database.transaction() as session:
        session.many(
            REQUESTS.insert, [called(DAY - 0.001, "a"), called(DAY + 0.6, "b", "failed"), called(DAY + 9, "c")]
        )
        session.many(USAGE.insert, rows)
    with database.transaction(writes=False) as session:
        days = sums(session, ("day", "client"), Span())
        assert [(row["day"], row["client"], row["attempts"]) for row in days] == [
            (0, "team", 1),
            (DAY, "other", 1),
            (DAY, "team", 2),
        ]
        assert [row["hour"] for row in sums(session, ("hour",), Span())] == [DAY - 3600, DAY]
        total = sums(session, (), Span())[0]
        assert (total["attempts"], total["failed"], total["unpriced"], total["cost_usd"]) == (4, 1, 1, 0.75)
        assert (total["input_uncached"], total["cache_read"]) == (12, 2**40)
        assert sums(session, (), Span(1e9, 1e9))[0]["attempts"] == 0
        assert len(sums(session, GROUPS, Span())) == 4
        assert [row.request_id for row in calls(session, {}, Span(), failed=False, limit=2)] == ["c", "b"]
        assert [row.request_id for row in calls(session, {}, Span(), failed=True, limit=9)] == ["b"]
        assert [row.request_id for row in calls(session, {}, Span(0, DAY), failed=False, limit=9)] == ["a"]
        (call,) = calls(session, {"request_id": "b"}, Span(), failed=False, limit=9)
        assert [row.attempt for row in attempts(session, call)] == [1, 2]
        assert [row.at for row in latest_attempts(session, Span(), 1)] == [DAY + 3599.9]
    with database.transaction() as session:
        assert take_over(session, [*rows[:1], used(5.5, "new"), used(5.5, "new")]) == 1


def test_what_a_key_with_several_tags_used_counts_at_each(engine: Callable[[], Database]) -> None:
    tags = {"a": ("red",), "b": ("red", 'say "blue"'), "c": (), "d": ("reddish",)}
    database = engine()
    with database.transaction() as session:
        rows = [
            used(at, name, tags=tagged(each) if each else "", client=name)
            for at, (name, each) in enumerate(tags.items())
        ]
        session.many(USAGE.insert, [row._replace(input_uncached=2) for row in rows])

        def told(by: tuple[str, ...], **only: str) -> dict[Any, float]:
            return {
                tuple(row[name] for name in by): row["input_uncached"] for row in sums(session, by, Span(only=only))
            }

        assert told(("tag",)) == {("",): 2, ("red",): 4, ("reddish",): 2, ('say "blue"',): 2}
        assert told(("tag", "client"))[("red", "b")] == 2
        assert told(("client",), tag="red") == {("a",): 2, ("b",): 2}
        assert told(("client",), tag='say "blue"') == {("b",): 2}
        assert told(("client",), tag="Red") == {}
        assert told(("client",), tag="") == {("c",): 2}
        assert told((), tag="red", client="b") == {(): 2}
        assert [row.client for row in latest_attempts(session, Span(only={"tag": "red"}), 9)] == ["b", "a"]
