"""Ollama's times: RFC 3339 with a fraction. Real ones have nanoseconds and a zone."""

from datetime import UTC, datetime


def timestamp(seconds: int) -> str:
    """Seconds since the epoch; what is beyond the calendar is the epoch."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_of(text: object) -> int:
    """0 for what isn't a time."""
    if not isinstance(text, str):
        return 0
    try:
        moment = datetime.fromisoformat(text)
        return max(0, int(moment.timestamp())) if moment.tzinfo else 0
    except (ValueError, OverflowError):
        return 0
