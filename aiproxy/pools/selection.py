"""The pure choice among ready accounts. A strategy is one function; the pool keeps the cursor between its calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """One login at a provider, as the pool sees it. A smaller `priority` is used first; `concurrency` 0 is no limit."""

    id: str
    priority: int = 100
    concurrency: int = 0
    cools: bool = True
    identity: str = ""
    """A digest that differs when the account behind the id is another one (a new key, another address), and is the same in
    every process that reads the same configuration."""


Strategy = Callable[[Sequence[Account], int], Account]
"""(the ready accounts of one priority, in the order of the configuration; how many leases were given before) → one."""


def round_robin(ready: Sequence[Account], turn: int) -> Account:
    return ready[turn % len(ready)]


def fill_first(ready: Sequence[Account], _turn: int) -> Account:
    return ready[0]


STRATEGIES: dict[str, Strategy] = {"round-robin": round_robin, "fill-first": fill_first}


def first_tier(ready: Sequence[Account]) -> list[Account]:
    """The ready accounts of the best priority: a tier is left only when none in it is ready."""
    best = min(account.priority for account in ready)
    return [account for account in ready if account.priority == best]
