"""What a client is told when no account can be had: one sentence that says who rests for how long. Pure."""

from collections.abc import Sequence

from aiproxy.neutral.errors import GatewayError, NotFound, Overloaded, RateLimited
from aiproxy.pools.health import Health
from aiproxy.pools.lending import Hindrance, NoneReady

MOST_NAMED = 3
"""Resting accounts that a refusal names: those that return first."""

_LIMITED = frozenset(("rate_limit", "quota_exhausted", "billing"))

_WORDS = {
    "rate_limit": "rate limited",
    "quota_exhausted": "out of quota",
    "billing": "not paid for",
    "credential_refused": "its key is refused",
    "overloaded": "overloaded",
    "timeout": "too slow",
    "upstream_failed": "unreachable or broken",
    "upstream_truncated": "broke off",
    "server_error": "failing",
    "not_found": "without this model",
}


def refused(model: str, none: NoneReady) -> GatewayError:
    """Nobody can be had for as long as the call may wait."""
    if none.queue_full:
        told = f"Too many calls wait for an account that offers {model!r} (routing.queue); try again."
        return Overloaded(told, retry_after=1.0)
    resting = none.resting
    if none.ready_in is None:
        if any(skip.why is Hindrance.DISABLED for skip in none.skipped):
            return Overloaded(
                f"Every account that offers {model!r} is disabled; the gateway's operator can enable one."
            )
        return Overloaded(f"No account is left that offers {model!r}; the configuration has just changed. Try again.")
    if not resting and any(skip.why is Hindrance.PACED for skip in none.skipped):
        told = f"The accounts that offer {model!r} have had as many calls as they take within a minute; wait {none.ready_in:.0f} s."
        return RateLimited(told, retry_after=max(1.0, none.ready_in))
    if not resting:
        told = f"All accounts that offer {model!r} are busy with as many calls as they take (concurrency); try again."
        return Overloaded(told, retry_after=1.0)
    reasons = {health.reason for _, health in resting}
    busy = ", the others are busy" if any(skip.why is Hindrance.BUSY for skip in none.skipped) else ""
    message = f"All accounts that offer {model!r} rest: {_named(resting, none)}{busy}."
    retry_after = max(1.0, none.ready_in)
    if reasons == {"not_found"}:
        return NotFound(message, code="model_not_found", param="model")
    return (RateLimited if reasons & _LIMITED else Overloaded)(message, retry_after=retry_after)


def put_off(failed: GatewayError, none: NoneReady) -> GatewayError:
    """The last failure, with the time at which asking again makes sense."""
    if none.ready_in is not None:
        failed.retry_after = max(failed.retry_after or 0.0, none.ready_in)
    return failed


def _named(resting: Sequence[tuple[str, Health]], none: NoneReady) -> str:
    """`a for 12 s (rate limited), b for 60 s (its key is refused) and 4 more for longer`."""
    first = resting[0][1].ready_at
    ready_in = none.ready_in or 0.0
    words = [
        f"{account} for {max(1, round(ready_in + health.ready_at - first))} s ({_WORDS.get(health.reason, health.reason)})"
        for account, health in resting[:MOST_NAMED]
    ]
    more = len(resting) - len(words)
    return ", ".join(words) + (f" and {more} more for longer" if more else "")
