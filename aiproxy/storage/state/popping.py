"""The ledger as a queue: each attempt is handed out once, over all processes that share the state, to whoever asks first.

What was handed out last stands in a counter. Rows come in the order of their numbers, but of several nodes one may be written a moment
after a later number's: so the youngest are left for the next time. Synchronous, within a transaction."""

from aiproxy.storage.state.database import Session
from aiproxy.storage.state.rows import COUNTERS, USAGE, CounterRow, UsageRow

QUEUED_SECONDS = 3600.0
"""How long an attempt waits to be asked for, at the most: as long as CLIProxyAPI lets anybody have it wait."""

SETTLED_SECONDS = 1.0
"""Twice as long as rows wait for their batch."""

_PLACE = ("", "usage-queue", "")
"""Of the counter."""


def pop(session: Session, now: float, most: int, leaving_out: str) -> list[UsageRow]:
    """The oldest first, none of the operation `leaving_out`."""
    session.run(COUNTERS.add, CounterRow(*_PLACE, 0, now))  # from here on, others wait
    where = " AND ".join(f"{column} = ?" for column in COUNTERS.key)
    [(before,)] = session.rows(f"SELECT amount FROM counters WHERE {where}", _PLACE)  # noqa: S608 - names are ours
    [(last,)] = session.rows("SELECT COALESCE(MAX(id), 0) FROM usage")
    begin = before if before <= last else 0  # else it is another database's, taken over with its counters
    columns = ", ".join(("id", *USAGE.columns))
    sql = f"SELECT {columns} FROM usage WHERE id > ? AND at >= ? AND operation <> ? ORDER BY id LIMIT ?"  # noqa: S608
    found = session.rows(sql, (begin, now - QUEUED_SECONDS, leaving_out, most))
    young = next((place for place, row in enumerate(found) if abs(now - row[1]) < SETTLED_SECONDS), len(found))
    taken = found[:young]
    # Of what is too old nobody need be asked again.
    reached = taken[-1][0] if taken else begin if found else last
    if reached != before:
        session.run(f"UPDATE counters SET amount = ?, changed = ? WHERE {where}", (reached, now, *_PLACE))  # noqa: S608
    return [UsageRow(*row[1:]) for row in taken]
