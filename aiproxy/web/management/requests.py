"""Routes that tell how calls went: `/requests` and one of them with every decision.

What is listed comes from the state, so that each process tells of all; one call's story is told from memory where this process served
it, else from the state, which keeps decisions too. Records reach the state within a second."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import orjson

from aiproxy.neutral.errors import InvalidRequest, NotFound, Overloaded
from aiproxy.storage.state.asking import FILTERS, Span, attempts, calls
from aiproxy.storage.state.database import Session, StateUnavailable
from aiproxy.storage.state.rows import RequestRow, UsageRow
from aiproxy.usage import CallRecord, Journal, story
from aiproxy.web.management.routes import Asked, Route

LISTED = 100
"""Calls that are listed when nobody says how many."""

T = TypeVar("T")

SPAN = {
    "since": "Seconds since the epoch, from when on.",
    "until": "Seconds since the epoch, the end of the span.",
}


class Kept(Protocol):
    """The state, to be asked."""

    def now(self) -> float: ...

    async def read(self, ask: Callable[[Session], T]) -> T: ...


async def asked_of(state: Kept, ask: Callable[[Session], T]) -> T:
    """Raises `Overloaded` while the database is away."""
    try:
        return await state.read(ask)
    except StateUnavailable as away:
        raise Overloaded(f"The state can't be asked now: {away}") from away


def span_of(asked: Asked) -> Span:
    always = Span()
    return Span(asked.number("since", always.since), asked.number("until", always.until))


class Requests:
    """`offset` is what lies between the gateway's clock and the time of day, in seconds."""

    def __init__(self, journal: Journal, state: Kept, offset: Callable[[], float]) -> None:
        self._journal = journal
        self._state = state
        self._offset = offset

    def routes(self) -> Sequence[Route]:
        filters = dict.fromkeys(FILTERS, "Only calls of exactly this.")
        query = {**filters, **SPAN, "failed": "`true`: only calls that failed or broke off.", "limit": f"{LISTED}."}
        return (
            Route("GET", "/requests", "Calls that have ended, the latest first.", self.listed, query=query),
            Route("GET", "/requests/<request_id>", "One call: decisions, timing, warnings, usage, cost.", self.shown),
        )

    async def listed(self, asked: Asked) -> Mapping[str, Any]:
        span, limit = span_of(asked), asked.count("limit", LISTED)
        failed = asked.query.get("failed", "false")
        if failed not in ("true", "false"):
            raise InvalidRequest("The argument 'failed' must be true or false.", param="failed")
        found = await asked_of(self._state, lambda session: calls(session, asked.query, span, failed == "true", limit))
        return {"requests": [_call(row) for row in found]}

    async def shown(self, asked: Asked) -> Mapping[str, Any]:
        request_id = asked.path["request_id"]

        def ask(session: Session) -> tuple[RequestRow, list[UsageRow]] | None:
            found = calls(session, {"request_id": request_id}, Span(), failed=False, limit=1)
            return (found[0], attempts(session, found[0])) if found else None

        record = self._journal.find(request_id)
        try:
            kept = await self._state.read(ask)
        except StateUnavailable:
            kept = None
        if record is None and kept is None:
            raise NotFound(f"No call with the id {request_id!r} is kept.", param="request_id")
        told = {**_call(kept[0]), "attempts": [_attempt(row) for row in kept[1]]} if kept else {}
        return {**told, **(self._remembered(record) if record else {})}

    def _remembered(self, record: CallRecord) -> Mapping[str, Any]:
        """What only this process knows, and all of it while the state doesn't have the call yet."""
        ended = record.started if record.ended is None else record.ended
        return {
            "request_id": record.request_id,
            "at": ended + self._offset(),
            "client": record.client,
            "protocol": record.protocol,
            "operation": record.operation,
            "model": record.model,
            "outcome": record.outcome or "",
            "error": record.error,
            "seconds": ended - record.started,
            "first_byte": None if record.first_byte is None else record.first_byte - record.started,
            "warnings": list(record.warnings),
            "rewritten": record.rewritten,
            "continued": record.continued,
            "story": story(record),
        }


def _call(row: RequestRow) -> dict[str, Any]:
    told: dict[str, Any] = {**row._asdict(), "streamed": bool(row.streamed)}
    told["decision"] = orjson.loads(row.decision) if row.decision else []
    return told


def _attempt(row: UsageRow) -> dict[str, Any]:
    told = row._asdict()
    told["server_tools"] = orjson.loads(row.server_tools) if row.server_tools else {}
    return told
