"""Tables copy, clamp, report and remember."""

from typing import Any

import pytest

from aiproxy.codecs import readers
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.features import FEATURES
from aiproxy.codecs.fields import Field, FieldTable, Own, Shape, carried, restore
from aiproxy.codecs.report import Report
from aiproxy.neutral.errors import InvalidRequest, Unsupported
from aiproxy.neutral.request import GenerateRequest, SamplingParams
from tests.codecs.tables import table

TABLE = table(
    "toy",
    Field("model", "model", read=readers.text),
    Field("stream", "stream", read=readers.boolean),
    Field("sampling.max_output_tokens", "max_completion_tokens", also=("max_tokens",), read=readers.integer),
    Field("sampling.temperature", "options.temperature", limits=(0, 1), read=readers.number),
    Field("sampling.stop", "stop", read=readers.texts, write=list),
    Field("sampling.n", action="refuse"),
    Field("sampling.seed", action="ignore"),
    Shape("part.audio", action="refuse"),
    Shape("part.image.detail", action="approximate"),
    Own("keep_alive", "ignore"),
    Own("raw", "refuse"),
)


def read(body: dict[str, Any]) -> tuple[GenerateRequest, Report]:
    report = Report()
    reading = TABLE.read(body, report)
    sampling = SamplingParams(**reading.group("sampling"))
    model = reading.values.get("model", "m")
    stream = reading.values.get("stream", False)
    return GenerateRequest(
        model, stream=stream, sampling=sampling, extensions=TABLE.extensions(reading.rest, report)
    ), report


def written(request: GenerateRequest, capabilities: Capabilities = PERMISSIVE) -> tuple[dict[str, Any], Report]:
    report = Report()
    body: dict[str, Any] = {}
    TABLE.write(request, body, capabilities, report)
    restore(request.extensions, "toy", body)
    return body, report


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "max_completion_tokens": 5, "options": {"temperature": 0.5, "unknown": [1]}, "stop": ["a"]},
        {"model": "m", "max_tokens": 5},
        {"model": "m", "max_tokens": 5, "max_completion_tokens": 6},
        {"model": "m", "max_tokens": None, "stop": [], "options": {}, "keep_alive": "5m", "x": {"y": None}},
        {"model": "m", "max_tokens": 5.0},
        {"model": "m", "stream": False},
        {"model": "m", "stream": True},
        {"model": "m", "~spelling": 5, "~": {"~said": 1}},
    ],
)
def test_what_was_read_is_written_again(body: dict[str, Any]) -> None:
    request, _ = read(body)
    assert written(request)[0] == body


def test_what_was_read_is_named() -> None:
    request, report = read({"max_tokens": 5, "x": 1, "y": None})
    assert request.sampling.max_output_tokens == 5
    assert report.fates == {"max_tokens": "mapped", "x": "mapped"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": 5}, "model"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 5.5}, "max_tokens"),
        ({"options": {"temperature": "hot"}}, "options.temperature"),
        ({"stop": [1]}, "stop"),
    ],
)
def test_what_cannot_be_read_is_named(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        TABLE.read(body, Report())
    assert caught.value.param == param


def test_an_object_where_none_is_expected_stays() -> None:
    assert written(read({"options": 5})[0])[0]["options"] == 5


def test_writing_clamps_drops_and_ignores() -> None:
    body, report = written(GenerateRequest("m", sampling=SamplingParams(temperature=2.0, seed=1, top_k=4)))
    assert body == {"model": "m", "options": {"temperature": 1}}
    assert report.warnings == ("clamp:sampling.temperature", "drop:sampling.top_k")


def test_writing_refuses() -> None:
    with pytest.raises(Unsupported) as caught:
        written(GenerateRequest("m", sampling=SamplingParams(n=2)))
    assert caught.value.param == "sampling.n"


def test_a_model_may_have_limits_of_its_own() -> None:
    sampling = SamplingParams(temperature=0.9, max_output_tokens=9000)
    body, report = written(
        GenerateRequest("m", sampling=sampling), Capabilities(temperature_max=0.5, max_output_tokens=8192)
    )
    assert body == {"model": "m", "max_completion_tokens": 8192, "options": {"temperature": 0.5}}
    assert report.warnings == ("clamp:sampling.max_output_tokens", "clamp:sampling.temperature")


def test_what_came_by_the_same_codec_is_not_clamped() -> None:
    body: dict[str, Any] = {}
    request = GenerateRequest("m", sampling=SamplingParams(temperature=2.0))
    TABLE.write(request, body, Capabilities(refused_sampling=frozenset({"temperature"})), Report(), foreign=False)
    assert body["options"] == {"temperature": 2.0}


def test_a_model_may_refuse_sampling() -> None:
    body, report = written(
        GenerateRequest("m", sampling=SamplingParams(temperature=0.5)),
        Capabilities(refused_sampling=frozenset({"temperature"})),
    )
    assert "options" not in body
    assert report.warnings == ("drop:sampling.temperature",)


def test_shapes_report_what_their_row_says() -> None:
    report = Report()
    TABLE.report("part.image.detail", report)
    assert report.warnings == ("rename:part.image.detail",)
    with pytest.raises(Unsupported):
        TABLE.report("part.audio", report)


@pytest.mark.parametrize(("wire", "action"), [("keep_alive", "ignore"), ("raw", "refuse"), ("other", "drop")])
def test_own_fields(wire: str, action: str) -> None:
    assert TABLE.own(wire).action == action


@pytest.mark.parametrize(
    "rows",
    [
        [Field(name) for name in ("model", "model")],
        [Field("model")],
        [Shape("no.such.feature"), *(Shape(name) for name in FEATURES)],
        [Field(name) for name in FEATURES],
    ],
)
def test_a_table_names_every_feature_once(rows: list[Field | Shape | Own]) -> None:
    with pytest.raises(ValueError):
        FieldTable("toy", rows)


def test_nested_objects_carry_their_rest() -> None:
    found = {"type": "text", "text": "hi", "extra": {"a": 1}}
    extensions = carried("toy", found, ("type", "text"))
    target: dict[str, Any] = {"type": "text", "text": "hi"}
    restore(extensions, "toy", target)
    assert target == found
    assert carried("toy", target, found) == {}


def test_nobody_writes_our_notes() -> None:
    extensions = carried("toy", {"~content": "string", "x": 1}, ())
    assert "~content" not in extensions["toy"]
    target: dict[str, Any] = {}
    restore(extensions, "toy", target)
    assert target == {"~content": "string", "x": 1}
