"""What an answer costs, by hand and by the table."""

import re
from datetime import date
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.neutral.usage import Usage
from aiproxy.usage.prices import NO_PRICES, Price, Priced, Prices, Rates
from aiproxy.usage.vendor_prices import vendor_prices

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
    ],
)
def test_each_bucket_has_its_price(usage: Usage, full: float, plain: float) -> None:
    for price, cost in ((FULL, full), (PLAIN, plain)):
        assert price.of(usage) == pytest.approx(cost)


def test_the_invoice_of_a_total_is_the_sum_of_its_parts() -> None:
    """OpenAI's view, where details are parts of the total, and the same by hand."""
    usage = Usage.from_totals(input_total=1000, cache_read=400, output_total=300, reasoning=200, audio_out=50)
    by_hand = 600 * 10 + 400 * 1 + 50 * 100 + 200 * 100 + 50 * 200
    assert FULL.of(usage) == pytest.approx(by_hand / 1_000_000)


def table(**prices: Price) -> list[Priced]:
    return [Priced(glob.replace("_", "-").replace("ANY", "*"), price) for glob, price in prices.items()]


def test_the_first_glob_counts_and_no_price_is_no_cost() -> None:
    prices = Prices(table(big_mini=PLAIN, bigANY=FULL), fnmatchcase)
    read = Usage(cache_read=1_000_000, input_uncached=0)
    assert [prices.cost("p", name, read) for name in ("big-mini", "big-1", "small")] == [10, 1, None]
    assert prices.cost("p", "big-1", None) is None
    assert NO_PRICES.cost("p", "big-1", read) is None


def test_a_price_may_hold_at_some_providers_only() -> None:
    prices = Prices([Priced("m", PLAIN, ("one",)), Priced("m", FULL, ("two",))], fnmatchcase)
    read = Usage(cache_read=1_000_000, input_uncached=0)
    assert [prices.cost(provider, "m", read) for provider in ("one", "two", "three")] == [10, 1, None]


def test_a_long_call_costs_more_from_its_first_token() -> None:
    price = Price(10, 100, above=1000, long=Rates(20, 150, cache_read=2))
    assert price.of(Usage.from_totals(input_total=1000, output_total=10)) == pytest.approx(0.011)
    long = Usage.from_totals(input_total=1001, cache_read=501, output_total=10)
    assert price.of(long) == pytest.approx((500 * 20 + 501 * 2 + 10 * 150) / 1_000_000)


@given(st.builds(Usage, *[st.integers(0, 10**6)] * 11), st.booleans())
def test_no_usage_costs_more_than_the_most_of_its_tokens(usage: Usage, plain: bool) -> None:
    price = PLAIN if plain else FULL
    assert price.of(usage) <= price.most(usage.input_total or 0, usage.output_total or 0) + 1e-9


def test_another_price_is_another_version() -> None:
    tables = table(a=PLAIN), table(a=FULL), table(b=PLAIN), table(a=PLAIN)
    assert len({Prices(each, fnmatchcase).version for each in tables}) == 3
    assert NO_PRICES.version == ""


def test_the_prices_that_come_along_say_where_they_were_read() -> None:
    found = orjson.loads(files("aiproxy.usage").joinpath("prices.json").read_bytes())
    for vendor in found["vendors"]:
        assert vendor["source"].startswith("https://")
        assert date.fromisoformat(vendor["read"]) <= date.fromisoformat(found["date"])


PRICES = Prices(vendor_prices(), fnmatchcase)


@pytest.mark.parametrize(
    ("provider", "model", "usage", "cost"),
    [
        ("claude", "claude-opus-5-5", Usage(0, 1_000_000, 1_000_000, 1_000_000, output_visible=1_000_000), 33.2),
        ("claude", "claude-sonnet-5-5-20260929", Usage(1_000_000, 1_000_000), 2.1),
        ("claude", "claude-haiku-5-5", Usage(100_000, output_visible=0), 0.01),
        ("claude", "claude-haiku-5-5", Usage(100_001, output_visible=1_000_000), 2.5500005),
        ("openai", "gpt-6.2-sol", Usage(100_000, 100_000, output_visible=100_000), 1.21),
        ("openai", "gpt-6.2-sol", Usage(200_000, 100_000, output_visible=100_000), 2.32),
        ("openai", "gpt-5.6-luna", Usage(272_000, output_visible=0, reasoning=1_000_000), 1.2544),
        ("openai", "gpt-5.6-luna", Usage(173_000, 100_000, output_visible=0, reasoning=1_000_000), 1.8732),
        ("openai", "gpt-5-nano-2025-08-07", Usage(1_000_000, 1_000_000, output_visible=1_000_000), 0.455),
        ("openai", "gpt-5-nano-of-mine", Usage(1_000_000), None),
        ("openai", "gpt-4-turbo", Usage(1_000_000), None),
        ("copilot", "claude-sonnet-4.5", Usage(0, 1_000_000, 1_000_000, output_visible=1_000_000), 19.05),
        ("gemini", "gemini-3.1-pro-preview", Usage(1_000_000), 4),
        ("openai", "claude-opus-5-5", Usage(1_000_000), None),
        ("openrouter", "gpt-6.2-sol", Usage(1_000_000), None),
    ],
)
def test_list_prices(provider: str, model: str, usage: Usage, cost: float | None) -> None:
    assert PRICES.cost(provider, model, usage) == (None if cost is None else pytest.approx(cost))


def test_the_reference_says_who_has_list_prices() -> None:
    told = orjson.loads(files("aiproxy.usage").joinpath("prices.json").read_bytes())
    reference = (Path(__file__).parents[2] / "configs" / "README.md").read_text(encoding="utf-8")
    (sentence,) = re.findall(r"The list prices that come with the program.*?until `prices`", reference, re.DOTALL)
    assert {provider for vendor in told["vendors"] for provider in vendor["providers"]} == set(
        re.findall(r"at\s`([\w-]+)`", sentence)
    )
