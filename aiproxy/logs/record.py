"""An event, read: what both renderings write. Every string of it has been scrubbed here, and nowhere later is one added.

An event may hold anything: objects stay out of the fields, and what can't be formatted says so in its place."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from twisted.logger import LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure
from twisted.python.reflect import safe_repr

from aiproxy.logs.access import ACCESS, access_fields, access_line
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
    if logger == ACCESS and (entry := access_fields(event, scrub)) is not None:
        level = _NAMES.get(event.get("log_level"), "info")
        return Record(event.get("log_time", 0.0), level, ACCESS, access_line(entry), entry, "")
    fields: dict[str, Any] = {}
    names: list[str] = []
    texts = [
        logger if isinstance(logger, str) else "",
        _traceback(event),
        "" if logger == ACCESS else formatEvent(event),
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
        message=_access(event, fields, scrub) if logger == ACCESS else message,
        fields=fields,
        traceback=traceback,
    )


_NAMES: Mapping[Any, str] = {level: level.name for level in LogLevel.iterconstants()}


def _access(event: LogEvent, fields: Mapping[str, Any], scrub: Scrubbing) -> str:
    """From fields that are clean already: an access entry is most of what is logged, and its line is made of nothing else."""
    try:
        return access_line(fields)
    except (KeyError, TypeError, ValueError):  # not one of `access`
        return _clean(formatEvent(event), scrub)


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
    """All of them in one pass: an access entry has ten, and one by one they take three times as long. What is masked can
    only swallow separators, never add one, so their number says whether each text is still in its place."""
    joined = _SEPARATOR.join(texts)
    if len(joined) <= LONGEST_TEXT and joined.count(_SEPARATOR) == len(texts) - 1:
        cleaned = _clean(joined, scrub).split(_SEPARATOR)
        if len(cleaned) == len(texts):
            return cleaned
    return [_clean(text, scrub) for text in texts]


_SEPARATOR = "\0"


def _clean(text: str, scrub: Scrubbing) -> str:
    """Scrubbed first, then cut: half a secret is one too. What isn't Unicode is escaped."""
    text = scrub(text)
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text) - LONGEST_TEXT} characters more)"
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
