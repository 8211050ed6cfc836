"""How clients are told of their limits: in the 429, in `x-ratelimit-*` headers, and at `/v1/quota`. Pure."""

from collections.abc import Mapping, Sequence
from math import ceil

from aiproxy.clients.limits import MICRO, Counts, Exceeded, Limit, Standing, Window
from aiproxy.neutral.errors import QuotaExhausted, RateLimited

_PER = {
    Window.NOW: "calls at a time",
    Window.MINUTE: "{} per minute",
    Window.DAY: "{} per day",
    Window.MONTH: "{} per month",
}


def refusal(exceeded: Exceeded) -> RateLimited:
    """Which limit it is, how much of it there is, and when to ask again; of a call for which something is left, but not enough, that a
    smaller one may pass."""
    standing, asked = exceeded.standing, exceeded.asked
    limit, left = standing.limit, f"of which {_amount(standing.limit, standing.remaining)} are left"
    what = f"{_amount(limit, limit.most)} {_PER[limit.window].format(_UNITS.get(limit.counts, limit.counts))}"
    if limit.window is Window.NOW:
        when, wait = "try again when one of them has ended", 1.0
    else:
        wait = standing.returns or 0.0
        when = f"try again in {_words(wait)}"
    if limit.counts in _SMALLER and standing.remaining:
        left += f", and this call may use {_amount(limit, asked)}"
        never = limit.window is not Window.MINUTE and asked > limit.most
        when = "allow it less output" if never else f"allow it less output, or {when}"
    kind = QuotaExhausted if limit.window is Window.MONTH else RateLimited
    message = f"{standing.of.words} may use {what} ({limit.name}), {left}; {when}."
    return kind(message, retry_after=max(1.0, wait))


_SMALLER = (Counts.TOKENS, Counts.MICRO_USD)
"""What a call can be made to use less of."""

_UNITS = {Counts.MICRO_USD: "US dollars"}


def _amount(limit: Limit, amount: int) -> int | float:
    """In the unit people count in."""
    return amount / MICRO if limit.counts is Counts.MICRO_USD else amount


def headers(standings: Sequence[Standing]) -> Mapping[str, str]:
    """OpenAI's headers: of each kind, the limit that has the least left."""
    found: dict[str, str] = {}
    for counts in (Counts.REQUESTS, Counts.TOKENS):
        of_kind = [each for each in standings if each.limit.counts is counts and not each.of.shadow]
        if not of_kind:
            continue
        least = min(of_kind, key=lambda each: each.remaining)
        found[f"x-ratelimit-limit-{counts}"] = str(least.limit.most)
        found[f"x-ratelimit-remaining-{counts}"] = str(least.remaining)
        found[f"x-ratelimit-reset-{counts}"] = _words(least.resets or 0.0)
    return found


def share(standings: Sequence[Standing]) -> list[dict[str, object]]:
    return [
        {
            "of": each.of.words,
            "limit": each.limit.name,
            "most": _amount(each.limit, each.limit.most),
            "used": _amount(each.limit, each.used),
            "remaining": _amount(each.limit, each.remaining),
            "resets_in_seconds": None if each.resets is None else round(each.resets, 3),
            "enforced": not each.of.shadow,
        }
        for each in standings
    ]


def _words(seconds: float) -> str:
    """Go's durations, as OpenAI's headers have them: `1h6m0s`, `12s`."""
    minutes, rest = divmod(ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s" if minutes else f"{rest}s"
