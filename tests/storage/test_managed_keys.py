"""Managed keys of running gateways: what one changes the others know at once, and nobody keeps a key."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from aiproxy.storage.bus import Bus, Hub
from aiproxy.storage.keys import ManagedKeys
from aiproxy.storage.state.client_keys import PREFIX, UnknownKey
from aiproxy.storage.state.rows import ClientKeyRow
from aiproxy.storage.state.sqlite import SqliteDatabase
from tests.storage.bus.carriers import until
from tests.storage.state.test_state import reactor_of, started
from tests.transports.servers import edge


class Node:
    def __init__(self) -> None:
        self.rows: Sequence[ClientKeyRow] = ()
        self.keys: ManagedKeys

    def take(self, rows: Sequence[ClientKeyRow]) -> None:
        self.rows = rows

    def good(self, key: str, now: float) -> bool:
        digest = sha256(key.encode()).hexdigest()
        return any(row.digest == digest and (row.until is None or row.until > now) for row in self.rows)


@asynccontextmanager
async def node(path: Path, hub: Hub) -> AsyncIterator[Node]:
    async with started(SqliteDatabase(path)) as state:
        made, bus = Node(), Bus(hub.join())
        made.keys = ManagedKeys(reactor_of(), state, bus, made.take)
        bus.start()
        made.keys.start()
        yield made
        made.keys.stop()
        await bus.stop()


@edge
async def test_a_change_is_known_to_all_and_the_key_to_its_holder_only(tmp_path: Path) -> None:
    hub, path = Hub(), tmp_path / "state.db"
    async with node(path, hub) as one, node(path, hub) as two:
        made = await one.keys.create("team", {"models": ["m"]})
        now = made.row.created
        assert made.key.startswith(PREFIX)
        assert made.row.ending == made.key[-4:]
        assert one.good(made.key, now)
        await until(reactor_of(), lambda: two.good(made.key, now))

        rotated = await two.keys.rotate(made.row.id, overlap=60.0)
        for each in (one, two):
            await until(reactor_of(), partial(each.good, rotated.key, now))
            assert each.good(made.key, rotated.row.created + 59.0)
            assert not each.good(made.key, rotated.row.created + 61.0)
        assert rotated.row.id == made.row.id
        assert rotated.row.settings == made.row.settings

        assert await one.keys.revoke(made.row.id) == 2
        await until(reactor_of(), lambda: not two.good(rotated.key, two.rows[0].changed))
        for change in (one.keys.revoke(made.row.id), one.keys.rotate(made.row.id, 1.0), one.keys.revoke("nobody")):
            with pytest.raises(UnknownKey):
                await change
        assert [row.name for row in await two.keys.listed()] == ["team", "team"]
    database = sqlite3.connect(path)
    kept = "".join(database.iterdump())
    database.close()
    assert made.row.digest in kept
    assert made.key not in kept
    assert rotated.key not in kept
