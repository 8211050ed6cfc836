"""Vendors' list prices, from the dated file that comes with the program, `prices.json`. Nothing is ever fetched.

A vendor's entry says where its prices were read and when, at which of our providers they hold, and the prices by globs of its
models' names, the more special glob first. A model that isn't there has no price; prices by hour or by contract have no
place here, they are the operator's to configure."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from aiproxy.usage.prices import Price, Priced, Rates


@cache
def vendor_prices() -> Sequence[Priced]:
    return read_prices(files("aiproxy.usage").joinpath("prices.json").read_bytes())


def read_prices(text: bytes) -> Sequence[Priced]:
    """Raises `TypeError` or `KeyError` for what isn't such a file."""
    return [
        Priced(glob, _price(rates), tuple(vendor["providers"]))
        for vendor in orjson.loads(text)["vendors"]
        for glob, rates in vendor["models"].items()
    ]


def _price(rates: Mapping[str, Any]) -> Price:
    usual = {name: value for name, value in rates.items() if name != "long"}
    return Price(**usual, long=Rates(**rates["long"]) if "long" in rates else None)
