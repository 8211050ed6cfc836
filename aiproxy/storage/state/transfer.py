"""State as lines of JSON, to look into, to keep, or to move from one database to another. Synchronous.

The first line says what follows (`{"aiproxy-state": VERSION, "export": ID}`), every other is a row with its `table`. What
an older version exported can be imported: columns it didn't know get their defaults. An export is taken over as a whole
or not at all, and once: importing it again changes nothing."""

from collections.abc import Iterable, Iterator
from itertools import islice
from secrets import token_hex
from typing import Any, get_args, get_type_hints

import orjson

from aiproxy.storage.state.database import Database, Session
from aiproxy.storage.state.migrations import VERSION
from aiproxy.storage.state.rows import COUNTERS, KEYED, LOGS, TABLES, Table

PAGE = 2000
"""Rows read or written at a time."""

MARK = "aiproxy-state"


class NotAnExport(Exception):
    """What is wrong, and in which line."""


def exported(database: Database, tables: Iterable[Table] = TABLES) -> Iterator[bytes]:
    """Lines, each with its line end."""
    yield orjson.dumps({MARK: VERSION, "export": token_hex(8)}) + b"\n"
    for table in tables:
        for values in _all(database, table):
            yield orjson.dumps({"table": table.name, **dict(zip(table.columns, values, strict=True))}) + b"\n"


def _all(database: Database, table: Table) -> Iterator[tuple[Any, ...]]:
    if table not in LOGS:
        with database.transaction(writes=False) as session:
            yield from session.rows(table.select)
        return
    last = 0
    page: list[tuple[Any, ...]] | None = None
    while page is None or len(page) == PAGE:
        columns = ", ".join(("id", *table.columns))
        with database.transaction(writes=False) as session:
            page = session.rows(f"SELECT {columns} FROM {table.name} WHERE id > ? ORDER BY id LIMIT {PAGE}", (last,))  # noqa: S608 - names are ours
        for values in page:
            last = values[0]
            yield values[1:]


def imported(database: Database, lines: Iterable[bytes], now: float) -> int | None:
    """How many rows were taken over; None when this export had been before. Raises `NotAnExport`, and changes nothing then."""
    numbered = enumerate(lines, 1)
    export = _head(next(numbered, (1, b""))[1])
    with database.transaction() as session:
        claimed = "INSERT INTO writers (writer, batch, changed) VALUES (?, 1, ?) ON CONFLICT (writer) DO NOTHING"
        if not session.run(claimed, (f"export-{export}", now)):
            return None
        count = 0
        rows = ((number, line) for number, line in numbered if line.strip())
        while page := list(islice(rows, PAGE)):
            _write(session, [_row(number, line) for number, line in page])
            count += len(page)
    return count


def _head(line: bytes) -> str:
    try:
        head = orjson.loads(line)
        version, export = head[MARK], head["export"]
    except (ValueError, TypeError, KeyError):
        raise NotAnExport(
            'line 1: this is no export of `aiproxy-config state export`; it lacks `{"aiproxy-state": …}`'
        ) from None
    if not isinstance(version, int) or not isinstance(export, str):
        raise NotAnExport("line 1: the version or the id is of a wrong type")
    if version > VERSION:
        raise NotAnExport(f"line 1: exported by a newer aiproxy (version {version}, this program knows {VERSION})")
    return export


def _row(number: int, line: bytes) -> tuple[Table, tuple[Any, ...]]:
    try:
        values = orjson.loads(line)
    except ValueError:
        raise NotAnExport(f"line {number}: not JSON") from None
    name = values.pop("table", None) if isinstance(values, dict) else None
    table = next((table for table in TABLES if table.name == name), None)
    if table is None:
        raise NotAnExport(f"line {number}: `table` is not one of {', '.join(table.name for table in TABLES)}")
    hints = get_type_hints(table.row)
    return table, tuple(_value(table, name, hints[name], values, number) for name in table.columns)


def _value(table: Table, name: str, wanted: Any, values: dict[str, Any], number: int) -> Any:
    if name not in values:
        if name not in table.row._field_defaults:
            raise NotAnExport(f"line {number}: `{name}` is missing")
        return table.row._field_defaults[name]
    value = values[name]
    kinds = get_args(wanted) or (wanted,)
    if isinstance(value, int) and not isinstance(value, bool) and float in kinds:
        return float(value)
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise NotAnExport(f"line {number}: `{name}` is of a wrong type")
    if isinstance(value, str) and "\0" in value:
        raise NotAnExport(f"line {number}: `{name}` holds a NUL")
    return value


def _write(session: Session, rows: list[tuple[Table, tuple[Any, ...]]]) -> None:
    for table in TABLES:
        sql = table.add if table is COUNTERS else table.put if table in KEYED else table.insert
        session.many(sql, [values for found, values in rows if found is table])
