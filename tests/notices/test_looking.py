"""Of all who see the same thing, one tells it."""

from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults

from aiproxy.config.schema import Notices
from aiproxy.notices.looking import Looking
from aiproxy.notices.watching import Notice
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.sqlite import SqliteDatabase
from tests.rig.scripted import Rig
from tests.storage.state.test_state import reactor_of, started
from tests.transports.servers import edge

LOW = Notice("quota.low", "account 5h", "…")


@edge
async def test_one_of_many_processes_tells_a_notice(tmp_path: Path) -> None:
    def database() -> Database:
        return SqliteDatabase(tmp_path / "state.db")

    gateway = Rig("demo: {enabled: true}").gateway
    async with started(database()) as first, started(database()) as second:
        lookers = [Looking(reactor_of(), gateway, Notices, state) for state in (first, second)]
        ours = [Deferred.fromCoroutine(each._is_ours(LOW)) for each in lookers for _ in range(3)]
        assert sorted(await gatherResults(ours)) == [False] * 5 + [True]
        assert await lookers[0]._is_ours(Notice("quota.low", "another 5h", "…"))
        assert not await lookers[1]._is_ours(Notice("quota.low", "another 5h", "…"))
    assert await Looking(reactor_of(), gateway, Notices, None)._is_ours(LOW)
    async with started(SqliteDatabase(tmp_path / "nowhere" / "state.db")) as away:
        assert await Looking(reactor_of(), gateway, Notices, away)._is_ours(LOW)  # better twice than never
