"""The Responses API on a WebSocket against every vendor and back end, in every scenario: what the official SDK sees there is what
it sees over HTTP, and the vendor gets the whole conversation of which each turn says only what is new."""

import pytest

from tests.conformance.judge import DIALECTS, Cell, judge
from tests.conformance.sdks import Sdk
from tests.conformance.sdks.openai_responses_socket import SocketResponses
from tests.rig.daemon import Daemon
from tests.vendors.back_ends import LOGINS
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import VENDORS, StandIn

pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")
"""By the SDK, of the library that it opens sockets with."""

ON_A_SOCKET = Sdk("openai-responses", SocketResponses)
CELLS = [
    *(Cell(ON_A_SOCKET, vendor, scenario, streamed=True) for vendor in VENDORS for scenario in SCENARIOS.values()),
    *(
        Cell(ON_A_SOCKET, served.vendor, SCENARIOS[told], streamed=True)
        for served in LOGINS
        if ON_A_SOCKET.name in served.clients
        for told in DIALECTS
    ),
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_cell_holds(cell: Cell, stand_in: StandIn, gateway: Daemon) -> None:
    judge(cell, stand_in, gateway.address, f"{cell.vendor.name}.{cell.scenario.name}")
