"""Every field that was read ends mapped, approximated, dropped or refused."""

import pytest

from aiproxy.codecs.report import HEADER_LIMIT, Report
from aiproxy.neutral.errors import Unsupported


def test_fates_and_warnings_use_the_clients_names() -> None:
    report = Report()
    for field, feature in [
        ("top_k", "sampling.top_k"),
        ("temperature", "sampling.temperature"),
        ("seed", "sampling.seed"),
        ("user", "identity.end_user"),
    ]:
        report.read(field, feature)
    report.drop("sampling.top_k")
    report.clamp("sampling.temperature")
    report.ignore("identity.end_user")
    assert report.fates == {"top_k": "dropped", "temperature": "approximated", "seed": "mapped", "user": "dropped"}
    assert report.header == "drop:top_k, clamp:temperature"


def test_strict_refuses_what_lenient_drops() -> None:
    report = Report(strict=True)
    report.read("top_k", "sampling.top_k")
    report.ignore("identity.end_user")
    with pytest.raises(Unsupported) as caught:
        report.drop("sampling.top_k")
    assert caught.value.param == "top_k"
    assert report.fates["top_k"] == "refused"


def test_an_answer_is_never_refused() -> None:
    report = Report(strict=True)
    report.lose("part.citations")
    assert report.warnings == ("drop:part.citations",)


def test_tolerated_refusals_are_drops() -> None:
    report = Report(tolerated=frozenset({"sampling.n"}))
    report.refuse("sampling.n")
    assert report.warnings == ("drop:sampling.n",)
    with pytest.raises(Unsupported):
        report.refuse("part.audio")


def test_attempts_report_apart() -> None:
    report = Report()
    report.read("seed", "sampling.seed")
    attempt = report.fork()
    attempt.drop("sampling.seed")
    assert attempt.warnings == ("drop:seed",)
    assert not report.warnings


def test_nothing_to_say_is_no_header_and_much_is_cut_between_words() -> None:
    report = Report()
    assert report.header is None
    for number in range(500):
        report.drop(f"füld{number}")
    assert report.header is not None
    assert len(report.header) <= HEADER_LIMIT
    assert report.header.isascii()
    assert report.header.split(", ")[-1].startswith("drop:f?ld")


def test_a_body_of_unknown_fields_takes_no_time() -> None:
    report = Report()
    for number in range(50_000):
        report.read(f"x{number}", f"toy.x{number}")
        report.drop(f"toy.x{number}")
    assert len(report.warnings) == len(report.fork().fates) == 50_000


def test_a_field_name_brings_nothing_else_into_the_header() -> None:
    report = Report()
    report.drop("a\r\nset-cookie: b, c")
    assert report.header == "drop:a??set-cookie:?b??c"
