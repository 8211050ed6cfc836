"""What rides along for one codec's sake, and what it costs at another."""

from dataclasses import replace
from typing import Any

import pytest

from aiproxy.codecs.codec import Codec, Exchange
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.fields import Field, FieldTable, Own, Shape
from aiproxy.codecs.report import Report
from aiproxy.codecs.translation import account_for_extensions, compatibility
from aiproxy.codecs.wire import Wire
from aiproxy.neutral.errors import Unsupported
from aiproxy.neutral.parts import TextPart, ToolResultPart
from aiproxy.neutral.request import GenerateRequest, Turn
from aiproxy.neutral.tools import FunctionTool
from aiproxy.secrets import Secret
from tests.codecs.tables import table


def codec(fields: FieldTable) -> Codec:
    """One that only has a table: nothing else of it is used here."""
    unused: Any = None
    wire = Wire(fields.codec, *[unused] * 7)
    return Codec(wire, fields, *[unused] * 6)


ONE = codec(
    table("one", Field("model", "model"), Shape("part.audio", "audio"), Own("hint", "ignore"), Own("state", "refuse"))
)
TWO = codec(table("two", Field("model", "name"), Shape("part.audio", "", "refuse", "no sound")))

RIDING = {"one": {"hint": 1, "extra": 2, "empty": None, "~note": 3}}


def test_every_field_that_rides_along_is_told() -> None:
    inner = TextPart("x", extensions={"one": {"deep": 1}})
    request = GenerateRequest(
        "m",
        (Turn("tool", (ToolResultPart("1", (inner,)),), extensions={"one": {"turn": 1}}),),
        tools=(FunctionTool("f", extensions={"one": {"beta": 1}}),),
        extensions=RIDING,
    )
    report = Report()
    account_for_extensions(request, ONE, TWO, report)
    assert report.warnings == ("drop:extra", "drop:beta", "drop:turn", "drop:deep")
    assert report.fates["hint"] == "dropped"


def test_nothing_is_told_when_the_codec_stays() -> None:
    report = Report(strict=True)
    account_for_extensions(GenerateRequest("m", extensions=RIDING), ONE, ONE, report)
    assert not report.fates


def test_what_must_not_be_lost_is_refused() -> None:
    with pytest.raises(Unsupported) as caught:
        account_for_extensions(GenerateRequest("m", extensions={"one": {"state": "x"}}), ONE, TWO, Report())
    assert caught.value.param == "state"


def test_the_compatibility_page_comes_from_the_tables() -> None:
    assert list(compatibility(ONE, TWO)) == [
        ("model", "map", "name", ""),
        ("audio", "refuse", "", "no sound"),
        ("hint", "ignore", "", ""),
        ("state", "refuse", "", ""),
    ]


def test_ids_are_the_same_for_the_same_place_of_an_exchange() -> None:
    exchange = Exchange(GenerateRequest("m"), Sealer(Secret("k")), "req_1")
    assert exchange.fresh_id("call_", 1) == exchange.fresh_id("call_", 1)
    others = {exchange.fresh_id("call_", 2), replace(exchange, request_id="req_2").fresh_id("call_", 1)}
    assert exchange.fresh_id("call_", 1) not in others
    assert exchange.fresh_id("toolu_").startswith("toolu_")
