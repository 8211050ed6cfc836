"""`/metrics` of several workers as one page: each leaves its own numbers in a file now and then, and whoever is asked adds them up.

What was counted by one that has ended stays in the sums, or a counter would seem to begin anew; what is so now ends with it."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import orjson
from prometheus_client.core import Metric

SUFFIX = ".metrics"

ENDED = "ended" + SUFFIX
"""The sums of the workers that have ended."""

COUNTED = ("counter", "histogram")
"""Types of what only grows."""

LEAST = frozenset(
    (
        "aiproxy_account_up",
        "aiproxy_config_last_success_timestamp_seconds",
        "aiproxy_quota_remaining_ratio",
        "process_start_time_seconds",
    )
)
MOST = frozenset(
    (
        "aiproxy_account_cooldown_seconds",
        "aiproxy_build_info",
        "aiproxy_config_hash_info",
        "aiproxy_quota_reset_timestamp_seconds",
        "aiproxy_resting",
        "aiproxy_store_conflicts",
        "aiproxy_store_mirror_age_seconds",
        "aiproxy_store_unpushed_changes",
        "process_max_fds",
    )
)
"""Gauges that tell of one thing which all see: the worst that one of them sees holds. All others add up."""

Labels = tuple[tuple[str, str], ...]


class Family(NamedTuple):
    """One metric's samples, by their names and labels."""

    type: str
    words: str
    samples: dict[tuple[str, Labels], float]


Families = dict[str, Family]


class Together:
    """`directory` is the supervisor's, which is all workers'. `name` is a worker's own."""

    def __init__(self, directory: str, name: str) -> None:
        self._directory = directory
        self._own = name + SUFFIX

    def leave(self, own: Iterable[Metric]) -> None:
        """For the others."""
        with _locked(self._directory):
            _write(self._directory, self._own, _families(own))

    def page(self, own: Iterable[Metric]) -> Iterator[Metric]:
        """Ours as they are, and what the others left. Ours are left too: what a page has told stays counted, even if we are
        killed next."""
        sums = _families(own)
        with _locked(self._directory):
            _write(self._directory, self._own, sums)
            for name in sorted(os.listdir(self._directory)):
                if name.endswith(SUFFIX) and name != self._own:
                    _add(sums, _read(self._directory, name))
        for name, family in sums.items():
            metric = Metric(name, family.words, family.type)
            for (sample, labels), value in family.samples.items():
                metric.add_sample(sample, dict(labels), value)
            yield metric

    def end(self) -> None:
        """This worker has ended; its supervisor says so."""
        with _locked(self._directory):
            if not os.path.exists(os.path.join(self._directory, self._own)):
                return
            sums = _read(self._directory, ENDED) if os.path.exists(os.path.join(self._directory, ENDED)) else {}
            left = _read(self._directory, self._own)
            _add(sums, {name: family for name, family in left.items() if family.type in COUNTED})
            _write(self._directory, ENDED, sums)
            os.unlink(os.path.join(self._directory, self._own))


def _families(metrics: Iterable[Metric]) -> Families:
    return {
        metric.name: Family(
            metric.type,
            metric.documentation,
            {(each.name, tuple(sorted(each.labels.items()))): each.value for each in metric.samples},
        )
        for metric in metrics
    }


def _add(sums: Families, more: Mapping[str, Family]) -> None:
    for name, family in more.items():
        known = sums.setdefault(name, Family(family.type, family.words, {})).samples
        for key, value in family.samples.items():
            if key not in known:
                known[key] = value
            elif name in LEAST:
                known[key] = min(known[key], value)
            elif name in MOST:
                known[key] = max(known[key], value)
            else:
                known[key] += value


def _write(directory: str, name: str, families: Mapping[str, Family]) -> None:
    told = [
        [family, each.type, each.words, [[*key, value] for key, value in each.samples.items()]]
        for family, each in families.items()
    ]
    path = os.path.join(directory, name)
    with open(f"{path}.new", "wb") as stream:
        stream.write(orjson.dumps(told))
    os.replace(f"{path}.new", path)


def _read(directory: str, name: str) -> Families:
    with open(os.path.join(directory, name), "rb") as stream:
        told = orjson.loads(stream.read())
    return {
        family: Family(
            kind, words, {(sample, tuple((k, v) for k, v in labels)): value for sample, labels, value in samples}
        )
        for family, kind, words, samples in told
    }


@contextmanager
def _locked(directory: str) -> Iterator[None]:
    """For the milliseconds in which files of it are read or written."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
