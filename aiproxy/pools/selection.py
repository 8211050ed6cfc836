"""The pure choice among ready accounts. A strategy is one function; the pool keeps the tallies between its calls."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiproxy.pools.verdict import JUDGE, Judge


@dataclass(frozen=True, slots=True)
class Account:
    """One login at a provider, as the pool sees it. A smaller `priority` is used first; `concurrency` and `per_minute` 0 are no limits;
    `weight` counts for `weighted-round-robin`, 0 being the last resort."""

    id: str
    priority: int = 100
    weight: int = 1
    concurrency: int = 0
    judge: Judge = JUDGE
    identity: str = ""
    """A digest that differs when the account behind the id is another one (a new key, another address), and is the same in
    every process that reads the same configuration. "" is never kept outside the process."""
    provider: str = ""
    """Accounts with the same one are at the same provider and address: their models fail together."""
    network: str = ""
    """Accounts with the same one are reached the same way."""
    per_minute: int = 0
    """Calls that it is lent to within any minute."""


@dataclass(slots=True)
class Tally:
    """What an account has been lent since the configuration was taken over. `last` is the number of the lease it had last,
    `credit` what smooth weighting owes it, `spent` the share of its quota that its vendor says is used, None where none does."""

    in_use: int = 0
    last: int = 0
    credit: float = 0.0
    spent: float | None = None
    times: deque[float] = field(default_factory=deque)
    """When it was lent last, as often as it may be within a minute."""


Strategy = Callable[[Sequence[Account], Mapping[str, Tally]], tuple[Account, Mapping[str, float]]]
"""(the ready accounts of one priority, in the order of the configuration; all tallies, by id) → the one to lend, and what
smooth weighting owes whom from now on, by id."""


def round_robin(ready: Sequence[Account], tallies: Mapping[str, Tally]) -> tuple[Account, Mapping[str, float]]:
    """Whose turn is longest ago: the same as taking turns, also while others rest."""
    return min(ready, key=lambda account: tallies[account.id].last), {}


def fill_first(ready: Sequence[Account], _tallies: Mapping[str, Tally]) -> tuple[Account, Mapping[str, float]]:
    return ready[0], {}


def least_used(ready: Sequence[Account], tallies: Mapping[str, Tally]) -> tuple[Account, Mapping[str, float]]:
    """The one with the fewest calls under way; among equals, the one with most of its quota left, then whose turn is longest
    ago. One whose vendor tells of none stands in the middle of those that do."""
    told = [spent for account in ready if (spent := tallies[account.id].spent) is not None]
    middle = sum(told) / len(told) if told else 0.0

    def busy(account: Account) -> tuple[int, float, int]:
        tally = tallies[account.id]
        return tally.in_use, middle if tally.spent is None else tally.spent, tally.last

    return min(ready, key=busy), {}


def weighted_round_robin(ready: Sequence[Account], tallies: Mapping[str, Tally]) -> tuple[Account, Mapping[str, float]]:
    """nginx's smooth weighting: everyone is credited its weight, the richest is lent and pays for all. Shares come out by
    weight, and no account is lent many times in a row while another waits."""
    heavy = [account for account in ready if account.weight > 0]
    if not heavy:
        return round_robin(ready, tallies)
    owed = {account.id: tallies[account.id].credit + account.weight for account in heavy}
    chosen = max(heavy, key=lambda account: owed[account.id])
    owed[chosen.id] -= sum(account.weight for account in heavy)
    return chosen, owed


STRATEGIES: Mapping[str, Strategy] = {
    "round-robin": round_robin,
    "weighted-round-robin": weighted_round_robin,
    "fill-first": fill_first,
    "least-used": least_used,
}


def first_tier(ready: Sequence[Account]) -> Sequence[Account]:
    """The ready accounts of the best priority: a tier is left only when none in it is ready."""
    best = min(account.priority for account in ready)
    return [account for account in ready if account.priority == best]
