"""The stand-ins before the official SDKs, without a gateway: whoever judges must be right first."""

from collections.abc import Iterator

import pytest

from tests.conformance.judge import Cell, judge
from tests.conformance.sdks import SDKS
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import VENDORS, StandIn, vendors

CELLS = [
    Cell(sdk, vendor, scenario, streamed)
    for sdk in SDKS
    for vendor in VENDORS
    for scenario in SCENARIOS.values()
    for streamed in (False, True)
    if sdk.name == vendor.name and (streamed or not scenario.breaks)
]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with vendors() as running:
        yield running


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_sdk_of_the_vendor_understands_it(cell: Cell, stand_in: StandIn) -> None:
    judge(cell, stand_in, stand_in.address, cell.scenario.name)
