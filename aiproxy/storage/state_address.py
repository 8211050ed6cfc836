"""From `Settings.state_in_effect` to a database that isn't open yet, and to what carries messages between nodes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiproxy.config.schema import MEMORY
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from aiproxy.storage.bus import Carrier

POSTGRES = ("postgresql://", "postgres://")


def database_of(state: str) -> Database:
    """A SQLite file by its path, PostgreSQL by its URL, or `memory`."""
    if state == MEMORY:
        return SqliteDatabase(None)
    if state.startswith(POSTGRES):
        from aiproxy.storage.state.postgres import PostgresDatabase  # needs an extra that not everyone installs

        return PostgresDatabase(state)
    return SqliteDatabase(Path(state))


def carrier_of(reactor: Any, state: str) -> "Carrier | None":
    """Nodes that share a PostgreSQL talk through it."""
    if state.startswith(POSTGRES):
        from aiproxy.storage.bus.postgres import PostgresCarrier

        return PostgresCarrier(reactor, state)
    return None
