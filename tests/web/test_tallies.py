"""Histograms count many values at a time as one by one."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from aiproxy.web.tallies import Counts, Spread

BOUNDS = (0.1, 0.5, 1.0, 10.0)

VALUES = st.lists(st.sampled_from([-1.0, 0.0, *BOUNDS, 11.0]) | st.floats(-1, 20))


@given(several=st.lists(VALUES, max_size=4))
def test_each_value_is_in_all_buckets_that_reach_up_to_it(several: Sequence[Sequence[float]]) -> None:
    spread = Spread("s", "S", ("who",), BOUNDS)
    for values in several:
        spread.add(("one",), values)
    values = [max(0.0, value) for some in several for value in some]
    found = {
        sample.labels.get("le", sample.name): sample.value for family in spread.collect() for sample in family.samples
    }
    if not values:
        assert found == {}
        return
    for bound in BOUNDS:
        assert found[str(bound)] == len([value for value in values if value <= bound])
    assert found["+Inf"] == found["s_count"] == len(values)
    assert abs(found["s_sum"] - sum(values)) < 1e-6
    assert spread.total == (len(values), found["s_sum"])


def test_labels_are_counted_as_often_as_they_come() -> None:
    counts = Counts("c", "C", ("who",))
    for several in ([("a",), ("b",), ("a",)], [("a",)], []):
        counts.count(several)
    assert counts.sums == {("a",): 3, ("b",): 1}
