"""What Prometheus is told at `/metrics`: every ended call is counted from its record, what is so now is looked up when asked.

Labels have few values, of bounded number: a model that isn't in the configuration is `other`, and no label names a client."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from aiproxy import __version__
from aiproxy.gateway import Gateway, Snapshot
from aiproxy.pools.verdict import Scope
from aiproxy.usage import Attempt, CallRecord, Outcome
from aiproxy.web.tallies import Counts, Spread

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LONG = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Seconds of answers: from a cached word to a long piece of thinking."""

SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 10)
"""Seconds of our own work, waits for an account included."""

OTHER = "other"

BUCKETS = {
    "input": ("input_uncached", "audio_in", "image_in", "tool_prompt"),
    "cache_read": ("cache_read",),
    "cache_write": ("cache_write", "cache_write_1h"),
    "output": ("output_visible", "audio_out", "image_out"),
    "reasoning": ("reasoning",),
}
"""Kinds of tokens, disjoint, and the buckets of usage each is made of."""

LAG_SECONDS = 1.0
"""Between measurements of how late the reactor is."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that is so now; `name` without our prefix."""

    name: str
    words: str
    value: float


class Metrics:
    def __init__(self, gateway: Gateway, clock: IReactorTime) -> None:
        self._gateway = gateway
        self._clock = clock
        self._due = 0.0
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = clock
        self._known: tuple[Snapshot | None, frozenset[str]] = (None, frozenset())
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_Now(gateway))

        def counter(name: str, words: str, *labels: str) -> Counts:
            made = Counts(f"aiproxy_{name}", words, labels)
            registry.register(made)
            return made

        def histogram(name: str, words: str, bounds: tuple[float, ...], *labels: str) -> Spread:
            made = Spread(f"aiproxy_{name}_seconds", words, labels, bounds)
            registry.register(made)
            return made

        self._requests = counter("requests", "Calls that have ended.", "protocol", "outcome")
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
        self._lag = histogram("reactor_lag", "How late the reactor's timers are.", SHORT)
        gateway.observers.append(self.observe)

    def also(self, look: Callable[[], Iterable[Gauge]]) -> None:
        """Show what somebody else knows, asked for each page."""
        self.registry.register(_Told(look))

    def start(self) -> None:
        """Begin to measure the reactor."""
        self._due = self._clock.seconds() + LAG_SECONDS
        self._ticks.start(LAG_SECONDS, now=False)

    def stop(self) -> None:
        if self._ticks.running:
            self._ticks.stop()

    def _tick(self) -> None:
        now = self._clock.seconds()
        self._lag.add((), max(0.0, now - self._due))
        self._due = now + LAG_SECONDS

    def page(self) -> bytes:
        return generate_latest(self.registry)

    def observe(self, call: CallRecord) -> None:
        protocol = call.protocol
        self._requests.sums[protocol, call.outcome or OTHER] += 1
        if call.ended is not None:
            self._duration.add((protocol,), max(0.0, call.ended - call.started))
        if call.first_byte is not None:
            self._first.add((protocol,), max(0.0, call.first_byte - call.started))
        if call.attempts:
            self._overhead.add((protocol,), max(0.0, call.attempts[0].started - call.started))
        if call.outcome is Outcome.CUT:
            self._truncated.sums[call.provider,] += 1
        if call.outcome is Outcome.CANCELLED:
            self._left.sums["waiting" if call.first_byte is None else "answering",] += 1
        for failed in call.attempts[:-1]:
            self._failovers.sums[failed.error or OTHER,] += 1
        for attempt in call.attempts:
            self._count(attempt)

    def _count(self, attempt: Attempt) -> None:
        self._attempts.sums[attempt.provider, attempt.error or attempt.outcome] += 1
        used = attempt.usage
        if used is None:
            return
        where = attempt.provider, attempt.model if attempt.model in self._models() else OTHER
        for kind, buckets in BUCKETS.items():
            if tokens := sum(getattr(used, bucket) or 0 for bucket in buckets):
                self._tokens.sums[(*where, kind)] += tokens
        cost = attempt.cost
        if cost is None:
            self._unpriced.sums[where] += 1
        else:
            self._cost.sums[where] += cost

    def _models(self) -> frozenset[str]:
        """What the upstreams of this configuration call their models."""
        snapshot = self._gateway.snapshot
        if self._known[0] is not snapshot:
            offers = snapshot.catalogue.offers
            names = (served.name for offer in offers for several in offer.models.values() for served in several)
            self._known = snapshot, frozenset(names)
        return self._known[1]


class _Told(Collector):
    def __init__(self, look: Callable[[], Iterable[Gauge]]) -> None:
        self._look = look

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing before it is asked: who knows may not have begun."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in self._look():
            yield GaugeMetricFamily(f"aiproxy_{gauge.name}", gauge.words, value=gauge.value)


class _Now(Collector):
    """What is so at the moment."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gateway, pool = self._gateway, self._gateway.pool
        build = GaugeMetricFamily("aiproxy_build_info", "The program that runs.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield GaugeMetricFamily("aiproxy_calls_active", "Calls under way.", value=gateway.under_way)
        yield GaugeMetricFamily("aiproxy_calls_waiting", "Calls that wait for an account.", value=pool.waiting)
        lent = GaugeMetricFamily("aiproxy_account_calls_active", "Tries under way.", labels=["provider", "account"])
        up = GaugeMetricFamily(
            "aiproxy_account_up", "1: ready; 0: rests, or is disabled.", labels=["provider", "account"]
        )
        resting = {place[1] for place, _ in pool.resting() if place[0] is Scope.ACCOUNT and not place[2]}
        for upstream in gateway.snapshot.upstreams.values():
            labels = [upstream.provider.name, upstream.id]
            lent.add_metric(labels, pool.in_use(upstream.id))
            up.add_metric(labels, float(upstream.id not in resting and upstream.id not in pool.disabled))
        yield lent
        yield up
