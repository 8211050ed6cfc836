"""An event, read: what both renderings write. Every string of it has been scrubbed here, and nowhere later is one added.

An event may hold anything: objects stay out of the fields, and what can't be formatted says so in its place."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from twisted.logger import LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure
from twisted.python.reflect import safe_repr

from aiproxy.logs.access import ACCESS, AccessEntry, scrubbed
from aiproxy.logs.scrubbing import LONGEST_TEXT, Scrubbing

DEEPEST_FIELD = 4
"""Levels of lists and mappings in a field."""

LARGEST_INTEGER = 2**63
"""JSON's readers keep no more than 64 bits; a larger one is written as text."""

_LEGACY = frozenset(
    ("failure", "format", "isError", "message", "printed", "system", "time", "why")  # twisted.python.log's own
)


class Record(NamedTuple):
    """`time` is seconds since the epoch; `fields` are plain JSON; `traceback` is empty without a failure."""

    time: float
    level: str
    logger: str
    message: str
    fields: dict[str, Any]
    traceback: str


def read(event: LogEvent, scrub: Scrubbing) -> Record:
    logger, time = event.get("log_namespace"), event.get("log_time")
    if logger == ACCESS and isinstance(entry := event.get("entry"), AccessEntry):
        entry = scrubbed(entry, scrub)
        return Record(event["log_time"], "info", ACCESS, str(entry), entry.fields, "")
    fields: dict[str, Any] = {}
    names: list[str] = []
    texts = [
        logger if isinstance(logger, str) else "",
        _traceback(event),
        formatEvent(event),
    ]
    for name, value in event.items():
        if name.startswith("log_") or name in _LEGACY:
            continue
        if isinstance(value, str):
            fields[name] = ""  # holds its place
            names.append(name)
            texts.append(value)
        elif (plain := _plain(value, scrub, DEEPEST_FIELD)) is not _OMITTED:
            fields[name] = plain
    logger, traceback, message, *values = _clean_all(texts, scrub)
    fields.update(zip(names, values, strict=True))
    return Record(
        time=time if isinstance(time, float) else 0.0,
        level=_NAMES.get(event.get("log_level"), "info"),
        logger=logger,
        message=message,
        fields=fields,
        traceback=traceback,
    )


_NAMES: Mapping[Any, str] = {level: level.name for level in LogLevel.iterconstants()}


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
        return scrub.clean(value)
    if value is None or isinstance(value, (bool, float)):  # a tuple: this runs for each field, and `|` makes a new type
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


def _clean_all(texts: list[str], scrub: Scrubbing) -> list[str]:
    """All of them in one pass: one by one they take three times as long. What is masked can only swallow separators, never add
    one, so their number says whether each text is still in its place."""
    joined = _SEPARATOR.join(texts)
    if len(joined) <= LONGEST_TEXT and joined.count(_SEPARATOR) == len(texts) - 1:
        cleaned = scrub.clean(joined).split(_SEPARATOR)
        if len(cleaned) == len(texts):
            return cleaned
    return [scrub.clean(text) for text in texts]


_SEPARATOR = "\0"
