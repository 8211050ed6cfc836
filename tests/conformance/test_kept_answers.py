"""What the gateway keeps for those who don't: Responses clients that refer to the answer before (`previous_response_id`) at
vendors that keep none, and Chat clients that strip what a vendor must get back."""

import pytest

from tests.conformance.judge import STATE_IS_THE_TEXT, Cell, judge
from tests.conformance.sdks import Sdk
from tests.conformance.sdks.openai_chat import ForgetfulChat
from tests.conformance.sdks.openai_responses import ReferringResponses
from tests.rig.daemon import Daemon
from tests.vendors.back_ends import CODEX
from tests.vendors.kiro import KIRO
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import VENDORS, StandIn

REFERRING = Sdk("openai-responses", ReferringResponses)
FORGETFUL = Sdk("openai-chat", ForgetfulChat)
CELLS = [
    Cell(sdk, vendor, scenario, streamed)
    for sdk in (REFERRING, FORGETFUL)
    for vendor in (*VENDORS, CODEX, KIRO)
    for scenario in SCENARIOS.values()
    for streamed in (False, True)
    if vendor.name != sdk.name and scenario.after_results
    # Such a vendor's state is what the client has thrown away, and says so by not sending it.
    if sdk is REFERRING or vendor.name not in STATE_IS_THE_TEXT
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_vendor_is_told_all_it_needs(cell: Cell, stand_in: StandIn, gateway: Daemon) -> None:
    judge(cell, stand_in, gateway.address, f"{cell.vendor.name}.{cell.scenario.name}")
