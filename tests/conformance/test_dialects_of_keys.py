"""Every client protocol against vendors with keys whose dialects are their own, in the scenarios where they differ, through the running
daemon."""

import pytest

from tests.conformance.judge import Cell, judge
from tests.conformance.sdks import SDKS
from tests.conformance.test_logins import TOLD
from tests.rig.daemon import Daemon
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import StandIn
from tests.vendors.xai import SERVED

CELLS = [
    cell
    for sdk in SDKS
    for served in SERVED
    for scenario in map(SCENARIOS.__getitem__, TOLD)
    for streamed in (False, True)
    for cell in [Cell(sdk, served.vendor, scenario, streamed)]
    if sdk.name in served.clients and (streamed or not cell.native or not scenario.breaks)
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_cell_holds(cell: Cell, stand_in: StandIn, gateway: Daemon) -> None:
    judge(cell, stand_in, gateway.address + cell.sdk.gateway_path, f"{cell.vendor.name}.{cell.scenario.name}")
