"""What Prometheus is told at `/metrics`: every ended call is counted from its record, what is so now is looked up when asked.

Labels have few values, of bounded number: a model that isn't in the configuration is `other`, and no label names a client."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from time import time

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from aiproxy.gateway import Gateway, Snapshot
from aiproxy.neutral.usage import Usage
from aiproxy.usage import Attempt, CallRecord, Outcome
from aiproxy.web.standing import Standing
from aiproxy.web.tallies import Counts, Spread
from aiproxy.web.together import Together

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LONG = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Seconds of answers: from a cached word to a long piece of thinking."""

SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 10)
"""Seconds of our own work, waits for an account included."""

OTHER = "other"

KINDS = {
    "input_uncached": "input",
    "audio_in": "input",
    "image_in": "input",
    "tool_prompt": "input",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
    "cache_write_1h": "cache_write",
    "output_visible": "output",
    "audio_out": "output",
    "image_out": "output",
    "reasoning": "reasoning",
}
"""Buckets of usage, and the kinds that they are counted as; both disjoint."""

_tokens = attrgetter(*KINDS)
_KINDS = tuple(KINDS.values())

LAG_SECONDS = 1.0
"""Between measurements of how late the reactor is, and so long the other workers' numbers on a page may be old."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that is so now; `name` without our prefix."""

    name: str
    words: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counted:
    """All labels together; tokens and US dollars of all attempts."""

    requests: int
    failed: int
    attempts: int
    input: int
    output: int
    cost: float
    first_bytes: int
    first_byte_seconds: float


class Metrics:
    """`together` are the workers of which we are one, if we are."""

    def __init__(self, gateway: Gateway, clock: IReactorTime, together: Together | None = None) -> None:
        self._gateway = gateway
        self._together = together
        self._clock = clock
        self._due = 0.0
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = clock
        self._known: tuple[Snapshot | None, frozenset[str]] = (None, frozenset())
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(Standing(gateway, clock, time))

        def counter(name: str, words: str, *labels: str) -> Counts:
            made = Counts(f"aiproxy_{name}", words, labels)
            registry.register(made)
            return made

        def histogram(name: str, words: str, bounds: tuple[float, ...], *labels: str) -> Spread:
            made = Spread(f"aiproxy_{name}_seconds", words, labels, bounds)
            registry.register(made)
            return made

        self._requests = counter("requests", "Calls that have ended.", "protocol", "operation", "outcome")
        self._duration = histogram("request_duration", "From a call's coming to its end.", LONG, "protocol")
        self._first = histogram(
            "time_to_first_token", "From a call's coming to its answer's first word.", LONG, "protocol"
        )
        self._overhead = histogram("overhead", "From a call's coming to its first attempt.", SHORT, "protocol")
        self._attempts = counter("attempts", "Tries at accounts.", "provider", "result")
        self._failovers = counter("failovers", "Failed tries that another one followed.", "reason")
        self._tokens = counter("tokens", "Tokens, each in one kind.", "provider", "model", "kind")
        self._cost = counter("cost_usd", "US dollars by the configured prices.", "provider", "model")
        self._unpriced = counter(
            "unpriced_attempts", "Tries with usage of a model without a price.", "provider", "model"
        )
        self._truncated = counter("streams_truncated", "Answers that broke off after their first byte.", "provider")
        self._left = counter("client_disconnects", "Calls whose client left.", "phase")
        self._between = histogram("inter_token", "Between an answer's words, on average.", SHORT, "protocol")
        self._wasted = counter(
            "wasted_tokens", "Tokens of tries whose answer did not reach its client whole.", "provider"
        )
        self._reloads = counter("config_reloads", "Attempts to take over a changed configuration.", "result")
        self._spans = counter("spans", "Spans of traces that were sent, and that were dropped.", "result")
        self._stored = histogram(
            "store_operation",
            "Until the store or the state had done what was asked of it.",
            SHORT,
            "store",
            "operation",
        )
        self._lag = histogram("reactor_lag", "How late the reactor's timers are.", SHORT)
        gateway.ended.observers.append(self.observe)

    def also(self, look: Callable[[], Iterable[Gauge]]) -> None:
        """Show what somebody else knows, asked for each page."""
        self.registry.register(_Told(look))

    def reloaded(self, result: str) -> None:
        """`ok` or `failed`."""
        self._reloads.sums[result,] += 1

    def stored(self, store: str, operation: str, seconds: float) -> None:
        """`state`: `read`, `write`; `documents`: `load`, `read`, `save`."""
        self._stored.add((store, operation), [seconds])

    def traced(self, result: str, spans: int) -> None:
        """`sent` or `dropped`."""
        self._spans.sums[result,] += spans

    def start(self) -> None:
        """Begin to measure the reactor."""
        self._due = self._clock.seconds() + LAG_SECONDS
        self._ticks.start(LAG_SECONDS, now=False)

    def stop(self) -> None:
        if self._ticks.running:
            self._ticks.stop()

    def leave(self) -> None:
        """Leave what was counted to the other workers: we end."""
        if self._together is not None:
            self._together.leave(self._own())

    def _tick(self) -> None:
        now = self._clock.seconds()
        self._lag.add((), [now - self._due])
        self._due = now + LAG_SECONDS
        if self._together is not None:
            self._together.leave(self._own())

    def page(self) -> bytes:
        if self._together is None:
            return generate_latest(_Given(self._own()))
        return generate_latest(_Given(self._together.page(self._own())))

    def _own(self) -> Iterable[Metric]:
        self._gateway.ended.now()
        return self.registry.collect()

    def counted(self) -> Counted:
        """Of this process, since it began."""
        self._gateway.ended.now()
        requests, tokens = self._requests.sums, self._tokens.sums
        written = ("output", "reasoning")
        first_bytes, first_byte_seconds = self._first.total
        return Counted(
            requests=int(sum(requests.values())),
            failed=int(sum(count for (*_, how), count in requests.items() if how in (Outcome.FAILED, Outcome.CUT))),
            attempts=int(sum(self._attempts.sums.values())),
            input=int(sum(count for (*_, kind), count in tokens.items() if kind not in written)),
            output=int(sum(count for (*_, kind), count in tokens.items() if kind in written)),
            cost=sum(self._cost.sums.values()),
            first_bytes=first_bytes,
            first_byte_seconds=first_byte_seconds,
        )

    def observe(self, calls: Iterable[CallRecord]) -> None:
        """Calls that have ended, all of them at a time: number by number it takes three times as long."""
        by_protocol: defaultdict[str, list[CallRecord]] = defaultdict(list)
        for call in calls:
            by_protocol[call.protocol].append(call)
        for protocol, some in by_protocol.items():
            self._calls(protocol, some)
        attempts = [attempt for some in by_protocol.values() for call in some for attempt in call.attempts]
        self._attempts.count([(attempt.provider, attempt.error or attempt.outcome) for attempt in attempts])
        by_model: defaultdict[tuple[str, str], list[Attempt]] = defaultdict(list)
        for attempt in attempts:
            if attempt.usage is not None:
                by_model[attempt.provider, attempt.model].append(attempt)
        for (provider, model), used in by_model.items():
            self._used(provider, model if model in self._models() else OTHER, used)

    def _calls(self, protocol: str, calls: Sequence[CallRecord]) -> None:
        self._requests.count([(protocol, call.operation, call.outcome or OTHER) for call in calls])
        self._duration.add((protocol,), [call.ended - call.started for call in calls if call.ended is not None])
        self._first.add((protocol,), [call.first_byte - call.started for call in calls if call.first_byte is not None])
        self._overhead.add((protocol,), [call.attempts[0].started - call.started for call in calls if call.attempts])
        self._between.add((protocol,), [pace for call in calls if call.streamed for pace in _pace(call)])
        self._failovers.count([(failed.error or OTHER,) for call in calls for failed in call.attempts[:-1]])
        for call in calls:
            if call.outcome is Outcome.CUT:
                self._truncated.sums[call.provider,] += 1
            elif call.outcome is Outcome.CANCELLED:
                self._left.sums["waiting" if call.first_byte is None else "answering",] += 1

    def _used(self, provider: str, model: str, attempts: Sequence[Attempt]) -> None:
        """What tries at one model used."""
        used = [attempt.usage for attempt in attempts if attempt.usage is not None]
        for kind, tokens in zip(_KINDS, zip(*map(_tokens, used), strict=True), strict=True):
            if counted := sum(filter(None, tokens)):
                self._tokens.sums[provider, model, kind] += counted
        costs = [attempt.cost for attempt in attempts if attempt.cost is not None]
        if costs:
            self._cost.sums[provider, model] += sum(costs)
        if unpriced := len(attempts) - len(costs):
            self._unpriced.sums[provider, model] += unpriced
        for attempt in attempts:
            if attempt.outcome is not Outcome.COMPLETE and (wasted := _together(attempt.usage)):
                self._wasted.sums[provider,] += wasted

    def _models(self) -> frozenset[str]:
        """What the upstreams of this configuration call their models."""
        snapshot = self._gateway.snapshot
        if self._known[0] is not snapshot:
            offers = snapshot.catalogue.offers
            names = (served.name for offer in offers for several in offer.models.values() for served in several)
            self._known = snapshot, frozenset(names)
        return self._known[1]


def _pace(call: CallRecord) -> Iterator[float]:
    """Seconds from word to word, of a whole answer of two words or more."""
    used = call.attempts[-1].usage if call.attempts and call.outcome is Outcome.COMPLETE else None
    words = used.output_total if used is not None else None
    if words is not None and words > 1 and call.first_byte is not None and call.ended is not None:
        yield max(0.0, call.ended - call.first_byte) / (words - 1)


def _together(used: Usage | None) -> int:
    """All tokens, read and written."""
    return 0 if used is None else (used.input_total or 0) + (used.output_total or 0)


class _Given(CollectorRegistry):
    """What is written as a page."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        super().__init__()
        self._given = metrics

    def collect(self) -> Iterable[Metric]:
        return self._given


class _Told(Collector):
    def __init__(self, look: Callable[[], Iterable[Gauge]]) -> None:
        self._look = look

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing before it is asked: who knows may not have begun."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in self._look():
            family = GaugeMetricFamily(f"aiproxy_{gauge.name}", gauge.words, labels=list(gauge.labels))
            family.add_metric(list(gauge.labels.values()), gauge.value)
            yield family
