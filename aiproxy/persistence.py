"""What outlives the process, and what the processes that count for the same limits tell one another: the state and the bus, with all
that is kept in the one and told over the other."""

from collections.abc import Callable, Sequence
from socket import gethostname
from typing import Any

from aiproxy.gateway import Gateway
from aiproxy.storage.bus import Bus, Hub
from aiproxy.storage.bus.amp import AmpCarrier
from aiproxy.storage.bus.asking import Asking
from aiproxy.storage.conversations import Conversations
from aiproxy.storage.cooldowns import Cooldowns
from aiproxy.storage.keys import ManagedKeys
from aiproxy.storage.paces import Paces
from aiproxy.storage.quotas import Quotas
from aiproxy.storage.slices import Slices
from aiproxy.storage.spending import Spending
from aiproxy.storage.state.calls import logged
from aiproxy.storage.state.rows import ClientKeyRow
from aiproxy.storage.state.state import State
from aiproxy.storage.state_address import carrier_of
from aiproxy.usage import CallRecord
from aiproxy.worker import Worker


class Persistence:
    """`kept` is `Settings.state_in_effect`; `keys_taken` is told of all managed keys, at the start and after every change."""

    def __init__(
        self,
        reactor: Any,
        gateway: Gateway,
        state: State,
        kept: str,
        worker: Worker | None,
        keys_taken: Callable[[Sequence[ClientKeyRow]], None],
    ) -> None:
        self._reactor = reactor
        self._gateway = gateway
        self.state = state
        self.node = gethostname()
        """What this machine is called in the state."""
        siblings = AmpCarrier(reactor, worker.bus) if worker is not None else Hub().join()
        between_nodes = carrier_of(reactor, kept)
        self.bus = Bus(between_nodes or siblings)
        self._node_bus = self.bus if between_nodes is None else Bus(siblings)
        self.among_workers = self._node_bus if worker is not None else None
        """The bus of this node's workers."""
        self.others = lambda: siblings.others
        """How many workers there are beside this one."""
        self.asking = Asking(reactor, self.among_workers, self.others)
        self.shares = worker is not None or between_nodes is not None
        """Whether other processes may count for the same limits."""
        self._cooldowns = Cooldowns(reactor, gateway.pool, state, self.bus)
        self._conversations = Conversations(reactor, gateway.pool, state)
        self._quotas = Quotas(reactor, gateway.quotas, state)
        self._spending = Spending(gateway.limiter, state)
        self._slices = Slices(reactor, gateway.limiter, state)
        self._paces = Paces(reactor, gateway.limiter, self.bus)
        self.keys = ManagedKeys(reactor, state, self.bus, keys_taken)
        gateway.ended.observers.append(self._record)

    def offset(self) -> float:
        """What lies between the gateway's clock and the time of day."""
        return self.state.now() - float(self._reactor.seconds())

    def start(self) -> None:
        """Raises `StateRefused`."""
        self.state.start()
        self.bus.start()
        if self._node_bus is not self.bus:
            self._node_bus.start()
        self._cooldowns.start()
        self._conversations.start()
        self._quotas.start()
        self.keys.start()
        if self.shares:
            self._slices.start()
            self._paces.start()
            self._gateway.refill = self._slices.refill
        else:
            self._spending.start()

    async def stop(self) -> None:
        """What is not written yet is; nothing, if it was never started."""
        if not self.state.started:
            return
        self._conversations.stop()
        self._quotas.stop()
        self._cooldowns.stop()
        self.keys.stop()
        if self.shares:
            self._paces.stop()
            await self._slices.stop()
        await self.bus.stop()
        if self._node_bus is not self.bus:
            await self._node_bus.stop()
        await self.state.stop()

    def _record(self, calls: Sequence[CallRecord]) -> None:
        """Every call that has ended, and each of its attempts."""
        for rows in logged(calls, self.node, self.offset()):
            self.state.append(rows)
