"""What is let go: log rows by age, then by size; keyed rows that mean nothing any more. A bounded piece at a time, so that
no transaction is long. Synchronous."""

from dataclasses import dataclass
from math import inf

from aiproxy.storage.state.database import Database, Session
from aiproxy.storage.state.rows import KEYED, LOGS

DAY = 86400.0

PIECE = 5000
"""Rows of a table deleted in one transaction: some ten milliseconds."""

KEPT_DAYS = 400
"""How long counters, quota windows and writers' numbers are kept after their last change: a year's budget and a month."""

KEPT_DAY_DAYS = 60
"""How long counters of single days are kept: the ledger tells of them, too."""

ENDED_DAYS = 1
"""How long what has an end of its own outlasts it: the next rest goes on doubling from the last one."""


@dataclass(frozen=True, slots=True)
class Retention:
    """`days` and `megabytes` of usage and request records; the oldest go first."""

    days: float
    megabytes: float


def tidy(database: Database, retention: Retention, now: float) -> bool:
    """Delete one piece of what is due. True when there may be more."""
    deleted = 0
    with database.transaction() as session:
        for table in LOGS:
            old = f"SELECT id FROM {table.name} WHERE at < ? ORDER BY at LIMIT {PIECE}"  # noqa: S608 - names are ours
            deleted += session.run(f"DELETE FROM {table.name} WHERE id IN ({old})", (now - retention.days * DAY,))  # noqa: S608
        for table in KEYED:
            column, days = (table.ends, ENDED_DAYS) if table.ends else ("changed", KEPT_DAYS)
            session.run(f"DELETE FROM {table.name} WHERE {column} < ?", (now - days * DAY,))  # noqa: S608
        session.run("DELETE FROM slices WHERE until < ?", (now - ENDED_DAYS * DAY,))
        session.run("DELETE FROM counters WHERE changed < ? AND length(period) = 10", (now - KEPT_DAY_DAYS * DAY,))
        session.run("DELETE FROM writers WHERE changed < ?", (now - KEPT_DAYS * DAY,))
    if not deleted and database.live_bytes() > retention.megabytes * 2**20:
        with database.transaction() as session:
            deleted = _oldest(session)
    if deleted:
        database.give_back()
    return deleted > 0


def _oldest(session: Session) -> int:
    """Delete a piece of the table that reaches back the furthest, and what is as old in the other: calls and attempts of one time go
    together, however many there are of each."""
    places = [f"SELECT at FROM {table.name} ORDER BY at LIMIT 1 OFFSET {PIECE - 1}" for table in LOGS]  # noqa: S608
    until = min([at for place in places for (at,) in session.rows(place)], default=inf)
    deleted = 0
    for table in LOGS:
        oldest = f"SELECT id FROM {table.name} WHERE at <= ? ORDER BY at LIMIT {PIECE}"  # noqa: S608
        deleted += session.run(f"DELETE FROM {table.name} WHERE id IN ({oldest})", (until,))  # noqa: S608
    return deleted
