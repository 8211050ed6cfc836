"""Usage in CLIProxyAPI's shape, there and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.neutral.errors import InvalidRequest
from aiproxy.storage.state.asking import Span, latest_attempts, sums, take_over
from aiproxy.storage.state.rows import USAGE, UsageRow
from aiproxy.storage.state.sqlite import SqliteDatabase
from aiproxy.web.management.rooms.statistics import queued, rows_of, statistics

DETAIL = {
    "timestamp": "2026-03-01T23:59:59.123456789Z",
    "latency_ms": 1500,
    "source": "someone@example.com",
    "auth_index": "0123",
    "tokens": {
        "input_tokens": 100,
        "output_tokens": 50,
        "reasoning_tokens": 20,
        "cached_tokens": 30,
        "total_tokens": 150,
    },
    "failed": False,
}


def exported(*details: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "usage": {"apis": {"team": {"models": {"gpt": {"details": list(details)}}}}}}


def test_their_details_become_disjoint_buckets() -> None:
    (row,) = rows_of(exported(DETAIL), "node")
    assert (row.input_uncached, row.cache_read, row.output_visible, row.reasoning) == (70, 30, 30, 20)
    assert (row.client, row.model, row.account, row.seconds) == ("team", "gpt", "someone@example.com", 1.5)
    assert row.at == pytest.approx(1772409599.123456)
    apart = {**DETAIL, "tokens": {**DETAIL["tokens"], "total_tokens": 170}}  # type: ignore[dict-item]
    (row,) = rows_of(exported(apart), "node")
    assert (row.output_visible, row.reasoning) == (50, 20)


DETAILS_AT = "usage.apis.*.models.gpt.details"


def with_tokens(**tokens: object) -> dict[str, Any]:
    return exported({**DETAIL, "tokens": tokens})


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({}, "usage.apis"),
        ({"version": 2, "usage": {"apis": {}}}, "version"),
        ({"usage": {"apis": []}}, "usage.apis"),
        ({"usage": {"apis": {"secret-key": []}}}, "usage.apis.*"),
        ({"usage": {"apis": {"secret-key": {"models": {"gpt": {"details": "x"}}}}}}, DETAILS_AT),
        (exported({"tokens": {}}), f"{DETAILS_AT}[0].timestamp"),
        (exported(DETAIL, {**DETAIL, "timestamp": "yesterday"}), f"{DETAILS_AT}[1].timestamp"),
        (exported({**DETAIL, "timestamp": 12}), f"{DETAILS_AT}[0].timestamp"),
        (exported({**DETAIL, "timestamp": "0001-01-01T00:00:00Z"}), f"{DETAILS_AT}[0].timestamp"),
        (exported({**DETAIL, "source": {}}), f"{DETAILS_AT}[0].source"),
        (exported({**DETAIL, "latency_ms": "fast"}), f"{DETAILS_AT}[0].latency_ms"),
        (with_tokens(input_tokens="many"), f"{DETAILS_AT}[0].tokens.input_tokens"),
        (with_tokens(input_tokens=-5), f"{DETAILS_AT}[0].tokens.input_tokens"),
        (with_tokens(input_tokens=1.5), f"{DETAILS_AT}[0].tokens.input_tokens"),
        (with_tokens(input_tokens=2**80), f"{DETAILS_AT}[0].tokens.input_tokens"),
    ],
    ids=repr,
)
def test_what_is_no_export_is_refused_by_its_place(content: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        rows_of(content, "node")
    assert refused.value.param == place
    assert "secret-key" not in refused.value.message


def test_what_a_database_does_not_take_of_an_export_is_left_out() -> None:
    odd = exported({**DETAIL, "timestamp": "2026-11-01T00:00:00", "source": "a\0b"})
    (row,) = rows_of(odd, "node")
    assert row.account == "a�b"
    assert row.at == 1793491200.0  # UTC, wherever the gateway runs


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_junk_raises_ours_only(content: Any) -> None:
    with pytest.raises(InvalidRequest):
        rows_of({"usage": content}, "node")


def row(at: float, client: str, model: str, tokens: int, outcome: str = "complete") -> UsageRow:
    return UsageRow(
        at, "n", f"r{at}", 1, client, "openai-chat", "chat", "a", "p", model, 0.5, outcome,
        input_uncached=tokens, cache_read=1, output_visible=2, reasoning=3, cost=0.5,
    )  # fmt: skip


attempts = st.lists(
    st.builds(
        row,
        st.integers(0, 10**6).map(float),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["m", "n"]),
        st.integers(0, 1000),
        st.sampled_from(["complete", "failed"]),
    ),
    max_size=20,
    unique_by=lambda row: row.at,
)


@given(attempts)
def test_every_sum_agrees_and_an_export_comes_back_once(rows: list[UsageRow]) -> None:
    database = SqliteDatabase(None)
    database.open()
    with database.transaction() as session:
        session.many(USAGE.insert, rows)
    with database.transaction(writes=False) as session:
        told = statistics(sums(session, ("client", "model"), Span()), sums(session, ("hour",), Span()), rows)
        usage = told["usage"]
        total = sums(session, (), Span())[0]
        assert usage["total_requests"] == total["attempts"] == len(rows)
        assert usage["failure_count"] == told["failed_requests"] == total["failed"]
        tokens = sum((each.input_uncached or 0) + 6 for each in rows)
        assert usage["total_tokens"] == tokens == sum(usage["tokens_by_hour"].values())
        assert sum(usage["tokens_by_day"].values()) == tokens
        assert sum(usage["requests_by_hour"].values()) == len(rows)
        days = sums(session, ("day",), Span())
        assert (
            sum(day["input_uncached"] + day["cache_read"] + day["output_visible"] + day["reasoning"] for day in days)
            == tokens
        )
        assert all(day["day"] % 86400 == 0 for day in days)
        assert [each.at for each in latest_attempts(session, Span(), 3)] == sorted((r.at for r in rows), reverse=True)[
            :3
        ]
    database.close()
    other = SqliteDatabase(None)
    other.open()
    with other.transaction() as session:
        assert take_over(session, rows_of({"usage": usage}, "elsewhere")) == len(rows)
        assert take_over(session, rows_of({"usage": usage}, "elsewhere")) == 0
        again = statistics(sums(session, ("client", "model"), Span()), sums(session, ("hour",), Span()), rows)
        assert {**again["usage"], "apis": 0} == {**usage, "apis": 0}
    other.close()


def test_an_attempt_of_the_queue_adds_up() -> None:
    row = rows_of(exported(DETAIL), "node")[0]._replace(
        cache_write=5, cache_write_1h=6, input_uncached=59, upstream_status=429, error="rate_limit", first_byte=0.25
    )
    told = queued(row, "oauth")
    assert told["tokens"] == {**DETAIL["tokens"], "cache_read_tokens": 30, "cache_creation_tokens": 11}  # type: ignore[dict-item]
    assert told["token_breakdown"]["input"] == {"total": 100, "uncached": 59, "cache_read": 30, "cache_write": 11}
    assert told["token_breakdown"]["output"] == {"total": 50, "non_reasoning": 30, "reasoning": 20}
    assert (told["ttft_ms"], told["auth_type"], told["fail"]) == (
        250,
        "oauth",
        {"status_code": 429, "body": "rate_limit"},
    )
    assert queued(row._replace(input_uncached=None), "")["token_breakdown"]["quality"] == "unclassified"
