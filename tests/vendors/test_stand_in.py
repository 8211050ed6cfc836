"""The stand-ins before the official SDKs, without a gateway: whoever judges must be right first."""

from collections.abc import Iterator

import pytest
from google import genai
from google.genai import types
from google.oauth2.service_account import Credentials

from tests.conformance.judge import Cell, judge
from tests.conformance.sdks import SDKS, Sdk
from tests.conformance.sdks.gemini import GenerateContent
from tests.vendors.google_tokens import PROJECT, SCOPE, service_account
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import VENDORS, StandIn, vendors
from tests.vendors.vertex import VERTEX

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


class AtVertex(GenerateContent):
    """Signed by Google's own library, with a token that it gets by itself."""

    def client(self, options: types.HttpOptions) -> genai.Client:
        info = service_account(f"{options.base_url}/token")
        signed = Credentials.from_service_account_info(info, scopes=[SCOPE])
        options.api_version = "v1"
        return genai.Client(
            vertexai=True, project=PROJECT, location="europe-west4", credentials=signed, http_options=options
        )


@pytest.mark.parametrize("name", ["plain", "thinking", "parallel", "structured", "image", "status-429"])
def test_googles_own_library_signs_in_and_understands_it(name: str, stand_in: StandIn) -> None:
    cell = Cell(Sdk("gemini", AtVertex), VERTEX, SCENARIOS[name], streamed=True)
    judge(cell, stand_in, stand_in.address, name)
    assert stand_in.tokens.given
    assert not stand_in.tokens.refused


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_sdk_of_the_vendor_understands_it(cell: Cell, stand_in: StandIn) -> None:
    judge(cell, stand_in, stand_in.address, cell.scenario.name)
