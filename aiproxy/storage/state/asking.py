"""Questions about what has been: calls by what they were, attempts of one call, and what was used, summed up. Functions of a session,
run beside the writer (`State.read`); nothing here changes anything but `take_over`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiproxy.storage.state.database import Session
from aiproxy.storage.state.rows import REQUESTS, USAGE, RequestRow, UsageRow

TOKENS = (
    "input_uncached", "cache_read", "cache_write", "cache_write_1h", "audio_in", "image_in", "tool_prompt",
    "output_visible", "reasoning", "audio_out", "image_out",
)  # fmt: skip
"""The columns that count tokens, disjoint."""

DAY, HOUR, TEN_MINUTES = 86400, 3600, 600

_TIMES = {"day": DAY, "hour": HOUR, "ten_minutes": TEN_MINUTES}

GROUPS = ("client", "model", "asked", "account", "provider", "protocol", "operation", "outcome", *_TIMES)
"""What usage can be summed up by; `model` is the upstream's name, `asked` the client's."""

FILTERS = ("client", "protocol", "operation", "model", "outcome", "error", "request_id")
"""Of calls, by equality."""

MOST_SUMS = 100_000
"""Rows of one summing up: a year of days of three hundred keys."""


@dataclass(frozen=True, slots=True)
class Span:
    """Times in seconds since the epoch, the first one included, the last one not."""

    since: float = 0.0
    until: float = 1e12


def calls(session: Session, filters: Mapping[str, str], span: Span, failed: bool, limit: int) -> list[RequestRow]:
    """The latest first; only those that failed or broke off, if so asked."""
    wanted = [name for name in FILTERS if name in filters]
    conditions = ["at >= ?", "at < ?", *(f"{name} = ?" for name in wanted)]
    if failed:
        conditions.append("outcome IN ('failed', 'cut')")
    sql = f"{REQUESTS.select} WHERE {' AND '.join(conditions)} ORDER BY at DESC LIMIT ?"
    values = (span.since, span.until, *(filters[name] for name in wanted), limit)
    return [RequestRow(*row) for row in session.rows(sql, values)]


def attempts(session: Session, call: RequestRow) -> list[UsageRow]:
    """Of one call, found by their time: the ledger has no index of calls."""
    sql = f"{USAGE.select} WHERE at >= ? AND at <= ? AND request_id = ? AND node = ? ORDER BY attempt"
    values = (call.at - call.seconds - 1, call.at + 1, call.request_id, call.node)
    return [UsageRow(*row) for row in session.rows(sql, values)]


def sums(session: Session, by: Sequence[str], span: Span) -> list[dict[str, Any]]:
    """What attempts used: tokens by bucket, US dollars, and how many attempts there were, failed, and have no price. `day`, `hour` and `ten_minutes`
    are their beginning in UTC, in seconds since the epoch."""
    columns = [f"{_start(_TIMES[name])} AS {name}" if name in _TIMES else name for name in by]
    tokens = [f"SUM(COALESCE({name}, 0))" for name in TOKENS]
    failed = "SUM(CASE WHEN outcome = 'complete' THEN 0 ELSE 1 END)"
    unpriced = "SUM(CASE WHEN cost IS NULL THEN 1 ELSE 0 END)"
    told = ", ".join([*columns, "COUNT(*)", failed, unpriced, "SUM(COALESCE(cost, 0))", *tokens])
    places = ", ".join(str(place) for place in range(1, len(by) + 1))
    grouped = f" GROUP BY {places} ORDER BY {places} LIMIT {MOST_SUMS}" if by else ""
    sql = f"SELECT {told} FROM {USAGE.name} WHERE at >= ? AND at < ?{grouped}"  # noqa: S608 - names are ours
    names = (*by, "attempts", "failed", "unpriced", "cost_usd", *TOKENS)
    rows = session.rows(sql, (span.since, span.until))
    numbers = len(by)
    return [
        dict(zip(names, (*row[:numbers], *(_number(value) for value in row[numbers:])), strict=True)) for row in rows
    ]


def latest_attempts(session: Session, span: Span, limit: int) -> list[UsageRow]:
    """The latest first."""
    sql = f"{USAGE.select} WHERE at >= ? AND at < ? ORDER BY at DESC LIMIT ?"
    return [UsageRow(*row) for row in session.rows(sql, (span.since, span.until, limit))]


def take_over(session: Session, rows: Sequence[UsageRow]) -> int:
    """Add those that aren't there yet, told by their time, node and request id; how many were added."""
    fresh = list(_unknown(session, rows))
    session.many(USAGE.insert, fresh)
    return len(fresh)


def _unknown(session: Session, rows: Sequence[UsageRow]) -> Iterator[UsageRow]:
    seen: set[tuple[str, str]] = set()
    there = f"SELECT 1 FROM {USAGE.name} WHERE at = ? AND node = ? AND request_id = ? LIMIT 1"  # noqa: S608
    for row in rows:
        key = row.node, row.request_id
        if key not in seen and not session.rows(there, (row.at, *key)):
            seen.add(key)
            yield row


def _start(seconds: int) -> str:
    """Whole seconds by way of milliseconds: PostgreSQL rounds where SQLite cuts."""
    return f"CAST(at * 1000 AS BIGINT) / {1000 * seconds} * {seconds}"


def _number(value: Any) -> float:
    """PostgreSQL's sums are decimals; None is the sum of nothing."""
    return 0 if value is None else int(value) if value == int(value) else float(value)
