"""Rows of a log on their way to the database. Pure."""

import marshal
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiproxy.storage.state.rows import RequestRow, Table, UsageRow


class LogRows:
    """Rows of a log that wait to be written, packed: a quarter of a kilobyte each, in one piece. As tuples of numbers and texts they would
    be out of the processor's caches by then, and so would be what they have pushed out."""

    __slots__ = ("_packed", "columns", "count", "table")

    def __init__(self, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
        """Columns in which all rows have what the database itself fills in are left out: most calls leave a dozen empty, and each that is
        told takes its time."""
        defaults = table.row._field_defaults
        self.count = len(columns[table.columns[0]])
        told = {
            name: values
            for name, values in columns.items()
            if name not in table.filled or values[0] != defaults[name] or values.count(values[0]) < self.count
        }
        self.table = table
        self.columns = tuple(told)
        self._packed = _packed([*told.values()])

    @classmethod
    def of(cls, rows: Sequence[UsageRow] | Sequence[RequestRow]) -> "LogRows":
        """Of one kind, one at least."""
        table = Table.OF[type(rows[0])]
        return cls(table, dict(zip(table.columns, zip(*rows, strict=True), strict=True)))

    @property
    def insert(self) -> str:
        return self.table.insertion(self.columns)

    @property
    def values(self) -> Iterator[tuple[Any, ...]]:
        """Row by row, of `columns`."""
        return zip(*marshal.loads(self._packed), strict=True)  # noqa: S302 - packed here

    @property
    def rows(self) -> Sequence[Any]:
        row = self.table.row
        return [row(**dict(zip(self.columns, values, strict=True))) for values in self.values]

    def may_hold(self, words: str) -> bool:
        """False if none of the rows has these words: a look that unpacks nothing."""
        return words.encode(errors="surrogatepass") in self._packed


def _packed(columns: list[Sequence[Any]]) -> bytes:
    try:
        return marshal.dumps(columns)
    except ValueError:  # a name that is an enumeration's
        plain = [[str(each) if isinstance(each, str) else each for each in values] for values in columns]
        return marshal.dumps(plain)
