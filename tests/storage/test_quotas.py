"""What vendors said of quotas, beyond the process."""

from dataclasses import replace
from pathlib import Path

from aiproxy.pools.quota import QuotaBook, Window
from aiproxy.storage.quotas import Quotas
from aiproxy.storage.state.sqlite import SqliteDatabase
from tests.storage.bus.carriers import until
from tests.storage.state.test_state import reactor_of, started
from tests.transports.servers import edge


@edge
async def test_windows_are_known_after_a_restart_unless_they_have_ended_or_newer_is_known(tmp_path: Path) -> None:
    async with started(SqliteDatabase(tmp_path / "state.db")) as state:
        book = QuotaBook()
        now = state.now()
        week = Window("weekly", 0.25, now + 600_000)
        book.saw(
            "first",
            [week, Window("5h", 0.5, now + 0.001), Window("open", 1.0), Window("pro", 0.75, now + 600_000, "pro")],
        )
        kept = Quotas(reactor_of(), book, state)
        kept.start()
        kept.stop()
    async with started(SqliteDatabase(tmp_path / "state.db")) as state:
        again = QuotaBook()
        again.saw("first", [Window("open", 0.125)])
        kept = Quotas(reactor_of(), again, state)
        kept.start()
        await until(reactor_of(), lambda: {"weekly", "pro"} <= again.of("first", now).keys())
        assert again.of("first", state.now() + 1) == {
            "weekly": replace(week, guards=False),
            "open": Window("open", 0.125),
            "pro": Window("pro", 0.75, now + 600_000, "pro", guards=False),
        }
        assert again.fullest("first", state.now() + 1) == replace(week, guards=False), "of the whole account's"
        kept.stop()
