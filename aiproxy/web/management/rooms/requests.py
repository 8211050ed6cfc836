"""Routes that tell how calls went: `/requests` and one of them with every decision.

What is listed comes from the state, so that each process tells of all; one call's story is told from the memory of the worker that served
it, else from the state, which keeps decisions too. Records reach the state within a second."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import orjson

from aiproxy.neutral.errors import InvalidRequest, NotFound, Overloaded
from aiproxy.storage.bus.asking import Asking
from aiproxy.storage.state.asking import FILTERS, Span, attempts, calls
from aiproxy.storage.state.calls import rows_of
from aiproxy.storage.state.database import Session, StateUnavailable
from aiproxy.storage.state.rows import RequestRow, UsageRow
from aiproxy.usage import CallRecord, story
from aiproxy.web.management.routes import Asked, Route

LISTED = 100
"""Calls that are listed when nobody says how many."""

STORY = "story"
"""What the other workers are asked."""

T = TypeVar("T")

Find = Callable[[str], CallRecord | None]
"""A call that is kept, by its request id."""

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
    """`offset` is what lies between the gateway's clock and the time of day, in seconds; `node` is what this process is called
    in the state; `asking` asks the other workers."""

    def __init__(self, find: Find, state: Kept, node: str, offset: Callable[[], float], asking: Asking) -> None:
        self._find = find
        self._state = state
        self._node = node
        self._offset = offset
        self._asking = asking
        asking.answer(STORY, lambda about: self._story(str(about.get("request_id"))))

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

        def ask(session: Session) -> list[RequestRow | UsageRow]:
            found = calls(session, {"request_id": request_id}, Span(), failed=False, limit=1)
            return [*found, *attempts(session, found[0])] if found else []

        if found := self._story(request_id):
            return found[0]
        others = await self._asking.ask(STORY, {"request_id": request_id})
        for told in others.given:
            if told and told[0]:
                return dict(told[0])
        kept = await asked_of(self._state, ask)
        if not kept:
            raise NotFound(f"No call with the id {request_id!r} is kept.", param="request_id")
        return _told(kept)

    def _story(self, request_id: str) -> Sequence[Mapping[str, Any]]:
        """One, or none."""
        record = self._find(request_id)
        if record is None:
            return []
        return [{**_told(rows_of(record, self._node, self._offset())), **_remembered(record)}]


def _told(rows: Iterable[RequestRow | UsageRow]) -> dict[str, Any]:
    """Of one call."""
    told: dict[str, Any] = {}
    attempts: list[dict[str, Any]] = []
    for row in rows:
        match row:
            case RequestRow():
                told = _call(row)
            case UsageRow():
                attempts.append(_attempt(row))
    return {**told, "attempts": attempts}


def _remembered(record: CallRecord) -> Mapping[str, Any]:
    """What only the process that served it knows."""
    return {
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
