"""Several workers' numbers on one page."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from aiproxy.web.together import ENDED, Together


def counter(amount: float, cut: float | None = None) -> Metric:
    family = CounterMetricFamily("aiproxy_requests", "Calls.", labels=["outcome"])
    family.add_metric(["complete"], amount)
    if cut is not None:
        family.add_metric(["cut"], cut)
    return family


def gauge(name: str, value: float) -> Metric:
    return GaugeMetricFamily(name, "Now.", value=value)


def spread(*counts: float) -> Metric:
    family = HistogramMetricFamily("aiproxy_overhead_seconds", "Ours.", labels=[])
    family.add_metric([], [("0.1", counts[0]), ("+Inf", counts[1])], counts[1] * 0.5)
    return family


def values(metrics: Iterable[Metric]) -> dict[tuple[str, ...], float]:
    return {(each.name, *each.labels.values()): each.value for metric in metrics for each in metric.samples}


def test_what_is_counted_adds_up_and_what_all_see_is_told_once(tmp_path: Path) -> None:
    first, second = (Together(str(tmp_path), name) for name in ("1", "2"))
    second.leave(
        [
            counter(3, cut=1),
            gauge("aiproxy_calls_active", 2),
            gauge("aiproxy_account_up", 0),
            gauge("aiproxy_account_cooldown_seconds", 9),
            spread(1, 2),
        ]
    )
    own = [
        counter(4),
        gauge("aiproxy_calls_active", 1),
        gauge("aiproxy_account_up", 1),
        gauge("aiproxy_account_cooldown_seconds", 0),
        spread(1, 1),
    ]
    assert values(first.page(own)) == {
        ("aiproxy_requests_total", "complete"): 7,
        ("aiproxy_requests_total", "cut"): 1,
        ("aiproxy_calls_active",): 3,
        ("aiproxy_account_up",): 0,
        ("aiproxy_account_cooldown_seconds",): 9,
        ("aiproxy_overhead_seconds_bucket", "0.1"): 2,
        ("aiproxy_overhead_seconds_bucket", "+Inf"): 3,
        ("aiproxy_overhead_seconds_count",): 3,
        ("aiproxy_overhead_seconds_sum",): 1.5,
    }


def test_what_one_that_ended_had_counted_stays(tmp_path: Path) -> None:
    first, second, third = (Together(str(tmp_path), name) for name in ("1", "2", "3"))
    for each, amount in ((second, 3), (third, 5)):
        each.leave([counter(amount), gauge("aiproxy_calls_active", 2)])
        each.end()
        each.end()  # nothing of it is left
    told = values(first.page([counter(4), gauge("aiproxy_calls_active", 1)]))
    assert told == {("aiproxy_requests_total", "complete"): 12, ("aiproxy_calls_active",): 1}
    assert {path.name for path in tmp_path.iterdir()} == {ENDED, "1.metrics"}


def test_what_a_page_has_told_stays_counted_though_its_worker_is_killed(tmp_path: Path) -> None:
    killed, other = (Together(str(tmp_path), name) for name in ("1", "2"))
    told = values(killed.page([counter(4)]))
    killed.end()
    assert values(other.page([counter(0)])) == told


def test_its_own_file_is_not_counted_twice(tmp_path: Path) -> None:
    worker = Together(str(tmp_path), "1")
    worker.leave([counter(4)])
    assert values(worker.page([counter(4)])) == {("aiproxy_requests_total", "complete"): 4}
