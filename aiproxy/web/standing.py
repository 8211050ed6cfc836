"""What is so at the moment, looked up when `/metrics` is asked for: calls under way, accounts, their rests and quotas."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from twisted.internet.interfaces import IReactorTime

from aiproxy import __version__
from aiproxy.gateway import Gateway
from aiproxy.pools.rests import counted
from aiproxy.pools.verdict import Scope


class Standing(Collector):
    """`now` is seconds since the epoch."""

    def __init__(self, gateway: Gateway, clock: IReactorTime, now: Callable[[], float]) -> None:
        self._gateway = gateway
        self._clock = clock
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gateway, pool = self._gateway, self._gateway.pool
        build = GaugeMetricFamily("aiproxy_build_info", "The program that runs.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield GaugeMetricFamily("aiproxy_calls_active", "Calls under way.", value=gateway.under_way)
        yield GaugeMetricFamily("aiproxy_streams_active", "Those of them that stream.", value=gateway.streams_under_way)
        yield GaugeMetricFamily("aiproxy_calls_waiting", "Calls that wait for an account.", value=pool.waiting)
        lent = GaugeMetricFamily("aiproxy_account_calls_active", "Tries under way.", labels=["provider", "account"])
        up = GaugeMetricFamily(
            "aiproxy_account_up", "1: ready; 0: rests, or is disabled.", labels=["provider", "account"]
        )
        rests = GaugeMetricFamily(
            "aiproxy_account_cooldown_seconds", "Until an account's rest ends; 0: none.", labels=["provider", "account"]
        )
        left = GaugeMetricFamily(
            "aiproxy_quota_remaining_ratio", "What is left of a quota.", labels=["provider", "account", "window"]
        )
        ends = GaugeMetricFamily(
            "aiproxy_quota_reset_timestamp_seconds",
            "When a quota is whole again.",
            labels=["provider", "account", "window"],
        )
        places = pool.resting()
        resting = {place[1]: health.ready_at for place, health in places if place[0] is Scope.ACCOUNT and not place[2]}
        scopes = GaugeMetricFamily(
            "aiproxy_resting",
            "What rests: whole accounts, models at them, providers' models, networks.",
            labels=["scope"],
        )
        for scope, number in counted(place for place, _ in places).items():
            scopes.add_metric([scope], number)
        yield scopes
        seconds, now = self._clock.seconds(), self._now()
        for upstream in gateway.snapshot.upstreams.values():
            labels = [upstream.provider.name, upstream.id]
            lent.add_metric(labels, pool.in_use(upstream.id))
            rests.add_metric(labels, max(0.0, resting.get(upstream.id, seconds) - seconds))
            for window in gateway.quotas.of(upstream.id, now).values():
                left.add_metric([*labels, window.name], max(0.0, 1 - window.used))
                if window.ends is not None:
                    ends.add_metric([*labels, window.name], window.ends)
            up.add_metric(labels, float(upstream.id not in resting and upstream.id not in pool.disabled))
        yield lent
        yield up
        yield rests
        yield left
        yield ends
