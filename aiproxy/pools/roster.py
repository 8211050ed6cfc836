"""Candidates, looked up once: what holds of them until the accounts are replaced. Calls ask for the same ones again and again, and
a look at each of a thousand costs more than all else that a call needs."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from aiproxy.pools.affinity import Candidate
from aiproxy.pools.book import Place, places
from aiproxy.pools.selection import Account, first_tier

MOST_KEPT = 100_000
"""Candidates in the rosters that are kept, all together. About 40 MB."""


class Line(NamedTuple):
    """One candidate, and what it depends on. `account` is None for one that is gone."""

    candidate: Candidate
    account: Account | None
    places: Sequence[Place]


class Roster:
    """`limited`: some of them may be busy, or gone, though nothing rests. `everyone` is them all, and `tier` the accounts of the best
    priority among them."""

    def __init__(self, candidates: Collection[Candidate], accounts: Mapping[str, Account]) -> None:
        self.candidates = candidates
        self.lines = [_line(candidate, accounts.get(candidate[0])) for candidate in candidates]
        known = [(line.account, line.candidate[1]) for line in self.lines if line.account is not None]
        limited = any(account.concurrency or account.per_minute for account, _ in known)
        self.limited = limited or len(known) < len(self.lines) or not known
        self.everyone: Sequence[tuple[Account, str]] = known
        self.tier = tier_of(known)


class Rosters:
    """Those of the candidates that were asked for, found by which collection it is: its maker keeps it, and doesn't change it."""

    def __init__(self) -> None:
        self._kept: dict[int, Roster] = {}
        self._size = 0

    def of(self, candidates: Collection[Candidate], accounts: Mapping[str, Account]) -> Roster:
        """`accounts` are the same until `forget`."""
        found = self._kept.get(id(candidates))
        if found is not None:
            return found  # it holds its candidates, so that nothing else gets their id
        if self._size > MOST_KEPT:
            self.forget()
        made = self._kept[id(candidates)] = Roster(candidates, accounts)
        self._size += 1 + len(candidates)
        return made

    def forget(self) -> None:
        self._kept.clear()
        self._size = 0


def tier_of(ready: Sequence[tuple[Account, str]]) -> Sequence[Account]:
    """The accounts of the best priority, each once; none of none."""
    return first_tier(list({account.id: account for account, _ in ready}.values())) if ready else ()


def _line(candidate: Candidate, account: Account | None) -> Line:
    return Line(candidate, account, () if account is None else places(account, candidate[1]))
