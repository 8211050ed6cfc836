"""What a key, or everybody with a tag, may use, and what has been used of it. Pure: the time is handed in.

Before a call is served an upper bound of what it will use is *reserved*; when it has ended, what it used is *committed* and
the rest given back. What is reserved counts as used, so calls at one time can't pass a limit together: it is passed only by
what a call uses beyond its own reservation.

Two kinds of windows. A minute is a bucket: it holds as much as the limit and drains evenly within a minute, so that over any
minute at most twice the limit passes. A day and a month are those of the calendar, in UTC. Each process counts for itself;
what is used of a day or a month is told to `spent`, which keeps it, and taken back by `remember` at the next start. Where
several processes are to share one limit, each can be given a slice of it: a `Limit` of that size is all it needs."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import NamedTuple

MINUTE = 60.0


class Counts(StrEnum):
    REQUESTS = "requests"
    TOKENS = "tokens"
    CALLS = "calls"
    """Under way."""


class Window(StrEnum):
    NOW = "now"
    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Limit:
    """`name` is the key of the configuration that sets it."""

    name: str
    most: int
    counts: Counts
    window: Window


@dataclass(frozen=True, slots=True)
class Limited:
    """Whose limits these are: `holder` for good, `words` for people. `shadow`: they are counted, but nobody is refused."""

    holder: str
    words: str
    limits: tuple[Limit, ...]
    shadow: bool = False


class Standing(NamedTuple):
    """How it stands with one limit. `resets` is seconds until all of it may be used again, `returns` until as much as was
    asked for may be; None where nobody can know."""

    of: Limited
    limit: Limit
    used: int
    resets: float | None
    returns: float | None = None

    @property
    def remaining(self) -> int:
        return max(0, self.limit.most - self.used)


class Exceeded(Exception):
    """The limit that is in the way."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(f"{standing.of.words}: {standing.limit.name}")
        self.standing = standing


@dataclass(frozen=True, slots=True)
class Reservation:
    """`periods` are those of the time it was made, by window: a call counts where it began."""

    limited: Sequence[Limited]
    tokens: int
    began: float
    periods: dict[Window, str] = field(hash=False)


Spent = Callable[[str, str, str, int], None]
"""Holder, what is counted, period, amount: what has been used of a day or a month."""


def _untold(_holder: str, _counts: str, _period: str, _amount: int) -> None: ...


class Limiter:
    def __init__(self, spent: Spent = _untold) -> None:
        self.spent = spent
        self._buckets: dict[tuple[str, Counts], tuple[float, float]] = {}
        """What is in it, and since when."""
        self._periods: dict[tuple[str, Counts, Window], tuple[str, int]] = {}
        self._under_way: Counter[str] = Counter()

    def reserve(self, limited: Sequence[Limited], tokens: int, now: float) -> Reservation:
        """All of it or, raising `Exceeded`, nothing. `now` is seconds since the epoch."""
        reservation = Reservation(limited, tokens, now, periods(now))
        for each in limited:
            for limit in each.limits:
                asked = tokens if limit.counts is Counts.TOKENS else 1
                standing = self._standing(each, limit, now, asked)
                if not each.shadow and (standing.used + _at_most(limit, asked) > limit.most):
                    raise Exceeded(standing)
        for each in limited:
            self._under_way[each.holder] += 1
            self._add(each, Counts.REQUESTS, 1, reservation, now)
            self._add(each, Counts.TOKENS, tokens, reservation, now)
        return reservation

    def commit(self, reservation: Reservation, tokens: int, now: float) -> None:
        """The call has ended and used so many tokens."""
        for each in reservation.limited:
            self._under_way[each.holder] -= 1
            if not self._under_way[each.holder]:
                del self._under_way[each.holder]
            self._add(each, Counts.TOKENS, tokens - reservation.tokens, reservation, now)
            for limit in each.limits:
                if limit.window in reservation.periods:
                    amount = tokens if limit.counts is Counts.TOKENS else 1
                    self.spent(each.holder, limit.counts, reservation.periods[limit.window], amount)

    def remember(self, holder: str, counts: str, period: str, amount: int) -> None:
        """What was used of a day or a month before this process began."""
        window = Window.DAY if period.count("-") == 2 else Window.MONTH
        key = (holder, Counts(counts), window)
        known, used = self._periods.get(key, ("", 0))
        self._periods[key] = (period, amount + used * (known == period))

    def standings(self, limited: Sequence[Limited], now: float) -> list[Standing]:
        return [self._standing(each, limit, now, 0) for each in limited for limit in each.limits]

    # -- the two kinds of windows

    def _standing(self, each: Limited, limit: Limit, now: float, asked: int) -> Standing:
        match limit.window:
            case Window.NOW:
                return Standing(each, limit, self._under_way[each.holder], None)
            case Window.MINUTE:
                full = self._drained(each, limit, now)
                drop = full + _at_most(limit, asked) - limit.most
                rate = limit.most / MINUTE
                return Standing(each, limit, ceil(full - 1e-6), full / rate, max(0.0, drop / rate))
            case Window.DAY | Window.MONTH:
                period, used = self._periods.get((each.holder, limit.counts, limit.window), ("", 0))
                left = ends(limit.window, now) - now
                return Standing(each, limit, used * (period == periods(now)[limit.window]), left, left)

    def _drained(self, each: Limited, limit: Limit, now: float) -> float:
        """A clock that goes back drains nothing."""
        full, since = self._buckets.get((each.holder, limit.counts), (0.0, now))
        return max(0.0, full - max(0.0, now - since) * limit.most / MINUTE)

    def _add(self, each: Limited, counts: Counts, amount: int, reservation: Reservation, now: float) -> None:
        for limit in each.limits:
            if limit.counts is not counts:
                continue
            if limit.window is Window.MINUTE:
                given = amount
                if amount < 0:  # what has drained of the reservation meanwhile can't be given back a second time
                    given = min(0, amount + ceil((now - reservation.began) * limit.most / MINUTE))
                self._buckets[each.holder, counts] = max(0.0, self._drained(each, limit, now) + given), now
            elif limit.window in reservation.periods:
                period = reservation.periods[limit.window]
                known, used = self._periods.get((each.holder, counts, limit.window), ("", 0))
                if known <= period:
                    used = used * (known == period) + amount
                    self._periods[each.holder, counts, limit.window] = (period, max(0, used))


def _at_most(limit: Limit, asked: int) -> int:
    """A call that is larger than what a minute allows needs all of it, or it could never be made."""
    return min(asked, limit.most) if limit.window is Window.MINUTE else asked


def periods(now: float) -> dict[Window, str]:
    today = datetime.fromtimestamp(now, UTC)
    return {Window.DAY: f"{today:%Y-%m-%d}", Window.MONTH: f"{today:%Y-%m}"}


def ends(window: Window, now: float) -> float:
    """When this day or month ends, in seconds since the epoch."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    following = today + timedelta(days=1)
    if window is Window.MONTH:
        following = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    return following.timestamp()
