"""Questions about what has been: calls by what they were, attempts of one call, and what was used, summed up. Functions of a session,
run beside the writer (`State.read`); nothing here changes anything but `take_over`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiproxy.neutral.usage import TOKENS
from aiproxy.storage.state.calls import tagged
from aiproxy.storage.state.database import Session
from aiproxy.storage.state.recalling import Recalled, request_of
from aiproxy.storage.state.rows import REQUESTS, USAGE, RequestRow, Table, UsageRow

DAY, HOUR, TEN_MINUTES = 86400, 3600, 600

_COLUMNS = {"tag": "tags"}

_TIMES = {"day": DAY, "hour": HOUR, "ten_minutes": TEN_MINUTES}

GROUPS = ("client", "tag", "model", "asked", "account", "provider", "protocol", "operation", "outcome", *_TIMES)
"""What usage can be summed up by; `model` is the upstream's name, `asked` the client's, `tag` one of the client's key: what has two
of them counts at either."""

ONLY = ("client", "tag", "model", "asked", "account", "provider", "protocol", "operation", "outcome")
"""What it can be restricted to, by equality."""

FILTERS = ("client", "protocol", "operation", "model", "outcome", "error", "request_id")
"""Of calls, by equality."""

MOST_SUMS = 100_000
"""Rows of one summing up: a year of days of three hundred keys."""


@dataclass(frozen=True, slots=True)
class Span:
    """Times in seconds since the epoch, the first one included, the last one not; `only` restricts usage to what is named in `ONLY`."""

    since: float = 0.0
    until: float = 1e12
    only: Mapping[str, str] = field(default_factory=dict)


def calls(session: Session, filters: Mapping[str, str], span: Span, failed: bool, limit: int) -> list[RequestRow]:
    """The latest first; only those that failed or broke off, if so asked."""
    wanted = [name for name in FILTERS if name in filters]
    values = (span.since, span.until, *(filters[name] for name in wanted), limit)

    def found(table: Table, *conditions: str, **columns: str) -> list[tuple[Any, ...]]:
        alike = [f"{columns.get(name, name)} = ?" for name in wanted]
        bad = ["outcome IN ('failed', 'cut')"] if failed else []
        where = " AND ".join(["at >= ?", "at < ?", *alike, *bad, *conditions])
        return session.rows(f"{table.select} WHERE {where} ORDER BY at DESC LIMIT ?", values)

    apart = [RequestRow(*row) for row in found(REQUESTS)]
    alone = [request_of(UsageRow(*row)) for row in found(USAGE, "before IS NOT NULL", model="asked")]
    return sorted([*apart, *alone], key=lambda call: -call.at)[:limit]


def recalled(session: Session, request_id: str) -> Recalled | None:
    """The latest call of this id."""
    found = calls(session, {"request_id": request_id}, Span(), failed=False, limit=1)
    return Recalled(found[0], attempts(session, found[0])) if found else None


def attempts(session: Session, call: RequestRow) -> list[UsageRow]:
    """Of one call."""
    sql = f"{USAGE.select} WHERE at >= ? AND at <= ? AND request_id = ? AND node = ? ORDER BY attempt"
    return [UsageRow(*row) for row in session.rows(sql, (*call.span, call.request_id, call.node))]


def sums(session: Session, by: Sequence[str], span: Span) -> list[dict[str, Any]]:
    """What attempts used: tokens by bucket, US dollars, and how many attempts there were, failed, and used something that has no price. `day`,
    `hour` and `ten_minutes` are their beginning in UTC, in seconds since the epoch."""
    columns = [f"{_start(_TIMES[name])} AS {name}" if name in _TIMES else _COLUMNS.get(name, name) for name in by]
    tokens = [f"SUM(COALESCE({name}, 0))" for name in TOKENS]
    failed = "SUM(CASE WHEN outcome = 'complete' THEN 0 ELSE 1 END)"
    used = f"COALESCE({', '.join(TOKENS)}) IS NOT NULL"  # else there is nothing to reckon
    unpriced = f"SUM(CASE WHEN cost IS NULL AND {used} THEN 1 ELSE 0 END)"
    told = ", ".join([*columns, "COUNT(*)", failed, unpriced, "SUM(COALESCE(cost, 0))", *tokens])
    places = ", ".join(str(place) for place in range(1, len(by) + 1))
    grouped = f" GROUP BY {places} ORDER BY {places} LIMIT {MOST_SUMS}" if by else ""
    where, values = _where(span)
    sql = f"SELECT {told} FROM {USAGE.name} WHERE {where}{grouped}"  # noqa: S608 - names are ours
    names = (*by, "attempts", "failed", "unpriced", "cost_usd", *TOKENS)
    numbers = len(by)
    rows = [
        dict(zip(names, (*row[:numbers], *(_number(value) for value in row[numbers:])), strict=True))
        for row in session.rows(sql, values)
    ]
    return _by_tag(rows, by) if "tag" in by else rows


def _by_tag(rows: Sequence[dict[str, Any]], by: Sequence[str]) -> list[dict[str, Any]]:
    """From sums by the tags that a key had to sums by each of them."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        for tag in json.loads(row["tag"]) if row["tag"] else [""]:
            one = {**row, "tag": tag}
            there = found.setdefault(tuple(one[name] for name in by), one)
            if there is not one:
                there.update({name: there[name] + number for name, number in one.items() if name not in by})
    return [found[key] for key in sorted(found)]


def _where(span: Span) -> tuple[str, tuple[Any, ...]]:
    conditions = ["at >= ?", "at < ?"]
    values: list[Any] = [span.since, span.until]
    for name, wanted in span.only.items():
        if name == "tag":
            conditions.append("REPLACE(tags, ?, '') <> tags" if wanted else "tags = ?")
            values.append(tagged((wanted,))[1:-1] if wanted else "")
        else:
            conditions.append(f"{name} = ?")
            values.append(wanted)
    return " AND ".join(conditions), tuple(values)


def latest_attempts(session: Session, span: Span, limit: int) -> list[UsageRow]:
    """The latest first."""
    where, values = _where(span)
    sql = f"{USAGE.select} WHERE {where} ORDER BY at DESC LIMIT ?"
    return [UsageRow(*row) for row in session.rows(sql, (*values, limit))]


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
