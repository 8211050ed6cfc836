"""What tokens cost: a table of prices by model, and the cost of one answer by it. Pure.

The table has a version, so that a cost that was written down says by which prices it was reckoned. A model without a price
costs nobody-knows-what (None), which is not nothing; so does an answer of which nobody said what it used."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from json import dumps

from aiproxy.neutral.usage import Usage

MILLION = 1_000_000

MOST_REMEMBERED = 1000
"""Models whose price is remembered, so that it needn't be looked for again: clients can make names up."""


@dataclass(frozen=True)
class Rates:
    """US dollars for a million tokens. What is None is charged as `input`, or `output` where it was written."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None
    audio_in: float | None = None
    audio_out: float | None = None
    image_in: float | None = None
    image_out: float | None = None

    def of(self, usage: Usage) -> float:
        read, write, write_1h, heard, seen, spoken, drawn = self._otherwise
        cost = (
            ((usage.input_uncached or 0) + (usage.tool_prompt or 0)) * self.input
            + (usage.cache_read or 0) * read
            + (usage.cache_write or 0) * write
            + (usage.cache_write_1h or 0) * write_1h
            + (usage.audio_in or 0) * heard
            + (usage.image_in or 0) * seen
            + ((usage.output_visible or 0) + (usage.reasoning or 0)) * self.output
            + (usage.audio_out or 0) * spoken
            + (usage.image_out or 0) * drawn
        )
        return cost / MILLION

    @cached_property
    def _otherwise(self) -> Sequence[float]:
        """The rates that may be told, in their order: what isn't is charged as other tokens that were read or written."""
        read = (self.cache_read, self.cache_write, self.cache_write_1h, self.audio_in, self.image_in)
        written = (self.audio_out, self.image_out)
        told = [(rate, self.input) for rate in read] + [(rate, self.output) for rate in written]
        return [usual if rate is None else rate for rate, usual in told]

    def most(self, read: int, written: int) -> float:
        """Of so many tokens, whatever kind they turn out to be."""
        dearest_in = max(
            self.input, self.cache_write or 0, self.cache_write_1h or 0, self.audio_in or 0, self.image_in or 0
        )
        return (read * dearest_in + written * max(self.output, self.audio_out or 0, self.image_out or 0)) / MILLION


@dataclass(frozen=True)
class Price(Rates):
    """`above` so many tokens of input, all of them, read and written, are charged by `long`."""

    above: int = 0
    long: Rates | None = None

    def of(self, usage: Usage) -> float:
        return Rates.of(self if self.long is None else self._rates(usage.input_total or 0), usage)

    def most(self, read: int, written: int) -> float:
        return Rates.most(self._rates(read), read, written)

    def _rates(self, read: int) -> Rates:
        return self if self.long is None or read <= self.above else self.long


@dataclass(frozen=True, slots=True)
class Priced:
    """A price of all models whose upstream's name matches the glob, at these providers; () for all."""

    glob: str
    price: Price
    providers: tuple[str, ...] = ()


class Prices:
    """The first entry that matches counts. `matches` judges a name by a glob."""

    def __init__(self, table: Sequence[Priced], matches: Callable[[str, str], bool]) -> None:
        self._table = table
        self._matches = matches
        self._known: dict[tuple[str, str], Price | None] = {}
        told = dumps([asdict(each) for each in table])
        self.version = sha256(told.encode()).hexdigest()[:12] if table else ""

    def price(self, provider: str, model: str) -> Price | None:
        key = provider, model
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = next((each.price for each in self._table if self._fits(each, provider, model)), None)
            return self._known.setdefault(key, found)

    def cost(self, provider: str, model: str, usage: Usage | None) -> float | None:
        """US dollars."""
        if usage is None or (usage.input_uncached is None and usage.output_visible is None):  # neither sum is known
            return None
        price = self.price(provider, model)
        return None if price is None else price.of(usage)

    def _fits(self, priced: Priced, provider: str, model: str) -> bool:
        return (not priced.providers or provider in priced.providers) and self._matches(model, priced.glob)


NO_PRICES = Prices((), lambda _name, _glob: False)
