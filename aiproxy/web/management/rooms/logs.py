"""The log's latest lines, and the records of failed calls as files, by CLIProxyAPI's paths and in its shapes.

The lines are those that all workers of this node have written since each began, as far as they are kept; all of them are where `logging`
puts them. A line's number is the microsecond it was written in, so that one order, and one cursor, holds for all workers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from aiproxy.codecs.base import Answer
from aiproxy.logs.recent import Recent
from aiproxy.logs.text import as_text
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.storage.bus.asking import Asking
from aiproxy.storage.state.asking import Span, attempts, calls
from aiproxy.storage.state.database import Session
from aiproxy.storage.state.recalling import Recalled, record_of
from aiproxy.usage import story
from aiproxy.web.management.finding import Finding
from aiproxy.web.management.happenings import line
from aiproxy.web.management.kept import Kept, asked_of
from aiproxy.web.management.rooms.requests import attempts_of
from aiproxy.web.management.routes import Asked, Route, download, theirs

LISTED = 500
"""Lines of one answer when nobody says how many."""

LEVELS = ("debug", "info", "warn", "error", "critical")

TEXT = "text/plain; charset=utf-8"

LINES, FORGET = "lines", "forget-lines"
"""What the other workers are asked."""


class _Lines(NamedTuple):
    """Of one worker: none that it writes later has a number up to `as_of`, none up to `forgotten` is kept; `told` are pairs of the text and
    the record."""

    as_of: int
    forgotten: int
    told: Sequence[tuple[str, Mapping[str, Any]]]


class LogsRoom:
    """`most` failed calls are listed; `mark` is what our lines are told with."""

    def __init__(
        self,
        recent: Recent,
        most: Callable[[], int],
        finding: Finding,
        state: Kept,
        asking: Asking,
        mark: Mapping[str, int],
    ) -> None:
        self._recent = recent
        self._most = most
        self._finding = finding
        self._state = state
        self._asking = asking
        self._mark = mark
        asking.answer(LINES, self._told)
        asking.answer(FORGET, lambda _: [self._recent.clear()])

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
                "GET",
                "/logs",
                "The latest lines that the workers of this node have written; `silent-workers` did not answer within a second.",
                self.lines,
                query=query,
            ),
            Route("DELETE", "/logs", "Forget those that are kept; files of the log stay.", self.clear),
            Route("GET", "/request-error-logs", "The latest failed calls, as files.", self.failed),
            Route("GET", "/request-error-logs/<name>", "One of them.", self.failed_file, gives=TEXT),
            Route("GET", "/request-log-by-id/<request_id>", "Any call.", self.by_id, gives=TEXT),
        )
        ours = Route("GET", "/logs/download", "All that are kept, as a file.", self.file, query=wanted, gives=TEXT)
        return *theirs(found), ours

    async def lines(self, asked: Asked) -> Mapping[str, Any]:
        limit, cursor = asked.count("limit", LISTED), int(asked.number("cursor", 0))
        about = {**_wanted(asked), "limit": limit, "cursor": cursor, "after": asked.number("after", 0)}
        workers, silent = await self._gathered(about)
        as_of = min(each.as_of for each in workers)  # what came since then is next time's, from whoever it came
        told = [pair for each in workers for pair in each.told if pair[1]["number"] <= as_of]
        told = sorted(told, key=lambda pair: pair[1]["number"])[-limit:]
        missed = bool(cursor) and any(cursor < each.forgotten for each in workers)
        return {
            "lines": [text.rstrip("\n") for text, _ in told],
            "records": [record for _, record in told],
            "line-count": len(told),
            "latest-timestamp": int(told[-1][1]["at"]) if told else 0,
            "next-cursor": as_of,
            "silent-workers": silent,
            **({"cursor-reset": True} if missed else {}),
        }

    async def file(self, asked: Asked) -> Answer:
        workers, _ = await self._gathered(_wanted(asked))
        told = sorted((pair for each in workers for pair in each.told), key=lambda pair: pair[1]["number"])
        return download("".join(text for text, _ in told).encode(), TEXT, "aiproxy.log")

    async def _gathered(self, about: Mapping[str, Any]) -> tuple[Sequence[_Lines], int]:
        """Of all workers, and how many of them were silent."""
        others = await self._asking.ask(LINES, about)
        return [_read(each) for each in (list(self._told(about)), *others.given) if each], others.silent

    def _told(self, about: Mapping[str, Any]) -> Iterator[Any]:
        """Ours, as `_read` reads them: what one message can't hold is left out."""
        yield [self._recent.as_of(), self._recent.forgotten]
        found = [
            (as_text(each.record, terminal=False), each) for each in self._recent.after(int(about.get("cursor", 0)))
        ]
        levels, words, after = LEVELS[LEVELS.index(about["level"]) :], about["search"], about.get("after", 0)
        found = [
            (text, each)
            for text, each in found
            if each.record.level in levels and each.record.time >= after and words in text.lower()
        ]
        for text, each in found[-int(about.get("limit", len(found))) :]:
            yield [text, {**line(each), **self._mark}]

    async def clear(self, _asked: Asked) -> Mapping[str, Any]:
        others = await self._asking.ask(FORGET)
        removed = self._recent.clear() + sum(count for given in others.given for count in given)
        return {"success": True, "message": "The lines that were kept are forgotten.", "removed": removed}

    # -- calls

    async def failed(self, _asked: Asked) -> Mapping[str, Any]:
        def ask(session: Session) -> Sequence[Recalled]:
            found = calls(session, {}, Span(), failed=True, limit=self._most())
            return [Recalled(call, attempts(session, call)) for call in found]

        return {"files": [_file(call) for call in await asked_of(self._state, ask)]}

    async def failed_file(self, asked: Asked) -> Answer:
        name = asked.path["name"]
        return await self._download(name.removeprefix("error-").removesuffix(".log"))

    async def by_id(self, asked: Asked) -> Answer:
        return await self._download(asked.path["request_id"])

    async def _download(self, request_id: str) -> Answer:
        return download(_text(await self._finding.find(request_id)), TEXT, f"{request_id}.log")


def _wanted(asked: Asked) -> Mapping[str, Any]:
    level = asked.query.get("level", LEVELS[0])
    if level not in LEVELS:
        raise InvalidRequest(f"The argument 'level' must be one of {', '.join(LEVELS)}.", param="level")
    return {"level": level, "search": asked.query.get("search", "").lower()}


def _read(told: Sequence[Any]) -> _Lines:
    (as_of, forgotten), *pairs = told
    return _Lines(as_of, forgotten, [(text, record) for text, record in filter(None, pairs)])


def _file(call: Recalled) -> Mapping[str, Any]:
    return {
        "name": f"error-{call.request.request_id}.log",
        "size": len(_text(call)),
        "modified": int(call.request.at),
    }


def _text(call: Recalled) -> bytes:
    """What is known of it; bodies are the prompt log's."""
    record = record_of(call)
    facts = {
        "request_id": record.request_id,
        "client": record.client,
        "protocol": record.protocol,
        "operation": record.operation,
        "model": record.model,
        "outcome": record.outcome,
        "error": record.error,
        "warnings": record.warnings,
        "attempts": attempts_of(call),
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n" + story(record).encode() + b"\n"
