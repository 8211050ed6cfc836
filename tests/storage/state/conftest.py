"""The engines that state can be kept in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiproxy.config.schema import MEMORY
from aiproxy.storage.state.database import Database
from aiproxy.storage.state_address import database_of
from tests.rig.postgres import Postgres


@pytest.fixture(params=["sqlite", MEMORY, "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Makes connections to one new database: to another one each time, for memory."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        where = server.new_database()
    else:
        where = MEMORY if request.param == MEMORY else str(tmp_path / "state.db")
    made: list[Database] = []

    def make() -> Database:
        made.append(database_of(where))
        return made[-1]

    yield make
    for each in made:
        each.close()
