"""Routes that tell what was used: in CLIProxyAPI's shape, and by whatever one likes to know it by, as JSON and CSV.

All of it is the ledger's: one row an attempt, summed up when asked, so nothing is counted twice over or lost at a restart."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from aiproxy.codecs.base import Answer
from aiproxy.neutral.errors import InvalidRequest, Overloaded
from aiproxy.storage.state.asking import GROUPS, ONLY, Span, latest_attempts, sums, take_over
from aiproxy.storage.state.database import Session, StateUnavailable
from aiproxy.storage.state.sums_table import as_csv, written
from aiproxy.web.management.kept import Kept, asked_of
from aiproxy.web.management.rooms.requests import SPAN, span_of
from aiproxy.web.management.rooms.statistics import rows_of, statistics
from aiproxy.web.management.routes import Asked, Route, download, theirs

DETAILS = 10_000
"""Single attempts in CLIProxyAPI's shape when nobody says how many: the latest, about 2 MB. The sums are of all."""

MOST_DETAILS = 200_000
"""In an export."""

T = TypeVar("T")


class Ledger(Kept, Protocol):
    async def transact(self, do: Callable[[Session], T]) -> T: ...


class Usage:
    """`in_thread` is for what takes long."""

    def __init__(self, state: Ledger, node: str, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._state = state
        self._node = node
        self._in_thread = in_thread

    def routes(self) -> Sequence[Route]:
        by = f"What to sum up by, with commas: {', '.join(GROUPS)}."
        only = {**SPAN, **dict.fromkeys(ONLY, "Only usage of exactly this.")}
        query = {"by": by, **only, "format": "`json` or `csv`."}
        found = (
            Route(
                "GET",
                "/usage",
                "Usage in CLIProxyAPI's shape.",
                self.shown,
                query={**only, "details": f"Most single attempts that are listed; {DETAILS}."},
            ),
            Route("GET", "/usage/export", "Usage as CLIProxyAPI exports it.", self.exported, query=only),
            Route("POST", "/usage/import", "Take over an export, or a usage-statistics.json; once.", self.imported),
        )
        return *theirs(found), Route("GET", "/usage/sums", "Usage summed up.", self.summed, query=query)

    async def shown(self, asked: Asked) -> Mapping[str, Any]:
        return await self._statistics(_span_of(asked), asked.count("details", DETAILS))

    async def exported(self, asked: Asked) -> Mapping[str, Any]:
        told = await self._statistics(_span_of(asked), MOST_DETAILS)
        return {"version": 1, "exported_at": datetime.now(UTC).isoformat(), "usage": told["usage"]}

    async def _statistics(self, span: Span, details: int) -> Mapping[str, Any]:
        def ask(session: Session) -> Mapping[str, Any]:
            by_model = sums(session, ("client", "model"), span)
            told = statistics(by_model, sums(session, ("hour",), span), latest_attempts(session, span, details))
            return {**told, "tags": [row for row in sums(session, ("tag",), span) if row["tag"]]}

        return await asked_of(self._state, ask)

    async def summed(self, asked: Asked) -> Answer | Mapping[str, Any]:
        by = [name for name in asked.query.get("by", "").split(",") if name]
        if unknown := [name for name in by if name not in GROUPS]:
            raise InvalidRequest(f"{unknown[0]!r} is none of {', '.join(GROUPS)}.", param="by")
        span, form = _span_of(asked), asked.query.get("format", "json")
        if form not in ("json", "csv"):
            raise InvalidRequest("The argument 'format' must be json or csv.", param="format")
        found = await asked_of(self._state, lambda session: written(sums(session, tuple(dict.fromkeys(by)), span)))
        if form == "json":
            return {"by": by, "usage": found}
        text = await self._in_thread(as_csv, [*dict.fromkeys(by)], found)
        return download(text.encode(), "text/csv; charset=utf-8", "usage.csv")

    async def imported(self, asked: Asked) -> Mapping[str, Any]:
        content = asked.object()

        def take(session: Session) -> tuple[int, int, Mapping[str, Any]]:
            rows = rows_of(content, self._node)
            added = take_over(session, rows)
            return added, len(rows) - added, sums(session, (), Span())[0]

        try:
            added, skipped, total = await self._state.transact(take)
        except StateUnavailable as away:
            raise Overloaded(f"The state can't be written now: {away}") from away
        return {
            "added": added,
            "skipped": skipped,
            "total_requests": total["attempts"],
            "failed_requests": total["failed"],
        }


def _span_of(asked: Asked) -> Span:
    return replace(span_of(asked), only={name: asked.query[name] for name in ONLY if name in asked.query})
