"""Usage buckets are disjoint; both vendors' views come out of them."""

import pytest

from aiproxy.neutral.usage import Usage


def test_openais_view_in_and_out() -> None:
    usage = Usage.from_totals(input_total=100, cache_read=60, cache_write=10, audio_in=5, output_total=50, reasoning=30)
    assert (usage.input_uncached, usage.output_visible) == (25, 20)
    assert (usage.input_total, usage.output_total) == (100, 50)


def test_anthropics_view() -> None:
    usage = Usage(input_uncached=7, cache_read=100, cache_write=3, cache_write_1h=4, output_visible=9)
    assert (usage.input_fresh, usage.cache_write_total, usage.input_total) == (7, 7, 114)
    assert Usage(cache_write_1h=4).cache_write_total == 4


def test_a_total_smaller_than_its_details_excludes_them() -> None:
    assert Usage.from_totals(input_total=10, cache_read=60).input_total == 70


def test_an_output_that_excludes_reasoning_is_known_by_the_total() -> None:
    assert Usage.from_totals(input_total=10, output_total=5, reasoning=20, total=35).output_total == 25
    assert Usage.from_totals(input_total=10, output_total=25, reasoning=20, total=35).output_total == 25


def test_unknown_is_not_zero() -> None:
    assert Usage().input_total is None
    assert Usage.from_totals(cache_read=3).input_total is None
    assert Usage(output_visible=0).output_total == 0


@pytest.mark.parametrize(
    ("later", "expected"),
    [(Usage(), Usage(1, 2)), (Usage(3), Usage(3, 2)), (Usage(cache_read=0), Usage(1, 0))],
)
def test_a_later_report_wins_where_it_speaks(later: Usage, expected: Usage) -> None:
    assert Usage(1, 2).updated(later) == expected


def test_two_answers_together() -> None:
    one = Usage(input_uncached=1, cache_read=2, output_visible=3, server_tools={"web_search": 2})
    two = Usage(input_uncached=10, reasoning=5, server_tools={"web_search": 1, "code_execution": 4})
    both = Usage(11, 2, output_visible=3, reasoning=5, server_tools={"web_search": 3, "code_execution": 4})
    assert one.plus(two) == two.plus(one) == both
    assert Usage().plus(one) == one
    assert Usage().plus(Usage()) == Usage()
