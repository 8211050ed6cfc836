"""The engines that state can be kept in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from aiproxy.config.schema import MEMORY
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.postgres import SCHEMA
from aiproxy.storage.state_address import database_of
from tests.rig.postgres import Postgres


@pytest.fixture(scope="session")
def shared_url(postgres: Postgres) -> str:
    """One database for many tests, one after the other: making one takes longer than most of them."""
    return postgres.new_database()


@pytest.fixture(params=["sqlite", MEMORY, "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Makes connections to one new database: to another one each time, for memory."""
    if request.param == "postgresql":
        where = request.getfixturevalue("shared_url")
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
    else:
        where = MEMORY if request.param == MEMORY else str(tmp_path / "state.db")
    made: list[Database] = []

    def make() -> Database:
        made.append(database_of(where))
        return made[-1]

    yield make
    for each in made:
        each.close()
