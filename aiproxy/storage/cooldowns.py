"""Rests of accounts, those by hand too, beyond the process: kept in the state over restarts, and told to other processes and nodes.

The pool knows nothing of it: it is looked at a few times a second, and what has changed is written and told."""

from collections.abc import Container, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.pools.book import DISABLED, Remembered
from aiproxy.pools.pool import Pool
from aiproxy.storage.bus import Bus, Message, Topic
from aiproxy.storage.state.calls import text
from aiproxy.storage.state.database import Session, StateRefused, StateUnavailable
from aiproxy.storage.state.rows import COOLDOWNS, CooldownRow
from aiproxy.storage.state.state import State
from aiproxy.storage.state.switches import switched_off

LOOK_SECONDS = 0.1
"""Between looks at the pool. Others hear of a rest within a second; a look at a pool that hasn't changed costs nothing."""

SWITCHES_SECONDS = 2.0
"""Between looks at what a command has switched off or on in the state: one row a switch, there are few."""

SAME = 0.01
"""Seconds. Two times that differ by less are one time, read from two clocks."""

WRITTEN_SECONDS = 5.0
"""After which a rest by hand must have been written, or nobody believes in it any more."""

_Key = tuple[str, str]

_log = Logger("aiproxy.cooldowns")


class Cooldowns:
    def __init__(self, reactor: Any, pool: Pool, state: State, bus: Bus) -> None:
        self._pool = pool
        self._state = state
        self._bus = bus
        self._known: dict[_Key, Remembered] = {}
        self._seen = pool.changes
        self._looks = LoopingCall(self._look)
        self._looks.clock = reactor
        self._switches: Mapping[str, CooldownRow] | None = None
        """Switches as they were kept at the last look; None before the first."""
        self._enabled: dict[str, float] = {}
        """When a switch was taken away, here or by whom we hear of: the state may have it a while longer."""
        self._switch_looks = LoopingCall(self._look_at_switches)
        self._switch_looks.clock = reactor

    def start(self) -> None:
        self._bus.subscribe(Topic.COOLDOWN, self._heard)
        self._bus.when_missed(self.reread)
        self.reread()
        self._looks.start(LOOK_SECONDS, now=False)
        self._switch_looks.start(SWITCHES_SECONDS, now=False)

    def stop(self) -> None:
        """Before the state stops, which writes what is found at last."""
        self._switch_looks.stop()
        self._looks.stop()
        self._look()

    def reread(self) -> None:
        """Take over what is kept."""
        Deferred.fromCoroutine(self._reread()).addErrback(_failed)

    async def _reread(self) -> None:
        try:
            rows = await self._state.transact(_all_rows)
        except (StateUnavailable, StateRefused):
            return  # the state says so itself
        self._take([_remembered(row) for row in rows])
        self._switches = {row.account: row for row in rows if row.reason == DISABLED}
        self._enable_all_but({row.account for row in rows})

    def _look_at_switches(self) -> "Deferred[None]":
        return Deferred.fromCoroutine(self._take_switches()).addErrback(_failed)

    async def _take_switches(self) -> None:
        """Only what has come or gone since the last look: what is done here is on its way into the state."""
        before = self._switches
        if before is None:
            return
        try:
            now = self._switches = await self._state.read(switched_off)
        except (StateUnavailable, StateRefused):
            return  # the state says so itself
        come = [
            _remembered(row)
            for account, row in now.items()
            if not (account in before or (account, "") in self._known or row.since <= self._enabled.get(account, 0.0))
        ]
        if come:
            self._take(come)
            for rest in come:
                _tell_of(rest)
        self._enable_all_but(now)

    def _enable_all_but(self, kept: Container[str]) -> None:
        """Who is disabled here for longer than it takes to be written, and isn't there: it was enabled elsewhere."""
        old = self._state.now() - WRITTEN_SECONDS
        for key, rest in [*self._known.items()]:
            if rest.reason == DISABLED and key[0] not in kept and rest.since < old:
                _log.info("{account} is enabled", account=rest.name)
                self._well(key)

    def _take(self, rests: list[Remembered]) -> None:
        self._look()  # what changed here by itself is told first
        self._pool.remember(rests, self._state.now())
        self._known = self._remembered()
        self._seen = self._pool.changes

    def _look(self) -> None:
        if self._pool.changes == self._seen:
            return
        self._seen = self._pool.changes
        before, self._known = self._known, self._remembered()
        now = self._state.now()
        for key, rest in self._known.items():
            if key not in before or before[key].until <= rest.since:
                _tell_of(rest)  # not each time that it lasts longer: probes find that every second
            if key not in before or not _same(before[key], rest):
                self._state.put(
                    CooldownRow(*key, rest.name, rest.reason, rest.rest, rest.since, rest.until, changed=now)
                )
                self._tell(key, {"name": rest.name, "reason": rest.reason, "rest": rest.rest, "since": rest.since, "until": rest.until})  # fmt: skip
        for key in before.keys() - self._known.keys():
            _log.info("{account} rests no more", account=_who(before[key]))
            self._note_enabled(before[key])
            self._state.remove(COOLDOWNS, key)
            self._tell(key, {"well": now})

    def _remembered(self) -> dict[_Key, Remembered]:
        """Without models whose names no database takes: clients choose names, and such a one has no upstream."""
        rests = self._pool.remembered(self._state.now())
        return {(rest.account, rest.model): rest for rest in rests if text(rest.model) == rest.model}

    def _tell(self, key: _Key, body: dict[str, Any]) -> None:
        account, model = key
        self._bus.publish(Topic.COOLDOWN, f"{account}/{model}", body)

    def _heard(self, message: Message) -> None:
        account, _, model = message.key.partition("/")
        match message.body:
            case {"well": float(at)}:
                self._look()
                known = self._known.get((account, model))
                if known is not None and known.since <= at:
                    self._well((account, model))
            case {"name": str(name), "reason": str(reason), "rest": float(rest), "since": float(since), "until": float(until)}:  # fmt: skip
                self._take([Remembered(account, model, name, reason, rest, since, until)])
            case _:
                _log.warn("a message about a rest was not understood; another version of aiproxy is on the bus")

    def _well(self, key: _Key) -> None:
        """As others know already."""
        self._pool.well(*key)
        self._note_enabled(self._known.pop(key))
        self._seen = self._pool.changes

    def _note_enabled(self, rest: Remembered) -> None:
        if rest.reason == DISABLED:
            self._enabled[rest.account] = self._state.now()


def _remembered(row: CooldownRow) -> Remembered:
    return Remembered(row.account, row.model, row.name, row.reason, row.rest, row.since, row.until)


def _all_rows(session: Session) -> list[CooldownRow]:
    return [CooldownRow(*values) for values in session.rows(COOLDOWNS.select)]


def _who(rest: Remembered) -> str:
    return f"{rest.name} {rest.model}" if rest.model else rest.name


def _tell_of(rest: Remembered) -> None:
    if rest.reason == DISABLED:
        _log.info("{account} is disabled", account=rest.name)
        return
    seconds = round(rest.until - rest.since)
    _log.info("{account} rests for {seconds} s: {reason}", account=_who(rest), seconds=seconds, reason=rest.reason)


def _same(one: Remembered, other: Remembered) -> bool:
    apart = max(abs(one.since - other.since), abs(one.until - other.until))
    return apart < SAME and one.reason == other.reason and one.rest == other.rest


def _failed(failure: Failure) -> None:
    _log.failure("rests that were kept could not be taken over", failure=failure)
