"""Quota windows as plans' back ends tell them in headers. Source: provider sheets codex, claude; openai/codex, rate limit headers;
Anthropic API reference, rate limits."""

import math
from collections.abc import Iterator, Mapping

from aiproxy.credentials.times import moment
from aiproxy.pools.quota import Window


def codex_windows(headers: Mapping[str, str], now: float) -> Iterator[Window]:
    """`primary` is five hours of a ChatGPT plan, `secondary` a week."""
    for name in ("primary", "secondary"):
        used = _number(headers, f"x-codex-{name}-used-percent")
        if used is None:
            continue
        ends = moment(headers.get(f"x-codex-{name}-reset-at"))
        left = _number(headers, f"x-codex-{name}-reset-after-seconds")
        yield Window(name, used / 100, ends if ends is not None or left is None else now + left)


def claude_windows(headers: Mapping[str, str], _now: float) -> Iterator[Window]:
    """Of a Claude plan: five hours, seven days, and seven days of the largest models."""
    for name in ("5h", "7d", "7d_oi"):
        begin = f"anthropic-ratelimit-unified-{name}"
        used = _number(headers, f"{begin}-utilization")
        if headers.get(f"{begin}-status") == "rejected":
            used = 1.0
        if used is not None:
            yield Window(name, used, moment(headers.get(f"{begin}-reset")))


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        found = float(headers.get(name, ""))
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None
