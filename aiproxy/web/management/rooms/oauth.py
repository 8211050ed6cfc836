"""Logins by CLIProxyAPI's paths and in its shapes. `state` is the vendor's where its page has one, else our login's id; either tells
of a login as long as that is kept."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from aiproxy.credentials.flow import Stage, Standing
from aiproxy.credentials.flows import Flows
from aiproxy.credentials.ways.desk import LoginFailed, Options, read_callback
from aiproxy.neutral.errors import Conflict, InvalidRequest, NotFound, UpstreamFailed
from aiproxy.web.management.rooms.refusing import refusing
from aiproxy.web.management.rooms.settings import OK
from aiproxy.web.management.routes import Asked, Route, theirs

PAGES = {
    "anthropic-auth-url": "claude",
    "codex-auth-url": "codex",
    "antigravity-auth-url": "antigravity",
    "gemini-cli-auth-url": "gemini-cli",
    "kimi-auth-url": "kimi",
    "qwen-auth-url": "qwen",
    "iflow-auth-url": "iflow",
}
"""By path: at whom."""

PAGE_SECONDS = 30.0
"""Longest wait for a vendor's page or code: one question to it."""

LOOK_SECONDS = 0.05
"""Between looks whether there is one."""

MOST_STATES = 256
"""States that are known, the latest."""

LONGEST_STATE = 128
"""Characters; vendors' and ours have 43 at the most."""

_STATE = re.compile(rf"[A-Za-z0-9_.-]{{1,{LONGEST_STATE}}}")


class OAuthRoom:
    def __init__(self, flows: Flows, clock: IReactorTime) -> None:
        self._flows = flows
        self._clock = clock
        self._logins: dict[str, str] = {}
        """By state: our login's id."""

    def routes(self) -> Sequence[Route]:
        query = {"project_id": "Google's project, several with commas, or ALL.", "is_webui": "Of no meaning here."}
        pages = [
            Route(
                "GET",
                f"/{path}",
                f"Begin a login at {provider}: its page, and the state.",
                self._begin(provider),
                query=query,
            )
            for path, provider in PAGES.items()
        ]
        came = {
            "redirect_url": "Where the browser ended; or",
            "code": "what stands there, and",
            "state": "the state.",
            "error": "What the vendor said instead.",
        }
        state = {"state": "Which."}
        found = (
            *pages,
            Route(
                "POST", "/iflow-auth-url", "Log in at iFlow by a cookie.", self.cookie, takes={"cookie": "The cookie."}
            ),
            Route("GET", "/get-auth-status", "Whether a login is done: wait, ok or error.", self.status, query=state),
            Route("DELETE", "/oauth-session", "Cancel a login.", self.cancel, query=state),
            Route("POST", "/oauth-callback", "Bring where the browser ended.", self.callback, takes=came, open=True),
            Route("GET", "/oauth-callback", "The same.", self.callback, query=came, open=True),
        )
        return theirs(found)

    def _begin(self, provider: str) -> Any:
        async def begin(asked: Asked) -> Mapping[str, Any]:
            with refusing():
                standing = self._flows.start(provider, "", Options(project=asked.query.get("project_id", "")))
            standing = await self._until(standing, lambda now: bool(now.page or now.ended))
            if standing.ended:
                raise UpstreamFailed(standing.problem or "The login ended before it had a page.")
            state = parse_qs(urlsplit(standing.page).query).get("state", [standing.id])[0]
            self._logins[state] = self._logins[standing.id] = standing.id
            for old in list(self._logins)[:-MOST_STATES]:
                del self._logins[old]
            told = {**OK, "url": standing.page, "state": state}
            if not standing.code:
                return told
            return {**told, "flow": "device", "user_code": standing.code, "expires_in": round(standing.lasts)}

        return begin

    async def cookie(self, asked: Asked) -> Mapping[str, Any]:
        cookie = asked.text("cookie")
        with refusing():
            standing = self._flows.start("iflow", "cookie")
            standing = await self._until(standing, lambda now: bool(now.prompt or now.ended))
            self._flows.enter(standing.id, cookie)
            standing = await self._until(standing, lambda now: now.ended)
        if standing.stage is not Stage.DONE:
            raise InvalidRequest(standing.problem or "iFlow took too long.", param="cookie")
        return {**OK, "type": "iflow", "account": standing.account}

    async def _until(self, standing: Standing, true: Any) -> Standing:
        """As it stands then, or when it has taken too long."""
        end = self._clock.seconds() + PAGE_SECONDS
        while not true(standing := self._flows.standing(standing.id)) and self._clock.seconds() < end:
            await deferLater(self._clock, LOOK_SECONDS)
        return standing

    async def status(self, asked: Asked) -> Mapping[str, Any]:
        state = _state(asked)
        if not state:
            return OK
        try:
            standing = self._flows.standing(self._logins.get(state, state))
        except LoginFailed as unknown:
            return {"status": "error", "error": str(unknown)}
        match standing.stage:
            case Stage.DONE:
                return OK
            case Stage.FAILED | Stage.CANCELLED:
                return {"status": "error", "error": standing.problem or "The login was cancelled."}
        return {"status": "wait"}

    async def cancel(self, asked: Asked) -> Mapping[str, Any]:
        state = _state(asked)
        if not state:
            raise InvalidRequest("Which login? Say its state.", param="state")
        try:
            before = self._flows.standing(self._logins.get(state, state))
            self._flows.cancel(before.id)
        except LoginFailed:
            return {**OK, "cancelled": False}
        return {**OK, "cancelled": not before.ended}

    async def callback(self, asked: Asked) -> Mapping[str, Any]:
        """Needs no key: whoever knows the state of a login that waits was sent by it."""
        said = asked.object() if asked.body else dict(asked.query)
        address = said.get("redirect_url")
        if not address:
            named = {name: said[name] for name in ("code", "state", "error") if isinstance(said.get(name), str)}
            address = f"http://localhost/?{urlencode(named)}"
        if not isinstance(address, str):
            raise InvalidRequest("The field 'redirect_url' must be a text.", param="redirect_url")
        if wrong := self._flows.callback_by_state(address):
            if self._begun_here(read_callback(address).state):
                raise Conflict("This login is over, or waits for nothing now. Begin again.", param="state")
            raise NotFound(wrong, param="state")
        return OK

    def _begun_here(self, state: str) -> bool:
        try:
            return bool(self._flows.standing(self._logins[state]))
        except (KeyError, LoginFailed):
            return False


def _state(asked: Asked) -> str:
    state = asked.query.get("state", "")
    if state and not _STATE.fullmatch(state):
        raise InvalidRequest(f"A state has at most {LONGEST_STATE} letters, digits and -_. of ASCII.", param="state")
    return state
