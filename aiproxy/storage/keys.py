"""Managed client keys of a running gateway: read from the state, followed there, changed there, told to the others."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.storage.bus import Bus, Message, Topic
from aiproxy.storage.state import client_keys
from aiproxy.storage.state.client_keys import Made
from aiproxy.storage.state.database import Session, StateRefused, StateUnavailable
from aiproxy.storage.state.rows import ClientKeyRow
from aiproxy.storage.state.state import State

LOOK_SECONDS = 2.0
"""Between looks for what a command-line tool, or a gateway that can't be heard, has changed."""

T = TypeVar("T")

_log = Logger("aiproxy.keys")


class ManagedKeys:
    """`taken` is told of all keys there are, at the start and after every change. What the management API offers:

        made = await keys.create("team-a", {"models": ["gpt-*"]}, until=None)    # made.key is shown once
        rows = await keys.listed()
        await keys.revoke(row.id)
        made = await keys.rotate(row.id, overlap=3600.0)

    All raise `StateUnavailable`; the last two `UnknownKey`. The others of a bus know within milliseconds."""

    def __init__(self, reactor: Any, state: State, bus: Bus, taken: Callable[[Sequence[ClientKeyRow]], None]) -> None:
        self._state = state
        self._bus = bus
        self._taken = taken
        self._version: tuple[Any, ...] | None = None
        self._looks = LoopingCall(self._look)
        self._looks.clock = reactor

    def start(self) -> None:
        self._bus.subscribe(Topic.KEYS, self._heard)
        self._bus.when_missed(self._read_soon)
        self._looks.start(LOOK_SECONDS)

    def stop(self) -> None:
        if self._looks.running:
            self._looks.stop()

    async def create(self, name: str, settings: Mapping[str, Any], until: float | None = None) -> Made:
        return await self._change(partial(client_keys.create, now=self._state.now(), name=name, settings=settings, until=until))  # fmt: skip

    async def listed(self) -> Sequence[ClientKeyRow]:
        return await self._state.transact(client_keys.listed)

    async def revoke(self, key_id: str) -> int:
        return await self._change(partial(client_keys.revoke, now=self._state.now(), key_id=key_id))

    async def rotate(self, key_id: str, overlap: float) -> Made:
        return await self._change(partial(client_keys.rotate, now=self._state.now(), key_id=key_id, overlap=overlap))

    async def _change(self, do: Callable[[Session], T]) -> T:
        result = await self._state.transact(do)
        await self._read()
        self._bus.publish(Topic.KEYS, "client-keys", {"changed": self._state.now()})
        return result

    def _heard(self, _message: Message) -> None:
        self._read_soon()

    def _read_soon(self) -> None:
        Deferred.fromCoroutine(self._read()).addErrback(_failed)

    def _look(self) -> "Deferred[None]":
        return Deferred.fromCoroutine(self._read()).addErrback(_failed)

    async def _read(self) -> None:
        try:
            ask = self._state.transact if self._version is None else self._state.read  # the first opens the database
            found, rows = await ask(_all)
        except (StateUnavailable, StateRefused):
            return  # the state says so itself; the keys that are known go on working
        if found != self._version:
            self._version = found
            self._taken(rows)


def _all(session: Session) -> tuple[tuple[Any, ...], Sequence[ClientKeyRow]]:
    found = client_keys.version(session)
    return found, client_keys.listed(session)


def _failed(failure: Failure) -> None:
    _log.failure("managed keys could not be read", failure=failure)
