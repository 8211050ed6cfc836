"""The log's latest lines, and the records of failed calls as files, by CLIProxyAPI's paths and in its shapes.

The lines are those that this process has written since it began, as far as they are kept; all of them are where `logging` puts them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from aiproxy.codecs.base import Answer
from aiproxy.gateway import Gateway
from aiproxy.logs.recent import Numbered, Recent
from aiproxy.logs.text import as_text
from aiproxy.neutral.errors import InvalidRequest, NotFound
from aiproxy.usage import CallRecord, story
from aiproxy.web.management.happenings import line
from aiproxy.web.management.routes import Asked, Route, download, theirs

LISTED = 500
"""Lines of one answer when nobody says how many."""

LEVELS = ("debug", "info", "warn", "error", "critical")

TEXT = "text/plain; charset=utf-8"


class LogsRoom:
    """`offset` is what lies between the gateway's clock and the time of day."""

    def __init__(self, recent: Recent, gateway: Gateway, offset: Callable[[], float]) -> None:
        self._recent = recent
        self._gateway = gateway
        self._offset = offset

    def routes(self) -> Sequence[Route]:
        wanted = {
            "level": f"Only lines of this severity or more: {', '.join(LEVELS)}.",
            "search": "Only lines that contain these words.",
        }
        query = {
            **wanted,
            "after": "Only lines since then, in seconds since the epoch.",
            "cursor": "Only lines after the one with this number; `next-cursor` of the answer before.",
            "limit": f"The latest so many; {LISTED}.",
        }
        found = (
            Route(
                "GET", "/logs", "The latest lines that the worker that is asked has written.", self.lines, query=query
            ),
            Route("DELETE", "/logs", "Forget those that are kept; files of the log stay.", self.clear),
            Route("GET", "/request-error-logs", "Failed calls that are kept.", self.failed),
            Route("GET", "/request-error-logs/<name>", "One of them.", self.failed_file, gives=TEXT),
            Route("GET", "/request-log-by-id/<request_id>", "Any call that is kept.", self.by_id, gives=TEXT),
        )
        ours = Route("GET", "/logs/download", "All that are kept, as a file.", self.file, query=wanted, gives=TEXT)
        return *theirs(found), ours

    async def lines(self, asked: Asked) -> Mapping[str, Any]:
        limit, cursor = asked.count("limit", LISTED), int(asked.number("cursor", 0))
        kept = self._recent.after(0)
        found = [each for each in self._wanted(asked) if each.number > cursor]
        found = [each for each in found if each.record.time >= asked.number("after", 0)][-limit:]
        missed = bool(cursor and kept and (kept[0].number > cursor + 1 or kept[-1].number < cursor))
        return {
            "lines": [as_text(each.record, terminal=False).rstrip("\n") for each in found],
            "records": [line(each) for each in found],
            "line-count": len(found),
            "latest-timestamp": int(found[-1].record.time) if found else 0,
            "next-cursor": kept[-1].number if kept else cursor,
            **({"cursor-reset": True} if missed else {}),
        }

    async def file(self, asked: Asked) -> Answer:
        text = "".join(as_text(each.record, terminal=False) for each in self._wanted(asked))
        return download(text.encode(), TEXT, "aiproxy.log")

    def _wanted(self, asked: Asked) -> Iterator[Numbered]:
        least, words = asked.query.get("level", LEVELS[0]), asked.query.get("search", "").lower()
        if least not in LEVELS:
            raise InvalidRequest(f"The argument 'level' must be one of {', '.join(LEVELS)}.", param="level")
        levels = LEVELS[LEVELS.index(least) :]
        for each in self._recent.after(0):
            text = as_text(each.record, terminal=False) if words else ""
            if each.record.level in levels and words in text.lower():
                yield each

    async def clear(self, _asked: Asked) -> Mapping[str, Any]:
        removed = self._recent.clear()
        return {"success": True, "message": "The lines that were kept are forgotten.", "removed": removed}

    # -- calls

    async def failed(self, _asked: Asked) -> Mapping[str, Any]:
        files = [
            {
                "name": f"error-{record.request_id}.log",
                "size": len(_told(record)),
                "modified": int((record.ended or record.started) + self._offset()),
            }
            for record in self._gateway.journal.failed
        ]
        return {"files": files}

    async def failed_file(self, asked: Asked) -> Answer:
        name = asked.path["name"]
        return self._file(name.removeprefix("error-").removesuffix(".log"))

    async def by_id(self, asked: Asked) -> Answer:
        return self._file(asked.path["request_id"])

    def _file(self, request_id: str) -> Answer:
        record = self._gateway.journal.find(request_id)
        if record is None:
            raise NotFound(f"No call with the id {request_id!r} is kept here.", param="request_id")
        return download(_told(record), TEXT, f"{record.request_id}.log")


def _told(record: CallRecord) -> bytes:
    """What is known of it; bodies are the prompt log's."""
    facts = {
        "request_id": record.request_id,
        "client": record.client,
        "protocol": record.protocol,
        "operation": record.operation,
        "model": record.model,
        "outcome": record.outcome,
        "error": record.error,
        "warnings": record.warnings,
        "attempts": record.attempts,
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n" + story(record).encode() + b"\n"
