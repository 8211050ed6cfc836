"""Logins of accounts at their vendors: the ways there are, and those under way. The flow itself is `credentials.flows`.

`POST /logins {"provider": …}` begins one and answers how it stands; `GET /logins/ID` tells how it goes on (`page`, `code`, `prompt`,
`takes_callback`); what the person brings goes to `…/callback` (where the browser ended) or `…/enter` (a line)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from aiproxy.credentials.flow import Standing
from aiproxy.credentials.flows import Flows
from aiproxy.credentials.login import Login
from aiproxy.credentials.ways.desk import LoginFailed, Options
from aiproxy.neutral.errors import InvalidRequest, NotFound
from aiproxy.web.management.rooms.refusing import refusing
from aiproxy.web.management.routes import Asked, Route


class LoginsRoom:
    def __init__(self, flows: Flows, logins: Mapping[str, Login]) -> None:
        self._flows = flows
        self._logins = logins

    def routes(self) -> Sequence[Route]:
        one = "/logins/<login>"
        return (
            Route("GET", "/logins", "The providers that log in, their ways, and logins under way.", self.listed),
            Route(
                "POST",
                "/logins",
                "Begin one.",
                self.start,
                takes={
                    "provider": "Where.",
                    "way": "`browser`, `device` or `cookie`; the provider's usual one when absent.",
                    "project": "Google's: an id, several with commas, or ALL.",
                    "region": "AWS's.",
                    "start_url": "AWS's.",
                    "identity": "At whom, where a vendor has several.",
                    "port": "Where the browser is sent back to on this machine; 0 is the vendor's own.",
                },
            ),
            Route("GET", one, "How it stands.", self.shown),
            Route(
                "POST",
                f"{one}/callback",
                "Bring the address on which the browser ended.",
                self.callback,
                takes={"address": "All of it."},
            ),
            Route("POST", f"{one}/enter", "Bring the line that it waits for.", self.enter, takes={"line": "The line."}),
            Route("DELETE", one, "Cancel it.", self.cancel),
        )

    async def listed(self, _asked: Asked) -> Mapping[str, Any]:
        return {
            "providers": [
                {"provider": name, "ways": [way.name for way in login.ways], "closed": login.closed}
                for name, login in sorted(self._logins.items())
                if login.ways
            ],
            "logins": [_told(standing) for standing in self._flows.all()],
        }

    async def start(self, asked: Asked) -> Mapping[str, Any]:
        body = asked.object()
        names = {each.name: each.type for each in fields(Options)}
        options = {name: body[name] for name in names if name in body}
        for name, value in options.items():
            if not isinstance(value, int if name == "port" else str):
                raise InvalidRequest(
                    f"The field '{name}' must be a {'number' if name == 'port' else 'text'}.", param=name
                )
        with refusing():
            return _told(self._flows.start(asked.text("provider"), asked.text("way", default=""), Options(**options)))

    async def shown(self, asked: Asked) -> Mapping[str, Any]:
        return _told(self._standing(asked))

    async def callback(self, asked: Asked) -> Mapping[str, Any]:
        return self._brought(asked, self._flows.callback(self._standing(asked).id, asked.text("address")))

    async def enter(self, asked: Asked) -> Mapping[str, Any]:
        return self._brought(asked, self._flows.enter(self._standing(asked).id, asked.text("line")))

    async def cancel(self, asked: Asked) -> Mapping[str, Any]:
        return _told(self._flows.cancel(self._standing(asked).id))

    def _brought(self, asked: Asked, wrong: str) -> Mapping[str, Any]:
        if wrong:
            raise InvalidRequest(wrong)
        return _told(self._standing(asked))

    def _standing(self, asked: Asked) -> Standing:
        """Raises `NotFound`."""
        try:
            return self._flows.standing(asked.path["login"])
        except LoginFailed as unknown:
            raise NotFound(str(unknown)) from None


def _told(standing: Standing) -> Mapping[str, Any]:
    return {**asdict(standing), "ended": standing.ended}
