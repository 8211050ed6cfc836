"""Counters and histograms that cost a call next to nothing: plain sums by labels, made into families when a page is asked for.

prometheus-client's own look a child up by its labels, under a lock, for each number; only the reactor's thread counts here, and many
calls at a time."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

Labels = tuple[str, ...]


class Counts(Collector):
    """`sums` may be added to directly: `counts.sums["openai", "complete"] += 1`."""

    def __init__(self, name: str, words: str, labels: Sequence[str]) -> None:
        self._described = name, words, labels
        self.sums: defaultdict[Labels, float] = defaultdict(float)

    def count(self, several: Iterable[Labels]) -> None:
        """One more for each time that labels are among `several`."""
        sums = self.sums
        for labels in several:
            sums[labels] += 1

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
        self._counted: dict[Labels, list[float]] = {}
        """How many values were in each bucket; at last, their sum."""

    def add(self, labels: Labels, values: Iterable[float]) -> None:
        """What is below 0 counts as 0: clocks jump."""
        ordered = sorted(values)
        if not ordered:
            return
        if ordered[0] < 0:
            ordered = [max(0.0, value) for value in ordered]
        counted = self._counted.get(labels)
        if counted is None:
            counted = self._counted[labels] = [0] * (len(self._names) + 1)
        below = 0
        for place, bound in enumerate(self._bounds):
            up_to = bisect_right(ordered, bound, below)
            counted[place] += up_to - below
            below = up_to
            if below == len(ordered):
                break
        counted[-2] += len(ordered) - below
        counted[-1] += sum(ordered)

    @property
    def total(self) -> tuple[int, float]:
        """How many values there were of all labels, and their sum."""
        several = self._counted.values()
        return int(sum(sum(counted[:-1]) for counted in several)), sum(counted[-1] for counted in several)

    def describe(self) -> Iterator[HistogramMetricFamily]:
        name, words, labels = self._described
        yield HistogramMetricFamily(name, words, labels=labels)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        for family in self.describe():
            for labels, (*counted, total) in self._counted.items():
                buckets = zip(self._names, map(float, accumulate(counted)), strict=True)
                family.add_metric(labels, [*buckets], total)
            yield family
