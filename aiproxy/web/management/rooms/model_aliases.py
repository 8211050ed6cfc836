"""`model-alias` by CLIProxyAPI's path, `oauth-model-alias`, and in its shape: names for a provider's models, a list a provider."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiproxy.config import Configuration
from aiproxy.config.edit import edited, without
from aiproxy.config.effective import plain
from aiproxy.neutral.errors import InvalidRequest, NotFound
from aiproxy.secrets import Scrubber
from aiproxy.web.management.rooms.editing import Configuring, editing
from aiproxy.web.management.rooms.settings import OK
from aiproxy.web.management.routes import Asked, Route

PATH = "oauth-model-alias"
SECTION = "model-alias"


class ModelAliasesRoom:
    """`in_use` is the configuration in effect."""

    def __init__(self, configuring: Configuring, in_use: Callable[[], Configuration]) -> None:
        self._configuring = configuring
        self._in_use = in_use

    def routes(self) -> Sequence[Route]:
        url = f"/{PATH}"
        patched = {"channel": "Which provider (also `provider`).", "aliases": "Its list; an empty one takes it out."}
        return (
            Route("GET", url, f"`{SECTION}`, by provider.", self.shown),
            Route("PUT", url, f"Another `{SECTION}`: an object of lists.", self.replaced),
            Route("PATCH", url, "Another list for one provider.", self.changed, takes=patched),
            Route("DELETE", url, "Take one provider's out.", self.removed, query={"channel": "Which provider."}),
        )

    async def shown(self, _asked: Asked) -> Mapping[str, Any]:
        read = self._in_use()
        return {PATH: plain(read.settings.model_alias, Scrubber(read.secrets))}

    async def replaced(self, asked: Asked) -> Mapping[str, Any]:
        wanted = asked.object()
        wanted = wanted.get("items", wanted)
        if not isinstance(wanted, dict):
            raise InvalidRequest("An object of lists is wanted, by provider.", param="items")
        return await self._put(asked, {name: _list(aliases) for name, aliases in wanted.items()})

    async def changed(self, asked: Asked) -> Mapping[str, Any]:
        body = asked.object()
        name = body.get("channel") or body.get("provider")
        if not isinstance(name, str) or not name:
            raise InvalidRequest("The field 'channel' must name a provider.", param="channel")
        return await self._put(asked, {**self._now(), name: _list(body.get("aliases"))})

    async def removed(self, asked: Asked) -> Mapping[str, Any]:
        name, there = asked.query.get("channel") or asked.query.get("provider", ""), self._now()
        if name not in there:
            raise NotFound(f"There is no `{SECTION}` of {name!r}.", param="channel")
        return await self._put(asked, {**there, name: []})

    def _now(self) -> Mapping[str, Any]:
        read = self._in_use()
        found: Mapping[str, Any] = plain(read.settings.model_alias, Scrubber(read.secrets))
        return found

    async def _put(self, asked: Asked, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        kept, there = {name: aliases for name, aliases in wanted.items() if aliases}, self._now()

        def edit(text: str) -> str:
            if kept:
                return edited(text, SECTION, kept)
            return without(text, SECTION) if there else text

        with editing():
            await self._configuring.edit(edit, asked.change(f"Set {SECTION}"))
        return OK


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise InvalidRequest("The field 'aliases' must be a list.", param="aliases")
    return found
