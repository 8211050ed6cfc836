"""Every client protocol against Gemini by a relay: each scenario that AI Studio's pages can serve, streamed and not."""

from collections.abc import Iterator

import pytest

from tests.conformance.judge import Cell, judge
from tests.conformance.sdks import SDKS
from tests.conformance.sdks.conversation import KEY
from tests.rig.daemon import Daemon, daemon
from tests.rig.relay import fetching, relay
from tests.vendors.aistudio import AISTUDIO
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import StandIn

CELLS = [
    cell
    for sdk in SDKS
    for scenario in SCENARIOS.values()
    for streamed in (False, True)
    for cell in [Cell(sdk, AISTUDIO, scenario, streamed)]
    if streamed or not cell.native or not scenario.breaks
    if scenario.name != "structured"  # pages refuse the schema
    if streamed or scenario.name != "5-mb"
]


@pytest.fixture(scope="module")
def relayed(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    settings = f"""
api-keys: [{KEY}]
request-retry: 0
disable-cooling: true
upstreams: {{aistudio: {{base-url: "{stand_in.address}/aistudio"}}}}
"""
    directory = tmp_path_factory.mktemp("relayed")
    with daemon(directory, settings) as running, relay(f"ws://127.0.0.1:{running.port}", fetching("a-key"), KEY):
        yield running


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_cell_holds(cell: Cell, stand_in: StandIn, relayed: Daemon) -> None:
    judge(cell, stand_in, relayed.address + cell.sdk.gateway_path, f"gemini-{cell.scenario.name}")
