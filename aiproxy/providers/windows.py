"""Quota windows as plans' back ends tell them in headers. Source: provider sheets codex, claude; openai/codex, rate limit headers;
Anthropic API reference, rate limits; microsoft/vscode, Copilot's quota service."""

import math
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from aiproxy.credentials.times import moment
from aiproxy.pools.quota import Window

COPILOT = {
    "premium_interactions": "x-quota-snapshot-premium_interactions",
    "chat": "x-quota-snapshot-chat",
    "session": "x-usage-ratelimit-session",
    "weekly": "x-usage-ratelimit-weekly",
}


def codex_windows(headers: Mapping[str, str], now: float) -> Iterator[Window]:
    """`primary` is five hours of a ChatGPT plan, `secondary` a week. A plan with credits goes on where they end."""
    more = (headers.get(f"x-codex-credits-{name}", "").lower() for name in ("has-credits", "unlimited"))
    guards = "true" not in more
    for name in ("primary", "secondary"):
        used = _number(headers, f"x-codex-{name}-used-percent")
        if used is None:
            continue
        ends = moment(headers.get(f"x-codex-{name}-reset-at"))
        left = _number(headers, f"x-codex-{name}-reset-after-seconds")
        yield Window(name, used / 100, ends if ends is not None or left is None else now + left, guards=guards)


def claude_windows(headers: Mapping[str, str], _now: float) -> Iterator[Window]:
    """Of a Claude plan: five hours, seven days, and seven days of the largest models, which guards nothing of the others.
    One that is full but not `rejected` goes on, on extra usage."""
    for name in ("5h", "7d", "7d_oi"):
        begin = f"anthropic-ratelimit-unified-{name}"
        used = _number(headers, f"{begin}-utilization")
        status = headers.get(f"{begin}-status", "rejected")
        if headers.get(f"{begin}-status") == "rejected":
            used = 1.0
        if used is not None:
            guards = name in ("5h", "7d") and status == "rejected"
            yield Window(name, used, moment(headers.get(f"{begin}-reset")), guards=guards)


def copilot_windows(headers: Mapping[str, str], _now: float) -> Iterator[Window]:
    """A month of premium requests or of a free plan's chat; and what the service allows within a session and a week. Each is
    a query string: how much of it remains, in percent, and when it begins anew. An entitlement of -1 has no end."""
    for name, header in COPILOT.items():
        said = dict(parse_qsl(headers.get(header, "")))
        left = _number(said, "rem")
        if left is not None and said.get("ent") != "-1":
            guards = name == "chat" and said.get("ovPerm") != "true"
            yield Window(name, 1 - min(left, 100) / 100, moment(said.get("rst")), guards=guards)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        found = float(headers.get(name, ""))
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None
