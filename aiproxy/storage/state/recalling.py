"""From rows of the log back to a call and its record, as far as rows tell: the inverse of `calls`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from aiproxy.neutral.usage import TOKENS, Usage
from aiproxy.storage.state.calls import ASKED, decision_of
from aiproxy.storage.state.rows import RequestRow, UsageRow
from aiproxy.usage import Attempt, CallRecord, Choice, Outcome, Passed


@dataclass(frozen=True, slots=True)
class Recalled:
    """One call that has ended, and its attempts in order."""

    request: RequestRow
    attempts: Sequence[UsageRow]


def request_of(row: UsageRow) -> RequestRow:
    """The call that was this one attempt (`before` is told)."""
    before = row.before or 0.0
    choice = Choice(before, row.account, row.model, row.chosen, ASKED, 0.0, ())
    return RequestRow(
        at=row.at,
        node=row.node,
        request_id=row.request_id,
        client=row.client,
        protocol=row.protocol,
        operation=row.operation,
        model=row.asked,
        streamed=row.streamed,
        outcome=row.outcome,
        error=row.error,
        seconds=before + row.seconds,
        first_byte=None if row.first_byte is None else before + row.first_byte,
        attempts=1,
        decision=row.decision or decision_of([choice], 0.0, 0.0),
        remarks=row.remarks,
    )


def record_of(call: Recalled) -> CallRecord:
    """Its times are seconds since the epoch."""
    row = call.request
    started = row.at - row.seconds
    told: dict[str, Any] = orjson.loads(row.remarks) if row.remarks else {}
    return CallRecord(
        row.request_id,
        started,
        client=row.client,
        protocol=row.protocol,
        operation=row.operation,
        model=row.model,
        streamed=bool(row.streamed),
        attempts=[_attempt(each) for each in call.attempts],
        choices=[_choice(each, started) for each in orjson.loads(row.decision or "[]")],
        rewritten=told.get("rewritten", 0),
        warnings=tuple(told.get("warnings", ())),
        continued=told.get("continued", False),
        first_byte=None if row.first_byte is None else started + row.first_byte,
        ended=row.at,
        outcome=Outcome(row.outcome) if row.outcome else None,
        error=row.error,
    )


def _choice(told: dict[str, Any], started: float) -> Choice:
    passed = tuple([Passed(**each) for each in told["passed"]])
    return Choice(**{**told, "at": started + told["at"], "passed": passed})


def _attempt(row: UsageRow) -> Attempt:
    used = Usage(
        **{name: getattr(row, name) for name in TOKENS},
        server_tools=orjson.loads(row.server_tools) if row.server_tools else None,
    )
    return Attempt(
        row.account,
        row.provider,
        row.model,
        row.at - row.seconds,
        row.at,
        Outcome(row.outcome),
        row.error,
        row.upstream_status,
        used if used != Usage() else None,
        bool(row.estimated),
        row.cost,
        row.prices,
    )
