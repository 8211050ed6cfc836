"""From `Settings.state_in_effect` to a database that isn't open yet."""

from pathlib import Path

from aiproxy.config.schema import MEMORY
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.sqlite import SqliteDatabase

POSTGRES = ("postgresql://", "postgres://")


def database(state: str) -> Database:
    """A SQLite file by its path, PostgreSQL by its URL, or `memory`."""
    if state == MEMORY:
        return SqliteDatabase(None)
    if state.startswith(POSTGRES):
        from aiproxy.storage.state.postgres import PostgresDatabase  # needs an extra that not everyone installs

        return PostgresDatabase(state)
    return SqliteDatabase(Path(state))
