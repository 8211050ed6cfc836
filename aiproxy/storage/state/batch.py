"""What is to be written, in the order it came, and how a batch becomes one transaction: exactly once. Synchronous.

Each writer (a process's `State`) numbers its batches. The number is written in the batch's own transaction, so that a
batch whose commit was in doubt (a connection that broke just then) can be sent again and counts once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from aiproxy.storage.state.database import Session, Values
from aiproxy.storage.state.log_rows import LogRows
from aiproxy.storage.state.rows import COUNTERS, CounterRow, Key, KeyedRow, Table


@dataclass(slots=True)
class Batch:
    """Log rows as they came; of keyed rows only the latest of each key; counters summed up."""

    appended: list[LogRows] = field(default_factory=list)
    latest: dict[tuple[Table, Key], KeyedRow | float] = field(default_factory=dict)
    """By key: the row, or the time at which it was removed."""
    added: dict[Key, CounterRow] = field(default_factory=dict)
    size: int = 0
    """Of log rows."""

    def append(self, rows: LogRows) -> None:
        self.appended.append(rows)
        self.size += rows.count

    def put(self, row: KeyedRow) -> None:
        table = Table.OF[type(row)]
        self.latest[table, table.key_of(row)] = row

    def remove(self, table: Table, key: Key, at: float) -> None:
        self.latest[table, key] = at

    def add(self, row: CounterRow) -> None:
        key = COUNTERS.key_of(row)
        known = self.added.get(key)
        amount = row.amount + (known.amount if known else 0)
        self.added[key] = CounterRow(row.client, row.meter, row.period, amount, row.changed)

    @property
    def keys(self) -> int:
        """Of keyed rows and counters."""
        return len(self.latest) + len(self.added)

    def __bool__(self) -> bool:
        return bool(self.size or self.keys)


def write(session: Session, batch: Batch, writer: str, number: int, now: float) -> bool:
    """False when this batch had been written before."""
    if not _claim(session, writer, number, now):
        return False
    for sql, rows in _statements(batch):
        session.many(sql, rows)
    return True


def salvage(session: Session, batch: Batch, writer: str, number: int, now: float) -> int:
    """Write each row that can be, of a batch that can't be as a whole. How many could not."""
    lost = 0
    if _claim(session, writer, number, now):
        for sql, rows in _statements(batch):
            for values in rows:
                session.run("SAVEPOINT one_row")
                try:
                    session.run(sql, values)
                except Exception:  # noqa: BLE001 - each engine has its own words for a value that it doesn't take
                    session.run("ROLLBACK TO SAVEPOINT one_row")
                    lost += 1
    return lost


def _claim(session: Session, writer: str, number: int, now: float) -> bool:
    sql = (
        "INSERT INTO writers (writer, batch, changed) VALUES (?, ?, ?) ON CONFLICT (writer) "
        "DO UPDATE SET batch = excluded.batch, changed = excluded.changed WHERE writers.batch < excluded.batch"
    )
    return session.run(sql, (writer, number, now)) == 1


def _statements(batch: Batch) -> Iterator[tuple[str, Iterable[Values]]]:
    for appended in batch.appended:
        yield appended.insert, appended.values
    # In the order of their keys, so that two nodes that write the same rows don't wait for each other in a ring.
    latest = sorted(batch.latest.items(), key=lambda item: (item[0][0].name, item[0][1]))
    for table, items in groupby(latest, key=lambda item: item[0][0]):
        rows, removed = [], []
        for (_, key), row in items:
            if isinstance(row, float):
                removed.append((*key, row))
            else:
                rows.append(row)
        yield table.put, rows
        yield table.remove, removed
    yield COUNTERS.add, [row for _, row in sorted(batch.added.items())]
