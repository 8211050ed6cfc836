"""Rests and conversations beyond the process: what one pool learns the other knows, and a pool of tomorrow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

from twisted.internet.task import Clock, deferLater

from aiproxy.neutral import errors
from aiproxy.pools.affinity import Bound
from aiproxy.pools.pool import Pool
from aiproxy.pools.selection import Account, round_robin
from aiproxy.storage.bus import Bus, Hub, Topic
from aiproxy.storage.conversations import Conversations
from aiproxy.storage.cooldowns import LOOK_SECONDS, SWITCHES_SECONDS, WRITTEN_SECONDS, Cooldowns
from aiproxy.storage.state.rows import CooldownRow
from aiproxy.storage.state.sqlite import SqliteDatabase
from tests.storage.bus.carriers import until
from tests.storage.state.test_state import reactor_of, started
from tests.transports.servers import edge

ACCOUNT = Account("first", identity="digest-1")


class Node:
    def __init__(self, pool: Pool, bus: Bus, cooldowns: Cooldowns) -> None:
        self.pool = pool
        self.bus = bus
        self.cooldowns = cooldowns
        self.heard = 0
        bus.subscribe(Topic.COOLDOWN, self._hear)

    def _hear(self, _: object) -> None:
        self.heard += 1

    def fails(self) -> None:
        self.pool.found("first", errors.CredentialRefused("no", retry_after=300.0))

    def works(self) -> None:
        self.pool.found("first", None)

    @property
    def resting(self) -> float:
        """Seconds that the account rests for."""
        return float(self.pool.health("first").ready_at - reactor_of().seconds())


@asynccontextmanager
async def node(path: Path, hub: Hub, account: Account = ACCOUNT) -> AsyncIterator[Node]:
    reactor = reactor_of()
    async with started(SqliteDatabase(path)) as state:
        pool = Pool(reactor, Random(7), [account], round_robin)
        pool.replace([account], round_robin, sessions=3600.0)
        bus = Bus(hub.join())
        cooldowns, conversations = Cooldowns(reactor, pool, state, bus), Conversations(reactor, pool, state)
        bus.start()
        cooldowns.start()
        conversations.start()
        yield Node(pool, bus, cooldowns)
        conversations.stop()
        cooldowns.stop()
        await bus.stop()


@edge
async def test_others_hear_of_a_rest_and_of_its_end_and_then_there_is_silence(tmp_path: Path) -> None:
    hub = Hub()
    async with node(tmp_path / "state.db", hub) as first, node(tmp_path / "state.db", hub) as second:
        first.fails()
        await until(reactor_of(), lambda: second.resting > 0)
        assert abs(first.resting - second.resting) < 0.1
        assert second.pool.health("first").reason == first.pool.health("first").reason
        await deferLater(reactor_of(), 3 * LOOK_SECONDS)
        assert (first.heard, second.heard) == (0, 1)
        second.works()
        await until(reactor_of(), lambda: first.resting <= 0)
        await deferLater(reactor_of(), 3 * LOOK_SECONDS)
        assert (first.heard, second.heard) == (1, 1)


@edge
async def test_news_of_a_success_undo_no_later_failure(tmp_path: Path) -> None:
    hub = Hub()
    async with node(tmp_path / "state.db", hub) as first, node(tmp_path / "state.db", hub) as second:
        first.fails()
        await until(reactor_of(), lambda: second.resting > 0)
        old = reactor_of().seconds() - 10
        second.bus.publish(Topic.COOLDOWN, "digest-1/", {"well": old})
        assert first.heard == 1
        assert first.resting > 0


@edge
async def test_what_is_not_understood_is_left_alone(tmp_path: Path) -> None:
    hub = Hub()
    async with node(tmp_path / "state.db", hub) as first, node(tmp_path / "state.db", hub) as second:
        second.bus.publish(Topic.COOLDOWN, "digest-1/", {"until": "tomorrow"})
        second.bus.publish(Topic.COOLDOWN, "another/", {"well": 1.0})
        assert first.heard == 2
        assert first.resting <= 0


@edge
async def test_a_name_that_no_database_takes_is_kept_to_oneself(tmp_path: Path) -> None:
    hub = Hub()
    async with node(tmp_path / "state.db", hub) as first, node(tmp_path / "state.db", hub) as second:
        for model in ("a\0b", "\ud800", "m" * 2000):
            first.pool.found("first", errors.RateLimited("no", retry_after=300.0), model)
        first.pool.bind([Bound("\0", "digest-1", "\ud800", reactor_of().seconds() + 1000)], reactor_of().seconds())
        first.fails()
        await until(reactor_of(), lambda: second.resting > 0)
        assert second.heard == 1


@edge
async def test_a_hand_is_felt_everywhere_and_outlives_the_process(tmp_path: Path) -> None:
    path, hub = tmp_path / "state.db", Hub()
    async with node(path, hub) as first, node(path, hub) as second:
        first.pool.disable("first")
        await until(reactor_of(), lambda: second.pool.disabled)
        second.pool.enable("first")
        await until(reactor_of(), lambda: not first.pool.disabled)
        first.fails()
        first.pool.disable("first")
        await until(reactor_of(), lambda: second.pool.disabled and second.resting > 0)
        second.works()
        await until(reactor_of(), lambda: first.resting <= 0)
        assert first.pool.disabled, "a success is no hand"
    async with node(path, Hub()) as again, node(path, Hub(), Account("first", identity="another")) as other:
        await until(reactor_of(), lambda: again.pool.disabled)
        assert not other.pool.disabled
        again.pool.enable("first")
    async with node(path, Hub()) as enabled:
        await deferLater(reactor_of(), 0.2)
        assert not enabled.pool.disabled


@edge
async def test_who_missed_that_an_account_was_enabled_finds_out_when_it_looks(tmp_path: Path) -> None:
    async with node(tmp_path / "state.db", Hub()) as first, node(tmp_path / "another.db", Hub()) as other:
        other.pool.disable("first")
        [kept] = other.pool.remembered(reactor_of().seconds())
        now = reactor_of().seconds()
        first.pool.remember([replace(kept, since=now - 2 * WRITTEN_SECONDS)], now)
        first.cooldowns._known = {(kept.account, ""): replace(kept, since=now - 2 * WRITTEN_SECONDS)}
        first.cooldowns._seen = first.pool.changes
        assert first.pool.disabled
        first.cooldowns.reread()
        await until(reactor_of(), lambda: not first.pool.disabled)


@edge
async def test_a_pool_of_tomorrow_knows_what_one_knew(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    later = reactor_of().seconds() + 1000
    async with node(path, Hub()) as first:
        first.fails()
        first.pool.bind([Bound("conversation-1", "digest-1", "m", later)], reactor_of().seconds())
    async with node(path, Hub()) as again:
        await until(reactor_of(), lambda: again.resting > 0)
        assert 290 < again.resting <= 300
        await until(reactor_of(), lambda: again.pool.bound(reactor_of().seconds()))
        [bound] = again.pool.bound(reactor_of().seconds())
        assert (bound.session, bound.account, bound.model) == ("conversation-1", "digest-1", "m")
        assert abs(bound.until - later) < 0.1
        again.works()
    async with node(path, Hub()) as well, node(path, Hub(), Account("first", identity="another")) as other:
        await deferLater(reactor_of(), 0.2)
        assert well.resting <= 0
        assert other.resting <= 0
        assert other.pool.bound(reactor_of().seconds()) == []


class Slow:
    """A state that has what it was given, and hasn't come to what it was told to remove."""

    def __init__(self, clock: Clock) -> None:
        self.rows: list[CooldownRow] = []
        self.now = clock.seconds

    def put(self, row: CooldownRow) -> None:
        self.rows.append(row)

    def remove(self, *_: object) -> None: ...

    async def transact(self, _: object) -> list[CooldownRow]:
        return self.rows

    async def read(self, _: object) -> dict[str, CooldownRow]:
        return {row.account: row for row in self.rows}


def test_who_is_enabled_at_once_stays_so_while_the_state_is_slow() -> None:
    clock = Clock()
    clock.advance(1000.0)
    state = Slow(clock)
    pool = Pool(clock, Random(7), [ACCOUNT], round_robin)
    cooldowns = Cooldowns(clock, pool, state, Bus(Hub().join()))  # type: ignore[arg-type]
    cooldowns.start()
    clock.advance(SWITCHES_SECONDS)
    pool.disable("first")
    clock.advance(LOOK_SECONDS)
    pool.enable("first")
    clock.advance(LOOK_SECONDS)
    (row,) = state.rows
    clock.advance(SWITCHES_SECONDS)
    assert not pool.disabled
    state.rows = []
    clock.advance(SWITCHES_SECONDS)
    state.rows = [row._replace(since=clock.seconds())]  # by a command
    clock.advance(SWITCHES_SECONDS)
    assert "first" in pool.disabled
    cooldowns.stop()
