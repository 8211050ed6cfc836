"""Models: the names that clients may ask for, who answers to each, and where a call would go and why (the dry run)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from time import time
from typing import Any

import orjson

from aiproxy.catalogue import known_provider
from aiproxy.clients import ANYONE, Client
from aiproxy.gateway import Gateway
from aiproxy.gateway.explaining import by_model, explain, question
from aiproxy.neutral.errors import InvalidRequest, NotFound
from aiproxy.providers.base import Operation
from aiproxy.registry import PROTOCOLS
from aiproxy.web.management.routes import Asked, Route

SPOKEN = {"openai": "openai-chat", "responses": "openai-responses", **{name: name for name in PROTOCOLS}}
"""What a client protocol may be called."""

_KEY = "Whose call it is, by the client key's name; anybody's when absent."


class ModelsRoom:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> Sequence[Route]:
        asked = {
            "model": "As the client would write it; a body names one, too.",
            "protocol": f"The client's: {', '.join(SPOKEN)}.",
            "operation": "What is asked for: " + ", ".join(each.value for each in Operation),
            "provider": "The provider that the path or the header Model-Provider names.",
            "key": _KEY,
        }
        return (
            Route(
                "GET",
                "/models",
                "The models that clients may ask for, and the accounts that serve each.",
                self.listed,
                query={"key": _KEY, "discover": "`true`: ask upstreams that pass any name on what they have."},
            ),
            Route("GET", "/route", "Where a call would go, step by step, without making it.", self.route, query=asked),
            Route(
                "POST",
                "/route",
                "The same of a request's body: what its translations would lose, too.",
                self.route,
                query=asked,
                takes={"model": "And the rest of a request in the client's protocol."},
                asks=True,
            ),
        )

    async def listed(self, asked: Asked) -> Mapping[str, Any]:
        snapshot, client = self._gateway.snapshot, self._client(asked)
        discovery = self._gateway.discovery
        found = await discovery.ask(snapshot) if asked.query.get("discover") == "true" else discovery.known
        reach = snapshot.reach(client)
        return {
            "models": by_model(snapshot, client, found),
            "pass-any-name": [offer.account for offer in snapshot.catalogue.offers if offer.accepts and reach(offer)],
        }

    async def route(self, asked: Asked) -> Mapping[str, Any]:
        snapshot, client, query = self._gateway.snapshot, self._client(asked), asked.query
        spoken = query.get("protocol", "openai")
        operation = query.get("operation", Operation.CHAT.value)
        if spoken not in SPOKEN:
            raise InvalidRequest(f"There is no protocol {spoken!r}; there are {', '.join(SPOKEN)}.", param="protocol")
        if operation not in list(Operation):
            raise InvalidRequest(
                f"There is no operation {operation!r}; there are {', '.join(Operation)}.", param="operation"
            )
        named = query.get("provider", "")
        provider = known_provider(named, snapshot.catalogue.providers) if named else ""
        if named and not provider:
            there = ", ".join(sorted(snapshot.catalogue.providers))
            raise NotFound(f"There is no provider {named!r} here; there are: {there}.", param="provider")
        call = question(
            PROTOCOLS[SPOKEN[spoken]], Operation(operation), asked.body, query.get("model"), client, provider
        )
        model = call.model
        explanation = await explain(call, snapshot, self._gateway.state, with_body=bool(asked.body))
        resting = self._resting([each for stage in explanation.stages for tier in stage.tiers for each in tier])
        told: Mapping[str, Any] = orjson.loads(orjson.dumps(asdict(explanation)))
        return {
            "asked": model,
            "key": client.name,
            "objection": client.objection(time()),
            **told,
            "not-ready": resting,
        }

    def _resting(self, candidates: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Of those that would be asked, who can't be just now."""
        pool, now = self._gateway.pool, self._gateway.now()
        found = []
        for each in candidates:
            health = pool.health(each.account, each.model)
            if each.account in pool.disabled:
                found.append({"account": each.account, "model": each.model, "reason": "disabled", "seconds": None})
            elif not health.ready(now):
                left = health.ready_at - now
                found.append({"account": each.account, "model": each.model, "reason": health.reason, "seconds": left})
        return found

    def _client(self, asked: Asked) -> Client:
        """Raises `NotFound`."""
        name = asked.query.get("key", "")
        if not name:
            return ANYONE
        found = next((client for client in self._gateway.keyring.clients if client.name == name), None)
        if found is None:
            raise NotFound(f"There is no client key named {name!r}. GET /v0/management/keys lists them.", param="key")
        return found
