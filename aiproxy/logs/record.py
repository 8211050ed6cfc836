"""An event, read: what both renderings write. Every string of it has been scrubbed here, and nowhere later is one added.

An event may hold anything: `read` raises nothing, and a value that breaks is replaced by what can be said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twisted.logger import LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure
from twisted.python.reflect import safe_repr

from aiproxy.logs.access import ACCESS, access_line
from aiproxy.logs.scrubbing import Scrubbing

LONGEST_TEXT = 16_384
"""Characters of one string: a traceback fits, a request's body doesn't belong in a log."""

DEEPEST_FIELD = 4
"""Levels of lists and mappings in a field."""

LARGEST_INTEGER = 2**63
"""JSON's readers keep no more than 64 bits; a larger one is written as text."""

_LEGACY = frozenset(
    ("failure", "format", "isError", "message", "printed", "system", "time", "why")  # twisted.python.log's own
)


@dataclass(frozen=True, slots=True)
class Record:
    """`time` is seconds since the epoch; `fields` are plain JSON; `traceback` is empty without a failure."""

    time: float
    level: str
    logger: str
    message: str
    fields: dict[str, Any]
    traceback: str


def read(event: LogEvent, scrub: Scrubbing) -> Record:
    level = event.get("log_level")
    logger = event.get("log_namespace")
    time = event.get("log_time")
    fields: dict[str, Any] = {}
    for name, value in event.items():
        if not name.startswith("log_") and name not in _LEGACY:
            plain = _plain(value, scrub, DEEPEST_FIELD)
            if plain is not _OMITTED:
                fields[name] = plain
    return Record(
        time=time if isinstance(time, float | int) else 0.0,
        level=_NAMES.get(level, "info"),
        logger=_clean(logger, scrub) if isinstance(logger, str) else "",
        message=_clean(_message(event, logger), scrub),
        fields=fields,
        traceback=_clean(_traceback(event), scrub),
    )


_NAMES: Mapping[Any, str] = {level: level.name for level in LogLevel.iterconstants()}


def _message(event: LogEvent, logger: Any) -> str:
    if logger == ACCESS:
        try:
            return access_line(event)
        except (KeyError, TypeError, ValueError):
            pass  # not one of `access`, or with a broken field: its format says what it can
    return formatEvent(event)


def _traceback(event: LogEvent) -> str:
    failure = event.get("log_failure")
    if not isinstance(failure, Failure):
        return ""
    try:
        return failure.getTraceback().rstrip()
    except Exception as error:  # noqa: BLE001  # the exception's own __str__ may raise anything
        return f"{safe_repr(failure.type)}, whose traceback can't be shown: {safe_repr(error)}"


_OMITTED = object()


def _plain(value: Any, scrub: Scrubbing, depth: int) -> Any:
    """The value as scrubbed JSON, or `_OMITTED`: objects are in an event for its message's sake."""
    if isinstance(value, str):
        return _clean(value, scrub)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < LARGEST_INTEGER else str(value)
    if depth == 0:
        return _OMITTED
    if isinstance(value, list | tuple):
        items = [_plain(item, scrub, depth - 1) for item in value]
        return [item for item in items if item is not _OMITTED]
    if isinstance(value, Mapping):
        pairs = [(_plain(k, scrub, 0), _plain(v, scrub, depth - 1)) for k, v in value.items()]
        return {k: v for k, v in pairs if isinstance(k, str) and v is not _OMITTED}
    return _OMITTED


def _clean(text: str, scrub: Scrubbing) -> str:
    """Scrubbed first, then cut: half a secret is one too. What isn't Unicode is escaped."""
    text = scrub(text)
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text) - LONGEST_TEXT} characters more)"
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
