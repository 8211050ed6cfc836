"""Slices of limits that several processes share, in one transaction: what was used is written down, and what is left lent out.

A limit of a day or month has one counter. Whoever wants to use of it holds a *slice*: so much may be used without asking
again. Slices and what is written down never add up to more than the limit, so neither does what is used, whoever uses it; a
slice that isn't renewed ends by itself, so that a process that died keeps nothing. Synchronous."""

from collections.abc import Sequence
from typing import NamedTuple

from aiproxy.storage.state.database import Session
from aiproxy.storage.state.rows import COUNTERS

SHARE = 8
"""A slice is at least this part of what is left: with fewer, others find nothing; with more, everybody asks all the time."""

LEASE_SECONDS = 15.0
"""How long a slice holds without being renewed."""


class Want(NamedTuple):
    """What a process tells of one limit, and asks. `used` is what was used since it told last, of its slice of `held`; `busy`
    what calls under way have reserved; `asked` what those that wait would reserve. `idle`: give the slice back."""

    holder: str
    counts: str
    period: str
    most: int
    used: int
    held: int
    busy: int
    asked: int
    idle: bool


class Grant(NamedTuple):
    """`known` is what all have used so far; `slice` how much this process may use from now on, calls under way included."""

    known: int
    slice: int


_OTHERS = "SELECT coalesce(sum(amount), 0) FROM slices WHERE client = ? AND meter = ? AND period = ? AND process <> ?"


def exchange(session: Session, *, now_sql: str, process: str, wants: Sequence[Want], now: float) -> list[Grant]:
    """In the order of their keys, so that two processes don't wait for each other in a ring. `now_sql` is the database's own
    clock: those of the nodes may differ."""
    return [_one(session, now_sql, process, want, now) for want in wants]


def _one(session: Session, now_sql: str, process: str, want: Want, now: float) -> Grant:
    key = want.holder, want.counts, want.period
    session.run(COUNTERS.add, (*key, want.used, now))  # from here on, others wait for this limit
    [(known,)] = session.rows("SELECT amount FROM counters WHERE client = ? AND meter = ? AND period = ?", key)
    [(others,)] = session.rows(f"{_OTHERS} AND until > {now_sql}", (*key, process))
    free = max(0, want.most - int(known) - int(others))
    wanted = want.busy if want.idle else max(want.busy + want.asked, want.held - want.used, want.busy + free // SHARE)
    slice_ = min(free, wanted)
    if want.idle and not slice_:
        session.run("DELETE FROM slices WHERE client = ? AND meter = ? AND period = ? AND process = ?", (*key, process))
    else:
        put = (
            "INSERT INTO slices (client, meter, period, process, amount, until) "  # noqa: S608
            f"VALUES (?, ?, ?, ?, ?, {now_sql} + {LEASE_SECONDS}) ON CONFLICT (client, meter, period, process) "
            "DO UPDATE SET amount = excluded.amount, until = excluded.until"
        )
        session.run(put, (*key, process, slice_))
    return Grant(int(known), slice_)
