"""What tokens cost: a table of prices by model, and the cost of one answer by it. Pure.

The table has a version, so that a cost that was written down says by which prices it was reckoned. A model without a price
costs nobody-knows-what (None), which is not nothing; so does an answer of which nobody said what it used."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps

from aiproxy.neutral.usage import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens. What is None is charged as `input`, or `output` where it was written."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None
    audio_in: float | None = None
    audio_out: float | None = None

    def of(self, usage: Usage) -> float | None:
        if usage.input_total is None and usage.output_total is None:
            return None
        read = (
            (usage.input_uncached, None),
            (usage.cache_read, self.cache_read),
            (usage.cache_write, self.cache_write),
            (usage.cache_write_1h, self.cache_write_1h),
            (usage.audio_in, self.audio_in),
            (usage.tool_prompt, None),
        )
        written = ((usage.output_visible, None), (usage.reasoning, None), (usage.audio_out, self.audio_out))
        cost = sum((tokens or 0) * (self.input if price is None else price) for tokens, price in read)
        cost += sum((tokens or 0) * (self.output if price is None else price) for tokens, price in written)
        return cost / MILLION


class Prices:
    """By globs of the upstreams' names of models; the first that matches counts. `matches` judges a name by a glob."""

    def __init__(self, table: Mapping[str, Price], matches: Callable[[str, str], bool]) -> None:
        self._table = table
        self._matches = matches
        told = dumps([(glob, asdict(price)) for glob, price in table.items()])
        self.version = sha256(told.encode()).hexdigest()[:12] if table else ""

    def cost(self, model: str, usage: Usage | None) -> float | None:
        """US dollars."""
        if usage is None:
            return None
        price = next((price for glob, price in self._table.items() if self._matches(model, glob)), None)
        return None if price is None else price.of(usage)


NO_PRICES = Prices({}, lambda _name, _glob: False)
