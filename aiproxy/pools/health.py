"""What we know of an account, or of whatever else can rest: how long it must. Values only; the time is handed in.

A success makes it well. A failure outside a running rest starts one, twice as long as the one before; a failure inside
a running rest (several calls were under way when it broke) doesn't escalate, it can only make the rest longer.
"""

from dataclasses import dataclass
from random import Random

LONGEST_REST = 1800.0
"""Seconds. Half an hour, as peers do; a longer one only when the upstream names it."""

JITTER = 0.1
"""Share of a rest of our own making that is added at random, so that accounts don't return in step."""


@dataclass(frozen=True, slots=True)
class Health:
    """`ready_at` is a time of the pool's clock; `rest` the last rest in seconds, which the next one doubles; `reason` the
    kind of the error; `since` when the latest failure was seen."""

    ready_at: float = 0.0
    rest: float = 0.0
    reason: str = ""
    since: float = 0.0

    def ready(self, now: float) -> bool:
        return now >= self.ready_at

    def failed(self, reason: str, first: float, said: float | None, now: float, random: Random) -> "Health":
        """The health after a failure. What the upstream said of the time (`said`, seconds) wins over our own doubling, which
        begins with `first`."""
        if said is not None:
            return Health(max(self.ready_at, now + said), self.rest, reason, now)
        if not self.ready(now):
            return Health(self.ready_at, self.rest, self.reason, now)
        rest = max(min(self.rest * 2, LONGEST_REST), first)
        return Health(now + rest * (1 + JITTER * random.random()), rest, reason, now)


WELL = Health()
