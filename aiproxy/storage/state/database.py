"""What an engine offers: transactions, on one connection, used by one thread at a time. Synchronous; no reactor.

SQL is written once, with `?` for values; what the engines spell differently is an attribute of theirs."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Values = Sequence[Any]


class StateUnavailable(Exception):
    """The database can't be had at the moment: away, locked, full, read-only. The message is for the operator."""


class StateRefused(Exception):
    """The database is not one this program may write: of a newer version, or not ours at all. Nothing was touched."""


class Session(Protocol):
    """Statements of one transaction."""

    def run(self, sql: str, values: Values = ()) -> int:
        """The number of rows concerned."""
        ...

    def many(self, sql: str, rows: Iterable[Values]) -> None: ...
    def rows(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]: ...


class Database(Protocol):
    """`where` is shown to people and holds no secret. `now` is an expression for the engine's own clock, in seconds since the epoch; `recovered` the damaged file that was
    put aside when this one was opened, if any."""

    kind: str
    where: str
    now: str
    recovered: str

    def judge(self) -> None:
        """Raise `StateRefused` if a look that costs no time can tell already. For a gateway that is about to start."""
        ...

    def open(self) -> None:
        """Connect, check and migrate. Raises `StateRefused` or `StateUnavailable`."""
        ...

    def transaction(self, *, writes: bool = True) -> AbstractContextManager[Session]:
        """All or nothing. Raises `StateUnavailable`; anything else that is raised is a mistake in a statement or a value."""
        ...

    def live_bytes(self) -> int:
        """How much room the rows take."""
        ...

    def give_back(self) -> None:
        """Return room that deleted rows have left to the system, a bounded amount at a time."""
        ...

    def vacuum(self) -> None:
        """Return all of it, however long that takes."""
        ...

    def another(self) -> "Database":
        """A second connection to the same database, for reading beside the writer. The same one where there can't be two."""
        ...

    def close(self) -> None: ...


def too_new(where: str, found: int, known: int) -> StateRefused:
    return StateRefused(
        f"{where} was written by a newer aiproxy (its version is {found}, this program knows {known}); "
        "start the newer one, or choose another `state`"
    )
