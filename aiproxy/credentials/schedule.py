"""When a login's token is renewed, asked by nobody. Pure: times are seconds since the epoch, randomness is handed in."""

from dataclasses import dataclass
from random import Random

from aiproxy.credentials.login import Tokens

LARGEST_SHARE = 0.5
"""Of a token's life that the lead may be: a vendor that shortens its tokens isn't asked for one after the other."""

JITTER_SHARE = 0.1
"""Of the lead, by which a renewal is earlier: accounts that logged in together don't come together."""

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 1800.0
"""Seconds after a renewal that failed, doubling."""

TICK_SECONDS = 5.0
"""Between looks for what is due."""

AT_ONCE = 4
"""Scheduled renewals at a time, of all providers: enough for ten thousand accounts an hour each at two seconds a renewal."""


def due(tokens: Tokens, lead: float, random: Random) -> float | None:
    """None for a token whose end nobody knows: it is renewed when it is refused."""
    if tokens.expires is None or not tokens.refresh:
        return None
    if tokens.issued is not None and tokens.expires > tokens.issued:
        lead = min(lead, LARGEST_SHARE * (tokens.expires - tokens.issued))
    return tokens.expires - lead * (1 + JITTER_SHARE * random.random())


@dataclass(frozen=True, slots=True)
class Failures:
    """Of one account's renewals, one after the other."""

    count: int = 0
    not_before: float = 0.0

    def one_more(self, now: float, retry_after: float | None, random: Random) -> "Failures":
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self.count, 10))
        pause = max(pause * (1 + JITTER_SHARE * random.random()), retry_after or 0.0)
        return Failures(self.count + 1, now + pause)
