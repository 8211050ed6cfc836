"""Counters and histograms that cost a call next to nothing: plain sums by labels, made into families when a page is asked for.

prometheus-client's own look a child up by its labels, under a lock, for each number; only the reactor's thread counts here."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

Labels = tuple[str, ...]


class Counts(Collector):
    """`sums` is added to directly: `counts.sums["openai", "complete"] += 1`."""

    def __init__(self, name: str, words: str, labels: Sequence[str]) -> None:
        self._described = name, words, labels
        self.sums: defaultdict[Labels, float] = defaultdict(float)

    def describe(self) -> Iterator[CounterMetricFamily]:
        name, words, labels = self._described
        yield CounterMetricFamily(name, words, labels=labels)

    def collect(self) -> Iterator[CounterMetricFamily]:
        for family in self.describe():
            for labels, amount in self.sums.items():
                family.add_metric(labels, amount)
            yield family


class Spread(Collector):
    """Of values over buckets, each with its upper bound."""

    def __init__(self, name: str, words: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        self._described = name, words, labels
        self._bounds = tuple(bounds)
        self._names = [*(str(float(bound)) for bound in bounds), "+Inf"]
        self._counted: dict[Labels, list[int]] = {}
        self._sums: defaultdict[Labels, float] = defaultdict(float)

    def add(self, labels: Labels, value: float) -> None:
        counted = self._counted.get(labels)
        if counted is None:
            counted = self._counted[labels] = [0] * len(self._names)
        counted[bisect_left(self._bounds, value)] += 1
        self._sums[labels] += value

    def describe(self) -> Iterator[HistogramMetricFamily]:
        name, words, labels = self._described
        yield HistogramMetricFamily(name, words, labels=labels)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        for family in self.describe():
            for labels, counted in self._counted.items():
                so_far, buckets = 0, []
                for name, count in zip(self._names, counted, strict=True):
                    so_far += count
                    buckets.append((name, float(so_far)))
                family.add_metric(labels, buckets, self._sums[labels])
            yield family
