"""Settings that hold a list for each provider, by CLIProxyAPI's paths and in its shapes.

What there is called a channel is a provider here. A change of one provider's list leaves the others as they are written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiproxy.config import Configuration
from aiproxy.config.edit import edited, without
from aiproxy.config.effective import plain
from aiproxy.config.steps import shown
from aiproxy.neutral.errors import InvalidRequest, NotFound
from aiproxy.secrets import Scrubber
from aiproxy.web.management.rooms.editing import ONE_VALUE, Configuring, editing
from aiproxy.web.management.rooms.settings import OK
from aiproxy.web.management.routes import Asked, Route, theirs


@dataclass(frozen=True, slots=True)
class Lists:
    """`path` is CLIProxyAPI's, `setting` ours, `name` what a list is called in what is sent."""

    path: str
    setting: str
    name: str


LISTS = (
    Lists("oauth-model-alias", "model-alias", "aliases"),
    Lists("oauth-excluded-models", "oauth-excluded-models", "models"),
    Lists("oauth-request-scoped-errors", "oauth-request-scoped-errors", "rules"),
)


class ByProviderRoom:
    """`in_use` is the configuration in effect."""

    def __init__(self, configuring: Configuring, in_use: Callable[[], Configuration]) -> None:
        self._configuring = configuring
        self._in_use = in_use

    def routes(self) -> Sequence[Route]:
        return theirs(route for lists in LISTS for route in self._of(lists))

    def _of(self, lists: Lists) -> Sequence[Route]:
        path, setting = lists.path, lists.setting

        async def show(_asked: Asked) -> Mapping[str, Any]:
            return {path: self._now(setting)}

        async def put(asked: Asked) -> Mapping[str, Any]:
            wanted = asked.object()
            wanted = wanted.get("items", wanted)
            if not isinstance(wanted, dict):
                raise InvalidRequest("An object of lists is wanted, by provider.", param="items")
            kept = {name: found for name, each in wanted.items() if (found := _list(each, name))}
            there = self._now(setting)

            def edit(text: str) -> str:
                if kept:
                    return edited(text, setting, kept)
                return without(text, setting) if there else text

            return await self._edit(asked, edit, f"Set {setting}")

        async def patch(asked: Asked) -> Mapping[str, Any]:
            body = asked.object()
            name = _provider(body)
            found = _list(body.get(lists.name), lists.name)
            if not found:
                return await self._take_out(asked, setting, name)
            place = shown((setting, name))
            return await self._edit(asked, lambda text: edited(text, place, found), f"Set {place}")

        async def delete(asked: Asked) -> Mapping[str, Any]:
            return await self._take_out(asked, setting, _provider(asked.query))

        patched = {"channel": "Which provider (also `provider`).", lists.name: "Its list; an empty one takes it out."}
        removed = {"channel": "Which provider (also `provider`)."}
        return (
            Route("GET", f"/{path}", f"`{setting}`, by provider.", show),
            Route("PUT", f"/{path}", f"Another `{setting}`: an object of lists.", put),
            Route("PATCH", f"/{path}", "Another list for one provider.", patch, takes=patched),
            Route("DELETE", f"/{path}", "Take one provider's out.", delete, query=removed),
        )

    def _now(self, setting: str) -> Mapping[str, Any]:
        read = self._in_use()
        found: Mapping[str, Any] = plain(getattr(read.settings, setting.replace("-", "_")), Scrubber(read.secrets))
        return found

    async def _take_out(self, asked: Asked, setting: str, name: str) -> Mapping[str, Any]:
        there = self._now(setting)
        if name not in there:
            raise NotFound(f"There is no `{setting}` of {name!r}.", param="channel")
        place = shown((setting, name)) if len(there) > 1 else setting
        return await self._edit(asked, lambda text: without(text, place), f"Take {place} out")

    async def _edit(self, asked: Asked, edit: Callable[[str], str], why: str) -> Mapping[str, Any]:
        with editing(ONE_VALUE):
            await self._configuring.edit(edit, asked.change(why))
        return OK


def _provider(said: Mapping[str, Any]) -> str:
    name = said.get("channel") or said.get("provider")
    if not isinstance(name, str) or not name:
        raise InvalidRequest("'channel' must name a provider.", param="channel")
    return name


def _list(found: Any, name: str) -> list[Any]:
    if not isinstance(found, list):
        raise InvalidRequest(f"'{name}' must be a list.", param=name)
    return found
