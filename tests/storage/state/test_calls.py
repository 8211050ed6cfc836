"""Rows of a call: whatever clients and upstreams put into its record, every database takes it, and what it says is true."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.neutral.usage import Usage
from aiproxy.storage.state.asking import Span, calls, recalled
from aiproxy.storage.state.batch import Batch, write
from aiproxy.storage.state.calls import LONGEST_TEXT, MOST_CHOICES, MOST_PASSED, TOGETHER, logged
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.postgres import PostgresDatabase
from aiproxy.storage.state.recalling import record_of
from aiproxy.storage.state.rows import REQUESTS, USAGE, RequestRow, UsageRow
from aiproxy.storage.state.sqlite import SqliteDatabase
from aiproxy.usage import Attempt, CallRecord, Choice, Outcome, Passed, story
from tests.rig.postgres import Postgres
from tests.storage.state.test_databases import stored

ANY_TEXT = st.text(st.characters(codec=None), max_size=20) | st.just("x" * 2000) | st.just("a\0b\ud800")
COUNTS = st.none() | st.integers(min_value=-5, max_value=10**30)
BUCKETS = [field.name for field in fields(Usage) if field.name not in ("server_tools", "raw", "estimated")]
SERVER_TOOLS = st.none() | st.dictionaries(ANY_TEXT, st.integers(0, 9), max_size=3)
USAGES = st.none() | st.builds(Usage, **dict.fromkeys(BUCKETS, COUNTS), server_tools=SERVER_TOOLS)
TIMES = st.floats(0, 1e10)
ATTEMPTS = st.builds(Attempt, ANY_TEXT, ANY_TEXT, ANY_TEXT, TIMES, TIMES, st.sampled_from(Outcome), st.just("rate_limit"), st.none() | st.integers(100, 599), USAGES, prices=st.just("v1"), cost=st.none() | TIMES)  # fmt: skip
CHOICES = st.builds(Choice, TIMES, ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, TIMES, st.lists(st.builds(Passed, ANY_TEXT, ANY_TEXT, ANY_TEXT), max_size=2).map(tuple))  # fmt: skip
RECORDS = st.builds(
    CallRecord,
    ANY_TEXT,
    TIMES,
    client=ANY_TEXT,
    model=ANY_TEXT,
    attempts=st.lists(ATTEMPTS, max_size=2),
    choices=st.lists(CHOICES, max_size=2),
    first_byte=st.none() | TIMES,
    ended=st.none() | TIMES,
    outcome=st.none() | st.sampled_from(Outcome),
)


@pytest.fixture(scope="module")
def databases(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Database]]:
    made = (
        SqliteDatabase(tmp_path_factory.mktemp("calls") / "state.db"),
        PostgresDatabase(postgres.new_database()),
    )
    yield made
    for database in made:
        database.close()


NUMBER: Callable[[], int] = iter(range(1, 10**9)).__next__


def kept(database: Database, *records: CallRecord, offset: float = 0.0) -> None:
    batch = Batch()
    for rows in logged(records, "node-a", offset):
        batch.append(rows)
    with database.transaction() as session:
        session.run("DELETE FROM usage")
        session.run("DELETE FROM requests")
        assert write(session, batch, "w", NUMBER(), 0.0)


@given(records=st.lists(RECORDS, min_size=1, max_size=3))
def test_every_record_can_be_written(databases: Sequence[Database], records: Sequence[CallRecord]) -> None:
    for database in databases:
        kept(database, *records)
        for table in (USAGE, REQUESTS):
            rows = [row for several in logged(records, "node-a", 0.0) if several.table is table for row in several.rows]
            with database.transaction() as session:
                found = [table.row(*values) for values in session.rows(f"{table.select} ORDER BY id")]
            assert found == rows
        attempts = [attempt for record in records for attempt in record.attempts]
        assert len(stored(database, USAGE)) == len(attempts)
        with database.transaction() as session:
            assert len(calls(session, {}, Span(), failed=False, limit=10)) == len(records)


TICK = 2.0**-6
"""Seconds; sums of such times are exact."""

NAMES = st.sampled_from(["one", "two"])
SPANS = st.integers(0, 200).map(lambda ticks: ticks * TICK)
PASSED = st.builds(Passed, NAMES, NAMES, st.just("busy"), st.none() | SPANS)


@st.composite
def plausible(draw: st.DrawFn) -> CallRecord:
    """A call as the gateway records it: choice, attempt, choice, attempt, …"""
    now = 1000.0
    record = CallRecord("req_1", now, model="m", streamed=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 3))):
        now += draw(SPANS)
        account, model, stage = draw(NAMES), draw(NAMES), draw(st.sampled_from(["asked", "preview"]))
        passed = tuple(draw(st.lists(PASSED, max_size=MOST_PASSED + 3)))
        waited = draw(st.just(0.0) | SPANS)
        record.choices.append(Choice(now, account, model, "strategy", stage, waited, passed))
        began = now + draw(st.just(0.0) | SPANS)
        now = began + draw(SPANS)
        outcome = draw(st.sampled_from(Outcome))
        error = "" if outcome is Outcome.COMPLETE else "overloaded"
        status = draw(st.none() | st.just(503))
        used = draw(st.none() | st.builds(Usage, input_uncached=st.integers(0, 9), output_visible=st.integers(0, 9)))
        record.attempts.append(Attempt(account, "p", model, began, now, outcome, error, status, used))
        record.outcome, record.error = outcome, error
    if draw(st.booleans()):
        record.choices.append(Choice(now, "", "", "", "asked", draw(SPANS), tuple(draw(st.lists(PASSED, max_size=2)))))
    record.ended = now + draw(st.just(0.0) | SPANS)
    record.rewritten, record.continued = draw(st.integers(0, 2)), draw(st.booleans())
    record.warnings = tuple(draw(st.lists(st.just("drop:seed"), max_size=1)))
    return record


@given(record=plausible())
def test_what_is_kept_of_a_call_tells_the_same_story(databases: Sequence[Database], record: CallRecord) -> None:
    offset = 2.0**20
    for database in databases:
        kept(database, record, offset=offset)
        with database.transaction() as session:
            found = recalled(session, "req_1")
        assert found is not None
        again = record_of(found)
        assert story(again) == story(record)
        assert again.started == record.started + offset
        for name in ("request_id", "model", "streamed", "outcome", "error", "rewritten", "continued", "warnings"):
            assert getattr(again, name) == getattr(record, name), name
        assert [each.usage for each in again.attempts] == [each.usage for each in record.attempts]
        assert (found.request.attempts, len(found.attempts)) == (len(record.attempts),) * 2


LONE = CallRecord(
    "req_1",
    100.0,
    client="team-a",
    model="fast",
    attempts=[Attempt("a", "openai", "gpt-5.4", 100.25, 101.0, Outcome.COMPLETE)],
    choices=[Choice(100.25, "a", "gpt-5.4", "strategy", "asked", 0.0, ())],
    first_byte=100.5,
    ended=101.0,
    outcome=Outcome.COMPLETE,
)


def test_a_call_of_one_attempt_is_one_row() -> None:
    [rows] = logged([LONE], "node-a", 0.0)
    [row] = rows.rows
    assert isinstance(row, UsageRow)
    assert (row.before, row.chosen, row.decision, row.remarks) == (0.25, "strategy", "", "")


@pytest.mark.parametrize(
    "change",
    [
        {"attempts": []},
        {"choices": LONE.choices * 2},
        {"attempts": LONE.attempts * 2},
        {"outcome": Outcome.CANCELLED},
        {"error": "budget"},
        {"ended": None},
        {"ended": 101.0 + 2 * TOGETHER},
        {"started": 100.3},
    ],
)
def test_any_other_call_has_a_row_of_its_own(change: dict[str, Any]) -> None:
    record = replace(LONE, **change)
    rows = [row for several in logged([LONE, record], "node-a", 0.0) for row in several.rows]
    [request] = [row for row in rows if isinstance(row, RequestRow)]
    assert request.attempts == len(record.attempts)
    before = [row.before for row in rows if isinstance(row, UsageRow)]
    assert before == [0.25, *[None] * len(record.attempts)]


@pytest.mark.parametrize(
    "change",
    [{"waited": 0.5}, {"stage": "preview"}, {"account": "b"}, {"at": 100.0}, {"passed": (Passed("b", "m", "busy"),)}],
)
def test_what_else_was_decided_is_told_in_full(change: dict[str, Any]) -> None:
    [rows] = logged([replace(LONE, choices=[LONE.choices[0]._replace(**change)])], "node-a", 0.0)
    [row] = rows.rows
    assert row.chosen == ""
    [choice] = json.loads(row.decision)
    assert choice["why"] == "strategy"


@pytest.mark.parametrize("which", [0, 1])
def test_a_call_and_its_attempts(databases: Sequence[Database], which: int) -> None:
    database = databases[which]
    used = Usage(input_uncached=7, cache_read=3, output_visible=11, server_tools={"web_search": 2})
    record = CallRecord(
        "req_1",
        100.0,
        client="team-a",
        protocol="anthropic",
        operation="chat",
        model="fast",
        streamed=True,
        attempts=[
            Attempt("a", "openai", "gpt-5.4", 100.1, 100.3, Outcome.FAILED, "rate_limit", 429),
            Attempt("b", "claude", "sonnet", 100.3, 101.0, Outcome.COMPLETE, usage=used),
        ],
        choices=[
            Choice(100.1, "a", "gpt-5.4", "strategy", "asked", 0.0, (Passed("c", "gpt-5.4", "rate_limit", 4000.0),))
        ],
        first_byte=100.5,
        ended=101.0,
        outcome=Outcome.COMPLETE,
    )
    kept(database, record, offset=1000.0)
    with database.transaction() as session:
        assert recalled(session, "nobody") is None
        found = recalled(session, "req_1")
    assert found is not None
    request = found.request
    assert stored(database, REQUESTS) == [request]
    assert (request.at, request.seconds, request.first_byte, request.attempts) == (1101.0, 1.0, 0.5, 2)
    [choice] = json.loads(request.decision)
    assert choice["account"] == "a"
    assert choice["at"] == pytest.approx(0.1)
    assert choice["passed"] == [{"account": "c", "model": "gpt-5.4", "why": "rate_limit", "until": 5000.0}]
    first, second = found.attempts
    assert (first.attempt, first.outcome, first.error, first.upstream_status) == (1, "failed", "rate_limit", 429)
    assert (second.input_uncached, second.cache_read, second.cache_write) == (7, 3, None)
    assert second.server_tools == '{"web_search": 2}'


def test_long_texts_and_many_choices_are_cut() -> None:
    passed = (Passed("a", "m", "busy"),) * 100
    record = CallRecord("r", 0.0, model="m" * 10_000, choices=[Choice(0.0, "a", "m", "w", "s", 0.0, passed)] * 200)
    [rows] = logged([record], "n", 0.0)
    [row] = rows.rows
    assert row.model == "m" * LONGEST_TEXT
    told = json.loads(row.decision)
    assert (len(told), len(told[0]["passed"]), told[0]["more"]) == (MOST_CHOICES, MOST_PASSED, 80)
