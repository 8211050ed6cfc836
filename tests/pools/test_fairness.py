"""Shares under load: callers that ask again as soon as they are done, calls of any length, limits, and accounts that fail and recover,
in virtual time."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from aiproxy.neutral.errors import RateLimited
from aiproxy.pools.lending import Wanted
from aiproxy.pools.pool import Lease, Pool
from aiproxy.pools.selection import STRATEGIES, Account
from tests.pools.leasing import give_back

FOR_EVER = 1e9
"""Seconds. Nobody gives up."""

LEASES = 120

EXAMPLES = settings(max_examples=40)
"""Each is a hundred choices."""


class Turn(NamedTuple):
    """A choice: who was ready, how many calls each of them had under way, and who was lent."""

    ready: tuple[str, ...]
    in_use: Mapping[str, int]
    lent: str


Length = Callable[[Random], float]
"""Of a call, in seconds."""


class Load:
    """`failing` is the share of calls that the accounts of these names fail; each failure rests its account for a while."""

    def __init__(
        self,
        strategy: str,
        accounts: Sequence[Account],
        callers: int,
        seed: int,
        length: Length,
        failing: Mapping[str, float] | None = None,
        leases: int = LEASES,
    ) -> None:
        self._random = Random(seed)
        self._length = length
        self._failing = failing or {}
        self._clock = Clock()
        self._pool = Pool(self._clock, Random(seed), accounts, STRATEGIES[strategy])
        self._under_way: list[tuple[float, int, Lease]] = []
        self._number = count()
        self._names = [account.id for account in accounts]
        self._wanted = Wanted(tuple((name, "m") for name in self._names), patience=FOR_EVER)
        self.turns: list[Turn] = []
        self.fullest: Counter[str] = Counter()
        for _ in range(callers):
            self._ask()
        while len(self.turns) < leases:
            self._go_on()

    def lent(self, begins: int = 0, ends: int | None = None) -> Counter[str]:
        return Counter(turn.lent for turn in self.turns[begins:ends])

    def _go_on(self) -> None:
        now = self._clock.seconds()
        if not self._under_way:
            self._clock.advance(1.0)  # all rest
            return
        ends, _, lease = self._under_way[0]
        if ends > now:
            self._clock.advance(ends - now)  # what had to wait for that time comes first
            return
        heappop(self._under_way)
        fails = self._random.random() < self._failing.get(lease.account.id, 0.0)
        give_back(lease, RateLimited("x", retry_after=self._random.choice((0.5, 5.0, 50.0))) if fails else None)
        self._ask()

    def _ask(self) -> None:
        self._pool.lease(self._wanted).addCallback(self._got)

    def _got(self, lease: Lease) -> None:
        chosen = lease.account.id
        skipped = {each.candidate[0] for each in lease.taken.skipped}
        in_use = {name: self._pool.in_use(name) for name in self._names if name not in skipped}
        self.fullest[chosen] = max(self.fullest[chosen], in_use[chosen])
        self.turns.append(Turn(tuple(in_use), {**in_use, chosen: in_use[chosen] - 1}, chosen))
        heappush(self._under_way, (self._clock.seconds() + self._length(self._random), next(self._number), lease))


def any_length(random: Random) -> float:
    return random.choice((0.1, 1.0, random.uniform(0.1, 60.0)))


def equal_length(_random: Random) -> float:
    return 1.0


def named(weights: Sequence[int] = (1, 1, 1, 1), concurrency: int = 0) -> list[Account]:
    return [Account(f"a{n}", weight=weight, concurrency=concurrency) for n, weight in enumerate(weights)]


def stretches(turns: Sequence[Turn]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Who was lent while the same were ready."""
    lent: list[str] = []
    ready: tuple[str, ...] = ()
    for turn in turns:
        if turn.ready != ready:
            if lent:
                yield ready, lent
            ready, lent = turn.ready, []
        lent.append(turn.lent)
    if lent:
        yield ready, lent


def spread(counts: Counter[str], names: Sequence[str]) -> int:
    return max(counts[name] for name in names) - min(counts[name] for name in names)


SEEDS, CALLERS = st.integers(0, 10_000), st.integers(1, 30)
FAILING = st.dictionaries(st.sampled_from(["a1", "a2", "a3"]), st.sampled_from([0.05, 0.5, 1.0]))
LIMITS = st.sampled_from([0, 1, 2, 5])


@EXAMPLES
@given(seed=SEEDS, callers=CALLERS, size=st.integers(2, 6))
def test_by_turns_all_are_lent_alike(seed: int, callers: int, size: int) -> None:
    load = Load("round-robin", named((1,) * size), callers, seed, any_length)
    for upto in range(0, LEASES, 7):
        assert spread(load.lent(ends=upto), load.turns[0].ready) <= 1


@EXAMPLES
@given(seed=SEEDS, callers=CALLERS, limit=LIMITS, failing=FAILING)
def test_by_turns_nobody_who_is_ready_is_passed_over_twice_for_the_same(
    seed: int, callers: int, limit: int, failing: Mapping[str, float]
) -> None:
    """Whatever fails, recovers or is full: so a recovered account comes again within a turn of all others."""
    load = Load("round-robin", named(concurrency=limit), callers, seed, any_length, failing)
    passed: dict[str, set[str]] = {}
    for turn in load.turns:
        for name in turn.ready:
            if name != turn.lent:
                assert turn.lent not in passed.setdefault(name, set())
                passed[name].add(turn.lent)
        passed = {name: over for name, over in passed.items() if name in turn.ready and name != turn.lent}
    for ready, lent in stretches(load.turns):
        assert spread(Counter(lent), ready) <= 1


@EXAMPLES
@given(seed=SEEDS, callers=CALLERS, weights=st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_by_weight_every_cycle_has_everyones_share(seed: int, callers: int, weights: list[int]) -> None:
    accounts = named(weights)
    load = Load("weighted-round-robin", accounts, callers, seed, any_length)
    cycle = sum(weights)
    for begins in range(0, LEASES - cycle, 3):
        counts = load.lent(begins, begins + cycle)
        for account in accounts:
            assert abs(counts[account.id] - account.weight) <= 1


@EXAMPLES
@given(seed=SEEDS, callers=CALLERS, limit=LIMITS, failing=FAILING)
def test_by_weight_shares_hold_while_others_come_and_go(
    seed: int, callers: int, limit: int, failing: Mapping[str, float]
) -> None:
    accounts = named((3, 2, 1, 2), limit)
    weights = {account.id: account.weight for account in accounts}
    load = Load("weighted-round-robin", accounts, callers, seed, any_length, failing)
    for ready, lent in stretches(load.turns):
        cycle = sum(weights[name] for name in ready)
        for begins in range(cycle, len(lent) - cycle):  # the first one evens out what was owed before
            counts = Counter(lent[begins : begins + cycle])
            assert all(abs(counts[name] - weights[name]) <= 1 for name in ready)


@EXAMPLES
@given(seed=SEEDS, callers=CALLERS, limit=LIMITS, failing=FAILING)
def test_least_used_lends_whoever_has_least_under_way(
    seed: int, callers: int, limit: int, failing: Mapping[str, float]
) -> None:
    load = Load("least-used", named(concurrency=limit), callers, seed, any_length, failing)
    for turn in load.turns:
        assert turn.in_use[turn.lent] == min(turn.in_use.values())


@EXAMPLES
@given(seed=SEEDS, callers=CALLERS, size=st.integers(2, 6))
def test_least_used_spreads_what_is_under_way_and_calls_of_one_length_alike(seed: int, callers: int, size: int) -> None:
    load = Load("least-used", named((1,) * size), callers, seed, equal_length)
    names = load.turns[0].ready
    assert spread(load.fullest, names) <= 1
    assert spread(load.lent(), names) <= 1 + callers // size


@EXAMPLES
@given(strategy=st.sampled_from(list(STRATEGIES)), seed=SEEDS, failing=FAILING)
def test_limits_hold_and_a_queue_fills_every_account_to_its_own(
    strategy: str, seed: int, failing: Mapping[str, float]
) -> None:
    accounts = [Account(f"a{n}", concurrency=limit) for n, limit in enumerate((1, 2, 4, 4))]
    load = Load(strategy, accounts, 30, seed, any_length, failing)
    assert load.fullest == {account.id: account.concurrency for account in accounts}
    load = Load(strategy, accounts, 30, seed, equal_length, leases=121)
    assert all(abs(load.lent()[account.id] - 11 * account.concurrency) <= account.concurrency for account in accounts)


@EXAMPLES
@given(seed=SEEDS, callers=CALLERS, failing=FAILING)
def test_whoever_fills_one_first_takes_the_next_only_when_it_must(
    seed: int, callers: int, failing: Mapping[str, float]
) -> None:
    load = Load("fill-first", named(concurrency=3), callers, seed, any_length, failing)
    assert all(turn.lent == turn.ready[0] for turn in load.turns)
