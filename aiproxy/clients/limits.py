"""What a key, or everybody with a tag, may use: the values that limits are made of. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

MINUTE = 60.0
DAY = 86400.0

MICRO = 1_000_000
"""Of a US dollar."""


class Counts(StrEnum):
    REQUESTS = "requests"
    TOKENS = "tokens"
    CALLS = "calls"
    """Under way."""
    MICRO_USD = "micro-dollars"
    """Millionths of a US dollar, so that sums are exact."""


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
    """Whose limits these are: `holder` for good, `words` for people. `shadow`: they are counted, but nobody is refused.
    `models` are globs of the names, as clients call them, whose calls count; () for all."""

    holder: str
    words: str
    limits: tuple[Limit, ...]
    shadow: bool = False
    models: tuple[str, ...] = ()


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
    """The limit that is in the way of a call which may use `asked` of it."""

    def __init__(self, standing: Standing, asked: int) -> None:
        super().__init__(f"{standing.of.words}: {standing.limit.name}")
        self.standing = standing
        self.asked = asked


class OutOfSlice(Exception):
    """Nothing is in the way but that this process may not use more before it has asked for it: of these, so much."""

    def __init__(self, asked: "Mapping[TallyKey, int]") -> None:
        super().__init__("more must be asked for")
        self.asked = asked


TallyKey = tuple[str, Counts, str]
"""Holder, what is counted, and the day or month."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """`periods` are those of the time it was made, by window: a call counts where it began."""

    limited: Sequence[Limited]
    tokens: int
    micro_usd: int
    began: float
    periods: Mapping[Window, str] = field(hash=False)

    def amount(self, counts: Counts) -> int:
        match counts:
            case Counts.TOKENS:
                return self.tokens
            case Counts.MICRO_USD:
                return self.micro_usd
            case _:
                return 1


def periods(now: float) -> Mapping[Window, str]:
    return _of_day(int(now // DAY))[0]


def ends(window: Window, now: float) -> float:
    """When this day or month ends, in seconds since the epoch."""
    return _of_day(int(now // DAY))[1][window]


@lru_cache(maxsize=8)
def _of_day(number: int) -> tuple[Mapping[Window, str], Mapping[Window, float]]:
    """A day since the epoch: the names and the ends of the periods it is in."""
    today = datetime.fromtimestamp(number * DAY, UTC)
    tomorrow = today + timedelta(days=1)
    following = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    names = {Window.DAY: f"{today:%Y-%m-%d}", Window.MONTH: f"{today:%Y-%m}"}
    return names, {Window.DAY: tomorrow.timestamp(), Window.MONTH: following.timestamp()}
