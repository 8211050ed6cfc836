"""Routes that tell how calls went: `/requests` and one of them with every decision; and end one that goes on.

What is listed comes from the state, so that each process tells of all; rows reach it within a second."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from aiproxy.neutral.errors import InvalidRequest
from aiproxy.storage.state.asking import FILTERS, Span, calls
from aiproxy.storage.state.recalling import Recalled, record_of
from aiproxy.storage.state.rows import RequestRow, UsageRow
from aiproxy.usage import story
from aiproxy.web.management.ending import Ending
from aiproxy.web.management.finding import Finding
from aiproxy.web.management.kept import Kept, asked_of
from aiproxy.web.management.routes import Asked, Route

LISTED = 100
"""Calls that are listed when nobody says how many."""

OF_THE_CALL = ("before", "streamed", "chosen", "decision", "remarks")
"""What the row of an attempt says of its call."""

SPAN = {
    "since": "Seconds since the epoch, from when on.",
    "until": "Seconds since the epoch, the end of the span.",
}


def span_of(asked: Asked) -> Span:
    always = Span()
    return Span(asked.number("since", always.since), asked.number("until", always.until))


class Requests:
    def __init__(self, finding: Finding, ending: Ending, state: Kept) -> None:
        self._finding = finding
        self._ending = ending
        self._state = state

    def routes(self) -> Sequence[Route]:
        filters = dict.fromkeys(FILTERS, "Only calls of exactly this.")
        query = {**filters, **SPAN, "failed": "`true`: only calls that failed or broke off.", "limit": f"{LISTED}."}
        return (
            Route("GET", "/requests", "Calls that have ended, the latest first.", self.listed, query=query),
            Route("GET", "/requests/<request_id>", "One call: decisions, timing, warnings, usage, cost.", self.shown),
            Route(
                "POST",
                "/requests/<request_id>/cancel",
                "End a call that is under way in any worker of this node: its client is told so, in its protocol's way.",
                self.cancel,
            ),
        )

    async def listed(self, asked: Asked) -> Mapping[str, Any]:
        span, limit = span_of(asked), asked.count("limit", LISTED)
        failed = asked.query.get("failed", "false")
        if failed not in ("true", "false"):
            raise InvalidRequest("The argument 'failed' must be true or false.", param="failed")
        found = await asked_of(self._state, lambda session: calls(session, asked.query, span, failed == "true", limit))
        return {"requests": [_call(row) for row in found]}

    async def shown(self, asked: Asked) -> Mapping[str, Any]:
        found = await self._finding.find(asked.path["request_id"])
        return {**_call(found.request), "attempts": attempts_of(found), "story": story(record_of(found))}

    async def cancel(self, asked: Asked) -> Mapping[str, Any]:
        return {"cancelled": await self._ending.end(asked.path["request_id"])}


def attempts_of(call: Recalled) -> Sequence[Mapping[str, Any]]:
    return [_attempt(row) for row in call.attempts]


def _call(row: RequestRow) -> dict[str, Any]:
    told = row._asdict()
    remarks = orjson.loads(told.pop("remarks") or "{}")
    return {
        **told,
        "streamed": bool(row.streamed),
        "decision": orjson.loads(row.decision or "[]"),
        "warnings": remarks.get("warnings", []),
        "rewritten": remarks.get("rewritten", 0),
        "continued": remarks.get("continued", False),
    }


def _attempt(row: UsageRow) -> dict[str, Any]:
    told = {name: value for name, value in row._asdict().items() if name not in OF_THE_CALL}
    return {**told, "server_tools": orjson.loads(row.server_tools or "{}")}
