"""What is told of how the gateway stands: checks for `/readyz`, and gauges of the configuration, the store and the state."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import time

from aiproxy.credentials.accounts import Accounts
from aiproxy.documents import Documents
from aiproxy.gateway import Gateway
from aiproxy.pools.rests import told
from aiproxy.reloading import InUse
from aiproxy.storage.bus import Bus
from aiproxy.storage.state.state import State, Status
from aiproxy.web.metrics import Gauge
from aiproxy.web.ops import Check

MOST_QUOTAS_SHOWN = 10
"""At `/readyz?verbose`."""


@dataclass(frozen=True, slots=True)
class Readiness:
    gateway: Gateway
    accounts: Accounts
    documents: Documents
    state: State
    bus: Bus
    in_use: Callable[[], InUse]
    draining: Callable[[], bool]

    def checks(self) -> Sequence[Check]:
        in_use, draining, gateway = self.in_use(), self.draining(), self.gateway
        resting = told((place for place, _ in gateway.pool.resting()), len(gateway.pool.disabled))
        accounts = len(gateway.snapshot.upstreams)
        configuration = in_use.problem.partition("\n")[0] or f"{in_use.loaded.configuration.source}, as loaded"
        return (
            Check("draining", not draining, "shutting down" if draining else "no"),
            Check("accounts", accounts > 0, f"{accounts} configured, {resting}{self._quotas()}"),
            Check("configuration", not in_use.problem, configuration, vital=False),
            *self.documents.checks(in_use.loaded, {**gateway.snapshot.left_out, **self.accounts.refused()}),
            state_check(self.state.status, self.state.now()),
            Check("bus", self.bus.carrier.connected, self.bus.carrier.kind, vital=False),
        )

    def gauges(self) -> Iterator[Gauge]:
        in_use = self.in_use()
        yield Gauge("config_last_success_timestamp_seconds", "When the configuration in use was taken over.", in_use.at)
        yield Gauge("config_hash_info", "Which configuration is in use.", 1, {"hash": in_use.hash})
        condition = self.documents.condition
        if condition is not None and condition.age is not None:
            yield Gauge("store_mirror_age_seconds", "Since the mirror was last what the store is.", condition.age)
            yield Gauge("store_unpushed_changes", "Changes that the store doesn't have yet.", condition.unpushed)
            yield Gauge("store_conflicts", "Documents in conflict.", len(condition.conflicts))
        status = self.state.status
        yield Gauge("state_rows_waiting", "Rows that are not written yet.", status.queued)
        yield Gauge("state_rows_dropped", "Rows that were never written, since the start.", status.dropped)

    def _quotas(self) -> str:
        """Those that vendors tell of, the fullest first, as many as a person reads."""
        now = time()
        found = [
            (window.used, f"; {account}: {window.used:.0%} of {window.name} used")
            for account in self.gateway.snapshot.upstreams
            for window in self.gateway.quotas.of(account, now).values()
        ]
        return "".join(words for _, words in sorted(found, reverse=True)[:MOST_QUOTAS_SHOWN])


def state_check(status: Status, now: float) -> Check:
    details = [f"{status.kind} ({status.where})" if status.where != status.kind else status.kind]
    details.append(f"{status.queued} records waiting")
    if status.written is not None:
        details.append(f"written {now - status.written:.1f} s ago")
    if status.dropped:
        details.append(f"{status.dropped} dropped")
    if status.recovered:
        details.append(f"begun anew, the damaged file is {status.recovered}")
    if status.problem:
        details.append(status.problem)
    return Check("state", not status.problem, "; ".join(details), vital=False)
