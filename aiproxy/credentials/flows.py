"""Logins under way, for whoever shows them to a person by requests and answers instead of in a terminal: a console, a program.

`Flows` begins one, tells how it stands, takes what the person brings, ends it, and keeps the file that comes of it."""

from collections.abc import Awaitable, Callable
from secrets import token_urlsafe
from time import time

from twisted.internet.interfaces import IReactorTime

from aiproxy.credentials.exchange import Web
from aiproxy.credentials.flow import Flow, Listen, Stage, Standing
from aiproxy.credentials.login import Login
from aiproxy.credentials.naming import file_name, new_record
from aiproxy.credentials.record import Record, Unreadable, read_record
from aiproxy.credentials.renewer import SAVES, Documents
from aiproxy.credentials.ways.desk import CALLBACK_SECONDS, Content, LoginFailed, Options, read_callback
from aiproxy.storage.store import Change, Conflict

MOST_UNDER_WAY = 16
"""Logins at a time: people do one after the other."""

KEPT_SECONDS = 900.0
"""How long one that has ended is told of."""


class Flows:
    """`login` gives a provider's, with the operator's addresses, or None; `web` asks its vendor. `listen` None: nobody's
    browser is on this machine. `kept` is told of each new file. Times are the clock's, `now` is seconds since the epoch."""

    def __init__(
        self,
        clock: IReactorTime,
        login: Callable[[str], Login | None],
        web: Callable[[Login], Web],
        documents: Documents,
        listen: Listen | None = None,
        kept: Callable[[Record], object] = lambda _record: None,
        now: Callable[[], float] = time,
    ) -> None:
        self._clock = clock
        self._login = login
        self._web = web
        self._documents = documents
        self._listen = listen
        self._kept = kept
        self._now = now
        self._flows: dict[str, Flow] = {}

    def start(self, provider: str, way: str = "", options: Options | None = None) -> Standing:
        """Raises `LoginFailed` for a login that there is not, or too many at a time."""
        login = self._login(provider)
        if login is None:
            raise LoginFailed(f"There is no login for {provider!r}.")
        chosen = login.way(way)
        if chosen is None:
            there = ", ".join(each.name for each in login.ways) or "none"
            raise LoginFailed(f"{provider} has no login by {way or 'a page'!r}; there is: {there}.")
        if sum(not each.standing.ended for each in self._flows.values()) >= MOST_UNDER_WAY:
            raise LoginFailed(f"{MOST_UNDER_WAY} logins are under way already. End one first.")
        standing = Standing(token_urlsafe(16), provider, chosen.name, Stage.ASKING, closed=login.closed)
        flow = self._flows[standing.id] = Flow(self._web(login), standing, self._clock, self._listen, self._now)
        flow.run(self._logged_in(login, chosen(login, flow, options or Options())))
        self._clock.callLater(CALLBACK_SECONDS + KEPT_SECONDS, self._forget, standing.id)
        return flow.standing

    def standing(self, id: str) -> Standing:  # noqa: A002 - what it is called everywhere
        """Raises `LoginFailed` for one that nobody has begun, or that ended long ago."""
        return self._flow(id).standing

    def all(self) -> tuple[Standing, ...]:
        return tuple(flow.standing for flow in self._flows.values())

    def callback(self, id: str, address: str) -> str:  # noqa: A002
        """Where the browser was sent, pasted by the person. Says what is wrong with it, "" when it is taken."""
        return self._flow(id).came(address)

    def callback_by_state(self, address: str) -> str:
        """For a page of the gateway's own that a browser was sent to: the login is the one whose state it brings."""
        wrong = "No login here waits for this answer: it is over, or was begun elsewhere."
        if not read_callback(address).state:
            return wrong
        return next(
            ("" for flow in self._flows.values() if flow.standing.takes_callback and not flow.came(address)), wrong
        )

    def enter(self, id: str, line: str) -> str:  # noqa: A002
        """What the person types where there is a `prompt`. As `callback`."""
        return self._flow(id).typed(line)

    def cancel(self, id: str) -> Standing:  # noqa: A002
        flow = self._flow(id)
        flow.cancel()
        return flow.standing

    def stop(self) -> None:
        for flow in self._flows.values():
            flow.cancel()

    def _flow(self, id: str) -> Flow:  # noqa: A002
        found = self._flows.get(id)
        if found is None:
            raise LoginFailed("There is no such login, or it ended long ago. Begin again.")
        return found

    def _forget(self, id: str) -> None:  # noqa: A002
        if (flow := self._flows.pop(id, None)) is not None:
            flow.cancel()

    async def _logged_in(self, login: Login, content: Awaitable[Content]) -> Record:
        found = await content
        name = file_name(login, found)
        for _ in range(SAVES):
            entry = await self._documents.read(name)
            try:
                before = None if entry is None else read_record(name, entry.body).content
            except Unreadable:
                before = None  # what nobody can read holds no settings
            record = new_record(login, found, before)
            self._kept(record)
            try:
                why = Change(f"Log in at {login.provider}")
                await self._documents.save(name, record.body(), entry.version if entry else None, why)
            except Conflict:
                continue
            return record
        raise LoginFailed(f"The credential file {name} is written by others all the time.")
