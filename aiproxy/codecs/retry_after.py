"""When an upstream will take a request again, in seconds: the largest of all that its headers, its details and its words say.

Dates are measured against the answer's own `date` header: no clock of ours is needed, and none is trusted to agree."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

LONGEST = 366 * 24 * 3600
"""Seconds. More is a broken header, not a quota."""

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
"""Go's durations, as OpenAI's reset headers have them: `6m0s`, `1s`, `20ms`."""

_SAID = re.compile(r"(?:(?:try again|retry) in|reset after) (?:about )?(\d[\d.hms]*) ?([a-z]*)", re.IGNORECASE)

_UNITS = {
    "": "s",
    "s": "s",
    "second": "s",
    "seconds": "s",
    "ms": "ms",
    "milliseconds": "ms",
    "minute": "m",
    "minutes": "m",
}


def retry_after(
    status: int,
    headers: Mapping[str, str],
    message: str = "",
    details: Iterable[Mapping[str, Any]] = (),
    error: Mapping[str, Any] = MappingProxyType({}),
) -> float | None:
    """`headers` in lower case, `details` of a Google error, `error` the error object itself. None when nothing is said."""
    found = [*_headers(headers), *_details(details), *_fields(error, headers), *_words(message)]
    if status == 429:
        found += _resets(headers)
    usable = [seconds for seconds in found if 0 <= seconds <= LONGEST]
    return max(usable, default=None)


def _headers(headers: Mapping[str, str]) -> Iterator[float]:
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        yield milliseconds / 1000
    said = headers.get("retry-after")
    if (seconds := _number(said)) is not None:
        yield seconds
    elif said is not None and (until := _http_date(said)) and (now := _now(headers)):
        yield _between(now, until)


def _resets(headers: Mapping[str, str]) -> Iterator[float]:
    """The reset of each limit that is used up: OpenAI's as a duration, Anthropic's as a time. Of a Claude plan's windows
    (`unified`) those count that are `rejected`."""
    now = _now(headers)
    for name, value in headers.items():
        if "ratelimit" not in name or "reset" not in name:
            continue
        if "-unified-" in name:
            if headers.get(name.replace("reset", "status")) != "rejected":
                continue
        elif headers.get(name.replace("reset", "remaining"), "0") not in ("0", ""):
            continue
        if (seconds := duration(value)) is not None:
            yield seconds
        elif now and (until := _iso_date(value) or _unix_date(value)):
            yield _between(now, until)


def _fields(error: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[float]:
    """ChatGPT's plan limits say when they end, and in how long."""
    if isinstance(seconds := error.get("resets_in_seconds"), int | float):
        yield float(seconds)
    elif (until := _unix_date(error.get("resets_at"))) and (now := _now(headers)):
        yield _between(now, until)


def _details(details: Iterable[Mapping[str, Any]]) -> Iterator[float]:
    """Google's: `RetryInfo.retryDelay`, or when a quota ends in the `metadata` of its `ErrorInfo`."""
    for detail in details:
        metadata = detail.get("metadata")
        quota = metadata.get("quotaResetDelay") if isinstance(metadata, dict) else None
        for delay in (detail.get("retryDelay"), quota):
            if isinstance(delay, str) and (seconds := duration(delay)) is not None:
                yield seconds


def _words(message: str) -> Iterator[float]:
    """`try again in 6m0s`, `retry in 37.2s`, `try again in 2 seconds`; a full stop may follow."""
    for number, unit in _SAID.findall(message):
        bare = number.rstrip(".")
        written = bare if bare[-1].isalpha() else f"{bare}{_UNITS.get(unit.lower(), 's')}"
        if (seconds := duration(written.lower())) is not None:
            yield seconds


def duration(text: str) -> float | None:
    """Seconds of `6m0s`, `37.2s`, `20ms`."""
    found = _DURATION.fullmatch(text.strip())
    if not found or not any(found.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(group or 0) for group in found.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _now(headers: Mapping[str, str]) -> datetime | None:
    return _http_date(headers.get("date", ""))


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None


def _iso_date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _unix_date(value: object) -> datetime | None:
    """Seconds since the epoch, as a number or as text."""
    seconds = _number(value) if isinstance(value, str) else value
    if not isinstance(seconds, int | float) or not 1e9 < seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _between(now: datetime, until: datetime) -> float:
    """0 for a date without a zone: it can't be compared."""
    return (until - now).total_seconds() if (now.tzinfo is None) == (until.tzinfo is None) else 0.0
