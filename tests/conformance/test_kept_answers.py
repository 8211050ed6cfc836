"""The SDK's Responses that refer to the answer before (`previous_response_id`), against every vendor that keeps none."""

import pytest

from tests.conformance.judge import Cell, judge
from tests.conformance.sdks import Sdk
from tests.conformance.sdks.openai_responses import ReferringResponses
from tests.rig.daemon import Daemon
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import VENDORS, StandIn

REFERRING = Sdk("openai-responses", ReferringResponses)
CELLS = [
    Cell(REFERRING, vendor, scenario, streamed)
    for vendor in VENDORS
    for scenario in SCENARIOS.values()
    for streamed in (False, True)
    if vendor.name != REFERRING.name and scenario.after_results
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_vendor_is_told_the_whole_conversation(cell: Cell, stand_in: StandIn, gateway: Daemon) -> None:
    judge(cell, stand_in, gateway.address, f"{cell.vendor.name}.{cell.scenario.name}")
