"""Looking for what operators are to be told, and telling it once, however many processes and nodes see it."""

from collections.abc import Callable
from time import time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.config.schema import Notices as Settings
from aiproxy.gateway import Gateway
from aiproxy.notices.hook import Hook
from aiproxy.notices.watching import Notice, Watching, seen
from aiproxy.pools.verdict import Scope
from aiproxy.storage.state import locks
from aiproxy.storage.state.calls import text
from aiproxy.storage.state.database import StateRefused, StateUnavailable
from aiproxy.storage.state.state import State
from aiproxy.storage.threads import OneThread

LOOK_SECONDS = 5.0
"""Between looks; less than a lock is held, so that all who see the same thing ask for the same lock."""

_log = Logger("aiproxy.notices")


class Looking:
    """`shared` is the state that others share, who may see the same things; None for one process alone."""

    def __init__(self, reactor: Any, gateway: Gateway, settings: Callable[[], Settings], shared: State | None) -> None:
        self._reactor = reactor
        self._gateway = gateway
        self._settings = settings
        self._shared = shared
        self._watching = Watching()
        self._thread = OneThread(reactor, "notices")
        self._looks = LoopingCall(self._look)
        self._looks.clock = reactor

    def start(self) -> None:
        self._thread.start()
        self._looks.start(LOOK_SECONDS, now=False)

    def stop(self) -> None:
        if self._looks.running:
            self._looks.stop()
            self._thread.stop()

    def _look(self) -> None:
        settings = self._settings()
        if not (settings.url or settings.command):
            return
        now, seconds, gateway = time(), self._reactor.seconds(), self._gateway
        rests = (
            (" ".join(filter(None, place[1:])), health.ready_at - seconds, health.reason)
            for place, health in gateway.pool.resting()
            if place[0] is Scope.ACCOUNT
        )
        standings = (
            (client.name, standing)
            for client in gateway.keyring.clients
            for standing in gateway.limiter.standings(client.limits, now)
        )
        hook = Hook(settings.url, settings.secret, settings.command)
        for notice in self._watching.news(seen(rests, gateway.quotas.all(now), standings), now):
            Deferred.fromCoroutine(self._tell(hook, notice, int(now))).addErrback(_not_told)

    async def _tell(self, hook: Hook, notice: Notice, now: int) -> None:
        if await self._is_ours(notice):
            _log.warn("{kind}: {words}", kind=notice.kind, words=notice.words)
            await self._thread.run(hook.tell, notice, now)

    async def _is_ours(self, notice: Notice) -> bool:
        """Whether no other process tells it. Better twice than never where nobody can say."""
        shared = self._shared
        if shared is None:
            return True
        name = text(f"notice {notice.kind} {notice.subject}")
        try:
            held = await shared.transact(lambda session: locks.acquire(session, shared.database.now, name, shared.name))
        except (StateUnavailable, StateRefused):
            return True
        return held is not None


def _not_told(failure: Failure) -> None:
    _log.error("a notice was not told: {why}", why=failure.getErrorMessage())
