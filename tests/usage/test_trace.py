"""W3C Trace Context: what is read, what is ignored, what is told on."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as some

from aiproxy.usage.trace import Trace, begin, read

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{ID}-{SPAN}-01"


@pytest.mark.parametrize(
    "told",
    [
        "",
        "nonsense",
        f"00-{ID}-{SPAN}",
        f"00-{ID.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"ff-{ID}-{SPAN}-01",
        f"00-{ID}-{SPAN}-01-more",
        f"00-{ID}-{SPAN}-1",
        f"{GOOD}, {GOOD}",
        f"00-{ID}-{SPAN}-01\x00",
        f"٠٠-{ID}-{SPAN}-01",
    ],
)
def test_a_bad_traceparent_is_ignored(told: str) -> None:
    assert read({"traceparent": told, "tracestate": "a=1"}) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert read({"traceparent": f"01-{ID}-{SPAN}-ff-more"}) == Trace(ID, SPAN, 1)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        (" a=1 ,, t@v=x y ", "a=1,t@v=x y"),
        ("a=1,a=2", ""),
        ("A=1", ""),
        ("a=1=2", ""),
        ("a=", ""),
        ("a", ""),
        (",".join(f"k{number}=v" for number in range(32)), ",".join(f"k{number}=v" for number in range(32))),
        (",".join(f"k{number}=v" for number in range(33)), ""),
        ("a=ü", ""),
    ],
)
def test_what_is_kept_of_tracestate(told: str, kept: str) -> None:
    found = read({"traceparent": GOOD, "tracestate": told})
    assert found is not None
    assert found.state == kept


def fresh(size: int) -> str:
    return "ab" * size


def test_a_recorded_call_tells_its_upstreams_the_spans_of_its_attempts() -> None:
    trace = begin({"traceparent": GOOD, "tracestate": "a=1"}, 0.0, fresh)
    assert trace == Trace(ID, SPAN, 1, "a=1", span="ab" * 8)
    assert trace is not None
    told = [trace.headers(number) for number in (1, 2)]
    assert told[0] == {"traceparent": f"00-{ID}-{trace.attempt(1)}-01", "tracestate": "a=1"}
    assert len({trace.span, trace.attempt(1), trace.attempt(2)}) == 3
    assert [read(each) for each in told] == [Trace(ID, trace.attempt(number), 1, "a=1") for number in (1, 2)]


def test_a_caller_that_does_not_record_is_followed() -> None:
    told = {"traceparent": GOOD[:-1] + "0"}
    trace = begin(told, 1.0, fresh)
    assert trace == Trace(ID, SPAN, 0)
    assert trace is not None
    assert trace.headers(1) == told


def test_nothing_is_recorded_where_nobody_listens() -> None:
    assert begin({}, None, fresh) is None
    assert begin({"traceparent": GOOD}, None, fresh) == Trace(ID, SPAN, 1)


def test_a_share_of_the_calls_that_say_nothing_is_recorded() -> None:
    numbers = count()

    def spread(size: int) -> str:
        return f"{(next(numbers) * 0x9E3779B97F4A7C15 + 1) % 2 ** (8 * size):0{2 * size}x}"

    begun = [begin({}, 0.25, spread) for _ in range(2000)]
    recorded = [trace for trace in begun if trace is not None and trace.span]
    assert 400 < len(recorded) < 600
    assert all(trace.flags for trace in recorded)
    assert all(trace is not None and read(trace.headers(1)) for trace in begun)


@given(some.text(), some.text())
def test_any_text_is_read_or_ignored(parent: str, state: str) -> None:
    for headers in ({"traceparent": parent, "tracestate": state}, {"traceparent": GOOD, "tracestate": state}):
        found = read(headers)
        assert found is None or read(found.headers(1)) == found
