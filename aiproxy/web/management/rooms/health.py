"""How the gateway itself is: its checks, its state, its store; and what a client needs to be set up for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aiproxy import __version__
from aiproxy.gateway import Gateway
from aiproxy.storage.state.state import State
from aiproxy.storage.store import Condition
from aiproxy.web.management.rooms.snippets import snippets
from aiproxy.web.management.routes import Asked, Route
from aiproxy.web.ops import Check


class HealthRoom:
    """`began` is when the process did, in seconds since the epoch; `base` is the address that clients call."""

    def __init__(
        self,
        gateway: Gateway,
        state: State,
        checks: Callable[[], Sequence[Check]],
        condition: Callable[[], Condition | None],
        node: str,
        began: float,
        base: Callable[[], str],
    ) -> None:
        self._gateway = gateway
        self._state = state
        self._checks = checks
        self._condition = condition
        self._node = node
        self._began = began
        self._base = base

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/health", "Checks, version, and how busy this process is.", self.health),
            Route("GET", "/state", "How the state is: usage, requests, cooldowns, counters.", self.state),
            Route("GET", "/store", "How the store is: configuration and credentials.", self.store),
            Route(
                "GET",
                "/setup/clients",
                "How clients are set up for this gateway, each with lines to copy.",
                self.clients,
                query={"model": "The model that stands in them."},
            ),
        )

    async def health(self, _asked: Asked) -> Mapping[str, Any]:
        checks = self._checks()
        return {
            "version": __version__,
            "node": self._node,
            "uptime": self._state.now() - self._began,
            "ok": all(check.ok for check in checks),
            "ready": all(check.ok for check in checks if check.vital),
            "checks": [asdict(check) for check in checks],
            "under-way": self._gateway.under_way,
            "waiting": self._gateway.pool.waiting,
            "accounts": len(self._gateway.snapshot.upstreams),
        }

    async def state(self, _asked: Asked) -> Mapping[str, Any]:
        return {**asdict(self._state.status), "retention": asdict(self._state.retention)}

    async def store(self, _asked: Asked) -> Mapping[str, Any]:
        condition = self._condition()
        if condition is None:
            return {"place": ""}
        conflicts = [
            {"number": each.number, "name": each.name, "since": each.since, "deletes": each.body is None}
            for each in condition.conflicts
        ]
        return {
            "place": condition.place,
            "mirror-age": condition.age,
            "unpushed": condition.unpushed,
            "conflicts": conflicts,
            "problem": condition.problem,
        }

    async def clients(self, asked: Asked) -> Mapping[str, Any]:
        listed = self._gateway.snapshot.catalogue.listing(self._gateway.discovery.known)
        model = asked.query.get("model") or next((each.name for each in listed), "MODEL")
        needs_key = not self._gateway.keyring.open
        return {
            "base-url": self._base(),
            "key-needed": needs_key,
            "clients": [asdict(each) for each in snippets(self._base(), model, needs_key=needs_key)],
        }
