"""Every client protocol against every vendor's, in every scenario, through the running daemon.

What can't hold stands in `aiproxy/catalogue/cannot.py` and on the compatibility page, with its reason."""

import pytest

from tests.conformance.judge import Cell, judge
from tests.conformance.sdks import SDKS
from tests.rig.daemon import Daemon
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import VENDORS, StandIn

TOLD_BY_A_DIALECT = {"plain", "call", "parallel", "thinking", "status-429", "error-amid"}
"""Scenarios that foreign clients go through at a vendor whose protocol is another's but for details."""

CELLS = [
    cell
    for sdk in SDKS
    for vendor in VENDORS
    for scenario in SCENARIOS.values()
    for streamed in (False, True)
    for cell in [Cell(sdk, vendor, scenario, streamed)]
    # Whole answers of foreign vendors are made of streams, which may break.
    if streamed or not cell.native or not scenario.breaks
    # Megabytes pass in pieces; in one piece they take as long again and show nothing more.
    if streamed or scenario.name != "5-mb"
    if cell.native or not vendor.protocol or scenario.name in TOLD_BY_A_DIALECT
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_cell_holds(cell: Cell, stand_in: StandIn, gateway: Daemon) -> None:
    judge(cell, stand_in, gateway.address + cell.sdk.gateway_path, f"{cell.vendor.name}.{cell.scenario.name}")
