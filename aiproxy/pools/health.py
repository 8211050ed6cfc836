"""What we know of an account: how long it must rest after which error. Values only; the time is handed in.

A success makes it well. A failure outside a running rest starts one, twice as long as the one before; a failure inside
a running rest (several calls were under way when it broke) doesn't escalate, it can only make the rest longer.
"""

from dataclasses import dataclass
from enum import Enum
from random import Random

from aiproxy.neutral import errors

FIRST_REST = 1.0
"""Seconds. Outlasts a token bucket's refill; CLIProxyAPI starts there too."""

FIRST_REST_REFUSED = 60.0
"""Seconds. A key that was refused doesn't heal by itself; a minute lets an operator's fix count soon."""

LONGEST_REST = 1800.0
"""Seconds. Half an hour, as peers do; a longer one only when the upstream names it."""

JITTER = 0.1
"""Share of a rest of our own making that is added at random, so that accounts don't return in step."""


class Scope(Enum):
    """What a failure says something about."""

    REQUEST = "request"
    """The request itself: no account would do better; nobody rests and nobody else is tried."""
    MODEL = "model"
    """This model at this account."""
    ACCOUNT = "account"
    """The account, with all its models."""


def scope_of(error: errors.GatewayError) -> Scope:
    match error:
        case errors.QuotaExhausted() | errors.CredentialRefused() | errors.Billing():
            return Scope.ACCOUNT
        case errors.UpstreamTruncated():
            return Scope.MODEL
        case errors.UpstreamFailed() if error.upstream_status is None:
            return Scope.ACCOUNT
        case (
            errors.RateLimited()
            | errors.Overloaded()
            | errors.Timeout()
            | errors.UpstreamFailed()
            | errors.UpstreamServerError()
        ):
            return Scope.MODEL
        case _:
            return Scope.REQUEST


@dataclass(frozen=True, slots=True)
class Health:
    """Of one account, or of one model at it. `ready_at` is a time of the pool's clock; `rest` the last rest in seconds,
    which the next one doubles; `since` when the latest failure was seen."""

    ready_at: float = 0.0
    rest: float = 0.0
    reason: str = ""
    since: float = 0.0

    def ready(self, now: float) -> bool:
        return now >= self.ready_at

    def failed(self, error: errors.GatewayError, now: float, random: Random) -> "Health":
        """The health after `error`; what the upstream said of the time (`retry_after`) wins over our own doubling."""
        if error.retry_after is not None:
            return Health(max(self.ready_at, now + error.retry_after), self.rest, error.kind, now)
        if not self.ready(now):
            return Health(self.ready_at, self.rest, self.reason, now)
        first = FIRST_REST_REFUSED if isinstance(error, errors.CredentialRefused | errors.Billing) else FIRST_REST
        rest = min(max(self.rest * 2, first), LONGEST_REST)
        return Health(now + rest * (1 + JITTER * random.random()), rest, error.kind, now)


WELL = Health()
