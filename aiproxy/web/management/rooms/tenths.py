"""The latest requests of each account in tens of minutes, as CLIProxyAPI tells them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiproxy.storage.state.asking import TEN_MINUTES, Span, sums
from aiproxy.storage.state.database import StateUnavailable
from aiproxy.web.management.kept import Kept

__all__ = ["Kept", "tenths"]

TOLD = 20
"""Spans of ten minutes."""


async def tenths(state: Kept) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """By account, of those that were asked: each span, the oldest first. Of none while the database is away."""
    spans = _spans(state.now())
    try:
        rows = await state.read(lambda session: sums(session, ("account", "ten_minutes"), Span(spans[0])))
    except StateUnavailable:
        return {}
    counted: dict[str, dict[float, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        counts = {"success": row["attempts"] - row["failed"], "failed": row["failed"]}
        counted[row["account"]][row["ten_minutes"]] = {"time": _written(row["ten_minutes"]), **counts}
    empty = dict(zip(spans, none_of(state), strict=True))
    return {account: [found.get(at, empty[at]) for at in spans] for account, found in counted.items()}


def none_of(state: Kept) -> Sequence[Mapping[str, Any]]:
    """The same of an account that nobody has asked."""
    return [{"time": _written(at), "success": 0, "failed": 0} for at in _spans(state.now())]


def _spans(now: float) -> Sequence[float]:
    last = now // TEN_MINUTES
    return [(last - ago) * TEN_MINUTES for ago in reversed(range(TOLD))]


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
