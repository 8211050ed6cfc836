"""Times as credential files and token endpoints write them, and as we do. Seconds since the epoch inside."""

import math
from datetime import UTC, datetime, timedelta, timezone

IN_MILLISECONDS = 1e11
"""A larger number counts milliseconds: as seconds it would lie in the year 5138."""

LATEST = 253_402_300_799_000
"""The end of the year 9999, in milliseconds: the last one that can be written."""

CHINA = timezone(timedelta(hours=8))
"""Where iFlow's times without a zone belong; all others are UTC."""


def moment(value: object, zone: timezone = UTC) -> float | None:
    """RFC 3339 with any fraction and zone, `YYYY-MM-DD HH:MM`, seconds or milliseconds. None for what is none, Go's zero too."""
    if isinstance(value, str) and value.replace(".", "", 1).isdecimal():
        value = float(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        if abs(value) > LATEST:
            return None
        found = value / 1000 if abs(value) > IN_MILLISECONDS else float(value)
        return found if found > 0 else None
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        found = (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        return None
    return found if found > 0 else None


def written(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def seconds(value: object, unsaid: float) -> float:
    """A lifetime, which some write as text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return unsaid
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        return unsaid
    return float(value)
