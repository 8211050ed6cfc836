"""Slices of a shared limit: whoever asks, dies or comes back, in whatever order, no more is used than the bound says.

Processes are simulated in virtual time on a real database: each has a limiter of its own, makes and ends calls, exchanges
with the database when it likes, and may die with all it knows."""

from dataclasses import dataclass, field
from itertools import count
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from aiproxy.clients.limiter import Limiter
from aiproxy.clients.limits import Counts, Exceeded, Limit, Limited, OutOfSlice, Reservation, Window
from aiproxy.storage import slices as sharing
from aiproxy.storage.slices import Slices
from aiproxy.storage.state.database import Session, StateUnavailable
from aiproxy.storage.state.slices import LEASE_SECONDS, SHARE, Grant, Want, exchange
from aiproxy.storage.state.sqlite import SqliteDatabase

NOON = 1772280000.0  # 2026-02-28 12:00 UTC
MOST = 10_000
MONTH = Limited("team", "This key", (Limit("tokens-per-month", MOST, Counts.TOKENS, Window.MONTH),))


@dataclass
class World:
    """A database and a clock that all processes share."""

    database: SqliteDatabase = field(default_factory=lambda: SqliteDatabase(None))
    time: float = NOON
    away: bool = False
    names: "count[int]" = field(default_factory=count)

    def seconds(self) -> float:
        return self.time

    def transact(self, ask: object) -> object:
        if self.away:
            raise StateUnavailable("away")
        with self.database.transaction() as session:
            return ask(session)  # type: ignore[operator]


class StateOf:
    """As much of `State` as `Slices` uses, at once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = f"process-{next(world.names)}"
        self.database = world.database

    def now(self) -> float:
        return self.world.time

    async def transact(self, ask: object) -> object:
        return self.world.transact(ask)


class Process:
    def __init__(self, world: World) -> None:
        self.world = world
        self.limiter = Limiter()
        self.limiter.shared = True
        self.state = StateOf(world)
        self.slices = Slices(None, self.limiter, self.state)  # type: ignore[arg-type]
        self.running: list[tuple[Reservation, int]] = []
        self.used = 0

    def exchange(self) -> None:
        Deferred.fromCoroutine(self.slices._exchange())

    def call(self, reserved: int, uses: int) -> bool:
        """Whether it was let in; a slice that is too small is asked for at once."""
        for _ in range(2):
            try:
                reservation = self.limiter.reserve([MONTH], reserved, self.world.time)
            except Exceeded:
                return False
            except OutOfSlice as dry:
                self.slices._waiting = {Deferred(): dry.asked}
                self.exchange()
                continue
            self.running.append((reservation, uses))
            return True
        return False

    def end(self, number: int) -> None:
        reservation, uses = self.running.pop(number)
        self.limiter.commit(reservation, uses, self.world.time)
        self.used += uses

    @property
    def slice(self) -> int:
        return sum(tally.slice or 0 for tally in self.limiter.tallies.values())


def world() -> World:
    made = World()
    made.database.open()
    return made


def test_processes_find_what_others_leave_and_no_more() -> None:
    shared = world()
    one, two = Process(shared), Process(shared)
    assert one.call(9000, 9000)
    one.end(0)
    one.exchange()
    assert not two.call(1000, 1000)  # a part of what is left is with the other one, for a while
    shared.time += sharing.IDLE_SECONDS + 1
    one.exchange()
    assert two.call(1000, 1000)
    two.end(0)
    two.exchange()
    assert not one.call(1, 1)
    assert one.used + two.used == MOST


def test_what_an_idle_process_holds_comes_back() -> None:
    shared = world()
    one, two = Process(shared), Process(shared)
    one.call(100, 100)
    one.end(0)
    one.exchange()
    assert one.slice >= (MOST - 100) // SHARE
    shared.time += sharing.IDLE_SECONDS + 1
    one.exchange()
    assert one.slice == 0
    assert two.call(MOST - 100, 0)


def test_who_only_looks_sees_what_all_have_used_and_holds_nothing() -> None:
    """`/v1/quota`, and whoever watches budgets."""
    shared = world()
    one, two = Process(shared), Process(shared)
    assert one.call(9000, 9000)
    one.end(0)
    one.exchange()
    for _ in range(5):
        two.limiter.standings([MONTH], shared.time)
        one.limiter.standings([MONTH], shared.time)
        for each in (two, one):
            each.exchange()
            [standing] = each.limiter.standings([MONTH], shared.time)
            assert standing.used == 9000
        shared.time += sharing.IDLE_SECONDS / 2 + 1
    assert (one.slice, two.slice) == (0, 0)
    assert two.call(1000, 1000)


def test_while_the_state_is_away_a_process_uses_its_slice_and_then_refuses() -> None:
    shared = world()
    one = Process(shared)
    assert one.call(10, 10)
    shared.away = True
    held = one.slice
    used = 0
    while one.call(10, 10):
        used += 10
    assert 0 < used <= held
    shared.away = False
    assert one.call(10, 10)


def test_a_month_that_ends_begins_with_a_slice_of_its_own() -> None:
    shared = world()
    one = Process(shared)
    assert one.call(MOST, MOST)
    one.end(0)
    assert not one.call(1, 1)
    shared.time += 13 * 3600
    assert one.call(1, 1)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(2, 4), st.booleans())
def test_200_calls_at_once_of_several_processes_never_pass_the_bound(seed: int, size: int, unrest: bool) -> None:
    """overshoot ≤ E + D · S: what single calls use beyond their reservations, and a slice for each process that died."""
    random, shared = Random(seed), world()
    processes = [Process(shared) for _ in range(size)]
    gone_used = excess = lost = 0
    running = 0
    for _ in range(600):
        place = random.randrange(size)
        process = processes[place]
        match random.choices(("call", "end", "exchange", "die"), (6, 3, 2, 0.05 if unrest else 0))[0]:
            case "call" if running < 200:
                reserved = random.randrange(1, 400)
                uses = reserved * random.randrange(0, 120) // 100
                if process.call(reserved, uses):
                    running += 1
                    excess += max(0, uses - reserved)
            case "end" if process.running:
                process.end(random.randrange(len(process.running)))
                running -= 1
            case "exchange":
                shared.time += random.random()
                process.exchange()
            case "die":
                lost += process.slice
                running -= len(process.running)
                gone_used += process.used + sum(uses for _, uses in process.running)  # its calls cost what they cost
                processes[place] = Process(shared)
                with shared.database.transaction() as session:  # as if its slices had ended meanwhile
                    session.run("DELETE FROM slices WHERE process = ?", (process.state.name,))
    for process in processes:
        while process.running:
            process.end(0)
        process.exchange()
    used = gone_used + sum(process.used for process in processes)
    assert used <= MOST + excess + lost
    if not unrest:
        [(written,)] = _rows(shared, "SELECT amount FROM counters")
        assert written == used <= MOST + excess


def _rows(shared: World, sql: str) -> list[tuple[int, ...]]:
    with shared.database.transaction() as session:
        return session.rows(sql)


def test_a_slice_that_is_not_renewed_ends_by_the_databases_clock() -> None:
    def ask(session: Session, now: str, process: str) -> Grant:
        want = Want("team", "tokens", "2026-02", MOST, 0, 0, 0, MOST, idle=False)
        return exchange(session, now_sql=now, process=process, wants=[want], now=NOON)[0]

    database = world().database
    with database.transaction() as session:
        assert ask(session, "1000.0", "a").slice == MOST
        assert ask(session, f"{1000 + LEASE_SECONDS - 1}", "b").slice == 0
        assert ask(session, f"{1000 + LEASE_SECONDS + 1}", "b").slice == MOST
