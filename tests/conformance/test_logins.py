"""Every client protocol against every back end of logins, in the scenarios where their ways differ, through the running daemon."""

import pytest

from tests.conformance.judge import Cell, cells_of, judge
from tests.conformance.sdks import SDKS
from tests.conformance.sdks.conversation import Failed, Question
from tests.rig.daemon import Daemon
from tests.vendors.back_ends import LOGINS, withdraw
from tests.vendors.stand_in import StandIn
from tests.vendors.usage import USED_UP_WORDS

CELLS = cells_of(SDKS, LOGINS)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_cell_holds(cell: Cell, stand_in: StandIn, gateway: Daemon) -> None:
    judge(cell, stand_in, gateway.address + cell.sdk.gateway_path, f"{cell.vendor.name}.{cell.scenario.name}")


OF_EACH_CLIENT = [cell for cell in CELLS if cell.scenario.name == "plain"]


@pytest.mark.parametrize("cell", OF_EACH_CLIENT, ids=str)
def test_a_token_that_was_withdrawn_is_replaced_amid_the_call(cell: Cell, stand_in: StandIn, gateway: Daemon) -> None:
    login = next(stand_in.logins[served.provider] for served in LOGINS if served.vendor is cell.vendor)
    withdraw(login)
    before = login.number
    judge(cell, stand_in, gateway.address + cell.sdk.gateway_path, f"{cell.vendor.name}.plain")
    assert login.number == before + 1, "one renewal"


@pytest.mark.parametrize("cell", OF_EACH_CLIENT, ids=str)
def test_a_plan_that_is_used_up_is_told_to_the_client(cell: Cell, stand_in: StandIn, gateway: Daemon) -> None:
    provider = next(served.provider for served in LOGINS if served.vendor is cell.vendor)
    stand_in.used_up.add(provider)
    address, model = gateway.address + cell.sdk.gateway_path, f"{cell.vendor.name}.plain"
    conversation = cell.sdk(address, model, Question(), streamed=cell.streamed, begun=stand_in.begun)
    with pytest.raises(Failed) as raised:
        conversation.ask()
    conversation.close()
    assert raised.value.status == 429
    assert USED_UP_WORDS in raised.value.message
    assert not stand_in.used_up
