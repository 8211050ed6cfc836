"""What an answer costs, by hand and by the table."""

from fnmatch import fnmatchcase

import pytest

from aiproxy.neutral.usage import Usage
from aiproxy.usage.prices import NO_PRICES, Price, Prices

FULL = Price(10, 100, cache_read=1, cache_write=12, cache_write_1h=20, audio_in=40, audio_out=200)
PLAIN = Price(10, 100)


@pytest.mark.parametrize(
    ("usage", "full", "plain"),
    [
        (Usage(input_uncached=1_000_000), 10, 10),
        (Usage(input_uncached=0, cache_read=1_000_000), 1, 10),
        (Usage(input_uncached=0, cache_write=1_000_000, cache_write_1h=1_000_000), 32, 20),
        (Usage(input_uncached=0, audio_in=500_000, tool_prompt=100_000), 21, 6),
        (Usage(output_visible=10_000, reasoning=90_000), 10, 10),
        (Usage(output_visible=0, audio_out=10_000), 2, 1),
        (Usage(input_uncached=0, output_visible=0), 0, 0),
        (Usage(), None, None),
    ],
)
def test_each_bucket_has_its_price(usage: Usage, full: float | None, plain: float | None) -> None:
    for price, cost in ((FULL, full), (PLAIN, plain)):
        assert price.of(usage) == (None if cost is None else pytest.approx(cost))


def test_the_invoice_of_a_total_is_the_sum_of_its_parts() -> None:
    """OpenAI's view, where details are parts of the total, and the same by hand."""
    usage = Usage.from_totals(input_total=1000, cache_read=400, output_total=300, reasoning=200, audio_out=50)
    by_hand = 600 * 10 + 400 * 1 + 50 * 100 + 200 * 100 + 50 * 200
    assert FULL.of(usage) == pytest.approx(by_hand / 1_000_000)


def test_the_first_glob_counts_and_no_price_is_no_cost() -> None:
    prices = Prices({"big-mini": PLAIN, "big*": FULL}, fnmatchcase)
    read = Usage(cache_read=1_000_000, input_uncached=0)
    assert [prices.cost(name, read) for name in ("big-mini", "big-1", "small")] == [10, 1, None]
    assert prices.cost("big-1", None) is None
    assert NO_PRICES.cost("big-1", read) is None


def test_another_price_is_another_version() -> None:
    versions = {Prices(table, fnmatchcase).version for table in ({"a": PLAIN}, {"a": FULL}, {"b": PLAIN}, {"a": PLAIN})}
    assert len(versions) == 3
    assert NO_PRICES.version == ""
