"""What else CLIProxyAPI's tools ask for: quotas reset, use by account, models that are known."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiproxy import __version__
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import NotFound
from aiproxy.providers.base import Provider, Upstream
from aiproxy.storage.documents import CREDENTIALS
from aiproxy.storage.state.popping import QUEUED_SECONDS, pop
from aiproxy.web.management.rooms.refusing import refusing
from aiproxy.web.management.rooms.settings import OK, account_index
from aiproxy.web.management.rooms.statistics import IMPORTED, queued
from aiproxy.web.management.rooms.tenths import none_of, tenths
from aiproxy.web.management.rooms.usage import Ledger
from aiproxy.web.management.routes import Asked, Route, theirs


class CLIProxyAPIRoom:
    def __init__(self, gateway: Gateway, providers: Sequence[Provider], state: Ledger) -> None:
        self._gateway = gateway
        self._providers = {provider.name: provider for provider in providers}
        self._state = state

    def routes(self) -> Sequence[Route]:
        found = (
            Route("POST", "/reset-quota", "Forget an account's rests.", self.reset, takes={"auth_index": "Which."}),
            Route("GET", "/api-key-usage", "How calls went at accounts with keys, in tens of minutes.", self.key_usage),
            Route(
                "GET",
                "/latest-version",
                "The version that runs: nothing is asked elsewhere whether there is a later one.",
                self.version,
            ),
            Route(
                "GET",
                "/usage-queue",
                f"The next attempts of the last {QUEUED_SECONDS / 60:.0f} minutes that nobody has been told of here, the oldest first.",
                self.queue,
                query={"count": "How many; 1."},
            ),
            Route("GET", "/model-definitions/<channel>", "The models that a provider is known to have.", self.models),
        )
        return theirs(found)

    async def reset(self, asked: Asked) -> Mapping[str, Any]:
        index = asked.text("auth_index")
        upstreams = self._gateway.snapshot.upstreams.values()
        found = next((each for each in upstreams if index in (account_index(each.id), each.id)), None)
        if found is None:
            raise NotFound(f"There is no account with the index {index!r}.", param="auth_index")
        models = {place[2] for place, _ in self._gateway.pool.resting() if place[1] == found.id and place[2]}
        self._gateway.pool.clear(found.id)
        return {**OK, "auth_index": index, "models": sorted(models)}

    async def key_usage(self, _asked: Asked) -> Mapping[str, Any]:
        recent, no_calls, told = await tenths(self._state), none_of(self._state), dict[str, dict[str, Any]]()
        for upstream in self._gateway.snapshot.upstreams.values():
            if self._logged_in(upstream):
                continue
            used = recent.get(upstream.id, no_calls)
            told.setdefault(upstream.provider.name, {})[f"{upstream.base_url}|{upstream.id}"] = {
                "success": sum(each["success"] for each in used),
                "failed": sum(each["failed"] for each in used),
                "recent_requests": used,
            }
        return told

    def _logged_in(self, upstream: Upstream) -> bool:
        return f"{CREDENTIALS}{upstream.login or upstream.id}.json" in self._gateway.snapshot.used

    async def queue(self, asked: Asked) -> Sequence[Mapping[str, Any]]:
        most, now, upstreams = asked.count("count", 1), self._state.now(), self._gateway.snapshot.upstreams
        with refusing():
            found = await self._state.transact(lambda session: pop(session, now, most, IMPORTED))
        of_keys = {upstream.id for upstream in upstreams.values() if not self._logged_in(upstream)}
        return [queued(row, "apikey" if row.account in of_keys else "oauth") for row in found]

    async def version(self, _asked: Asked) -> Mapping[str, Any]:
        return {"latest-version": __version__, "asked": False}

    async def models(self, asked: Asked) -> Mapping[str, Any]:
        channel = asked.path["channel"]
        provider = self._providers.get(channel)
        if provider is None:
            there = ", ".join(sorted(self._providers))
            raise NotFound(f"There is no provider {channel!r}; there are: {there}.", param="channel")
        models = [{"id": model, "object": "model", "owned_by": channel} for model in provider.models]
        return {"channel": channel, "models": models}
