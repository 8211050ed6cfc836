"""Strategies are pure: (ready accounts, tallies) → account. Fairness for any sequence of who is ready when."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.pools.selection import STRATEGIES, Account, Strategy, Tally, first_tier, weighted_round_robin


def lent(strategy: Strategy, turns: Iterable[Sequence[Account]], tallies: dict[str, Tally]) -> list[str]:
    """What a strategy lends, turn by turn, each lease ending at once."""
    names = []
    for turn, ready in enumerate(turns, 1):
        chosen, owed = strategy(ready, tallies)
        for name, credit in owed.items():
            tallies[name].credit = credit
        tallies[chosen.id].last = turn
        names.append(chosen.id)
    return names


def accounts(**weights: int) -> tuple[list[Account], dict[str, Tally]]:
    return [Account(name, weight=weight) for name, weight in weights.items()], {name: Tally() for name in weights}


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("round-robin", "abcabca"),
        ("weighted-round-robin", "aabacaa"),
        ("fill-first", "aaaaaaa"),
        ("least-used", "abcabca"),
    ],
)
def test_who_comes_when(strategy: str, expected: str) -> None:
    ready, tallies = accounts(a=5, b=1, c=1)
    assert "".join(lent(STRATEGIES[strategy], [ready] * 7, tallies)) == expected


def test_least_used_looks_at_the_calls_under_way() -> None:
    ready, tallies = accounts(a=1, b=1, c=1)
    tallies["a"].in_use, tallies["b"].in_use, tallies["c"].in_use = 2, 1, 2
    assert STRATEGIES["least-used"](ready, tallies)[0].id == "b"


def test_an_account_without_weight_is_the_last_resort() -> None:
    ready, tallies = accounts(a=0, b=1)
    assert set(lent(weighted_round_robin, [ready] * 5, tallies)) == {"b"}
    assert lent(weighted_round_robin, [ready[:1]] * 2, tallies) == ["a", "a"]


def test_a_tier_is_left_only_when_none_in_it_is_ready() -> None:
    a, b, c = Account("a", priority=5), Account("b", priority=1), Account("c", priority=1)
    assert first_tier([a, b, c]) == [b, c]
    assert first_tier([a]) == [a]


@given(weights=st.lists(st.integers(1, 9), min_size=1, max_size=6), rounds=st.integers(1, 3))
def test_shares_come_out_by_weight_and_smoothly(weights: list[int], rounds: int) -> None:
    ready, tallies = accounts(**{f"a{i}": weight for i, weight in enumerate(weights)})
    names = lent(weighted_round_robin, [ready] * (sum(weights) * rounds), tallies)
    assert Counter(names) == {account.id: account.weight * rounds for account in ready}
    for account in ready:
        gap = max((len(part) for part in "".join("x" if n == account.id else "." for n in names).split("x")), default=0)
        assert gap <= 2 * -(-sum(weights) // account.weight), "nobody waits much longer than its share says"


@given(st.data(), st.sampled_from(["round-robin", "least-used", "weighted-round-robin"]))
def test_nobody_starves_whoever_else_comes_and_goes(data: st.DataObject, strategy: str) -> None:
    ready, tallies = accounts(a=1, b=1, c=1, d=1)
    turns = data.draw(st.lists(st.lists(st.sampled_from(ready[1:]), unique_by=lambda account: account.id), max_size=60))
    waiting = longest = 0
    for name in lent(STRATEGIES[strategy], [[ready[0], *others] for others in turns], tallies):
        waiting = 0 if name == "a" else waiting + 1
        longest = max(longest, waiting)
    assert longest < 2 * len(ready)
