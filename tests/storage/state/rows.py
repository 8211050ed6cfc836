"""Rows as a gateway makes them, for tests."""

from collections.abc import Sequence
from typing import cast

from aiproxy.storage.state.log_rows import LogRows
from aiproxy.storage.state.rows import CooldownRow, CounterRow, RequestRow, UsageRow


def log(*rows: UsageRow | RequestRow) -> LogRows:
    """Of one kind."""
    return LogRows.of(cast("Sequence[UsageRow]", rows))


def usage(request_id: str = "req_1", at: float = 1000.0, attempt: int = 1) -> UsageRow:
    return UsageRow(
        at=at,
        node="node-a",
        request_id=request_id,
        attempt=attempt,
        client="team-a",
        protocol="openai-chat",
        operation="chat",
        account="openai-1",
        provider="openai",
        model="gpt-5.4",
        seconds=0.25,
        outcome="complete",
        upstream_status=200,
        input_uncached=12,
        output_visible=34,
        server_tools='{"web_search": 1}',
    )


def request(request_id: str = "req_1", at: float = 1000.0) -> RequestRow:
    return RequestRow(
        at=at,
        node="node-a",
        request_id=request_id,
        client="team-a",
        protocol="openai-chat",
        operation="chat",
        model="mini",
        streamed=1,
        outcome="complete",
        error="",
        seconds=0.5,
        first_byte=0.2,
        attempts=1,
        decision='{"steps": []}',
    )


def cooldown(reason: str = "rate_limit", changed: float = 1000.0, account: str = "digest-1") -> CooldownRow:
    return CooldownRow(account, "gpt-5.4", "openai-1", reason, 2.0, changed, changed + 60, changed)


def counter(amount: int, changed: float = 1000.0) -> CounterRow:
    return CounterRow("team-a", "tokens", "2026-11", amount, changed)
