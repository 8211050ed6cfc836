"""What state is made of: one named tuple a row (they are made for every call, and are
what a database takes), one `Table` a table, and the SQL that follows from them. Pure.

Two kinds of tables. A *log* only grows: rows are appended, and go by age. A *keyed* table says what is so now: one row a
key, each with the time it was `changed`, and a row never replaces a newer one, whoever is late. Times are seconds since
the epoch. A row's fields are the table's columns; `migrations` makes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple


class UsageRow(NamedTuple):
    """One attempt: what it used, and how it ended. `at` is its end; tokens as in `neutral.usage`, None where nobody said."""

    at: float
    node: str
    request_id: str
    attempt: int
    client: str
    protocol: str
    operation: str
    account: str
    provider: str
    model: str
    seconds: float
    outcome: str
    error: str = ""
    upstream_status: int | None = None
    input_uncached: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    audio_in: int | None = None
    tool_prompt: int | None = None
    output_visible: int | None = None
    reasoning: int | None = None
    audio_out: int | None = None
    server_tools: str = ""
    """A JSON object, kind of tool → uses; empty for none."""
    asked: str = ""
    """The model, as the client called it."""
    session: str = ""
    """What the conversation is known by."""
    first_byte: float | None = None
    """Seconds from the attempt's beginning, where the client saw something of its answer."""
    cost: float | None = None
    """US dollars by the prices of the version `prices`; None where there is no price, or nobody said what was used."""
    prices: str = ""
    estimated: int = 0
    """1: nobody said what was used, the tokens are our estimate."""
    raw: str = ""
    """What the upstream said of usage, as it said it: JSON, or empty."""
    image_in: int | None = None
    image_out: int | None = None
    tags: str = ""
    """A JSON list: the tags that the client's key had then; empty for none."""
    before: float | None = None
    """Seconds from the call's coming to the attempt. Told of a call that was this one attempt and ended as it did: it has no row among the
    requests, what that would say of it stands in the columns from here on. None for attempts of calls that have one."""
    streamed: int = 0
    chosen: str = ""
    """Why its account was taken (`strategy`, …), where nothing else was decided: nobody waited, nobody was passed over."""
    decision: str = ""
    """As of a request, where there is more to say."""
    remarks: str = ""
    """As of a request."""


class RequestRow(NamedTuple):
    """One call of several attempts, or of none: what was asked, what was decided, and how it ended. `at` is its end; `decision` a JSON
    list of choices, or empty; `remarks` a JSON object of what else is told of it (`calls.Remarks`), or empty."""

    at: float
    node: str
    request_id: str
    client: str
    protocol: str
    operation: str
    model: str
    streamed: int
    outcome: str
    error: str
    seconds: float
    first_byte: float | None
    attempts: int
    decision: str = ""
    remarks: str = ""

    @property
    def span(self) -> tuple[float, float]:
        """The times at which its attempts may have ended, roundings and jumps of the clock allowed for: a client may use its request id
        again."""
        return self.at - self.seconds - 1, self.at + 1


class CooldownRow(NamedTuple):
    """A rest of an account, or (`model`) of one model at it. `account` is the digest of what the account is, so that a
    new key under an old name starts afresh; `name` is for people. `rest` is the length in seconds that doubling goes on
    from, `since` and `until` the rest itself."""

    account: str
    model: str
    name: str
    reason: str
    rest: float
    since: float
    until: float
    changed: float


class QuotaRow(NamedTuple):
    """What an upstream said of one of its windows (`5h`, `requests`, …). Amounts are in the window's own unit."""

    account: str
    period: str
    allowed: float | None
    remaining: float | None
    resets_at: float | None
    changed: float


class AffinityRow(NamedTuple):
    """Which account a conversation stays with, and what its upstream calls the model. `session` is what the conversation is
    known by."""

    session: str
    account: str
    until: float
    changed: float
    model: str = ""


class CounterRow(NamedTuple):
    """How much of one thing (`meter`: requests, tokens, micro-dollars) a client used in one `period` (`2026-11`, a minute's
    start, …). Budgets are counters over long periods: what may be used is configured, what was used stands here."""

    client: str
    meter: str
    period: str
    amount: int
    changed: float


class ClientKeyRow(NamedTuple):
    """A client key that was made here. `digest` is its SHA-256 in hexadecimal, the key itself is nowhere; `ending` its last
    characters, by which people know it again. Keys with one `id` are one holder's: the old and the new one of a rotation.
    `settings` is a JSON object, what the configuration would say of the key; `until` when it stops working, None for never."""

    digest: str
    id: str
    name: str
    ending: str
    settings: str
    created: float
    until: float | None
    changed: float


KeyedRow = CooldownRow | QuotaRow | AffinityRow | ClientKeyRow
Row = UsageRow | RequestRow | KeyedRow | CounterRow
Key = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table and its statements, in the SQL that SQLite and PostgreSQL share; `?` stands for a value."""

    name: str
    row: type[Any]
    key: tuple[str, ...] = ()
    ends: str = ""
    """The column after whose time a keyed row means nothing any more."""
    filled: frozenset[str] = frozenset()
    """Columns into which the database itself puts what the row has by default."""

    OF: ClassVar[dict[type, "Table"]] = {}

    def __post_init__(self) -> None:
        Table.OF[self.row] = self

    @property
    def columns(self) -> tuple[str, ...]:
        names: tuple[str, ...] = self.row._fields
        return names

    @property
    def insert(self) -> str:
        return self.insertion(self.columns)

    def insertion(self, columns: Sequence[str]) -> str:
        """Of rows that tell these columns only."""
        marks = ", ".join("?" * len(columns))
        return f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names are ours

    @property
    def put(self) -> str:
        """The newer row wins, and of two changed at one time the later."""
        sets = ", ".join(f"{column} = excluded.{column}" for column in self.columns if column not in self.key)
        newer = f"excluded.changed >= {self.name}.changed"
        return f"{self.insert} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {sets} WHERE {newer}"

    @property
    def add(self) -> str:
        """Of counters: the amount comes on top."""
        sets = f"amount = {self.name}.amount + excluded.amount, changed = excluded.changed"
        return f"{self.insert} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {sets}"

    @property
    def remove(self) -> str:
        """Takes the key and the time of the removal."""
        same = " AND ".join(f"{column} = ?" for column in self.key)
        return f"DELETE FROM {self.name} WHERE {same} AND changed <= ?"  # noqa: S608

    @property
    def select(self) -> str:
        return f"SELECT {', '.join(self.columns)} FROM {self.name}"  # noqa: S608

    def key_of(self, row: Row) -> Key:
        return tuple(getattr(row, column) for column in self.key)


USAGE = Table("usage", UsageRow, filled=frozenset(UsageRow._field_defaults) - {"error", "server_tools"})
REQUESTS = Table("requests", RequestRow, filled=frozenset({"remarks"}))
COOLDOWNS = Table("cooldowns", CooldownRow, ("account", "model"), ends="until")
QUOTAS = Table("quotas", QuotaRow, ("account", "period"))
AFFINITY = Table("affinity", AffinityRow, ("session",), ends="until")
CLIENT_KEYS = Table("client_keys", ClientKeyRow, ("digest",), ends="until")
COUNTERS = Table("counters", CounterRow, ("client", "meter", "period"))

LOGS = (USAGE, REQUESTS)
KEYED = (COOLDOWNS, QUOTAS, AFFINITY, COUNTERS, CLIENT_KEYS)
TABLES = (*LOGS, *KEYED)
