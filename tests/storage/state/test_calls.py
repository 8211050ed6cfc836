"""Rows of a call: whatever clients and upstreams put into its record, every database takes it, and what it says is true."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.neutral.usage import Usage
from aiproxy.storage.state.batch import Batch, write
from aiproxy.storage.state.calls import LONGEST_TEXT, MOST_CHOICES, MOST_PASSED, rows_of
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.postgres import PostgresDatabase
from aiproxy.storage.state.rows import REQUESTS, USAGE
from aiproxy.storage.state.sqlite import SqliteDatabase
from aiproxy.usage import Attempt, CallRecord, Choice, Outcome, Passed
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


@given(record=RECORDS)
def test_every_record_can_be_written(databases: Sequence[Database], record: CallRecord) -> None:
    batch = Batch()
    rows = list(rows_of(record, "node", 0.0))
    for row in rows:
        batch.append(row)
    for database in databases:
        with database.transaction() as session:
            assert write(session, batch, "w", NUMBER(), 0.0)
            assert [USAGE.row(*values) for values in session.rows(f"{USAGE.select} ORDER BY id")] == rows[1:]
            session.run("DELETE FROM usage")
            session.run("DELETE FROM requests")


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
    batch = Batch()
    for row in rows_of(record, "node-a", 1000.0):
        batch.append(row)
    with database.transaction() as session:
        write(session, batch, "w", NUMBER(), 0.0)
    [request] = stored(database, REQUESTS)
    assert isinstance(request, REQUESTS.row)
    assert (request.at, request.seconds, request.first_byte, request.attempts) == (1101.0, 1.0, 0.5, 2)
    [choice] = json.loads(request.decision)
    assert choice["account"] == "a"
    assert choice["at"] == pytest.approx(0.1)
    assert choice["passed"] == [{"account": "c", "model": "gpt-5.4", "why": "rate_limit", "until": 5000.0}]
    first, second = stored(database, USAGE)
    assert isinstance(first, USAGE.row)
    assert isinstance(second, USAGE.row)
    assert (first.attempt, first.outcome, first.error, first.upstream_status) == (1, "failed", "rate_limit", 429)
    assert (second.input_uncached, second.cache_read, second.cache_write) == (7, 3, None)
    assert second.server_tools == '{"web_search": 2}'


def test_long_texts_and_many_choices_are_cut() -> None:
    passed = (Passed("a", "m", "busy"),) * 100
    record = CallRecord("r", 0.0, model="m" * 10_000, choices=[Choice(0.0, "a", "m", "w", "s", 0.0, passed)] * 200)
    [row] = rows_of(record, "n", 0.0)
    assert row.model == "m" * LONGEST_TEXT
    told = json.loads(row.decision)  # type: ignore[union-attr]
    assert (len(told), len(told[0]["passed"])) == (MOST_CHOICES, MOST_PASSED)
