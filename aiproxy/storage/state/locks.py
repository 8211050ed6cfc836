"""One at a time, over all processes and nodes that share the state: a row that says who holds a name, and until when.

A holder that dies is replaced when its time is over. Each holder gets a `fence`, a number larger than every earlier one's:
one that was away for longer than its time (a stopped machine) finds, when it asks or lets go, that it holds nothing any
more. Times are the database's own, so that clocks of nodes needn't agree. SQL of one statement each; synchronous."""

from dataclasses import dataclass

from aiproxy.storage.state.database import Session

HELD_SECONDS = 20.0
"""How long a lock is held without being renewed: a token endpoint answers within seconds, and whoever waits for one whose
holder has died waits that long."""


@dataclass(frozen=True, slots=True)
class Held:
    name: str
    holder: str
    fence: int


def acquire(session: Session, now: str, name: str, holder: str) -> Held | None:
    """None while somebody else holds it. `now` is the engine's expression for the time."""
    rows = session.rows(
        f"INSERT INTO locks (name, holder, fence, until) VALUES (?, ?, 1, {now} + {HELD_SECONDS}) "  # noqa: S608 - all ours
        "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = locks.fence + 1, until = excluded.until "
        f"WHERE locks.until <= {now} RETURNING fence",
        (name, holder),
    )
    return Held(name, holder, rows[0][0]) if rows else None


def renew(session: Session, now: str, held: Held) -> bool:
    """Hold it for the whole time again. False when it was lost."""
    sql = f"UPDATE locks SET until = {now} + {HELD_SECONDS} WHERE name = ? AND fence = ? AND until > {now}"  # noqa: S608
    return session.run(sql, (held.name, held.fence)) == 1


def release(session: Session, held: Held) -> bool:
    """False when it was lost."""
    return (
        session.run("UPDATE locks SET until = 0 WHERE name = ? AND fence = ? AND until > 0", (held.name, held.fence))
        == 1
    )
