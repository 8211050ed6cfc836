"""Ollama's times: RFC 3339 with a fraction. Real ones have nanoseconds and a zone."""

from datetime import UTC, datetime

from aiproxy.neutral.timing import Timing

_SECOND = 1_000_000_000
"""Durations are in nanoseconds."""


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


def durations(timing: Timing | None) -> dict[str, int]:
    """What the real server measures of itself, measured of whoever answered: its "load" is all that came before the request
    was sent. None is 0: clients divide by them."""
    if timing is None:
        return {}
    load, prompt, answer = (max(1, round(each * _SECOND)) for each in (timing.before, timing.waiting, timing.telling))
    return {
        "total_duration": load + prompt + answer,
        "load_duration": load,
        "prompt_eval_duration": prompt,
        "eval_duration": answer,
    }
