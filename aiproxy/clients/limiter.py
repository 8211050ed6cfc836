"""What has been used of limits, and whether a call may still be made. Pure: the time is handed in.

Before a call is served an upper bound of what it will use is *reserved*; when it has ended, what it used is *committed* and
the rest given back. What is reserved counts as used, so calls at one time can't pass a limit together: it is passed only by
what a call uses beyond its own reservation.

Two kinds of windows. A minute is a bucket: it holds as much as the limit and drains evenly within a minute, so that over any
minute at most twice the limit passes. A day and a month are those of the calendar, in UTC, each with a tally.

One process that counts alone tells `spent` what was used of a day or a month, and takes it back by `remember` at its next
start. Of several, each may use of a tally what its `slice` holds, which it leases from what is left of the limit
(`storage.slices`); since slices never add up to more than that, neither does what all use."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from aiproxy.clients.limits import (
    MINUTE,
    Counts,
    Exceeded,
    Limit,
    Limited,
    OutOfSlice,
    Reservation,
    Standing,
    TallyKey,
    Window,
    ends,
    periods,
)

MOST_TALLIES = 10_000
"""That are looked over for old ones when there are more, about 3 MB."""

Spent = Callable[[str, str, str, int], None]
"""Holder, what is counted, period, amount: what has been used of a day or a month."""


def _untold(_holder: str, _counts: str, _period: str, _amount: int) -> None: ...


@dataclass(slots=True)
class Tally:
    """Of one day or month. `known` was used as far as the state says, `ours` since it was told, `reserved` is under way.
    `slice` is how much of what is left this process may use, None for all. `most` is the limit, `touched` when somebody
    looked last, `wanted` when a call last asked for some of it."""

    known: int = 0
    ours: int = 0
    reserved: int = 0
    slice: int | None = None
    most: int = 0
    touched: float = 0.0
    wanted: float = 0.0

    @property
    def used(self) -> int:
        return self.known + self.ours + self.reserved


class Limiter:
    def __init__(self, spent: Spent = _untold) -> None:
        self.spent = spent
        self.tallies: dict[TallyKey, Tally] = {}
        self.shared = False
        """Whether new tallies begin with an empty slice."""
        self._buckets: dict[tuple[str, Counts], tuple[float, float]] = {}
        """What is in it, and since when."""
        self._under_way: Counter[str] = Counter()
        self._let_in: dict[str, dict[Counts, int]] = {}
        """By holder of a minute's limit: what was put into its buckets since we began, in all."""
        self._drains: dict[tuple[str, Counts], float] = {}
        """What drains of a bucket in a second."""
        self._elsewhere: dict[str, dict[str, tuple[Mapping[str, int], float]]] = {}
        """By holder and process: what it told last, and until when that holds."""
        self.changed: set[str] = set()
        """Holders of whom `pace` may say something new; whoever tells the others empties it."""

    def reserve(self, limited: Sequence[Limited], tokens: int, now: float, micro_usd: int = 0) -> Reservation:
        """All of it or, raising `Exceeded` or `OutOfSlice`, nothing. `now` is seconds since the epoch."""
        reservation = Reservation(limited, tokens, micro_usd, now, periods(now))
        dry: dict[TallyKey, int] = {}
        for each in limited:
            if each.shadow:
                continue
            for limit in each.limits:
                asked = reservation.amount(limit.counts)
                standing = self._standing(each, limit, now, asked)
                if standing.used + _at_most(limit, asked) > limit.most:
                    raise Exceeded(standing, asked)
                if limit.window in reservation.periods:
                    tally = self._tally(each.holder, limit, reservation.periods[limit.window], now)
                    tally.wanted = now
                    if tally.slice is not None and tally.ours + tally.reserved + asked > tally.slice:
                        dry[each.holder, limit.counts, reservation.periods[limit.window]] = asked
        if dry:
            raise OutOfSlice(dry)
        for each in limited:
            self._under_way[each.holder] += 1
            self.changed.add(each.holder)
            for limit in each.limits:
                self._take(each.holder, limit, reservation, now)
        return reservation

    def commit(self, reservation: Reservation, tokens: int, now: float, micro_usd: int = 0) -> None:
        """The call has ended and used so much."""
        used = Reservation(reservation.limited, tokens, micro_usd, reservation.began, reservation.periods)
        for each in reservation.limited:
            self._under_way[each.holder] -= 1
            self.changed.add(each.holder)
            if not self._under_way[each.holder]:
                del self._under_way[each.holder]
            for limit in each.limits:
                self._settle(each.holder, limit, reservation, used.amount(limit.counts), now)

    def remember(self, holder: str, counts: str, period: str, amount: int) -> None:
        """What was used of a day or a month before this process began."""
        self.tallies.setdefault((holder, Counts(counts), period), Tally()).known += amount

    # -- other processes, of minutes and calls at a time

    def pace(self, holder: str) -> dict[str, int]:
        """What others should know: what was let in since we began, in all, and the calls under way."""
        let_in = self._let_in.get(holder, {})
        sums = {counts.value: let_in.get(counts, 0) for counts in (Counts.REQUESTS, Counts.TOKENS)}
        return {**sums, "calls": self._under_way[holder]}

    def hear(self, process: str, holder: str, told: Mapping[str, int], now: float, until: float) -> None:
        """What another process tells of its `pace`; it holds until then. What is new of it goes into our buckets too; the
        first telling has nothing to be compared with."""
        others = self._elsewhere.setdefault(holder, {})
        before, _ = others.get(process, (told, 0.0))
        others[process] = told, until
        for counts in (Counts.REQUESTS, Counts.TOKENS):
            drains, new = self._drains.get((holder, counts)), told[counts] - before[counts]
            if drains is not None and new:
                full, since = self._buckets.get((holder, counts), (0.0, now))
                full = max(0.0, full - max(0.0, now - since) * drains)
                self._buckets[holder, counts] = max(0.0, full + new), now

    def _calls(self, holder: str, now: float) -> int:
        others = self._elsewhere.get(holder)
        if not others:
            return self._under_way[holder]
        return self._under_way[holder] + sum(told["calls"] for told, until in others.values() if until > now)

    def standings(self, limited: Sequence[Limited], now: float) -> list[Standing]:
        return [self._standing(each, limit, now, 0) for each in limited for limit in each.limits]

    # -- the two kinds of windows

    def _standing(self, each: Limited, limit: Limit, now: float, asked: int) -> Standing:
        match limit.window:
            case Window.NOW:
                return Standing(each, limit, self._calls(each.holder, now), None)
            case Window.MINUTE:
                full = self._drained(each.holder, limit, now)
                drop = full + _at_most(limit, asked) - limit.most
                rate = limit.most / MINUTE
                return Standing(each, limit, ceil(full - 1e-6), full / rate, max(0.0, drop / rate))
            case Window.DAY | Window.MONTH:
                left = ends(limit.window, now) - now
                tally = self._tally(each.holder, limit, periods(now)[limit.window], now)
                return Standing(each, limit, tally.used, left, left)

    def _tally(self, holder: str, limit: Limit, period: str, now: float) -> Tally:
        key = holder, limit.counts, period
        tally = self.tallies.get(key)
        if tally is None:
            if len(self.tallies) >= MOST_TALLIES:
                self._forget(set(periods(now).values()))
            tally = self.tallies[key] = Tally(slice=0 if self.shared else None)
        tally.most, tally.touched = limit.most, now
        return tally

    def _forget(self, current: set[str]) -> None:
        """Tallies of other days and months that nobody writes to any more. Until there is no room they stay: a clock that
        goes back must find them."""
        for key, tally in list(self.tallies.items()):
            if key[2] not in current and not tally.reserved and not (self.shared and tally.ours):
                del self.tallies[key]

    def _drained(self, holder: str, limit: Limit, now: float) -> float:
        """A clock that goes back drains nothing."""
        full, since = self._buckets.get((holder, limit.counts), (0.0, now))
        return max(0.0, full - max(0.0, now - since) * limit.most / MINUTE)

    def _take(self, holder: str, limit: Limit, reservation: Reservation, now: float) -> None:
        amount = reservation.amount(limit.counts)
        if limit.window is Window.MINUTE:
            self._put(holder, limit, amount, now)
        elif limit.window in reservation.periods:
            self._tally(holder, limit, reservation.periods[limit.window], now).reserved += amount

    def _put(self, holder: str, limit: Limit, amount: int, now: float) -> None:
        self._buckets[holder, limit.counts] = max(0.0, self._drained(holder, limit, now) + amount), now
        self._drains[holder, limit.counts] = limit.most / MINUTE
        let_in = self._let_in.setdefault(holder, {})
        let_in[limit.counts] = let_in.get(limit.counts, 0) + amount

    def _settle(self, holder: str, limit: Limit, reservation: Reservation, used: int, now: float) -> None:
        amount = reservation.amount(limit.counts)
        if limit.window is Window.MINUTE:
            back = used - amount
            if back < 0:  # what has drained of the reservation meanwhile can't be given back a second time
                back = min(0, back + ceil((now - reservation.began) * limit.most / MINUTE))
            if back:
                self._put(holder, limit, back, now)
        elif limit.window in reservation.periods:
            period = reservation.periods[limit.window]
            tally = self._tally(holder, limit, period, now)
            tally.reserved = max(0, tally.reserved - amount)
            tally.ours += used
            if not self.shared:
                self.spent(holder, limit.counts, period, used)


def _at_most(limit: Limit, asked: int) -> int:
    """A call that is larger than what a minute allows needs all of it, or it could never be made."""
    return min(asked, limit.most) if limit.window is Window.MINUTE else asked
