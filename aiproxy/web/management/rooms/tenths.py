"""The latest requests of each account in tens of minutes, as CLIProxyAPI tells them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiproxy.storage.state.asking import TEN_MINUTES, Span, sums
from aiproxy.storage.state.database import StateUnavailable
from aiproxy.web.management.rooms.requests import Kept

__all__ = ["Kept", "tenths"]

TOLD = 20
"""Spans of ten minutes."""


async def tenths(state: Kept) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """By account; the oldest first, only those in which there were any. Of none while the database is away."""
    now = state.now()
    since = (now // TEN_MINUTES - TOLD + 1) * TEN_MINUTES
    try:
        rows = await state.read(lambda session: sums(session, ("account", "ten_minutes"), Span(since)))
    except StateUnavailable:
        return {}
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        at = datetime.fromtimestamp(row["ten_minutes"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        counts = {"success": row["attempts"] - row["failed"], "failed": row["failed"]}
        found[row["account"]].append({"time": at, **counts})
    return found
