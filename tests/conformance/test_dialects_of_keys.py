"""Every client protocol against vendors with keys who have a dialect of their own, through the running daemon."""

import pytest

from tests.conformance.judge import Cell, cells_of, judge
from tests.conformance.sdks import SDKS
from tests.rig.daemon import Daemon
from tests.vendors.stand_in import StandIn
from tests.vendors.xai import SERVED


@pytest.mark.parametrize("cell", cells_of(SDKS, SERVED), ids=str)
def test_the_cell_holds(cell: Cell, stand_in: StandIn, gateway: Daemon) -> None:
    judge(cell, stand_in, gateway.address + cell.sdk.gateway_path, f"{cell.vendor.name}.{cell.scenario.name}")
